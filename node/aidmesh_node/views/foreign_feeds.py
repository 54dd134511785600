"""Projects what peers said, feed by feed, in bounded turns. A feed whose next entry lacks its facts waits
alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aidmesh_node.application.ports import FeedHead, FeedReads, PartRow
from aidmesh_node.views import tracking
from aidmesh_node.views.foreign import Place, remember_speaker
from aidmesh_node.views.projection import Projection, Said
from aidmesh_node.views.tracking import START, Tracked
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.statements import Incomplete

ENTRIES_MAX = 1_000
"""Entries of one feed in one transaction. Their ids come in no order, so that each transaction writes most pages of an
index anew: the fewer transactions the better."""

ENTRIES_ALL_MAX = 1_000
"""Entries of all feeds in one transaction: our own events never wait longer than that takes."""

BULK_ENTRIES = 256
"""Entries that came during one transaction, from which on they come in bulk: a whole package and more."""

LATE_VIEWS_MAX = 200
"""Late view parts looked for in one transaction; the rest have their turn in the next."""


class ForeignFeeds:
    """Follows every feed but those of `gid`, our own group."""

    def __init__(self, connection: sqlite3.Connection, projection: Projection, gid: str) -> None:
        self._connection = connection
        self._projection = projection
        self._gid = gid
        self._turn = 0
        self._stalled: dict[int, int] = {}
        self._looked = (0, 0)
        self._held: int | None = None
        self.in_bulk = False
        """Whether feeds had grown a lot when they were last looked at."""

    def heads(self, feeds: FeedReads) -> list[FeedHead]:
        """The feeds that are projected: identity and circle feeds of others."""
        return [
            head
            for head in feeds.heads()
            if head.owner != self._gid and (head.circle is not None or _is_identity(head))
        ]

    def project(self, feeds: FeedReads, tracked: dict[int, Tracked]) -> bool:
        """Project the next entries and move `tracked`; True when there are more to do now."""
        heads = self.heads(feeds)
        held = sum(head.size for head in heads)
        # What was there at the start does not arrive: it only waits to be shown.
        self.in_bulk = self._held is not None and held - self._held >= BULK_ENTRIES
        self._held = held
        left = ENTRIES_ALL_MAX
        more = False
        for turn in range(len(heads)):
            head = heads[(self._turn + turn) % len(heads)]
            start = tracked.get(head.feed, START).position
            if start >= head.size or self._waits(feeds, head, start):
                continue
            if left == 0:
                self._turn = (self._turn + turn) % len(heads)
                return True
            stop = min(head.size, start + min(ENTRIES_MAX, left))
            reached = self._feed(feeds, head, start, stop, tracked)
            left -= reached - start
            more = more or (reached == stop < head.size)
        return more

    def look_for_late_views(self, feeds: FeedReads) -> bool:
        """Project view parts that have arrived since their entries were; True when there were any."""
        rows = tracking.awaited_after(self._connection, *self._looked, LATE_VIEWS_MAX)
        self._looked = rows[-1] if len(rows) == LATE_VIEWS_MAX else (0, 0)
        arrived = [(feed, index, view) for feed, index in rows if (view := feeds.part(feed, index, VIEW)) is not None]
        if not arrived:
            return False
        heads = {head.feed: head for head in feeds.heads()}
        for feed, index, view in arrived:
            facts = feeds.part(feed, index, FACTS)
            entry, leaf = feeds.entries(feed, index, index + 1), feeds.leaves(feed, index, index + 1)
            if facts is not None and entry and leaf:
                place = _place(heads[feed], index, leaf[0])
                self._projection.late_view(place, entry[0], {FACTS: facts, VIEW: view})
            tracking.await_no_longer(self._connection, feed, index)
        return True

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._stalled.clear()
        self._looked = (0, 0)

    def _waits(self, feeds: FeedReads, head: FeedHead, index: int) -> bool:
        """Whether the feed stopped at this entry for want of its facts, and they are still not here."""
        return self._stalled.get(head.feed) == index and feeds.part(head.feed, index, FACTS) is None

    def _feed(self, feeds: FeedReads, head: FeedHead, start: int, stop: int, tracked: dict[int, Tracked]) -> int:
        entries, leaves = feeds.entries(head.feed, start, stop), feeds.leaves(head.feed, start, stop)
        parts = _by_index(feeds.parts(head.feed, start, stop), start, stop)
        heard: list[tuple[Place, Said]] = []
        index = start
        for entry, leaf, held in zip(entries, leaves, parts, strict=True):
            read = self._projection.read(entry, held)
            if isinstance(read, Incomplete):
                self._stalled[head.feed] = index
                break
            if read is not None:
                heard.append((_place(head, index, leaf), read))
            index += 1
        if index > start:
            if start == 0:
                remember_speaker(self._connection, head.feed, _circle(head), head.owner, head.origin_hash)
            self._projection.said(head.feed, heard)
            tracked[head.feed] = Tracked(index, leaves[index - start - 1])
        return index


def _is_identity(head: FeedHead) -> bool:
    return head.origin.startswith(f"aidmesh/{head.owner}/id/")


def _place(head: FeedHead, index: int, leaf: bytes) -> Place:
    return Place(head.feed, head.owner, _circle(head), index, leaf)


def _circle(head: FeedHead) -> str:
    return "" if head.circle is None else head.circle.hex()


def _by_index(rows: Sequence[PartRow], start: int, stop: int) -> list[dict[str, bytes]]:
    parts: list[dict[str, bytes]] = [{} for _ in range(start, stop)]
    for index, tag, part in rows:
        parts[index - start][tag] = part
    return parts
