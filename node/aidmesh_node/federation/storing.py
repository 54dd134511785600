"""Large packages on their way to the disk: several share a transaction and an fsync, while the next are verified."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from aidmesh_node.application.arrival import Arrival
from aidmesh_node.application.ports import Done, FeedConflict, Work, Writer
from aidmesh_node.federation.feed_arriving import FeedArriving

STORED_TOGETHER = 4
"""Packages in one transaction: what is lost with the power is fetched again."""

STORING_MAX = 2
"""Transactions under way while the next packages are verified: with what they hold, a few MiB at most."""

Accept = Callable[[Work, Arrival], None]
Verified = list[tuple[FeedArriving, Arrival]]


class Storing:
    """The large packages of one answer, in their order."""

    def __init__(self, writer: Writer, refused: set[bytes], accept: Accept) -> None:
        """`accept` stores one package; `refused` gets the origin hash of a feed that has moved meanwhile."""
        self._writer = writer
        self._refused = refused
        self._accept = accept
        self._gathered: Verified = []
        self._under_way: deque[tuple[Verified, Future[Done[None]]]] = deque()
        self._stored = 0

    async def add(self, feed: FeedArriving, arrival: Arrival) -> None:
        """Take a package; it is stored when there are enough, or at the end. Waits while too many are under way."""
        self._gathered.append((feed, arrival))
        if len(self._gathered) >= STORED_TOGETHER:
            await self._begin()

    async def finish(self) -> int:
        """Have everything stored; returns how many entries were, since it was last asked."""
        await self._begin()
        while self._under_way:
            await self._end()
        stored, self._stored = self._stored, 0
        return stored

    async def _begin(self) -> None:
        while len(self._under_way) >= STORING_MAX:
            await self._end()
        together, self._gathered = self._gathered, []
        if together:
            self._under_way.append((together, self._writer.submit(partial(_accept_all, self._accept, together))))

    async def _end(self) -> None:
        """Wait for the oldest transaction under way."""
        together, stored = self._under_way.popleft()
        try:
            await asyncio.wrap_future(stored)
        except FeedConflict:
            # Another pull was faster, or froze it. What was verified beyond it is not stored either; the next pull goes
            # on from what is.
            self._refused.update(feed.head.origin_hash for feed, _ in together)
        else:
            for feed, arrival in together:
                feed.claim = False
                self._stored += len(arrival.package.entries)


def _accept_all(accept: Accept, together: Verified, work: Work) -> None:
    for _, arrival in together:
        accept(work, arrival)
