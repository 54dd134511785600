"""What can go into a file for a circle: our own feed and what we hold of others', and up to where each matters most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aidmesh_node.application.ports import FeedHead, FeedReads, Readers, Reading
from aidmesh_node.domain.refused import Refused
from aidmesh_node.federation.carrying import Carrying
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.serve_pages import Page, page_of
from aidmesh_node.federation.tree_reading import root_at, size_of
from aidmesh_protocol.bundle import Sizes
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.sealing import can_receive
from aidmesh_protocol.statements import NeedShared, read

CRITICAL = "emergency"
"""The urgency whose open needs go before others."""

SCANNED_ENTRIES = 1_024
"""Entries looked through at once for critical needs."""

ENDED = ("need.closed", "need.share_revoked")


@dataclass(slots=True)
class Stock:
    """One feed: entries from `at` up to its checkpoint can go into the file; below `critical` lie those about critical
    open needs."""

    feed: int
    checkpoint: VerifiedCheckpoint
    at: int
    critical: int = 0

    @property
    def left(self) -> int:
        return self.checkpoint.size - self.at


class Shelf:
    """Reads what this node may carry."""

    def __init__(
        self,
        gid: str,
        hpke_key: bytes,
        readers: Readers[Reading],
        publisher: Publisher,
        links: Links,
        known: Identities,
        carrying: Carrying,
    ) -> None:
        self._gid = gid
        self._hpke_key = hpke_key
        self._readers = readers
        self._publisher = publisher
        self._links = links
        self._identities = known
        self._carrying = carrying

    def recipients(self, circle: bytes) -> list[bytes]:
        """The HPKE keys of the circle's members, ours first (SPEC §8.6a). Raises Refused `no_reader` when there is
        nobody else."""
        others = []
        for gid in self.others(circle):
            try:
                key = self._identities.known(gid).hpke_key
            except ProtocolError:
                continue  # nobody has brought us its identity yet
            if can_receive(key):
                others.append(key)
        if not others:
            raise Refused(
                "no_reader", "Nobody in this circle could open a file.", "Wait until their node has answered once."
            )
        return [self._hpke_key, *others]

    def others(self, circle: bytes) -> list[str]:
        """The circle's members but us: whom a file is for."""
        return sorted(self._links.members(circle) - {self._gid})

    async def stock(
        self, circle: bytes, since: Sizes | None, *, by_need: bool
    ) -> tuple[list[Stock], list[VerifiedCheckpoint]]:
        """The feeds of a circle with what `since` does not say is held, and the identities it lacks: nothing else goes
        into a file (SPEC §8.5c). `by_need`: look for critical needs."""
        held = {hashed: (size, root) for hashed, size, root in since.feeds} if since else {}
        members = self._links.members(circle)

        def take(reading: Reading) -> tuple[list[Stock], list[VerifiedCheckpoint]]:
            stocks, identities = [], []
            for head in reading.feeds.heads():
                checkpoint = self._carrying.checkpoint(head) if head.owner in members else None
                if checkpoint is None:
                    continue
                at = _reached(reading.feeds, head, checkpoint, held)
                if head.circle is None and at < checkpoint.size:
                    identities.append(checkpoint)
                elif head.circle == circle and self._is_for_somebody(head, members, held):
                    critical = critical_until(reading.feeds, head.feed, checkpoint.size) if by_need else 0
                    stocks.append(Stock(head.feed, checkpoint, at, critical))
            return stocks, identities

        return await self._readers.run(take)

    def page(self, stock: Stock, reading: Reading) -> Page:
        """The next package of a feed with its parts."""
        return page_of(stock.checkpoint, stock.at, True, reading, carrying=self._carrying)

    def sizes(self, circle: bytes, stocks: Sequence[Stock], reading: Reading) -> Sizes:
        """What somebody holds who has read a file with these feeds and all identities."""
        members = self._links.members(circle)
        at = {stock.feed: stock.at for stock in stocks}
        rows = []
        for head in reading.feeds.heads():
            reached = at.get(head.feed) if head.circle is not None else self._identity_size(head, members)
            root = root_at(reading.feeds, head, reached) if reached is not None else None
            if reached is not None and root is not None:
                rows.append((head.origin_hash, reached, root))
        return Sizes(tuple(rows))

    def held(self, circle: bytes, reading: Reading) -> Sizes:
        """What we hold of a circle's feeds and of its members' identities: what we need no file to bring."""
        members = self._links.members(circle)
        heads = [head for head in reading.feeds.heads() if head.owner in members and head.circle in (None, circle)]
        return Sizes(tuple(size_of(head) for head in heads if head.size))

    def unsigned(self, circle: bytes, reading: Reading) -> int:
        """Entries of our own feed that may not leave yet: since the start nobody has shown what they had seen of it."""
        mine = [head for head in reading.feeds.heads(owner=self._gid) if head.circle == circle]
        served = [self._publisher.served(head.origin) for head in mine]
        return sum(head.size - (note.size if note else 0) for head, note in zip(mine, served, strict=True))

    def _identity_size(self, head: FeedHead, members: frozenset[str]) -> int | None:
        checkpoint = self._carrying.checkpoint(head) if head.owner in members else None
        return checkpoint.size if checkpoint else None

    def _is_for_somebody(self, head: FeedHead, members: frozenset[str], held: Mapping[bytes, object]) -> bool:
        """Between two groups nobody lacks the other's own feed, unless it says so."""
        return bool(members - {self._gid, head.owner}) or head.origin_hash in held


def _reached(
    feeds: FeedReads, head: FeedHead, checkpoint: VerifiedCheckpoint, held: Mapping[bytes, tuple[int, bytes]]
) -> int:
    """From where to go on for somebody who holds so much; from the start where that is not what we hold."""
    size, root = held.get(head.origin_hash, (0, b""))
    if size >= checkpoint.size:
        return checkpoint.size
    return size if size and root_at(feeds, head, size) == root else 0


def critical_until(feeds: FeedReads, feed: int, size: int) -> int:
    """The index after the last entry that is about a critical need which is open, 0 when there is none."""
    last: dict[bytes, int] = {}
    for start in range(0, size, SCANNED_ENTRIES):
        for index, (data, _, parts) in enumerate(feeds.held(feed, start, min(size, start + SCANNED_ENTRIES)), start):
            entry = Entry.decode(data)
            if entry.type in ENDED or (entry.type == NeedShared.TYPE and not _is_critical(entry, parts)):
                last.pop(entry.subject_id, None)
            elif entry.type == NeedShared.TYPE or entry.subject_id in last:
                last[entry.subject_id] = index
    return max(last.values(), default=-1) + 1


def _is_critical(entry: Entry, parts: Mapping[str, bytes]) -> bool:
    try:
        said = read(entry, parts)
    except ProtocolError:
        return False  # it means nothing; its bytes travel all the same
    return isinstance(said, NeedShared) and said.view is not None and said.view.urgency == CRITICAL


__all__ = ["Shelf", "Stock", "critical_until"]
