"""Entries that came many at once: a package is one row, each column of its parts another. Never changed, but where a
part is erased.

A row costs the same whatever it holds, so a feed that arrives in bulk is stored with a few statements a package instead
of some for each entry. What comes alone, or later, has rows of its own (`feeds.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import msgpack

from aidmesh_node.application.ports import NewPackage, PartRow

PACKED_ENTRIES_MIN = 64
"""From so many entries on they are stored as one: fewer are soon read one by one again."""

PACKED_ENTRIES_MAX = 256
"""Entries in one row, as many as a package may have: how far back from an entry its row can begin."""


class SqlitePackages:
    """Rows of packages, in the caller's transaction or snapshot."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def insert(self, feed: int, start: int, package: NewPackage) -> None:
        """The entries from `start` on. Raises ValueError for more than a row may hold."""
        if len(package.entries) > PACKED_ENTRIES_MAX:
            raise ValueError(f"a package of {len(package.entries)} entries")
        execute = self._connection.execute
        packed = msgpack.packb(package.entries), msgpack.packb(package.leaves)
        execute("INSERT INTO feed_packages (feed, start, entries, leaves) VALUES (?,?,?,?)", (feed, start, *packed))
        for tag, column in package.columns.items():
            execute("INSERT INTO feed_columns VALUES (?,?,?,?)", (feed, start, tag, msgpack.packb(column)))

    def rows(self, names: str, feed: int, start: int, stop: int) -> Iterator[tuple[Any, ...]]:
        """(index, ...) of the entries in [start, stop), in order; `names` are of the columns entries and leaves."""
        rows = self._connection.execute(
            f"SELECT start, {names} FROM feed_packages WHERE feed=? AND start>? AND start<? ORDER BY start",
            (feed, start - PACKED_ENTRIES_MAX, stop),
        )
        for first, *packed in rows:
            values = [_within(first, each, start, stop) for each in packed]
            yield from zip(count(max(start, first)), *values, strict=False)

    def columns(self, feed: int, start: int, stop: int) -> Iterator[tuple[str, int, list[bytes | None]]]:
        """(tag, index of the first, parts) of those in [start, stop), None where there was none."""
        rows = self._connection.execute(
            "SELECT tag, start, parts FROM feed_columns WHERE feed=? AND start>? AND start<? ORDER BY start, tag",
            (feed, start - PACKED_ENTRIES_MAX, stop),
        )
        for tag, first, packed in rows:
            if column := _within(first, packed, start, stop):
                yield tag, max(start, first), column

    def parts(self, feed: int, start: int, stop: int) -> list[PartRow]:
        """The same one by one, column by column."""
        return [
            PartRow(index, tag, part)
            for tag, first, column in self.columns(feed, start, stop)
            for index, part in enumerate(column, first)
            if part is not None
        ]

    def part(self, feed: int, index: int, tag: str) -> bytes | None:
        row = self._connection.execute(
            "SELECT start, parts FROM feed_columns WHERE feed=? AND start>? AND start<=? AND tag=? "
            "ORDER BY start DESC LIMIT 1",
            (feed, index - PACKED_ENTRIES_MAX, index, tag),
        ).fetchone()
        parts = _within(row[0], row[1], index, index + 1) if row else ()
        return parts[0] if parts else None

    def erase(self, feed: int, index: int, tag: str) -> None:
        """The column without this part, if it was there; SQLite overwrites what the row leaves behind."""
        row = self._connection.execute(
            "SELECT start, parts FROM feed_columns WHERE feed=? AND start>? AND start<=? AND tag=? "
            "ORDER BY start DESC LIMIT 1",
            (feed, index - PACKED_ENTRIES_MAX, index, tag),
        ).fetchone()
        if row is None:
            return
        start, column = row[0], msgpack.unpackb(row[1])
        if index - start < len(column) and column[index - start] is not None:
            column[index - start] = None
            self._connection.execute(
                "UPDATE feed_columns SET parts=? WHERE feed=? AND start=? AND tag=?",
                (msgpack.packb(column), feed, start, tag),
            )


def one_by_one(columns: Mapping[str, Sequence[bytes | None]], size: int) -> list[list[tuple[str, bytes]]]:
    """The parts of each of `size` entries as (tag, part), from their columns."""
    parts: list[list[tuple[str, bytes]]] = [[] for _ in range(size)]
    for tag, column in columns.items():
        for held, part in zip(parts, column, strict=True):
            if part is not None:
                held.append((tag, part))
    return parts


def _within(first: int, packed: bytes, start: int, stop: int) -> list[Any]:
    """The values in [start, stop) of a row that begins at `first`."""
    values: list[Any] = msgpack.unpackb(packed)
    return values[max(0, start - first) : max(0, stop - first)]
