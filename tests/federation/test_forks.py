"""Who signs two histories is convicted by those who compare; both branches stay readable, and people are told."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.application.forks import resolve_fork
from aidmesh_node.domain.fork import Fork as ForkRecord
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    ColumnFrame,
    Fork,
    Frame,
    Heads,
    Inclusion,
    PackageFrame,
    Reads,
    Want,
    decode_bundle,
)
from aidmesh_protocol.merkle import inclusion_proof, subtree_reader
from aidmesh_protocol.origin import circle_origin, parse_origin
from tests.support.asking import asks
from tests.support.circle_of_three import circle_of_three, faults, fork_id, frozen, is_readable, known_fork
from tests.support.federation import Mesh
from tests.support.lies import items
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, head
from tests.support.stories import made, post_need, share, two_groups
from tests.support.verifier import run_alone

ALL = Reads((Heads.KIND, Fork.KIND, ColumnFrame.KIND))


@pytest.mark.parametrize(("one", "other"), [(9, 9), (7, 12), (12, 7), (300, 8), (4, 256)])
@pytest.mark.parametrize("who_asks", ["bob", "carol"])
async def test_a_split_view_is_convicted_by_both_within_two_exchanges(
    one: int, other: int, who_asks: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """E05: mallory tells bob one history and carol another. They compare what she has signed, and both can prove it:
    whoever was told the longer one at once, the other in the next exchange at the latest."""
    async with circle_of_three(tmp_path) as three:
        three.fork(3, one, other)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        asking, asked = (three.bob, three.carol) if who_asks == "bob" else (three.carol, three.bob)
        await three.exchange(asking, asked)
        assert await known_fork(three.bob if one >= other else three.carol, three.origin) is not None
        await three.exchange(asking, asked)
        for group in (three.bob, three.carol):
            convicted = await known_fork(group, three.origin)
            assert convicted is not None and convicted.gid == three.x.gid, group.home.name
            assert {convicted.smaller.size, convicted.larger.size} == {one, other}
            assert await frozen(group, three.origin) == "fork_detected"
        assert f"FORK: group {three.x.gid} has signed two histories" in caplog.text
        assert await faults(three.bob, three.carol.node.gid) == await faults(three.carol, three.bob.node.gid) == []

        # Each still reads what it was told, and goes on with everybody else.
        assert await is_readable(three.bob, three.one)
        assert await is_readable(three.carol, three.other)
        await share(three.bob, await post_need(three.bob, 3, "Lamps"), three.id)
        await three.mesh.settle()
        assert "Lamps" in await items(three.carol)

        # The accused hears of it too.
        await three.x.pulled_by(three.bob)
        told = [frame for asked in three.x.asked for frame in decode_bundle(asked.body, bytes_max=1 << 20)]
        assert [convict_of(frame) for frame in told if isinstance(frame, Fork)] == [three.origin] * 2, "once by each"
        for group in (three.bob, three.carol):
            assert group.node.verify().ok


def convict_of(frame: Fork) -> str:
    return frame.proof.larger.split(b"\n")[0].decode()


async def test_what_they_prove_a_stranger_can_check(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(3, 7, 12)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        await three.exchange(three.bob, three.carol)
        await three.exchange(three.carol, three.bob)
        (proven,) = made(three.bob, ForkRecord.Proven)
        done = await asyncio.to_thread(judged, tmp_path, proven.proof)
        assert done.returncode == 0 and three.x.gid in done.stdout
        assert (proven.smaller, proven.larger) == (7, 12)
        (at_carol,) = made(three.carol, ForkRecord.Proven)
        assert at_carol.proof == proven.proof, "one fork has one proof"


def judged(folder: Path, proof: str) -> subprocess.CompletedProcess[str]:
    """What the stand-alone program says of a proof."""
    (folder / "proof").write_bytes(bytes.fromhex(proof))
    return run_alone(folder, "fork", "proof")


async def test_histories_are_known_to_be_alike_as_far_as_the_proof_shows(tmp_path: Path) -> None:
    """The one who holds the shorter history finds in the path which of its subtrees are in the longer one."""
    async with circle_of_three(tmp_path) as three:
        three.fork(6, 7, 12)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        await three.exchange(three.bob, three.carol)
        await three.exchange(three.carol, three.bob)
        (at_bob,), (at_carol,) = made(three.bob, ForkRecord.Proven), made(three.carol, ForkRecord.Proven)
        assert (at_bob.alike, at_carol.alike) == (6, 0), "carol has only the root of what bob was told"


async def test_an_owner_that_signed_one_history_is_never_accused(tmp_path: Path) -> None:
    """One of them is behind, then the other; they compare at every step."""
    async with circle_of_three(tmp_path) as three:
        for size in (1, 2, 5, 9, 260, 300):
            three.one.append(*(three.x.need(f"Need {number}") for number in range(three.one.size, size)))
            first, second = (three.bob, three.carol) if size % 2 else (three.carol, three.bob)
            await three.tell(first, three.one)
            await three.exchange(first, second)
            await three.exchange(second, first)
            await three.tell(second, three.one, max(1, size - 1))
            await three.exchange(first, second)
            await three.exchange(second, first)
        for group in (three.bob, three.carol):
            assert await known_fork(group, three.origin) is None
            assert await frozen(group, three.origin) is None
            for other in (three.x.gid, three.bob.node.gid, three.carol.node.gid):
                assert await faults(group, other) == []


async def test_what_others_have_seen_signed_shows_as_missing(tmp_path: Path) -> None:
    """B15: carol has seen a larger signature than bob and hands on no more than he has; he sees what is missing."""
    async with circle_of_three(tmp_path) as three:
        three.fork(9, 9, 9)
        for group in (three.carol, three.bob):
            await three.tell(group, three.one, 4)
        await three.x.shows(three.carol, CheckpointFrame(three.one.note(9)))
        await three.exchange(three.bob, three.carol)
        held = await head(three.bob, three.origin)
        assert held is not None and (held.size, held.claimed_size) == (4, 9)
        await three.tell(three.bob, three.one)
        held = await head(three.bob, three.origin)
        assert held is not None and (held.size, held.frozen) == (9, None)


async def test_somebody_with_our_key_is_found_out_and_both_sides_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """E03: a copy of alice's node signs something else. Bob can prove it; alice is told, and signs no more."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        for number in range(3):
            await share(alice, await post_need(alice, 5, f"Ropes {number}"), circle)
        await mesh.settle()
        origin = circle_origin(alice.node.gid, circle)
        held = await head(alice, origin)
        assert held is not None

        copy = RawPeer(mesh, "copy")
        copy.gid, copy.key, copy.endpoint = alice.node.gid, alice.federation.replication._key, alice.endpoint
        feed = RawFeed(origin, copy.key)
        feed.append(*(copy.need() for _ in range(held.size - 1)))
        mesh.network.nodes[alice.endpoint] = copy  # type: ignore[assignment]
        await copy.shows(bob, CheckpointFrame(feed.note()))
        mesh.network.nodes[alice.endpoint] = alice.federation
        assert await known_fork(bob, origin) is not None
        assert await frozen(bob, origin) == "fork_detected"

        await mesh.settle()
        assert await known_fork(alice, origin) == await known_fork(bob, origin)
        assert "FORK: our own group has signed two histories" in caplog.text
        assert alice.federation.standing()["standing"] == "recovering"
        assert "other entries" in str(alice.federation.standing()["standing_reason"])
        assert await frozen(alice, origin) is None, "her own rows stay what they are"
        await post_need(alice, 1, "Local work goes on")

        await mesh.stop("alice")
        alice = await mesh.start("alice")
        assert alice.federation.standing()["standing"] == "recovering", "also before anybody has spoken"
        assert alice.node.verify().ok and bob.node.verify().ok


def inclusion(feed: RawFeed, index: int, size: int) -> Inclusion:
    hashes = subtree_reader(lambda start, stop: feed.leaves[start:stop], lambda level, at: None)
    return Inclusion(feed.hash, index, size, feed.sealed[index].entry, tuple(inclusion_proof(index, size, hashes)))


@pytest.mark.parametrize(("one", "other"), [(7, 12), (8, 300), (1, 2)])
async def test_a_larger_history_that_does_not_follow_is_convicted_by_asking_for_one_entry(
    one: int, other: int, tmp_path: Path
) -> None:
    """Bob holds the shorter one. He asks for the last entry of it in the longer tree: that shows the path."""
    async with circle_of_three(tmp_path) as three:
        three.fork(0, one, other)
        await three.tell(three.bob, three.one)
        pulled = await three.x.shows(three.bob, *three.other.frames(one))
        assert {each.code for each in pulled.refused} <= {"root_mismatch", "proof_invalid"} and pulled.refused
        assert await frozen(three.bob, three.origin) is None, "it may have been damaged on its way"

        answer: list[Frame] = [CheckpointFrame(three.other.note()), inclusion(three.other, one - 1, other)]
        await three.x.shows(three.bob, *answer)
        (want,) = [f for f in decode_bundle(three.x.asked[-1].body, bytes_max=1 << 20) if isinstance(f, Want)]
        assert want.entries == ((three.one.hash, one - 1),)
        convicted = await known_fork(three.bob, three.origin)
        assert convicted is not None and (convicted.smaller.size, convicted.larger.size) == (one, other)
        assert await frozen(three.bob, three.origin) == "fork_detected"
        await three.exchange(three.carol, three.bob)
        assert await known_fork(three.carol, three.origin) is None, "she holds nothing of that feed"


async def test_an_honest_history_that_was_damaged_on_its_way_goes_on(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.one.append(*(three.x.need(f"Need {number}") for number in range(300)))
        await three.tell(three.bob, three.one, 7)
        checkpoint, package, *parts = three.one.frames(7)
        assert isinstance(package, PackageFrame)
        damaged = replace(package.package, entries=(three.x.need().entry, *package.package.entries[1:]))
        pulled = await three.x.shows(three.bob, checkpoint, PackageFrame(damaged), *parts)
        assert [each.code for each in pulled.refused] == ["proof_invalid"]
        pulled = await three.x.shows(three.bob, checkpoint, inclusion(three.one, 6, 300), package, *parts)
        assert pulled.refused == []
        assert await known_fork(three.bob, three.origin) is None
        await three.x.pulled_by(three.bob)
        assert not [f for f in decode_bundle(three.x.asked[-1].body, bytes_max=1 << 20) if isinstance(f, Want)]
        held = await head(three.bob, three.origin)
        assert held is not None and held.size == 300 and held.frozen is None


async def test_an_inclusion_nobody_asked_for_tells_nothing(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(0, 7, 12)
        await three.tell(three.bob, three.one)
        pulled = await three.x.shows(
            three.bob, CheckpointFrame(three.other.note()), inclusion(three.other, 6, 12), inclusion(three.one, 6, 7)
        )
        assert pulled.refused == [] and await known_fork(three.bob, three.origin) is None


async def test_an_inclusion_that_does_not_hold_is_the_senders_fault(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(0, 7, 12)
        await three.tell(three.bob, three.one)
        await three.x.shows(three.bob, *three.other.frames(7))
        forged = replace(inclusion(three.other, 6, 12), entry=three.one.sealed[6].entry)
        pulled = await three.x.shows(three.bob, CheckpointFrame(three.other.note()), forged)
        assert [each.code for each in pulled.refused] == ["proof_invalid"]
        assert await known_fork(three.bob, three.origin) is None


async def test_a_fork_wakes_who_waits_for_news(tmp_path: Path) -> None:
    """An answer that is held back ends at once when there is a fork to tell of."""
    async with circle_of_three(tmp_path) as three:
        three.fork(3, 9, 7)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        assert not three.bob.federation.gossip.has_news(three.carol.node.gid)
        await three.exchange(three.bob, three.carol)
        assert three.bob.federation.gossip.has_news(three.carol.node.gid)
        for expected in ([three.origin], []):
            told = await asks(three.carol, three.bob, ALL)
            assert [convict_of(frame) for frame in told if isinstance(frame, Fork)] == expected, "once is enough"
        assert three.bob.federation.gossip.has_news(three.x.gid), "mallory has not been told yet"
        answer = await three.x.asks(three.bob, ALL)
        assert [convict_of(frame) for frame in answer if isinstance(frame, Fork)] == [three.origin]
        assert not three.bob.federation.gossip.has_news(three.x.gid)


async def test_a_fork_is_known_for_ever_and_told_again_after_a_restart(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        three.fork(3, 9, 7)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        await three.exchange(three.bob, three.carol)
        await three.mesh.stop("bob")
        three.bob = await three.mesh.start("bob")
        assert await known_fork(three.bob, three.origin) is not None
        assert three.bob.federation.gossip.has_news(three.carol.node.gid)
        await three.exchange(three.carol, three.bob)
        assert await faults(three.carol, three.bob.node.gid) == [], "hearing it twice changes nothing"
        assert len(made(three.carol, ForkRecord.Proven)) == 1


async def test_people_decide_what_to_make_of_it_and_the_proof_stays(tmp_path: Path) -> None:
    """E12: what was decided is recorded; the feed stays frozen, both branches readable, and nobody is overruled."""
    async with circle_of_three(tmp_path) as three:
        three.fork(3, 9, 7)
        await three.tell(three.bob, three.one)
        await three.tell(three.carol, three.other)
        await three.exchange(three.bob, three.carol)
        id = fork_id(three.origin)
        bob = three.bob

        async def resolves(how: str, role: str = "operator") -> dict[str, object]:
            reply = await bob.node.commit(lambda work: resolve_fork(work, bob.act(role), id, how))
            return dict(reply.body)

        for role in ("coordinator", "member"):
            with pytest.raises(Refused, match="Only an operator may resolve a fork"):
                await resolves("explained", role)
        with pytest.raises(Refused, match="not a known way"):
            await resolves("forgotten")
        assert (await resolves("explained"))["resolution"] == "explained"
        with pytest.raises(Refused, match="resolved already"):
            await resolves("explained")
        assert (await resolves("distrusted"))["resolution"] == "distrusted", "they may think again"

        # What begins anew is followed once our people trust it again, and not before.
        anew = RawFeed(circle_origin(three.x.gid, three.id, 1_795_000_000), three.x.key)
        anew.append(three.x.need("Begun anew"))
        shown = [each.code for each in (await three.x.shows(bob, *anew.frames())).refused]
        assert shown == ["fork_detected"] and await head(bob, anew.origin) is None
        await resolves("explained")
        assert (await three.x.shows(bob, *anew.frames())).refused == []
        assert await is_readable(bob, anew)
        assert await known_fork(bob, three.origin) is not None
        assert await frozen(bob, three.origin) == "fork_detected"
        assert await is_readable(bob, three.one)
        assert parse_origin(three.origin).gid == three.x.gid
        assert bob.node.verify().ok
