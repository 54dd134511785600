"""The library's process recorder on one connection, so that its inserts join the transaction of the writer's
batch.

No pool: the library's pool lets a waiting writer stop every reader. Readers have their own connections.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import NoReturn
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteProcessRecorder,
    SQLiteTransaction,
)

ROWS_PER_INSERT = 16
"""Rows of one statement: more saves little, and every length is a statement of its own in SQLite's cache."""


class WriterDatastore(SQLiteDatastore):
    """Takes the place of the library's pool. Inside an open transaction everything joins it; the opener
    decides."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        # The library's own __init__ would make a pool and look for a database name.
        self.single_row_tracking = True
        self.originator_id_type = "uuid"
        self.connection = connection
        self.lock = RLock()

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self.lock:
            if self.connection.in_transaction:
                with (cursor := self.cursor()):
                    yield cursor
            else:
                with SQLiteTransaction(_LibraryConnection(self.connection), commit=commit) as cursor, cursor:
                    yield cursor

    def cursor(self) -> SQLiteCursor:
        """A cursor as the library's recorders expect it: rows by column name."""
        return _LibraryConnection(self.connection).cursor()

    def get_connection(self, *, commit: bool) -> NoReturn:
        raise NotImplementedError("there is no pool: use transaction()")

    def close(self) -> None:
        """Nothing: the connection belongs to the Database. (The library calls this from __del__, too.)"""


class _LibraryConnection(SQLiteConnection):
    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection, max_age=None)

    def cursor(self) -> SQLiteCursor:
        cursor = self._sqlite_conn.cursor()
        # On the cursor, not the connection: our own statements read plain tuples, which is faster.
        cursor.row_factory = sqlite3.Row
        return SQLiteCursor(cursor)


class NodeRecorder(SQLiteProcessRecorder):
    """Passes the library's own recorder test cases; the writer adds to its batch with ``insert``."""

    datastore: WriterDatastore

    def create_new_tables(self) -> None:
        """Make the library's tables within the caller's transaction (``create_table`` looks for old ones)."""
        with self.datastore.transaction(commit=True) as cursor:
            self._create_table(cursor)

    def insert(self, stored_events: Sequence[StoredEvent]) -> Sequence[int]:
        """Insert within the caller's open transaction; returns the notification ids."""
        if not self.datastore.connection.in_transaction:
            raise RuntimeError("insert needs the writer's open transaction")
        # The library's own statement for many rows, without its cursor and connection objects.
        connection, last = self.datastore.connection, 0
        for begin in range(0, len(stored_events), ROWS_PER_INSERT):
            some = stored_events[begin : begin + ROWS_PER_INSERT]
            values: list[object] = []
            for event in some:
                id = event.originator_id.hex if isinstance(event.originator_id, UUID) else event.originator_id
                values += (id, event.originator_version, event.topic, event.state)
            statement = self.insert_events_statement + ",(?,?,?,?)" * (len(some) - 1)
            last = connection.execute(statement, values).lastrowid or 0
        return range(last - len(stored_events) + 1, last + 1)
