"""A node never contradicts what it has signed: not after a crash, an old backup, a snapshot, a clone or a lost mark.

Alice's group is the one that misfortune strikes; every signature of hers over a feed is watched, through all her lives.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import inbox, needs, pledges
from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import MarkValue
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_node.storage.home_lock import HomeBusy
from aidmesh_node.storage.mark import MarkFile
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol.bundle import MAGIC, Frame, PackageFrame, encode_frame
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.statements import NeedShared
from tests.support.faults import frames_of
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    state,
)


@dataclass
class Signatures:
    """Every root this group's publisher ever signed. `check` fails when two of them contradict each other."""

    roots: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def watch(self, group: Group) -> Group:
        publisher = group.federation.publisher
        publisher._key = Watched(publisher._key, self)  # type: ignore[assignment]
        return group

    def check(self) -> None:
        for (origin, size), roots in self.roots.items():
            assert len(roots) == 1, f"{origin} was signed with {len(roots)} roots at size {size}"

    @property
    def count(self) -> int:
        return len(self.roots)


class Watched:
    """A signing key that is written down whenever it signs."""

    def __init__(self, key: SigningKey, signatures: Signatures) -> None:
        self._key = key
        self._signatures = signatures
        self.verify_key = key.verify_key

    def sign(self, message: bytes) -> bytes:
        origin, size, root, *_ = message.decode().split("\n")
        self._signatures.roots.setdefault((origin, int(size)), set()).add(root)
        return self._key.sign(message)


@dataclass
class World:
    """Alice and bob, paired; one need of alice's is shared and bob's group has seen it."""

    mesh: Mesh
    signatures: Signatures
    bob: Group
    circle: bytes
    need: UUID
    subject: str

    @classmethod
    async def begin(cls, mesh: Mesh) -> World:
        signatures = Signatures()
        alice, bob = signatures.watch(await mesh.found("alice")), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need = await post_need(alice, 10)
        subject = await share(alice, need, circle)
        await mesh.settle()
        return cls(mesh, signatures, bob, circle, need, subject)

    @property
    def alice(self) -> Group:
        return self.mesh.groups["alice"]

    @property
    def origin(self) -> str:
        return circle_origin(self.alice.node.gid, self.circle)

    async def restart(self) -> Group:
        await self.mesh.stop("alice")
        return await self.start()

    async def start(self) -> Group:
        return self.signatures.watch(await self.mesh.start("alice"))

    def keep(self, what: str, name: str = "kept") -> None:
        """Copy a folder of alice's aside: `alice` (the home) or `alice-state` (the mark)."""
        shutil.copytree(self.mesh.folder / what, self.mesh.folder.parent / f"{self.mesh.folder.name}-{name}-{what}")

    def restore(self, what: str, name: str = "kept") -> None:
        shutil.rmtree(self.mesh.folder / what)
        shutil.copytree(self.mesh.folder.parent / f"{self.mesh.folder.name}-{name}-{what}", self.mesh.folder / what)

    async def share_more(self, item: str = "Lanterns") -> str:
        """Alice shares another need: something new to publish."""
        return await share(self.alice, await post_need(self.alice, 5, item), self.circle)

    async def pull(self, group: Group) -> None:
        """One side asks the other, once."""
        (link,) = group.federation.links.active()
        await group.federation.replication.pull(link, 0)

    def signed_size(self) -> int:
        def read(reading: Any) -> int:
            return int(reading.feeds.head(self.origin).signed_size)

        return self.alice.node.readers.run_now(read)  # type: ignore[attr-defined, no-any-return]

    def cut(self) -> None:
        self.mesh.network.cut = {self.bob.endpoint}

    def heal(self) -> None:
        self.mesh.network.cut = set()

    async def check_recovering(self, because: str) -> None:
        """Says so, signs nothing, takes in but does not interpret; local work goes on and waits."""
        standing = self.alice.federation.standing()
        assert standing["standing"] == "recovering" and not standing["signing"]
        assert because in str(standing["standing_reason"]), standing["standing_reason"]
        signed, told = self.signatures.count, len(said(self.bob, self.alice, self.circle))
        need = await post_need(self.alice, 3, "Ropes")
        await share(self.alice, need, self.circle)
        assert (await self.alice.see(needs_view.get, need.hex))["item"] == "Ropes", "local work goes on"

        offered = await pledge(self.bob, self.subject, 2)
        await self.mesh.settle()
        assert self.signatures.count == signed, "nothing is signed"
        assert len(said(self.bob, self.alice, self.circle)) == told
        assert said(self.alice, self.bob, self.circle)[-1][0].type == "pledge.offered", "what peers say is taken in"
        assert heard(self.bob, self.circle, offered) not in {
            event.originator_id for event in made(self.alice, Pledge.Offered)
        }, "and not interpreted"
        self.signatures.check()
        for group in (self.alice, self.bob):
            assert group.node.verify().ok


async def test_after_a_restart_nothing_is_signed_until_the_peer_has_asked(tmp_path: Path) -> None:
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
        await world.check_recovering("a peer shows our signature")


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
        await world.check_recovering("a peer shows our signature")


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
        await world.check_recovering("a peer shows our signature")


async def test_an_old_backup_of_the_home_is_found_out_by_the_mark(tmp_path: Path) -> None:
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
        await mesh.settle()
        assert not made(world.alice, Pledge.Committed) and not made(world.alice, Pledge.Accepted)
        assert (await state(world.bob, at_bob)).phase == "accepted"
        assert await world.alice.federation.lapse() == 0
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
        await world.check_recovering("another copy of this node has published")


class Dies(Exception):
    """The process is gone at this very moment."""


class DyingMark:
    """The real mark; the process dies before or after it moves."""

    def __init__(self, mark: Any, after: bool) -> None:
        self._mark, self._after = mark, after

    def swap(self, *values: Any) -> None:
        if self._after:
            self._mark.swap(*values)
        raise Dies


class DyingWriter:
    """The real writer; the process dies before or after the job number `at` of one publication."""

    def __init__(self, writer: Any, at: int, after: bool) -> None:
        self._writer, self._left, self._after = writer, at, after

    async def run(self, job: Callable[[Any], Any]) -> Any:
        self._left -= 1
        if self._left:
            return await self._writer.run(job)
        if self._after:
            await self._writer.run(job)
        raise Dies


class DiesInterpreting:
    """The real writer; the process dies when what was stored is to be interpreted."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    async def run(self, job: Any) -> Any:
        if getattr(job, "func", None) is inbox.interpret:
            raise Dies
        return await self._writer.run(job)


DEATHS: dict[str, Callable[[Any], None]] = {
    "before the rows": lambda publisher: _dying_writer(publisher, 1, after=False),
    "after the rows": lambda publisher: _dying_writer(publisher, 1, after=True),
    "before the mark": lambda publisher: _dying_mark(publisher, after=False),
    "after the mark": lambda publisher: _dying_mark(publisher, after=True),
    "after the signature": lambda publisher: _dying_writer(publisher, 2, after=False),
    "after the checkpoint was stored": lambda publisher: _dying_writer(publisher, 2, after=True),
}


@pytest.mark.faults
@pytest.mark.parametrize("death", DEATHS)
async def test_a_crash_between_two_steps_of_publishing_needs_nothing(tmp_path: Path, death: str) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        subject = await world.share_more()
        DEATHS[death](world.alice.federation.publisher)
        with pytest.raises(Dies):
            await world.alice.federation.publisher.publish()
        await world.restart()
        later = await world.share_more("Ropes")
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active", "a plain crash never locks a node"
        assert {subject, later} <= set(await on_board(world.bob))
        told = said(world.bob, world.alice, world.circle)
        assert len({entry.statement_id for entry, _ in told}) == len(told), "nothing is published twice"
        assert sum(isinstance(what, NeedShared) for _, what in told) == 3
        world.signatures.check()
        await check_all_agree(mesh)


@pytest.mark.faults
@pytest.mark.parametrize("death", DEATHS)
async def test_a_crash_at_the_first_words_to_a_new_circle_needs_nothing(tmp_path: Path, death: str) -> None:
    async with Mesh(tmp_path) as mesh:
        signatures = Signatures()
        alice, bob = signatures.watch(await mesh.found("alice")), await mesh.found("bob")
        met = await bob.federation.accept(bob.act("operator"), str(alice.federation.invite(None)["invitation"]))
        words: Any = met["words"]
        await bob.federation.confirm(bob.act("operator"), alice.node.gid, words)
        DEATHS[death](alice.federation.publisher)
        with pytest.raises(Dies):
            await alice.federation.confirm(alice.act("operator"), bob.node.gid, words)
        await mesh.stop("alice")
        alice = signatures.watch(await mesh.start("alice"))
        # What the running node does every two seconds while a pairing is unfinished.
        await bob.federation.pairing.exchange_signatures(alice.node.gid)
        await mesh.settle()
        (link,) = bob.federation.links.active()
        assert link.circle is not None
        subject = await share(alice, await post_need(alice, 10), link.circle)
        await mesh.settle()
        assert subject in await on_board(bob)
        signatures.check()
        await check_all_agree(mesh)


async def test_entries_stored_before_a_crash_are_interpreted_after_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        offered = await pledge(world.bob, world.subject, 4)
        await world.bob.federation.publisher.publish()
        replication = world.alice.federation.replication
        replication._writer = DiesInterpreting(replication._writer)  # type: ignore[assignment]
        with pytest.raises(Dies):
            await world.pull(world.alice)
        assert said(world.alice, world.bob, world.circle)[-1][0].type == "pledge.offered", "stored"
        assert not made(world.alice, Pledge.Offered), "not interpreted"
        await world.restart()
        world.cut()
        with pytest.raises(Unreachable):
            await world.pull(world.alice)
        offer = heard(world.bob, world.circle, offered)
        assert (await state(world.alice, offer)).phase == "offered", "even if bob's node is gone for good"
        world.heal()
        await world.alice.do(pledges.accept_pledge, offer)
        await mesh.settle()
        assert await need_totals(world.alice, world.need) == (4, 0, 6)
        await check_all_agree(mesh)


async def test_a_crash_in_the_middle_of_a_command_leaves_nothing_of_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)

        def dies_late(work: Any) -> dict[str, object]:
            needs.unshare_need(work, by, world.need, world.circle)
            raise Dies

        by = world.alice.act()
        with pytest.raises(Dies):
            await world.alice.node.commit(dies_late)
        await world.restart()
        await mesh.settle()
        assert not made(world.alice, Need.Unshared)
        assert world.subject in await on_board(world.bob)
        await check_all_agree(mesh)


async def snapshot(world: World) -> None:
    """Copy alice's home and mark, with her node stopped, and start it again."""
    await world.mesh.stop("alice")
    world.keep("alice")
    world.keep("alice-state")
    await world.start()


async def roll_back(world: World) -> None:
    """Home and mark go back to the snapshot, as when a virtual machine is restored."""
    await world.mesh.stop("alice")
    world.restore("alice")
    world.restore("alice-state")
    await world.start()


def clone_of(folder: Path) -> None:
    """A copy of alice's home, with a copy of its mark in another place."""
    shutil.copytree(folder / "alice", folder / "clone")
    shutil.copytree(folder / "alice-state", folder / "clone-state")
    config = folder / "clone" / "config.toml"
    config.write_text(config.read_text().replace("alice-state", "clone-state"))


def _dying_mark(publisher: Any, *, after: bool) -> None:
    publisher._mark = DyingMark(publisher._mark, after)


def _dying_writer(publisher: Any, at: int, *, after: bool) -> None:
    publisher._writer = DyingWriter(publisher._writer, at, after)


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
