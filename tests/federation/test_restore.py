"""A node never contradicts what it has signed: not after an old backup, a snapshot, a clone or a lost mark."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.lapsing import UNANSWERED_DAYS_MAX
from aidmesh_node.application.mark import MarkValue
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.federation.peer_client import PeerRefused
from aidmesh_node.storage.home_lock import HomeBusy
from aidmesh_node.storage.mark import MarkFile
from aidmesh_protocol.bundle import MAGIC, Frame, PackageFrame, encode_frame
from aidmesh_protocol.identity import origin_hash
from tests.support.faults import frames_of
from tests.support.federation import Mesh
from tests.support.misfortune import Signatures, World, clone_of, roll_back, snapshot
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    state,
)


async def test_after_a_restart_nothing_is_signed_until_the_peer_has_asked(tmp_path: Path) -> None:
    """SPEC §16.2a."""
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        alice = await world.restart()
        world.cut()
        subject = await world.share_more()
        await mesh.settle()
        standing = alice.federation.standing()
        assert (standing["standing"], standing["signing"]) == ("active", False)
        assert standing["unsigned_feeds"] == [world.origin], "it says what waits"
        before = world.signed_size()

        world.heal()
        await world.pull(alice)
        assert world.signed_size() == before, "an answer may be an old one: it frees nothing"
        await world.pull(world.bob)
        assert world.signed_size() == before + 1, "bob's own request does"
        assert alice.federation.standing()["signing"]
        await mesh.settle()
        assert subject in await on_board(world.bob)
        world.signatures.check()
        await check_all_agree(mesh)


async def test_an_old_answer_redelivered_after_a_snapshot_frees_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        recorder = mesh.network.faults = Replay()
        await mesh.settle()
        old = recorder.answers[world.alice.endpoint]
        mesh.network.faults = None
        await snapshot(world)
        await world.share_more()
        await mesh.settle()
        await roll_back(world)
        mesh.network.faults = Replay(then=old)
        await world.share_more("Ropes")
        await world.alice.federation.publisher.publish()
        await world.pull(world.alice)
        assert world.alice.federation.standing()["unsigned_feeds"] == [world.origin]
        mesh.network.faults = None
        await mesh.settle()
        await world.check_recovered("a peer shows our signature")


async def test_a_snapshot_is_found_out_by_a_checkpoint_whose_entries_never_arrived(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await snapshot(world)
        await world.share_more()
        mesh.network.faults = CutBefore(PackageFrame)
        await mesh.round()
        mesh.network.faults = None
        assert len(said(world.bob, world.alice, world.circle)) == 2, "bob saw the signature, not the entry"
        await roll_back(world)
        await world.share_more("Ropes")
        await mesh.settle()
        await world.check_stays("a peer shows our signature")


@pytest.mark.parametrize("who_asks", ["alice", "bob"])
async def test_a_snapshot_of_home_and_mark_is_found_out_at_first_contact(tmp_path: Path, who_asks: str) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await snapshot(world)
        await world.share_more()
        await mesh.settle()
        await roll_back(world)
        world.cut()
        await world.share_more("Ropes")
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active", "home and mark agree with each other"
        assert not world.alice.federation.standing()["signing"]
        world.heal()
        with suppress(PeerRefused):
            await world.pull(mesh.groups[who_asks])
        await world.check_recovered("a peer shows our signature")


async def test_an_old_backup_of_the_home_is_found_out_by_the_mark(tmp_path: Path) -> None:
    """SPEC §16.1a."""
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await snapshot(world)
        subject = await world.share_more()
        await mesh.settle()
        await mesh.stop("alice")
        world.restore("alice")
        await world.start()
        await world.check_recovering("it is an older copy")
        assert subject in await on_board(world.bob), "what she said before still stands at bob's"


async def test_a_recovering_giver_makes_nothing_firm(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        need = await post_need(world.bob, 4)
        subject = await share(world.bob, need, world.circle)
        await mesh.settle()
        stock = await post_offer(world.alice, 4)
        offered = await pledge(world.alice, subject, 4, stock)
        await mesh.settle()
        await snapshot(world)
        await world.share_more()
        await mesh.settle()
        at_bob = heard(world.alice, world.circle, offered)
        await mesh.stop("alice")
        await world.bob.do(pledges.accept_pledge, at_bob)
        world.restore("alice")
        await world.start()
        world.cut()
        await mesh.settle()
        assert not made(world.alice, Pledge.Committed) and not made(world.alice, Pledge.Accepted)
        assert (await state(world.bob, at_bob)).phase == "accepted"
        mesh.clock.time += timedelta(days=2 * UNANSWERED_DAYS_MAX)
        assert await world.alice.federation.lapse() == 0, "an answer may be among what was lost"
        assert (await state(world.alice, offered)).phase == "offered"
        world.heal()
        await world.check_recovering("it is an older copy")


async def test_a_home_from_before_the_pairing_is_found_out_by_the_mark(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        await mesh.stop("alice")
        shutil.copytree(alice.home, tmp_path.parent / f"{tmp_path.name}-old")
        alice, bob = await mesh.start("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        await mesh.stop("alice")
        shutil.rmtree(alice.home)
        shutil.copytree(tmp_path.parent / f"{tmp_path.name}-old", alice.home)
        alice = await mesh.start("alice")
        standing = alice.federation.standing()
        assert standing["standing"] == "recovering"
        assert "that is not in this home" in str(standing["standing_reason"])
        for group in (alice, bob):
            assert group.node.verify().ok


async def test_a_missing_mark_is_a_moved_home(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        shutil.rmtree(tmp_path / "alice-state")
        await world.start()
        await world.check_recovering("the mark is missing")


async def test_a_mark_without_this_feed_is_an_older_mark(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        signatures = Signatures()
        alice, bob = signatures.watch(await mesh.found("alice")), await mesh.found("bob")
        shutil.copytree(tmp_path / "alice-state", tmp_path.parent / f"{tmp_path.name}-old-mark")
        circle = await mesh.pair(alice, bob)
        need = await post_need(alice, 10)
        world = World(mesh, signatures, bob, circle, need, await share(alice, need, circle))
        await mesh.settle()
        await mesh.stop("alice")
        shutil.rmtree(tmp_path / "alice-state")
        shutil.copytree(tmp_path.parent / f"{tmp_path.name}-old-mark", tmp_path / "alice-state")
        await world.start()
        await world.check_recovering("the mark is older")


async def test_a_damaged_mark_keeps_the_node_from_starting(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        gid = world.alice.node.gid
        await mesh.stop("alice")
        path = tmp_path / "alice-state" / gid / "mark"
        path.write_bytes(path.read_bytes().replace(b'"feeds"', b'"feedz"'))
        with pytest.raises(Damaged) as damaged:
            await world.start()
        assert "Do not delete it" in damaged.value.detail


async def test_a_home_moved_to_another_folder_of_the_machine_goes_on(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        (tmp_path / "alice").rename(tmp_path / "elsewhere")
        world.signatures.watch(await mesh.start("alice", tmp_path / "elsewhere"))
        subject = await world.share_more()
        await mesh.settle()
        assert subject in await on_board(world.bob)
        world.signatures.check()
        await check_all_agree(mesh)


async def test_a_clone_beside_the_same_mark_does_not_start(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        shutil.copytree(tmp_path / "alice", tmp_path / "clone")
        with pytest.raises(HomeBusy):
            await mesh.start("clone")
        await world.share_more()
        await check_all_agree(mesh)


async def test_a_clone_with_its_own_copy_of_the_mark_is_found_out_at_contact(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        clone_of(tmp_path)
        alice = await world.start()
        clone = world.signatures.watch(await mesh.start("clone"))
        mesh.network.nodes[alice.endpoint] = alice.federation  # one address: bob's requests reach one of the two

        await share(clone, await post_need(clone, 1, "Ropes"), world.circle)
        await clone.federation.publisher.publish()
        await world.pull(clone)
        await clone.federation.publisher.publish()
        assert clone.federation.standing()["unsigned_feeds"] == [world.origin], "nobody has asked the clone"
        del mesh.groups["clone"]
        subject = await world.share_more()
        await mesh.settle()
        assert subject in await on_board(world.bob)
        await world.pull(clone)
        standing = clone.federation.standing()
        assert standing["standing"] == "recovering"
        assert "a peer shows our signature" in str(standing["standing_reason"])
        world.signatures.check()
        await check_all_agree(mesh)
        assert clone.node.verify().ok
        await mesh._open.pop("clone").aclose()


async def test_a_mark_moved_by_another_process_stops_all_signing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        mark = MarkFile(tmp_path / "alice-state" / world.alice.node.gid / "mark")
        name = origin_hash(world.origin).hex()
        now = (mark.read() or {})[name]
        mark.swap(name, now, MarkValue(now.size + 1, "ab" * 32, now.generation))
        await world.share_more()
        await mesh.settle()
        await world.check_stays("another copy of this node has published")


class Replay:
    """Remembers the last answer to each asker, or gives them an old one instead."""

    def __init__(self, then: list[bytes] | None = None) -> None:
        self.answers: dict[str, list[bytes]] = {}
        self._then = then

    def repeats_request(self) -> bool:
        return False

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        self.answers[line[0]] = pieces
        return self._then or pieces


class CutBefore:
    """The line breaks before the first frame of a kind."""

    def __init__(self, kind: type[Frame]) -> None:
        self._kind = kind

    def repeats_request(self) -> bool:
        return False

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        frames = frames_of(pieces)
        end = next((at for at, frame in enumerate(frames) if isinstance(frame, self._kind)), len(frames))
        return [MAGIC, *map(encode_frame, frames[:end])]
