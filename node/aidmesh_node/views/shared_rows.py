"""Rows of foreign subjects, folded in memory during a batch and written together: what makes a cold
feed fast.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar

from aidmesh_node.views.handling import Shown


class SharedRow(Shown, Protocol):
    """A row's values, in the columns' order."""

    def __iter__(self) -> Iterator[Any]: ...


R = TypeVar("R", bound=SharedRow)

ROWS_A_STATEMENT = 32
"""Each statement lets go of the interpreter and takes it again: while a feed arrives that costs more than a row."""


Key = tuple[str, int]
"""Who says something about what: subject id (32 hex digits) and feed. Only a feed's owner writes into it."""


class SharedRows(Generic[R]):
    """Write-back rows of one table whose first two columns are the Key; `make` makes one of its `columns`' values."""

    def __init__(
        self, connection: sqlite3.Connection, table: str, columns: tuple[str, ...], make: Callable[[Iterable[Any]], R]
    ) -> None:
        self._connection = connection
        self._make = make
        self._select = (
            f"SELECT {', '.join(columns)} FROM {table} WHERE feed = ? AND id IN (SELECT value FROM json_each(?))"
        )
        changed = ", ".join(f"{column} = excluded.{column}" for column in columns[2:])
        one = f"({', '.join('?' * len(columns))})"
        self._upserts = tuple(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * rows)}"
            f" ON CONFLICT (id, feed) DO UPDATE SET {changed}"
            for rows in (ROWS_A_STATEMENT, 1)
        )
        self._rows: dict[Key, R] = {}
        self._changed: dict[Key, R] = {}
        self._told: dict[Key, R] = {}

    def load(self, feed: int, ids: Iterable[str]) -> None:
        """Bring the rows of these subjects into memory: all that `find` is going to be asked for."""
        wanted = [id for id in ids if (id, feed) not in self._rows]
        for values in self._connection.execute(self._select, (feed, json.dumps(wanted))):
            self._rows[values[0], feed] = self._make(values)

    def find(self, key: Key) -> R | None:
        """The row as of now, this batch's changes included."""
        return self._rows.get(key)

    def put(self, key: Key, row: R) -> None:
        """The row from now on, written with the next `write`."""
        self._rows[key] = self._changed[key] = row

    def write(self) -> None:
        """Write what changed, in the running transaction."""
        rows: list[Any] = list(self._changed.values())
        many, one = self._upserts
        whole = len(rows) - len(rows) % ROWS_A_STATEMENT
        for begin in range(0, whole, ROWS_A_STATEMENT):
            self._connection.execute(many, tuple(chain.from_iterable(rows[begin : begin + ROWS_A_STATEMENT])))
        if whole < len(rows):
            self._connection.executemany(one, rows[whole:])
        self._told |= self._changed
        self._changed.clear()

    def flush(self) -> list[R]:
        """Write what is not written, and say what changed since the last time."""
        self.write()
        told = list(self._told.values())
        self.forget()
        return told

    def forget(self) -> None:
        """Read everything again: the batch is written, or what it changed never happened."""
        self._rows.clear()
        self._changed.clear()
        self._told.clear()
