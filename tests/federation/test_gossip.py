"""What peers say others have signed: bounds, framings, and whom it is told to. Forks themselves: test_forks.py."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from aidmesh_protocol.bundle import (
    Ask,
    ColumnFrame,
    Fork,
    Heads,
    Reads,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.fork_proof import ForkProof, convict
from aidmesh_protocol.limits import EXCHANGE_FORKS_MAX, HEADS_MAX
from aidmesh_protocol.origin import circle_origin, identity_origin
from tests.support.asking import asks
from tests.support.circle_of_three import circle_of_three, faults, known_fork
from tests.support.federation import Mesh
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import send, town
from tests.support.stories import post_need, share, two_groups

ALL = Reads((Heads.KIND, Fork.KIND, ColumnFrame.KIND))


async def test_a_proof_that_does_not_hold_accuses_its_sender(tmp_path: Path) -> None:
    """Eve tries to frame bob at alice's: by an answer it is kept as her fault, by a request she is refused."""
    async with town(tmp_path) as here:
        eve = await here.mallory("eve")
        await share(here.bob, await post_need(here.bob, 2), here.with_bob)
        await here.mesh.settle()
        origin = identity_origin(here.bob.node.gid)
        forged = RawFeed(origin, eve.key)
        forged.append(eve.need(), eve.need())
        mine = eve.ident()
        framing = ForkProof(((mine.entries[0], mine.parts[0][2]),), forged.note(1), forged.note(2), (bytes(32),))
        pulled = await eve.shows(here.alice, Fork(framing))
        assert [each.code for each in pulled.refused] == ["proof_invalid"]
        with pytest.raises(ProtocolError) as refused:
            await send(here.alice, eve.request(here.alice, [Ask(1 << 20, 0), Fork(framing)]))
        assert refused.value.code == "proof_invalid"
        assert await faults(here.alice, eve.gid) == ["proof_invalid"]
        assert await faults(here.alice, here.bob.node.gid) == []
        assert await known_fork(here.alice, origin) is None
        assert await here.good_news()


async def test_a_proof_over_a_rotation_is_passed_over(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(0, 3, 5)
        await three.tell(three.bob, three.one)
        row = (three.x.ident().entries[0], three.x.ident().parts[0][2])
        later = ForkProof((row, row), three.one.note(3), three.one.note(3))
        pulled = await three.x.shows(three.bob, Fork(later))
        assert pulled.refused == []
        await three.x.asks(three.bob, Fork(later))
        assert await known_fork(three.bob, three.origin) is None


async def test_a_proof_about_a_feed_that_is_not_held_here_is_passed_over(tmp_path: Path) -> None:
    """Strangers' quarrels cost nothing: not even judging them."""
    async with circle_of_three(tmp_path) as three:
        elsewhere = circle_origin(three.x.gid, bytes(32))
        feeds = [RawFeed(elsewhere, three.x.key) for _ in range(2)]
        for feed in feeds:
            feed.append(three.x.need())
        ident = three.x.ident()
        notes = sorted((feed.note() for feed in feeds), key=lambda note: b64decode(note.split(b"\n")[2]))
        true = ForkProof(((ident.entries[0], ident.parts[0][2]),), notes[0], notes[1])
        assert convict(true).gid == three.x.gid
        pulled = await three.x.shows(three.bob, Fork(true))
        assert pulled.refused == [] and await known_fork(three.bob, elsewhere) is None


async def test_gossip_by_whom_we_do_not_know_or_that_is_not_shared_is_passed_over(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        eve, oscar = await here.mallory("eve"), await here.mallory("oscar")
        oscar.feed.append(*(oscar.need() for _ in range(3)))
        assert (await oscar.pulled_by(here.alice)).entries == 3
        elsewhere = RawFeed(circle_origin(eve.gid, bytes(32)), eve.key)
        elsewhere.append(eve.need())
        by_eve = RawFeed(circle_origin(here.bob.node.gid, here.with_bob), eve.key)
        by_eve.append(eve.need())
        notes = (
            oscar.feed.note(2, root=bytes(32)),  # a true fork of a feed that is not eve's to see
            elsewhere.note(),  # of a feed nobody here holds
            by_eve.note(),  # of bob's feed, not signed by bob
        )
        pulled = await eve.shows(here.alice, Heads(notes))
        assert pulled.refused == []
        await eve.asks(here.alice, Heads(notes))
        for origin in (oscar.feed.origin, elsewhere.origin, by_eve.origin):
            assert await known_fork(here.alice, origin) is None
        pulled = await eve.shows(here.alice, Heads((b"no note",)))
        assert [each.code for each in pulled.refused] == ["malformed"]
        with pytest.raises(ProtocolError) as refused:
            await send(here.alice, eve.request(here.alice, [Heads((b"no note",))]))
        assert refused.value.code == "malformed"
        assert await here.good_news()


async def test_gossip_has_bounds(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(0, 3, 5)
        await three.tell(three.bob, three.one)
        note = three.one.note()
        proof = ForkProof((), note, note)
        many = Heads((note,) * HEADS_MAX)
        pulled = await three.x.shows(three.bob, many, *[many] * 8)
        assert pulled.refused == []
        pulled = await three.x.shows(three.bob, *[Fork(proof)] * (EXCHANGE_FORKS_MAX + 2))
        assert [each.code for each in pulled.refused] == ["malformed"] * EXCHANGE_FORKS_MAX
        for frames in ([Heads(()), Heads(())], [Fork(proof)] * (EXCHANGE_FORKS_MAX + 1)):
            with pytest.raises(ProtocolError) as refused:
                await send(three.bob, three.x.request(three.bob, [Ask(1 << 20, 0), *frames]))
            assert refused.value.code in ("malformed", "too_large")
            assert "two HEADS" in refused.value.detail or "at most 4 forks" in refused.value.detail


async def test_gossip_names_only_what_both_may_see_and_only_to_who_reads_it(tmp_path: Path) -> None:
    """SPEC §9.5a."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        await mesh.pair(alice, eve)
        await share(alice, await post_need(alice, 2), circle)
        await mesh.settle()
        for asker in (bob, eve):
            shared = asker.federation.links.circles_with(alice.node.gid)
            answer = await asks(asker, alice, ALL)
            (heads,) = [frame for frame in answer if isinstance(frame, Heads)]
            named = {note.split(b"\n")[0].decode() for note in heads.notes}
            assert named == {identity_origin(alice.node.gid), *(circle_origin(alice.node.gid, each) for each in shared)}
        for reads in ([], [Reads((ColumnFrame.KIND,))]):
            answer = await asks(bob, alice, *reads)
            assert not [frame for frame in answer if isinstance(frame, Heads | Fork)]
