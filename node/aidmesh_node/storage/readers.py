"""Read-only connections, one per thread of a small pool. A slow writer never makes a reader wait, nor the
reverse."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.connections import connect_reader
from aidmesh_node.storage.database import read_incarnation
from aidmesh_node.storage.event_log import SqliteEventLog
from aidmesh_node.storage.faults import primary_code
from aidmesh_node.storage.feeds import SqliteFeedReader
from aidmesh_node.storage.mapper import HashingMapper
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.positions import read_position
from aidmesh_node.storage.recent import RecentEvents
from aidmesh_node.storage.scrub import scrub
from aidmesh_node.storage.transcoder import MsgpackTranscoder
from aidmesh_node.storage.vault import SqliteVaultReader

R = TypeVar("R")
T = TypeVar("T")

READERS = 4
"""Threads: enough that one long answer to a peer does not hold up the members' pages."""

WAITING_MAX = 1_000
"""Reads waiting for a thread: beyond it callers are told to try later."""

DAMAGE_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class SqliteReading:
    """What can be read of node.db: one snapshot while the call lasts, and nothing can be written through
    it."""

    def __init__(self, connection: sqlite3.Connection, keys: PersonKeys, recent: RecentEvents | None = None) -> None:
        self.events = SqliteEventLog(connection, HashingMapper(MsgpackTranscoder()), recent)
        self.feeds = SqliteFeedReader(connection)
        self.vault = SqliteVaultReader(connection, keys)
        self._connection = connection
        self._keys = keys

    @property
    def incarnation(self) -> bytes:
        return read_incarnation(self._connection)

    def position_of(self, name: str) -> int:
        return read_position(self._connection, name)

    def scrub(self) -> Iterator[Damaged]:
        """Everything that is wrong with log, vault and pages, one by one."""
        return scrub(self._connection, self._keys)


class Readers(Generic[R]):
    """Threads that read one database file. ``wrap`` makes what a read is given from its connection, once a
    thread."""

    def __init__(
        self,
        path: Path,
        wrap: Callable[[sqlite3.Connection], R],
        size: int = READERS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._path = path
        self._wrap = wrap
        self._waiting_max = waiting_max
        self._waiting = 0
        self._lock = Lock()
        self._connections: list[sqlite3.Connection] = []
        self._of_thread = threading.local()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"aidmesh-reader-{path.stem}")

    async def run(self, read: Callable[[R], T]) -> T:
        """See ports.Readers. Raises Damaged when SQLite finds its file malformed."""
        with self._lock:
            if self._waiting >= self._waiting_max:
                raise Unavailable("busy", "Too many reads are waiting.", "Try again in a moment.")
            self._waiting += 1
        future = self._threads.submit(self.run_now, read)
        # Also called when the wait is cancelled before a thread took it up.
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def run_now(self, read: Callable[[R], T]) -> T:
        """Read on the caller's own thread, which then keeps a connection until ``close``."""
        connection, subject = self._of_this_thread()
        # Without BEGIN each statement would see its own snapshot.
        connection.execute("BEGIN")
        try:
            return read(subject)
        except sqlite3.DatabaseError as error:
            if primary_code(error) in DAMAGE_CODES:
                raise Damaged(self._path.name, "the database file", str(error)) from error
            raise
        finally:
            connection.execute("ROLLBACK")

    def close(self) -> None:
        """Finish what has begun, then close all connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1

    def _of_this_thread(self) -> tuple[sqlite3.Connection, R]:
        held: tuple[sqlite3.Connection, R] | None = getattr(self._of_thread, "held", None)
        if held is None:
            connection = connect_reader(self._path)
            with self._lock:
                self._connections.append(connection)
            held = self._of_thread.held = (connection, self._wrap(connection))
        return held


def node_readers(
    path: Path, keys: PersonKeys, recent: RecentEvents | None = None, size: int = READERS
) -> Readers[SqliteReading]:
    """Readers of node.db; `recent` is what its writer fills."""
    return Readers(path, lambda connection: SqliteReading(connection, keys, recent), size)
