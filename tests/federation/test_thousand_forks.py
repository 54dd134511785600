"""1,000 generated forks: all convicted, by both who were told, within two exchanges. 1,000 framings: nobody is.

They take a minute and a half, so the forks are marked `soak`; a few are in the default run.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from aidmesh_node.application import inbox, own_feeds
from aidmesh_node.application.arrival import checked, trusted, verify
from aidmesh_node.application.ports import Work
from aidmesh_protocol.bundle import Fork, Heads
from aidmesh_protocol.checkpoint import parse_unverified
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import package_stop
from aidmesh_protocol.fork_proof import ForkProof, KeyRow
from aidmesh_protocol.limits import EXCHANGE_FORKS_MAX
from aidmesh_protocol.merkle import consistency_path, subtree_reader
from aidmesh_protocol.origin import circle_origin, identity_origin, parse_origin
from tests.support.circle_of_three import Circle, circle_of_three, faults, frozen, known_fork
from tests.support.federation import Group
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import head
from tests.support.stories import post_need, share

FORKS = FRAMINGS = 1_000
ENTRIES_MAX = 300


async def take_in(group: Group, feed: RawFeed) -> None:
    """The group's node takes in this history as it does what a peer shows, package by package."""

    def take(work: Work) -> None:
        name = parse_origin(feed.origin)
        work.feeds.open_feed(feed.origin, feed.hash, name.gid, name.circle, name.generation, own_feeds.EMPTY)
        at = 0
        while at < feed.size:
            known = work.feeds.head(feed.origin)
            assert known is not None
            offered = checked(feed.note(), feed.origin, feed.key.verify_key)
            stop = package_stop(at, feed.size)
            package = feed.package(at, stop)
            inbox.accept(work, verify(known, trusted(known, feed.key.verify_key), offered, package, {}))
            at = stop

    await group.node.writer.run(take)


HUNDREDS = [(seed, FORKS // 10) for seed in range(10)]


@pytest.mark.parametrize(
    ("seed", "count"), [(10, 12), *(pytest.param(*each, marks=pytest.mark.soak) for each in HUNDREDS)]
)
async def test_generated_forks_are_convicted_within_two_exchanges(seed: int, count: int, tmp_path: Path) -> None:
    """Any sizes, any place where the histories part; either of the two asks."""
    draw, at_once = random.Random(seed), 0
    async with circle_of_three(tmp_path) as three:
        both, told_bob, told_carol = ([three.x.need() for _ in range(ENTRIES_MAX)] for _ in range(3))
        for number in range(count):
            origin = circle_origin(three.x.gid, three.id, number)
            sizes = [draw.randint(1, draw.choice([8, ENTRIES_MAX])) for _ in range(2)]
            alike = draw.randrange(min(sizes)) if number % 3 else min(sizes) - 1
            for group, size, told in zip((three.bob, three.carol), sizes, (told_bob, told_carol), strict=True):
                feed = RawFeed(origin, three.x.key)
                feed.append(*both[:alike], *told[alike:size])
                await take_in(group, feed)
            pair = [three.bob, three.carol]
            draw.shuffle(pair)
            await three.exchange(*pair)
            at_once += all([await known_fork(group, origin) for group in pair])
            await three.exchange(*pair)
            for group in pair:
                convicted = await known_fork(group, origin)
                assert convicted is not None and convicted.gid == three.x.gid, (sizes, alike)
                assert [convicted.smaller.size, convicted.larger.size] == sorted(sizes)
                assert await frozen(group, origin) == "fork_detected"
        assert at_once > count * 0.3, "mostly it needs one"
        for group, other in ((three.bob, three.carol), (three.carol, three.bob)):
            assert await faults(group, other.node.gid) == []
            assert group.node.verify().ok


class Framer:
    """Mallory knows every checkpoint carol has signed, and would like bob to believe that carol contradicts herself."""

    def __init__(self, three: Circle, notes: list[bytes], leaves: list[bytes], keys: tuple[KeyRow, ...]) -> None:
        self.three = three
        self.notes = notes
        self.leaves = leaves
        self.keys = keys
        self.draw = random.Random("framer")
        self.ways: list[Callable[[], ForkProof]] = [
            self.true_notes, self.wrong_path, self.changed_root, self.own_signature, self.own_inception,
            self.same_note, self.other_way_round, self.any_bytes,
        ]  # fmt: skip

    def two(self) -> tuple[bytes, bytes, int, int]:
        one, other = sorted(self.draw.sample(range(len(self.notes)), 2))
        return self.notes[one], self.notes[other], self.size(one), self.size(other)

    def size(self, place: int) -> int:
        return int(self.notes[place].split(b"\n")[1])

    def path(self, size1: int, size2: int) -> tuple[bytes, ...]:
        hashes = subtree_reader(lambda start, stop: self.leaves[start:stop], lambda level, index: None)
        return tuple(consistency_path(size1, size2, hashes))

    def true_notes(self) -> ForkProof:
        one, other, *sizes = self.two()
        return ForkProof(self.keys, one, other, self.path(*sizes))

    def wrong_path(self) -> ForkProof:
        one, other, *sizes = self.two()
        path = [*self.path(*sizes)]
        path[self.draw.randrange(len(path))] = self.draw.randbytes(32)
        return ForkProof(self.keys, one, other, tuple(path[: self.draw.randint(1, len(path))]))

    def changed_root(self) -> ForkProof:
        one, other, *sizes = self.two()
        lines = other.split(b"\n")
        lines[2] = b64encode(self.draw.randbytes(32))
        return ForkProof(self.keys, one, b"\n".join(lines), self.path(*sizes))

    def own_signature(self) -> ForkProof:
        """Her own key under carol's name."""
        one, _, size1, size2 = self.two()
        forged = RawFeed(one.split(b"\n")[0].decode(), self.three.x.key)
        forged.append(*(self.three.x.need() for _ in range(size2)))
        keys = self.draw.choice([self.keys, self.her_keys()])
        return ForkProof(keys, one, forged.note(size2), (forged.root(size2), *self.path(size1, size2))[:3])

    def own_inception(self) -> ForkProof:
        one, other, *sizes = self.two()
        return ForkProof(self.her_keys(), one, other, self.path(*sizes))

    def same_note(self) -> ForkProof:
        one, *_ = self.two()
        return ForkProof(self.keys, one, one)

    def other_way_round(self) -> ForkProof:
        one, other, *sizes = self.two()
        return ForkProof(self.keys, other, one, self.path(*sizes))

    def any_bytes(self) -> ForkProof:
        one, other, *_ = self.two()
        at = self.draw.randrange(len(other))
        changed = other[:at] + self.draw.randbytes(1) + other[at + 1 :]
        return ForkProof(self.keys, one, changed, (self.draw.randbytes(32),))

    def her_keys(self) -> tuple[KeyRow, ...]:
        ident = self.three.x.ident()
        return ((ident.entries[0], ident.parts[0][2]),)

    def heads(self) -> Heads:
        """What she says carol has signed: true, changed, and signed by herself."""
        proofs = [self.draw.choice(self.ways)() for _ in range(8)]
        return Heads(tuple(note for proof in proofs for note in (proof.smaller, proof.larger) if readable(note)))


def readable(note: bytes) -> bool:
    try:
        parse_unverified(note)
    except ProtocolError:
        return False
    return True


@pytest.mark.soak
async def test_1_000_framings_of_an_honest_group_convict_nobody(tmp_path: Path) -> None:
    async with circle_of_three(tmp_path) as three:
        origin, notes = circle_origin(three.carol.node.gid, three.id), list[bytes]()
        for number in range(12):
            await share(three.carol, await post_need(three.carol, 2, f"Lamps {number}"), three.id)
            await three.carol.federation.publisher.publish()
            await three.exchange(three.bob, three.carol)
            held = await head(three.bob, origin)
            assert held is not None and held.checkpoint is not None
            notes.append(held.checkpoint)
        framer = Framer(three, notes, *(await three.bob.node.writer.run(lambda work: _held(work, origin))).value)
        framings = [framer.ways[number % len(framer.ways)]() for number in range(FRAMINGS)]
        seen_through = 0
        for start in range(0, FRAMINGS, EXCHANGE_FORKS_MAX):
            some = framings[start : start + EXCHANGE_FORKS_MAX]
            pulled = await three.x.shows(three.bob, framer.heads(), *map(Fork, some))
            seen_through += len(pulled.refused)
        assert seen_through > FRAMINGS - 10, "but for those that a changed byte makes be about another feed"
        for feed in (origin, identity_origin(three.carol.node.gid)):
            assert await known_fork(three.bob, feed) is None
            assert await frozen(three.bob, feed) is None
        assert await faults(three.bob, three.carol.node.gid) == []
        await share(three.carol, await post_need(three.carol, 2, "Stoves"), three.id)
        await three.carol.federation.publisher.publish()
        await three.exchange(three.bob, three.carol)
        after = await head(three.bob, origin)
        assert after is not None and after.size > len(notes), "and carol is heard as before"


def _held(work: Work, origin: str) -> tuple[list[bytes], tuple[KeyRow, ...]]:
    """The leaves of a feed, and what names its owner's key."""
    found = work.feeds.head(origin)
    assert found is not None
    owner = work.feeds.head(identity_origin(found.owner))
    assert owner is not None
    part = work.feeds.part(owner.feed, 0, "facts")
    assert part is not None
    return work.feeds.leaves(found.feed, 0, found.size), ((work.feeds.entries(owner.feed, 0, 1)[0], part),)
