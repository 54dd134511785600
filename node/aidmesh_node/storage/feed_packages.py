"""Entries that came many at once: a package is one row, each column of its parts another. Never changed.

A row costs the same whatever it holds, so a feed that arrives in bulk is stored with a few statements a package instead
of some for each entry. What comes alone, or later, has rows of its own (`feeds.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
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

    def entries(self, feed: int, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, entry) of those in [start, stop)."""
        return self._values("entries", feed, start, stop)

    def leaves(self, feed: int, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, leaf hash) of those in [start, stop)."""
        return self._values("leaves", feed, start, stop)

    def columns(self, feed: int, start: int, stop: int) -> Iterator[tuple[str, int, list[bytes | None]]]:
        """(tag, index of the first, parts) of those in [start, stop), None where there was none."""
        rows = self._connection.execute(
            "SELECT tag, start, parts FROM feed_columns WHERE feed=? AND start>? AND start<? ORDER BY start, tag",
            (feed, start - PACKED_ENTRIES_MAX, stop),
        )
        for tag, first, packed in rows:
            begin, column = _within(first, packed, start, stop)
            if column:
                yield tag, begin, column

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
        if row is None:
            return None
        _, parts = _within(row[0], row[1], index, index + 1)
        return parts[0] if parts else None

    def _values(self, which: str, feed: int, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        rows = self._connection.execute(
            f"SELECT start, {which} FROM feed_packages WHERE feed=? AND start>? AND start<? ORDER BY start",
            (feed, start - PACKED_ENTRIES_MAX, stop),
        )
        for first, packed in rows:
            begin, values = _within(first, packed, start, stop)
            yield from enumerate(values, begin)


def one_by_one(columns: Mapping[str, Sequence[bytes | None]], count: int) -> list[list[tuple[str, bytes]]]:
    """The parts of each of `count` entries as (tag, part), from their columns."""
    parts: list[list[tuple[str, bytes]]] = [[] for _ in range(count)]
    for tag, column in columns.items():
        for held, part in zip(parts, column, strict=True):
            if part is not None:
                held.append((tag, part))
    return parts


def _within(first: int, packed: bytes, start: int, stop: int) -> tuple[int, list[Any]]:
    """The values of one row that lie in [start, stop), and the index of the first of them."""
    values = msgpack.unpackb(packed)
    begin = max(start, first)
    return begin, values[begin - first : max(0, stop - first)]
