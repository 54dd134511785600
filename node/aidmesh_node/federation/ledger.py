"""The disclosure ledger: which erasable parts of our feeds went to which peer, and in which hour.

What was served is written a moment later, so that nobody waits for it. If the process dies in between, the peer itself
tells at its next question: what it holds beyond the ledger went to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aidmesh_node.application.ports import FeedReads, Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_protocol.entry import ERASABLE_TAGS

Range = tuple[int, int]
"""Entries of a feed: the first, and the one after the last."""
Row = tuple[str, bytes, Range, int]
"""Peer, origin hash, entries, hour since 1970."""


class Ledger:
    """Gathers what is served; `store` writes it."""

    def __init__(self, gid: str, writer: Writer, clock: Clock) -> None:
        self._gid = gid
        self._writer = writer
        self._clock = clock
        self._went: list[Row] = []
        self._claimed: list[Row] = []
        self._reached: dict[tuple[str, bytes], int] = {}
        self._stored: dict[tuple[str, bytes], int] = {}

    def went(self, peer: str, origin_hash: bytes, ranges: Iterable[Range], stop: int = 0) -> None:
        """These are on their way to the peer, and all before `stop` was looked at."""
        hour = self._hour()
        self._went += [(peer, origin_hash, each, hour) for each in ranges]
        self._reach(peer, origin_hash, stop)

    def holds(self, peer: str, origin_hash: bytes, size: int) -> None:
        """The peer says it holds so many entries of a feed of ours."""
        known = self._reached.get((peer, origin_hash), 0)
        if size > known:
            self._claimed.append((peer, origin_hash, (known, size), self._hour()))
            self._reach(peer, origin_hash, size)

    async def store(self) -> None:
        """Write what was gathered. Raises Unavailable; then it is gathered still."""
        went, claimed, reached = self._went, self._claimed, dict(self._reached)
        if reached == self._stored and not went:
            return
        self._went, self._claimed = [], []
        try:
            await self._writer.run(lambda work: _write(work, self._gid, went, claimed, reached))
        except BaseException:
            self._went, self._claimed = went + self._went, claimed + self._claimed
            raise
        self._stored = reached

    def _reach(self, peer: str, origin_hash: bytes, stop: int) -> None:
        self._reached[peer, origin_hash] = max(stop, self._reached.get((peer, origin_hash), 0))

    def _hour(self) -> int:
        return int(self._clock.now().timestamp()) // 3600


def _write(
    work: Work, gid: str, went: Sequence[Row], claimed: Sequence[Row], reached: Mapping[tuple[str, bytes], int]
) -> None:
    # Claims first: they are about what was served before, by a process that may have died before it wrote it down.
    for rows, is_claim in ((claimed, True), (went, False)):
        for peer, origin_hash, (start, stop), hour in rows:
            if (feed := _feed(work, gid, origin_hash)) is not None:
                begin = max(start, work.positions.get(_looked_at(feed, peer))) if is_claim else start
                if begin < stop:
                    work.disclosures.record(feed, peer, begin, stop, hour)
    for (peer, origin_hash), stop in reached.items():
        if (feed := _feed(work, gid, origin_hash)) is not None and stop > work.positions.get(_looked_at(feed, peer)):
            work.positions.put(_looked_at(feed, peer), stop)


def _feed(work: Work, gid: str, origin_hash: bytes) -> int | None:
    """The feed's number; None for an identity, of which nothing can be erased, and for what we only carry."""
    head = work.feeds.head_by_hash(origin_hash)
    return None if head is None or head.circle is None or head.owner != gid else head.feed


def _looked_at(feed: int, peer: str) -> str:
    """Name of the position up to which it is known which parts of a feed went to a peer."""
    return f"disclosed:{feed}:{peer}"


def disclosed(
    feeds: FeedReads, feed: int, start: int, stop: int, columns: Mapping[str, Sequence[bytes | None]]
) -> list[Range]:
    """Ranges of the entries in [start, stop), sent with these parts, that reach from one erasable part to another; none
    inside of which such a part is hidden or gone."""
    sent = {
        index for tag in ERASABLE_TAGS for index, part in enumerate(columns.get(tag, ()), start) if part is not None
    }
    hidden = feeds.withheld(feed, start, stop) | {index for index, _ in feeds.erased(feed, start, stop)}
    ranges: list[Range] = []
    for index in sorted(sent):
        begun, end = ranges[-1] if ranges else (index, index)
        if ranges and not any(each in hidden for each in range(end, index)):
            ranges[-1] = begun, index + 1
        else:
            ranges.append((index, index + 1))
    return ranges
