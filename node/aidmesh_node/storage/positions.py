"""Named integers that move in the same transaction as what they stand for, and the id of the log they count
in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from aidmesh_node.storage.database import INCARNATION_BYTES, read_incarnation


class SqlitePositions:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection, entropy: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._entropy = entropy

    @property
    def incarnation(self) -> bytes:
        return read_incarnation(self._connection)

    def begin_anew(self) -> None:
        drawn = self._entropy(INCARNATION_BYTES)
        self._connection.execute("UPDATE metadata SET value=? WHERE name='incarnation'", (drawn,))

    def get(self, name: str) -> int:
        return read_position(self._connection, name)

    def put(self, name: str, value: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO positions VALUES (?,?)", (name, value))


def read_position(connection: sqlite3.Connection, name: str) -> int:
    """A named position, 0 when it was never set."""
    row = connection.execute("SELECT value FROM positions WHERE name=?", (name,)).fetchone()
    return row[0] if row else 0
