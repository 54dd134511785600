"""Groups without a network help each other by files: what a file brings, to whom, and what it tells nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import needs, pledges
from aidmesh_node.domain.refused import Refused
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol.bundle import CheckpointFrame, End, Head, Ident, More, PackageFrame
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.sealing import MAGIC, Sealer
from tests.support.carrying import bring, content_of, frames_in, inspect, pack, read
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    a_shared_need,
    check_all_agree,
    heard,
    need_totals,
    on_board,
    pledge,
    post_need,
    said,
    share,
    state,
    two_groups,
)


async def publish(*groups: Group) -> None:
    for group in groups:
        await group.federation.publisher.publish()


async def test_a_need_and_a_promise_travel_by_stick(tmp_path: Path) -> None:
    """The line is cut after the two groups have met. Everything else goes by file."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint, bob.endpoint}
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await publish(alice)
        (file,) = await pack(alice, circle)
        told = await read(bob, file)
        assert (told["new"], told["whole"], told["signature"], told["refused"]) == (1, True, "signed", [])
        assert told["packed_by"] == {"gid": alice.node.gid, "name": "alice"}
        assert (await on_board(bob))[subject]["open"] == "20"

        promise = await pledge(bob, subject, 8)
        await publish(bob)
        await read(alice, (await pack(bob, circle))[0])
        await alice.do(pledges.accept_pledge, heard(bob, circle, promise))
        await publish(alice)
        await read(bob, (await pack(alice, circle))[0])
        await publish(bob)
        await read(alice, (await pack(bob, circle))[0])
        assert (await state(bob, promise)).committed == 8, "bob's node has committed by itself"
        assert await need_totals(alice, need) == (8, 0, 12)
        mesh.network.cut = set()
        await check_all_agree(mesh)


async def test_a_file_read_again_changes_nothing_and_says_so(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        (file,) = await pack(alice, circle)
        first, second = await read(bob, file), await read(bob, file)
        assert (first["again"], first["new"]) == (False, 1)
        assert (second["again"], second["new"]) == (True, 0)
        (another,) = await pack(alice, circle)
        third = await read(bob, another)
        assert (third["again"], third["new"]) == (False, 0), "another file with the same news"
        await check_all_agree(mesh)


async def test_only_the_members_of_its_circle_can_read_a_file(tmp_path: Path) -> None:
    """SPEC §8.5b, §8.6a."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        await mesh.pair(alice, eve)
        await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        (file,) = await pack(alice, circle)
        for do in (read, inspect):
            with pytest.raises(Refused) as refused:
                await do(eve, file)
            assert refused.value.reason == "not_for_us"
        own = await read(alice, file)
        assert (own["new"], own["refused"]) == (0, []), "who packed it can read it too"
        assert (await read(bob, file))["new"] == 1


async def test_a_stick_that_is_lost_tells_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        for number in range(3):
            await share(alice, await post_need(alice, 20 + number, "Wheelchair"), circle)
        await publish(alice)
        one, two = (await pack(alice, circle))[0], (await pack(alice, circle))[0]
        inside = content_of(bob, one)
        keys = [
            group.federation.identities.known(other.node.gid).hpke_key for group, other in ((alice, bob), (bob, alice))
        ]
        names = [alice.node.gid.encode(), bob.node.gid.encode(), b"alice", circle, b"North", b"Wheelchair"]
        names += [origin_hash(circle_origin(group.node.gid, circle)) for group in (alice, bob)]
        assert alice.node.gid.encode() in inside, "the scan would find it"
        for file in (one, two):
            for name in (*names, *keys, circle.hex().encode(), b"aidmesh/", b"AIDMESH1"):
                assert name not in file
        # SPEC §8.6b.
        shared = [at for at in range(len(MAGIC), len(one) - 8) if one[at : at + 8] == two[at : at + 8]]
        assert shared == [], "two files with the same news have nothing in common"
        assert (await inspect(bob, one))["bundle"] != (await inspect(bob, two))["bundle"]

        # Nor how much there is to tell: a little more news, and it looks the same.
        await share(alice, await post_need(alice, 5), circle)
        await publish(alice)
        (three,) = await pack(alice, circle)
        assert len(one) == len(two) == len(three)
        spooled = list((alice.home / "files").iterdir())
        assert spooled and all(path.stat().st_mode & 0o777 == 0o600 for path in spooled)
        assert not any(name in path.read_bytes() for path in spooled for name in names)


async def test_a_file_goes_on_from_what_the_others_hold(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, _, _ = await a_shared_need(mesh)
        held = await bob.node.files.sizes(circle)
        with pytest.raises(Refused) as refused:
            await alice.node.files.pack(circle, held, None)
        assert refused.value.reason == "nothing_new"
        mesh.network.cut = {alice.endpoint}
        await share(alice, await post_need(alice, 3), circle)
        await publish(alice)
        (file,) = await pack(alice, circle, held)
        kinds = [type(frame) for frame in frames_in(bob, file)]
        assert kinds.count(PackageFrame) == 1 and Ident not in kinds
        (package,) = [frame.package for frame in frames_in(bob, file) if isinstance(frame, PackageFrame)]
        assert (package.start, len(package.entries)) == (2, 1), "only what bob lacks"
        assert (await inspect(bob, file))["new"] == 1
        assert (await read(bob, file))["new"] == 1
        for nonsense in ("", "aidmesh-sizes:", "hello"):
            with pytest.raises(Refused) as refused:
                await alice.node.files.pack(circle, nonsense, None)
            assert refused.value.reason == "bad_sizes"


async def test_looking_into_a_file_takes_nothing_in(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        subject = await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        (file,) = await pack(alice, circle)
        told = await inspect(bob, file)
        assert (told["entries"], told["new"], told["left"], told["whole"]) == (2, 1, 0, True)
        assert subject not in await on_board(bob)
        assert (await read(bob, file))["new"] == 1
        assert (await inspect(bob, file))["new"] == 0


async def test_what_is_no_file_of_ours_is_refused_and_not_kept(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        (file,) = await pack(alice, circle)
        for data in (b"", b"hello", b"AIDMESH1\n", file[:20], file[:700]):
            with pytest.raises(Refused) as refused:
                await read(bob, data)
            assert refused.value.reason == "no_bundle"
        with pytest.raises(Refused) as refused:
            await read(bob, file[:10] + bytes(16) + file[26:])
        assert refused.value.reason == "not_for_us"
        assert list((bob.home / "files").iterdir()) == []
        with pytest.raises(LookupError):
            await bob.node.files.read("0" * 32)
        id = await bring(bob, b"12345")
        with pytest.raises(Refused) as refused:
            await bob.node.files.receive(id, 6, b"7")
        assert refused.value.reason == "gap_in_file"


async def test_a_wrong_end_costs_only_the_link_to_who_packed_it(tmp_path: Path) -> None:
    """Somebody packs what they have in another's name: what proves itself is taken in, the rest is said."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        packer = alice.federation.bundles._packer  # the group's own, under another key
        packer._key = bob.federation.replication._key
        (file,) = await pack(alice, circle)
        told = await read(bob, file)
        assert (told["new"], told["signature"], told["again"]) == (1, "unsigned", False)
        assert (await read(bob, file))["again"] is False, "only what its packer signed has a name"


async def test_entries_nobody_may_see_yet_are_said_to_be_missing(tmp_path: Path) -> None:
    """After a start nothing is signed until a peer has shown what it saw; a file says how much is not in it."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        await mesh.stop("alice")
        alice = await mesh.start("alice")
        mesh.network.cut = {bob.endpoint}
        await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        told: Any = await alice.node.files.pack(circle, None, None)
        assert told["unsigned"] == 1
        mesh.network.cut = set()
        await mesh.settle()
        told = await alice.node.files.pack(circle, None, None)
        assert told["unsigned"] == 0


async def test_what_is_taken_back_is_in_no_file(tmp_path: Path) -> None:
    """SPEC §8.5c."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Wheelchair")
        await share(alice, need, circle)
        await publish(alice)
        assert b"Wheelchair" in b"".join(_parts(frames_in(bob, (await pack(alice, circle))[0])))
        await alice.do(needs.unshare_need, need, circle)
        await publish(alice)
        assert b"Wheelchair" not in b"".join(_parts(frames_in(bob, (await pack(alice, circle))[0])))


async def test_the_frames_of_a_file_stand_in_order(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, _, _ = await a_shared_need(mesh)
        frames = frames_in(bob, (await pack(alice, circle))[0])
        head, end = frames[0], frames[-1]
        assert isinstance(head, Head) and head.gid == alice.node.gid
        assert isinstance(end, End) and end.signature is not None
        kinds = [frame.NAME for frame in frames]
        assert kinds.index("IDENT") < kinds.index("CHECKPOINT") < kinds.index("PACKAGE") < kinds.index("COLUMN")
        assert not [frame for frame in frames if isinstance(frame, More)]
        notes = [frame.note for frame in frames if isinstance(frame, CheckpointFrame)]
        assert len(notes) == 1, "bob's own feed is his: nobody else reads this file"
        assert said(bob, alice, circle)


def _parts(frames: list[Any]) -> list[bytes]:
    return [part for frame in frames if frame.NAME == "COLUMN" for part in frame.parts if part]


async def test_a_file_about_a_circle_that_we_are_not_in_brings_nothing(tmp_path: Path) -> None:
    """SPEC §8.5b. Bob seals what alice told him to eve, who is in another circle with alice."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        await mesh.pair(alice, eve)
        subject = await share(alice, await post_need(alice, 20), circle)
        await publish(alice)
        key = load_keys(Home(eve.home).keys).hpke_public
        sealer = Sealer([key], bytes(32), bytes(16), [key] * 7)
        content = content_of(bob, (await pack(alice, circle))[0])
        told = await read(eve, sealer.begin() + sealer.encrypt(content) + sealer.finish())
        assert {fault["code"] for fault in told["refused"]} == {"unknown_feed"}
        assert subject not in await on_board(eve)
        assert not eve.node.readers.run_now(lambda reading: reading.feeds.heads(circle=circle))
        kept = (await eve.node.writer.run(lambda work: work.evidence.kept(alice.node.gid))).value
        assert kept == [], "nobody is accused of what a file says"
