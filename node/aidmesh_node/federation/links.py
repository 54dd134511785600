"""Our links with other groups while the node runs: who may ask, for which circles, and what each has acknowledged.

A reading of the PeerLink aggregates, refreshed after each change; decides nothing that the aggregates do not say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.domain.peer_link import ACTIVE, SEVERED, SUSPENDED, PeerLink
from aidmesh_node.federation.sender import FILE, Sender
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.terms import Terms

HELD_ANSWERS_MAX = 2
"""Answers held back for one peer at once: one poll, and one that replaces it after a broken connection. A third
question takes the place of the oldest: who asks again has lost that line, though we may not have noticed."""


@dataclass(frozen=True, slots=True)
class Link:
    """What replication needs of one PeerLink."""

    gid: str
    name: str
    state: str
    circle: bytes | None
    endpoints: tuple[str, ...]
    confirmed: bool
    signed: bool
    parties: frozenset[str]
    """Who has signed the circle's terms: the two of us, or more."""


class Links:
    """All links of this node by peer gid."""

    def __init__(self, gid: str, writer: Writer) -> None:
        self._gid = gid
        self._writer = writer
        self._links: dict[str, Link] = {}
        self._acknowledged: dict[tuple[str, bytes], int] = {}
        self._held: dict[str, list[asyncio.Event]] = {}
        self._carried = asyncio.Event()
        self.changed = asyncio.Event()

    async def refresh(self) -> None:
        """Read every link again. Called at start and after each change of a link."""
        self._links = {link.gid: link for link in (await self._writer.run(self._read)).value}
        self.changed.set()

    def _read(self, work: Work) -> list[Link]:
        gids = {head.owner for head in work.feeds.heads() if head.circle is None and head.owner != self._gid}
        links = [work.find(PeerLink, PeerLink.id_of(gid)) for gid in sorted(gids)]
        return [_link(link) for link in links if link is not None]

    def get(self, gid: str) -> Link | None:
        return self._links.get(gid)

    def active(self) -> list[Link]:
        """Links whose terms are in force."""
        return [link for link in self._links.values() if link.state == ACTIVE]

    def all(self) -> list[Link]:
        return list(self._links.values())

    def require_active(self, gid: str) -> Link:
        """Raises ProtocolError not_member, suspended or severed."""
        link = self._links.get(gid)
        if link is None or link.state not in (ACTIVE, SUSPENDED, SEVERED):
            raise ProtocolError("not_member", "our groups are not linked: pair first")
        if link.state == SUSPENDED:
            raise ProtocolError("suspended", "our group has paused this link; it can be resumed: talk to us")
        if link.state == SEVERED:
            raise ProtocolError("severed", "our group has ended this link; a new invitation makes a new one")
        return link

    def circles_with(self, gid: str) -> frozenset[bytes]:
        """The circles in force that this peer and we are both in."""
        link = self._links.get(gid)
        return frozenset({link.circle}) if link and link.state == ACTIVE and link.circle else frozenset()

    def members(self, circle: bytes) -> frozenset[str]:
        """The gids of a circle in force, ours included; nobody for any other circle."""
        return frozenset().union(*(link.parties for link in self.active() if link.circle == circle))

    def sender(self, gid: str) -> Sender:
        """This peer, as the one frames come from."""
        return Sender(gid, {circle: self.members(circle) for circle in self.circles_with(gid)}, self._gid)

    def file(self) -> Sender:
        """A file, whoever brings it."""
        return Sender(
            FILE, {link.circle: self.members(link.circle) for link in self.active() if link.circle}, self._gid
        )

    def acknowledged(self, gid: str, origin_hash: bytes, size: int) -> None:
        """The peer says it holds `size` entries of a feed."""
        self._acknowledged[gid, origin_hash] = size

    def acknowledged_by(self, gid: str, origin_hash: bytes) -> int:
        """How much of a feed the peer last said it holds; 0 until it has spoken since our start."""
        return self._acknowledged.get((gid, origin_hash), 0)

    def next_carried(self) -> asyncio.Event:
        """An event that is set as soon as anything more of other groups is held than now."""
        return self._carried

    def announce(self) -> None:
        """More of other groups is held: whoever waits may get it from us."""
        self._carried.set()
        self._carried = asyncio.Event()

    @contextmanager
    def holding(self, gid: str) -> Iterator[asyncio.Event]:
        """Hold an answer back for this peer, until the event is set at the latest: newer ones take its place."""
        held, replaced = self._held.setdefault(gid, []), asyncio.Event()
        held.append(replaced)
        if len(held) > HELD_ANSWERS_MAX:
            held.pop(0).set()
        try:
            yield replaced
        finally:
            if replaced in held:
                held.remove(replaced)

    def is_waiting(self, gid: str) -> bool:
        """Whether the peer is on the line already, so that no wake is needed."""
        return bool(self._held.get(gid))


def _link(link: PeerLink) -> Link:
    return Link(
        gid=link.gid,
        name=link.name or link.gid[:8],
        state=link.state,
        circle=bytes.fromhex(link.circle) if link.circle else None,
        endpoints=link.endpoints,
        confirmed=link.is_confirmed,
        signed=link.their_signature is not None,
        parties=frozenset(Terms.decode(bytes.fromhex(link.terms)).parties) if link.terms else frozenset(),
    )
