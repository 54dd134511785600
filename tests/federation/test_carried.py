"""Three groups in one circle, the outer two without a line between them: the one in the middle carries for them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import needs, pledges
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.federation.packing import in_order
from aidmesh_protocol.bundle import MAGIC, End, Frame, FrameReader, Ident, PackageFrame, encode_frame
from aidmesh_protocol.identity import circle_origin, origin_hash
from tests.federation.test_files_in_any_order import share_many
from tests.support.carrying import frames_in, pack, read
from tests.support.circles import a_row_of
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    on_board,
    pledge,
    post_need,
    said,
    share,
    state,
)


class Middle:
    """What groups in the middle do to their answers: `change` sees each frame, and gives what is sent instead."""

    def __init__(self, change: Any, *endpoints: str) -> None:
        self.change, self.endpoints = change, endpoints

    def repeats_request(self) -> bool:
        return False

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        if line[1] not in self.endpoints:
            return pieces
        reader = FrameReader()
        frames = [frame for piece in pieces for frame in reader.feed(piece)]
        return [MAGIC, *(encode_frame(sent) for frame in frames for sent in self.change(frame))]


def incomplete(group: Group, owner: Group, circle: bytes) -> int:
    """Entries that another group is known to have signed, and that are not here: as the API tells it."""

    def look(reading: Any) -> int:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        return int(max(head.claimed_size, head.signed_size) - head.size)

    return group.node.readers.run_now(look)


async def test_a_need_and_its_pledge_go_through_the_middle(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        assert {link.gid for link in alice.federation.links.active()} == {bob.node.gid}
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await mesh.settle()
        assert (await on_board(bob))[subject]["open"] == "20"
        shown = (await on_board(eve))[subject]
        assert (shown["open"], shown["group"], shown["group_name"]) == ("20", alice.node.gid, "alice")
        promise = await pledge(eve, subject, 8)
        await mesh.settle()
        assert [offered.peer for offered in made(alice, Pledge.Offered)] == [eve.node.gid]
        await alice.do(pledges.accept_pledge, heard(eve, circle, promise))
        await mesh.settle()
        assert (await state(eve, promise)).committed == 8
        assert await need_totals(alice, need) == (8, 0, 12)
        assert (await on_board(bob))[subject]["open"] == "12", "the middle sees what it carries"
        await check_all_agree(mesh)
        for one, other in ((alice, eve), (eve, alice), (bob, eve)):
            assert said(one, other, circle) == said(other, other, circle)


async def test_nothing_is_carried_to_whom_holds_it(tmp_path: Path) -> None:
    """Floods are impossible: sizes are exchanged, and a feed crosses each line once."""
    async with Mesh(tmp_path) as mesh:
        (alice, _, _, _), circle = await a_row_of(mesh, "alice", "bob", "eve", "dora")
        mesh.network.captured.clear()
        await share_many(alice, circle, 100)
        await mesh.settle()
        packages = [frame for frame in _frames(mesh) if isinstance(frame, PackageFrame)]
        carried = [frame for frame in packages if len(frame.package.entries) > 50]
        assert len(carried) == 3, "three lines, once each"
        mesh.network.captured.clear()
        for _ in range(3):
            assert await mesh.round() is False
        assert not [frame for frame in _frames(mesh) if isinstance(frame, PackageFrame | Ident)]


async def test_what_the_middle_withholds_shows_as_incomplete(tmp_path: Path) -> None:
    """Case B15."""
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        hers = origin_hash(circle_origin(alice.node.gid, circle))

        def withhold(frame: Frame) -> list[Frame]:
            about = (
                frame.package.origin_hash if isinstance(frame, PackageFrame) else getattr(frame, "origin_hash", None)
            )
            return [] if about == hers else [frame]

        mesh.network.faults = Middle(withhold, bob.endpoint)
        subject = await share(alice, await post_need(alice, 20), circle)
        await mesh.settle()
        assert (incomplete(bob, alice, circle), incomplete(eve, alice, circle)) == (0, 1)
        assert subject not in await on_board(eve)
        mesh.network.faults = None
        await mesh.settle()
        assert incomplete(eve, alice, circle) == 0 and subject in await on_board(eve)


async def test_gossip_tells_of_what_nobody_hands_over(tmp_path: Path) -> None:
    """Case B15: neither of the two between alice and eve shows her anything of alice; what they gossip says enough."""
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve, dora), circle = await a_row_of(mesh, "alice", "bob", "eve", "dora", ring=True)
        origin = circle_origin(alice.node.gid, circle)

        def hide(frame: Frame) -> list[Frame]:
            about = frame.package if isinstance(frame, PackageFrame) else frame
            note = getattr(frame, "note", b"").startswith(origin.encode())
            return [] if note or getattr(about, "origin_hash", None) == origin_hash(origin) else [frame]

        mesh.network.cut = {eve.endpoint}
        subject = await share(alice, await post_need(alice, 20), circle)
        await mesh.settle()
        mesh.network.faults = Middle(hide, bob.endpoint, dora.endpoint)
        mesh.network.cut = set()
        await mesh.settle()
        assert incomplete(eve, alice, circle) == 1 and subject not in await on_board(eve)
        mesh.network.faults = None
        await mesh.settle()
        assert incomplete(eve, alice, circle) == 0 and subject in await on_board(eve)


async def test_what_the_middle_changes_is_refused_and_is_its_fault(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        hers = origin_hash(circle_origin(alice.node.gid, circle))

        def change(frame: Frame) -> list[Frame]:
            if isinstance(frame, PackageFrame) and frame.package.origin_hash == hers:
                first, *rest = frame.package.entries
                spoiled = first[:-1] + bytes([first[-1] ^ 1])
                package = type(frame.package)(hers, frame.package.start, (spoiled, *rest), frame.package.proof)
                return [PackageFrame(package)]
            return [frame]

        mesh.network.faults = Middle(change, bob.endpoint)
        subject = await share(alice, await post_need(alice, 20), circle)
        await bob_hears(mesh, bob)
        other = await share(bob, await post_need(bob, 3), circle)
        await mesh.settle()
        assert other in await on_board(eve) and subject not in await on_board(eve), "bob's own news go on"
        kept = (await eve.node.writer.run(lambda work: work.evidence.kept())).value
        assert {(row.peer, row.code) for row in kept} == {(bob.node.gid, "root_mismatch")}
        mesh.network.faults = None
        await mesh.settle()
        assert subject in await on_board(eve)


async def bob_hears(mesh: Mesh, bob: Group) -> None:
    faults, mesh.network.faults = mesh.network.faults, None
    for group in mesh.groups.values():
        await group.federation.publisher.publish()
    for link in bob.federation.links.active():
        await bob.federation.replication.pull(link, 0)
    mesh.network.faults = faults


async def test_a_view_that_was_taken_back_is_carried_no_further(tmp_path: Path) -> None:
    """SPEC §15.3a. Eve was away while the need was shared, and comes back after alice has taken it back."""
    async with Mesh(tmp_path) as mesh:
        (alice, _, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        mesh.network.cut = {eve.endpoint}
        need = await post_need(alice, 20, "Wheelchair")
        subject = await share(alice, need, circle)
        await mesh.settle()
        await alice.do(needs.unshare_need, need, circle)
        await mesh.settle()
        mesh.network.captured.clear()
        mesh.network.cut = set()
        await mesh.settle()
        parts = [part for frame in _frames(mesh) if frame.NAME == "COLUMN" for part in frame.parts if part]  # type: ignore[union-attr]
        assert parts and not any(b"Wheelchair" in part for part in parts)
        assert subject not in await on_board(eve)
        acknowledged = [what for _, what in said(alice, eve, circle) if type(what).__name__ == "ShareAcknowledged"]
        assert len(acknowledged) == 1, "she confirms through bob that she shows nothing"
        await check_all_agree(mesh)


async def test_files_carry_what_others_said(tmp_path: Path) -> None:
    """No line at all: bob's stick brings eve what alice said, though alice never met her."""
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        mesh.network.cut = {eve.endpoint}
        subject = await share(alice, await post_need(alice, 20), circle)
        await mesh.settle()
        (file,) = await pack(bob, circle, await eve.node.files.sizes(circle))
        assert (await read(eve, file))["refused"] == []
        assert (await on_board(eve))[subject]["group"] == alice.node.gid
        own = await read(alice, (await pack(bob, circle))[0])
        assert own["refused"] == [], "what it has of her own is for others"
        promise = await pledge(eve, subject, 5)
        await eve.federation.publisher.publish()
        for file in await pack(eve, circle):
            await read(bob, file)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(eve, circle, promise))
        mesh.network.cut = set()
        await check_all_agree(mesh)


async def test_what_matters_comes_first_in_the_files(tmp_path: Path) -> None:
    """Alice's feed is long and has an emergency in its second package; bob's own is long and has none."""
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        mesh.network.cut = {eve.endpoint}
        await share_many(alice, circle, 300)
        await share_many(alice, circle, 1, "emergency")
        await share_many(alice, circle, 600)
        await share_many(bob, circle, 600)
        await mesh.settle()
        stocks, _ = await bob.federation.bundles._packer._shelf.stock(circle, None, by_need=True)
        order = []
        for stock in in_order(stocks):
            whose = stock.checkpoint.origin.split("/")[1]
            order.append(({alice.node.gid: "alice", bob.node.gid: "bob", eve.node.gid: "eve"}[whose], stock.at // 256))
            stock.at = min(stock.checkpoint.size, (stock.at // 256 + 1) * 256)
        begin = [("alice", 0), ("bob", 0), ("eve", 0)]
        assert sorted(order[:3]) == begin, "agreements first"
        assert order[3] == ("alice", 1), "up to the emergency"
        assert order[4:] == [("bob", 1), ("bob", 2), ("alice", 2), ("alice", 3)], "then short feeds first"
        files = await pack(bob, circle, bytes_max=100_000)
        assert [type(frame) for frame in frames_in(eve, files[0])].count(Ident) == 3
        for file in reversed(files):
            assert (await read(eve, file))["refused"] == []
        assert said(eve, alice, circle) == said(alice, alice, circle)
        assert said(eve, bob, circle) == said(bob, bob, circle)


async def test_a_carrier_that_starts_again_still_knows_whom_it_carries_for(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        (alice, _, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        mesh.network.cut = {eve.endpoint}
        subject = await share(alice, await post_need(alice, 20), circle)
        await mesh.settle()
        mesh.network.cut = set()
        await mesh.stop("bob")
        await mesh.start("bob")
        await mesh.stop("alice")
        await mesh.settle()
        assert subject in await on_board(eve), "alice's node is off"


async def test_whoever_waits_at_the_carrier_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eve's question is held by bob; what he gets from alice meanwhile ends her waiting."""
    async with Mesh(tmp_path) as mesh:
        (alice, bob, eve), circle = await a_row_of(mesh, "alice", "bob", "eve")
        need = await post_need(alice, 20)
        # From here on nobody's patience ends by itself.
        monkeypatch.setattr(mesh.clock, "sleep", lambda _: asyncio.Event().wait())
        (to_bob,) = eve.federation.links.active()
        asked = asyncio.create_task(eve.federation.replication.pull(to_bob, 20))
        async with asyncio.timeout(10):
            while not bob.federation.links.is_waiting(eve.node.gid):
                await asyncio.wait({asked}, timeout=0)
            subject = await share(alice, need, circle)
            await alice.federation.publisher.publish()
            assert not asked.done()
            to_alice = bob.federation.links.get(alice.node.gid)
            assert to_alice is not None
            await bob.federation.replication.pull(to_alice, 0)
            assert (await asked).entries == 1
        assert subject in await on_board(eve)


def _frames(mesh: Mesh) -> list[Frame]:
    found: list[Frame] = []
    reader: FrameReader | None = None
    for piece in mesh.network.captured:
        reader = FrameReader() if piece.startswith(MAGIC) else reader
        for frame in reader.feed(piece) if reader else ():
            found.append(frame)
            reader = None if isinstance(frame, End) else reader
    return found
