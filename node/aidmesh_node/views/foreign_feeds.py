"""Projects what peers said, feed by feed, in bounded turns. A feed whose next entry lacks its facts waits
alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from aidmesh_node.application.ports import FeedHead, FeedReads
from aidmesh_node.views import tracking
from aidmesh_node.views.foreign import Heard, Speaker, forget_speaker, remember_speaker
from aidmesh_node.views.projection import Projection
from aidmesh_node.views.tracking import START, Tracked
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.statements import Incomplete

ENTRIES_MAX = 4_096
"""Entries of all feeds in one transaction, while nobody waits. Their ids come in no order, so that each transaction
writes most pages of an index anew: the fewer transactions the better."""

ENTRIES_BULK_MAX = 1_024
"""The same while entries arrive in bulk: as many as a board shows."""

ENTRIES_STEP = 256
"""Entries until we look again whether our own people wait: some milliseconds. Whole statements of many rows."""

BULK_ENTRIES = 256
"""Entries stored or interpreted between two looks, from which on they come in bulk: a whole package and more."""

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
        self._come: int | None = None
        self.in_bulk = False
        """Whether a lot had been stored or interpreted when the feeds were last looked at."""

    def heads(self, feeds: FeedReads) -> list[FeedHead]:
        """The feeds that are projected: identity and circle feeds of others."""
        return [
            head
            for head in feeds.heads()
            if head.owner != self._gid and (head.circle is not None or _is_identity(head))
        ]

    def look(self, feeds: FeedReads) -> bool:
        """Whether they still come in bulk."""
        return self._grown(self.heads(feeds))

    def project(self, feeds: FeedReads, tracked: dict[int, Tracked], hurried: Callable[[], bool]) -> bool:
        """Project the next entries and move `tracked`; True when there may be more to do now. Ends early when `hurried`
        says that somebody waits."""
        heads = self._newest(self.heads(feeds))
        left = ENTRIES_BULK_MAX if self._grown(heads) else ENTRIES_MAX
        for turn in range(self._turn, self._turn + len(heads)):
            head = heads[turn % len(heads)]
            start = tracked.get(head.feed, START).position
            while start < head.size and not self._waits(feeds, head, start):
                reached = self._feed(feeds, head, start, min(head.size, start + min(ENTRIES_STEP, left)), tracked)
                left -= reached - start
                start = reached
                if left == 0 or hurried():
                    self._turn = (turn + 1) % len(heads)
                    return True
        return False

    def _newest(self, heads: list[FeedHead]) -> list[FeedHead]:
        """Without those whose owner goes on in a later generation."""
        newest = {(head.owner, head.circle): head.generation for head in heads if head.size and head.circle is not None}
        for head in heads:
            if head.size and head.circle is not None:
                key = head.owner, head.circle
                newest[key] = max(newest[key], head.generation)
        left = []
        for head in heads:
            if head.circle is not None and head.generation < newest.get((head.owner, head.circle), 0):
                forget_speaker(self._connection, head.feed)
            else:
                left.append(head)
        return left

    def look_for_late_views(self, feeds: FeedReads) -> bool:
        """Project view parts that have arrived since their entries were; True when there were any."""
        rows = tracking.awaited_after(self._connection, *self._looked, LATE_VIEWS_MAX)
        self._looked = rows[-1] if len(rows) == LATE_VIEWS_MAX else (0, 0)
        arrived = [(feed, index) for feed, index in rows if feeds.part(feed, index, VIEW) is not None]
        if not arrived:
            return False
        speakers = {head.feed: _speaker(head) for head in feeds.heads()}
        for feed, index in arrived:
            for held in feeds.held(feed, index, index + 1):
                self._projection.late_view(speakers[feed], index, held)
            tracking.await_no_longer(self._connection, feed, index)
        return True

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._stalled.clear()
        self._looked = (0, 0)

    def _grown(self, heads: Iterable[FeedHead]) -> bool:
        come = sum(head.size + head.folded for head in heads)
        # What was there at the start does not arrive: it only waits to be shown.
        self.in_bulk = self._come is not None and come - self._come >= BULK_ENTRIES
        self._come = come
        return self.in_bulk

    def _waits(self, feeds: FeedReads, head: FeedHead, index: int) -> bool:
        """Whether the feed stopped at this entry for want of its facts, and they are still not here."""
        return self._stalled.get(head.feed) == index and feeds.part(head.feed, index, FACTS) is None

    def _feed(self, feeds: FeedReads, head: FeedHead, start: int, stop: int, tracked: dict[int, Tracked]) -> int:
        heard: list[Heard] = []
        index, read, landmark = start, self._projection.read, b""
        for at, held in zip(range(start, stop), feeds.held(head.feed, start, stop), strict=True):
            one = read(at, held)
            if isinstance(one, Incomplete):
                self._stalled[head.feed] = at
                break
            if one is not None:
                heard.append(one)
            index, landmark = at + 1, held[1]
        if index > start:
            by = _speaker(head)
            if start == 0:
                remember_speaker(self._connection, by)
            self._projection.said(by, heard)
            tracked[head.feed] = Tracked(index, landmark)
        return index


def _is_identity(head: FeedHead) -> bool:
    return head.origin.startswith(f"aidmesh/{head.owner}/id/")


def _speaker(head: FeedHead) -> Speaker:
    return Speaker(head.feed, "" if head.circle is None else head.circle.hex(), head.owner, head.origin_hash)
