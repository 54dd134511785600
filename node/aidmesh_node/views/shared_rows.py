"""Rows of foreign subjects, folded in memory during a batch and written once at its end: what makes a cold
feed fast.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

R = TypeVar("R")


class Key(NamedTuple):
    """Who says what to whom: subject id (32 hex), circle id (64 hex), owner's gid. Only the owner writes
    about it.
    """

    id: str
    circle: str
    owner: str


class SharedRows(Generic[R]):
    """Write-back rows of one table whose first three columns are the Key; `columns` are the fields of R, in
    order.
    """

    def __init__(
        self, connection: sqlite3.Connection, table: str, columns: tuple[str, ...], make: Callable[..., R]
    ) -> None:
        self._connection = connection
        self._make = make
        self._values: Callable[[R], tuple[Any, ...]] = attrgetter(*columns)
        self._select = f"SELECT {', '.join(columns)} FROM {table} WHERE id = ? AND circle = ? AND owner = ?"
        changed = ", ".join(f"{column} = excluded.{column}" for column in columns[3:])
        self._upsert = (
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            f" ON CONFLICT (id, circle, owner) DO UPDATE SET {changed}"
        )
        self._rows: dict[Key, R] = {}

    def find(self, key: Key) -> R | None:
        """The row as of now, this batch's changes included. Whoever changes it calls `put`."""
        row = self._rows.get(key)
        if row is None:
            found = self._connection.execute(self._select, key).fetchone()
            row = None if found is None else self._make(*found)
        return row

    def put(self, key: Key, row: R) -> None:
        """Write it with the batch."""
        self._rows[key] = row

    def flush(self) -> None:
        """Write what changed, in the running transaction."""
        if self._rows:
            self._connection.executemany(self._upsert, map(self._values, self._rows.values()))
            self._rows.clear()

    def forget(self) -> None:
        """The batch failed: what it changed never happened."""
        self._rows.clear()
