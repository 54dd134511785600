"""The one thread that writes: jobs in batches, one transaction and one fsync per batch, one savepoint per
job.

Rules: nothing is told to anyone before it is durable; a job that raises leaves nothing behind, in the
database or in memory; what the batch already holds is committed before the next job runs; a failed fsync ends
all writing.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread, current_thread
from typing import TypeVar
from uuid import UUID

from aidmesh_node.application.ports import LOGGED, Done, Work
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.aggregates import CACHED_MAX, AggregateCache
from aidmesh_node.storage.connections import BUSY_TIMEOUT_MS
from aidmesh_node.storage.database import Database
from aidmesh_node.storage.delivery import Accepted, deliver
from aidmesh_node.storage.erasure_list import ErasureList
from aidmesh_node.storage.faults import breaks_writer, is_storage_fault, unavailable
from aidmesh_node.storage.gathering import Gathering
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.recent import RecentEvents
from aidmesh_node.storage.work import Bench, SqliteWork

T = TypeVar("T")

BATCH_JOBS_MAX = 256
"""Jobs that share one fsync: beyond this the fsync no longer shows, and the first of them would wait too
long."""

QUEUED_JOBS_MAX = 10_000
"""Jobs waiting, some seconds' worth: beyond it callers are told to try later instead of waiting longer."""

COMMITS_PER_CHECKPOINT = 64
ROWS_PER_CHECKPOINT = 16_384
"""Whichever comes first moves the WAL into the database: between batches, so that no answer waits for it."""

TRUNCATE_RETRY_SECONDS = 1.0
"""How soon an idle writer tries again to empty the WAL after an erasure."""

logger = logging.getLogger(__name__)


class Writer:
    """Owns the database's writing connection from ``start`` to ``close``."""

    def __init__(
        self,
        database: Database,
        keys: PersonKeys,
        entropy: Callable[[int], bytes],
        *,
        recent: RecentEvents | None = None,
        erased: ErasureList | None = None,
        on_broken: Callable[[BaseException], None] | None = None,
        queued_jobs_max: int = QUEUED_JOBS_MAX,
        cached_max: int = CACHED_MAX,
    ) -> None:
        self._connection = database.connection
        self._bench = Bench(database, keys, entropy, AggregateCache(cached_max), erased)
        self._recent = recent or RecentEvents()
        self._queue: queue.SimpleQueue[Accepted | None] = queue.SimpleQueue()
        self._queued_jobs_max = queued_jobs_max
        self._gate = Lock()  # between "may I come in" and coming in, so that close leaves nobody behind
        self._gathered: dict[asyncio.AbstractEventLoop, Gathering] = {}
        self._closed = False
        self._broken_by: BaseException | None = None
        self._on_broken = on_broken
        self._listeners: tuple[Callable[[int], None], ...] = ()
        self._position = self._bench.log.position
        self._told_changes = self._checked_changes = self._connection.total_changes
        self._commits = 0
        # What a process that was killed left in the WAL may have been erased since.
        self._truncate = True
        self._thread = Thread(target=self._write, name="aidmesh-writer", daemon=True)
        self._thread.start()

    @property
    def position(self) -> int:
        """The last durable log position; may be read from any thread."""
        return self._position

    @property
    def broken(self) -> Unavailable | None:
        """Why nothing is written any more, or None."""
        return None if self._broken_by is None else unavailable(self._broken_by)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """Call ``listener(position)`` on the writer's thread after each commit that changed something. It
        must return at once."""
        self._listeners = (*self._listeners, listener)

    def submit(self, job: Callable[[Work], T]) -> Future[Done[T]]:
        """See ports.Writer."""
        future: Future[Done[T]] = Future()
        self._enter(Accepted(job, future))
        return future

    async def run(self, job: Callable[[Work], T], after: Callable[[Done[T]], None] | None = None) -> Done[T]:
        """See ports.Writer."""
        with self._gate:
            accepted = self._gather(job, after)
        done: Done[T] = await accepted.future  # type: ignore[misc]
        return done

    async def run_both(
        self, first: Callable[[Work], object], second: Callable[[Work], object]
    ) -> tuple[Done[object] | BaseException, Done[object] | BaseException]:
        """See ports.Writer."""
        with self._gate:
            futures = [self._gather(job).future for job in (first, second)]
            self._put(self._gathered[asyncio.get_running_loop()].take_few())
        one, other = await asyncio.gather(*futures, return_exceptions=True)  # type: ignore[arg-type]
        return one, other

    def close(self) -> None:
        """Let in nobody more, finish everything that was let in, stop. The Database is closed by its
        owner."""
        with self._gate:
            if not self._closed:
                self._closed = True
                for gathering in self._gathered.values():
                    self._put(gathering.take_all())
                self._queue.put(None)
        if self._thread is not current_thread():
            self._thread.join()

    def _gather(self, job: Callable[[Work], T], after: Callable[[Done[T]], None] | None = None) -> Accepted:
        """Under the gate: the job waits with what else this loop asks for in this turn."""
        self._check_open()
        loop = asyncio.get_running_loop()
        gathering = self._gathered.get(loop)
        if gathering is None:
            gathering = self._gathered[loop] = Gathering(loop, self._hand_over)
        accepted = Accepted(job, loop.create_future(), loop, after)
        gathering.add(accepted)
        return accepted

    def _enter(self, accepted: Accepted) -> None:
        with self._gate:
            self._check_open()
            self._queue.put(accepted)

    def _hand_over(self, gathering: Gathering) -> None:
        with self._gate:
            self._put(gathering.take())

    def _put(self, jobs: list[Accepted]) -> None:
        for accepted in jobs:
            self._queue.put(accepted)

    def _check_open(self) -> None:
        if self._broken_by is not None:
            raise unavailable(self._broken_by)
        if self._closed:
            raise Unavailable("closing", "The node is stopping; nothing was stored.", "Try again when it is back.")
        waiting = self._queue.qsize() + sum(map(len, self._gathered.values()))
        if waiting >= self._queued_jobs_max:
            raise Unavailable("busy", "Too many changes are waiting; nothing was stored.", "Try again in a moment.")

    def _write(self) -> None:
        going = True
        while going:
            batch, going = self._next_batch()
            try:
                while batch:
                    deliver(self._transaction(batch))
                self._checkpoint()
            except BaseException as error:
                # Our bug, outside any job: whoever still waits is told, and nobody trusts this thread again.
                self._break(error)
                deliver(_all_fail(batch, [], error))

    def _next_batch(self) -> tuple[deque[Accepted], bool]:
        """Wait for a job, take along what else is there; False when the writer was closed behind them."""
        batch: deque[Accepted] = deque()
        try:
            accepted = self._queue.get(timeout=TRUNCATE_RETRY_SECONDS if self._truncate else None)
            while accepted is not None:
                batch.append(accepted)
                if len(batch) == BATCH_JOBS_MAX:
                    break
                accepted = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, accepted is not None

    def _transaction(self, batch: deque[Accepted]) -> list[Accepted]:
        """Run jobs from the batch up to the first that raises, then commit. Returns those whose outcome is
        settled."""
        if self._broken_by is not None:
            return _all_fail(batch, [], self._broken_by)
        ran: list[Accepted] = []
        touched: set[UUID] = set()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            going = True
            while batch and going:
                accepted = batch.popleft()
                if accepted.begins():
                    ran.append(accepted)
                    going = self._job(accepted, touched)
            if self._bench.log.position != self._position:
                self._bench.log.flush()
                # So that a log whose newest events are gone is noticed.
                self._bench.positions.put(LOGGED, self._bench.log.position)
            forgotten = self._bench.vault.flush()
            erased, words = self._bench.erasures.flush()
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._abandon(error, touched)
            # Without a transaction to run in, the rest of the batch fares no better.
            return _all_fail(batch, ran, error)
        self._recent.add(*self._bench.log.committed())
        if words:
            self._recent.clear()
        self._position = self._bench.log.position
        self._commits += 1
        self._truncate = self._truncate or forgotten or erased
        if self._connection.total_changes != self._told_changes:
            self._told_changes = self._connection.total_changes
            self._tell(self._position)
        return ran

    def _job(self, accepted: Accepted, touched: set[UUID]) -> bool:
        """Run one job in its savepoint; False when it raised. Raises only what ends the whole transaction."""
        bench = self._bench
        staged = bench.staged()
        work = SqliteWork(bench)
        try:
            value = accepted.job(work)
            work.end()
        except BaseException as error:
            touched |= work.ids_touched
            if is_storage_fault(error) or not self._connection.in_transaction:
                raise
            work.undo()
            bench.rewind(staged)
            accepted.outcome = error
            return False
        finally:
            work.close()
        touched |= work.ids_touched
        accepted.outcome = Done(value, bench.log.position)
        return True

    def _abandon(self, error: BaseException, touched: set[UUID]) -> None:
        bench = self._bench
        bench.cache.forget(touched)
        bench.log.rewind(self._position)
        bench.rewind()
        broken = breaks_writer(error)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            broken = True
        if broken:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        logger.critical("storage failed, nothing more is written: %s", error)
        with self._gate:
            self._broken_by = error
        try:
            if self._on_broken is not None:
                self._on_broken(error)
        except Exception:
            # Those who wait for an answer must still get one.
            logger.exception("nobody could be told that storage failed")

    def _tell(self, position: int) -> None:
        for listener in self._listeners:
            try:
                listener(position)
            except Exception:
                # What was committed must still be answered.
                logger.exception("a listener of the writer failed")

    def _checkpoint(self) -> None:
        rows = self._connection.total_changes - self._checked_changes
        due = self._commits >= COMMITS_PER_CHECKPOINT or rows >= ROWS_PER_CHECKPOINT
        if self._broken_by is not None or not (due or self._truncate):
            return
        execute = self._connection.execute
        try:
            if self._truncate:
                # After an erasure the WAL must not keep old copies. With a reader in the way: again soon, not
                # waiting.
                execute("PRAGMA busy_timeout=0")
                try:
                    self._truncate = bool(execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
                finally:
                    execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            else:
                execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            if breaks_writer(error):
                self._break(error)
        self._commits = 0
        self._checked_changes = self._connection.total_changes


def _all_fail(batch: deque[Accepted], ran: list[Accepted], error: BaseException) -> list[Accepted]:
    failed = [*ran, *(accepted for accepted in batch if accepted.begins())]
    batch.clear()
    for accepted in failed:
        # One each: an exception raised in many places at once would grow a traceback of all of them.
        accepted.outcome = unavailable(error)
    return failed
