"""Three groups in one circle, one of which signs two histories: what amended terms will make, before there are any.

Bob's and carol's groups are real nodes and peers of each other; mallory is a raw peer of both. That her links belong to
the one circle of all three is all that is put in place by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from aidmesh_node.application.ports import EvidenceRow, FeedHead, Work
from aidmesh_node.domain.fork import Fork
from aidmesh_protocol.fork_file import decode_fork_file
from aidmesh_protocol.fork_proof import Conviction, convict
from aidmesh_protocol.origin import circle_origin
from tests.support.federation import Group, Mesh
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, StillClock, evidence, head


@dataclass(slots=True)
class Circle:
    """`x` has two histories of one feed in hand: the first entries of both are the same."""

    mesh: Mesh
    bob: Group
    carol: Group
    id: bytes
    x: RawPeer
    one: RawFeed
    other: RawFeed

    @property
    def origin(self) -> str:
        return self.one.origin

    def fork(self, alike: int, one: int, other: int) -> None:
        """Write both histories: so many entries alike, and their sizes."""
        common = [self.x.need(f"Common {number}") for number in range(alike)]
        self.one.append(*common, *(self.x.need(f"Told bob {number}") for number in range(one - alike)))
        self.other.append(*common, *(self.x.need(f"Told carol {number}") for number in range(other - alike)))

    async def tell(self, group: Group, feed: RawFeed, size: int | None = None) -> None:
        """Mallory shows this history to one of them."""
        held = await head(group, feed.origin)
        pulled = await self.x.shows(group, *feed.frames(held.size if held else 0, size))
        assert not pulled.refused, pulled.refused

    async def exchange(self, asking: Group, asked: Group) -> None:
        """One of them asks the other, once."""
        link = asking.federation.links.get(asked.node.gid)
        assert link is not None
        await asking.federation.replication.pull(link, 0)


@asynccontextmanager
async def circle_of_three(folder: Path) -> AsyncIterator[Circle]:
    """Bob and carol paired, mallory of their circle."""
    mesh = Mesh(folder)
    mesh.clock = StillClock()
    async with mesh:
        bob, carol = await mesh.found("bob"), await mesh.found("carol")
        circle = await mesh.pair(bob, carol)
        x = RawPeer(mesh)
        for group in (bob, carol):
            await x.pair_with(group)
        join(x, circle, bob, carol)
        origin = circle_origin(x.gid, circle)
        x.feed = RawFeed(origin, x.key)
        yield Circle(mesh, bob, carol, circle, x, RawFeed(origin, x.key), RawFeed(origin, x.key))


def join(x: RawPeer, circle: bytes, *groups: Group) -> None:
    """From now on the links of these groups with x belong to this circle."""
    for group in groups:
        links = group.federation.links
        link = links.get(x.gid)
        assert link is not None
        parties = frozenset({x.gid, *(each.node.gid for each in groups)})
        links._links[x.gid] = replace(link, circle=circle, parties=parties)
    x.circle = circle


async def known_fork(group: Group, origin: str) -> Conviction | None:
    """What this group can prove about a feed, judged anew from what it has stored."""

    def read(work: Work) -> str | None:
        found = work.find(Fork, fork_id(origin))
        return None if found is None else found.proof

    proof = (await group.node.writer.run(read)).value
    return None if proof is None else convict(decode_fork_file(bytes.fromhex(proof)))


def fork_id(origin: str) -> UUID:
    return UUID(bytes=sha256(origin.encode()).digest()[:16])


async def frozen(group: Group, origin: str) -> str | None:
    held: FeedHead | None = await head(group, origin)
    return None if held is None else held.frozen


async def is_readable(group: Group, feed: RawFeed) -> bool:
    """Whether this group still reads every entry of this history, with its parts."""

    def read(work: Work) -> bool:
        held = work.feeds.head(feed.origin)
        if held is None:
            return False
        kept = work.feeds.held(held.feed, 0, held.size)
        return [(entry, dict(parts)) for entry, _, parts in kept] == [(e.entry, dict(e.parts)) for e in feed.sealed]

    return (await group.node.writer.run(read)).value


async def faults(group: Group, gid: str) -> list[str]:
    """Codes of what this group holds against another one."""
    rows: list[EvidenceRow] = await evidence(group, gid)
    return [row.code for row in rows]
