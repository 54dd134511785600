"""Named integers that move in the same transaction as what they stand for, and the id of the log they count
in."""

from __future__ import annotations

import sqlite3


class SqlitePositions:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection, incarnation: bytes) -> None:
        self._connection = connection
        self._incarnation = incarnation

    @property
    def incarnation(self) -> bytes:
        return self._incarnation

    def get(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM positions WHERE name=?", (name,)).fetchone()
        return row[0] if row else 0

    def put(self, name: str, value: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO positions VALUES (?,?)", (name, value))
