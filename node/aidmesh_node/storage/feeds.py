"""Feeds as rows beside the log: entries, parts and tree hashes exactly as received. Knows nothing of their
meaning.

What came in bulk lies in rows of many (`feed_packages.py`); a part of it that comes later has a row of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from aidmesh_node.application.ports import FeedConflict, FeedHead, HeldEntry, NewEntry, NewPackage, PartRow, TreeNodes
from aidmesh_node.storage.feed_packages import PACKED_ENTRIES_MIN, SqlitePackages, one_by_one
from aidmesh_node.storage.many_rows import insert_rows

HEAD_COLUMNS = (
    "feed, origin, origin_hash, owner, circle, generation, size, frontier, "
    "checkpoint, signed_size, claimed, claimed_size, folded, frozen"
)


class SqliteFeedReader:
    """Reading, on the writer's connection or a reader's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._packages = SqlitePackages(connection)

    def head(self, origin: str) -> FeedHead | None:
        return self._head("origin=?", origin)

    def head_by_hash(self, origin_hash: bytes) -> FeedHead | None:
        return self._head("origin_hash=?", origin_hash)

    def heads(self, owner: str | None = None, circle: bytes | None = None) -> list[FeedHead]:
        rows = self._connection.execute(
            f"SELECT {HEAD_COLUMNS} FROM feeds "
            "WHERE (?1 IS NULL OR owner=?1) AND (?2 IS NULL OR circle=?2) ORDER BY feed",
            (owner, circle),
        )
        return [FeedHead(*row) for row in rows]

    def entries(self, feed: int, start: int, stop: int) -> list[bytes]:
        return [entry for _, entry in self._rows("entry", "entries", feed, start, stop)]

    def leaves(self, feed: int, start: int, stop: int) -> list[bytes]:
        return [leaf for _, leaf in self._rows("leaf", "leaves", feed, start, stop)]

    def held(self, feed: int, start: int, stop: int) -> list[HeldEntry]:
        rows = self._rows("entry, leaf", "entries, leaves", feed, start, stop)
        parts: list[dict[str, bytes]] = [{} for _ in rows]
        for tag, column in self.columns(feed, start, start + len(rows)).items():
            for held, part in zip(parts, column, strict=True):
                if part is not None:
                    held[tag] = part
        return [(entry, leaf, held) for (_, entry, leaf), held in zip(rows, parts, strict=True)]

    def parts(self, feed: int, start: int, stop: int) -> list[PartRow]:
        rows = self._connection.execute(
            "SELECT idx, tag, part FROM feed_parts WHERE feed=? AND idx>=? AND idx<? AND withheld=0 ORDER BY idx, tag",
            (feed, start, stop),
        )
        found = [PartRow(*row) for row in rows]
        packed = self._packages.parts(feed, start, stop)
        return sorted([*found, *packed]) if packed else found

    def columns(self, feed: int, start: int, stop: int) -> dict[str, list[bytes | None]]:
        columns: dict[str, list[bytes | None]] = {}
        for tag, first, column in self._packages.columns(feed, start, stop):
            if len(column) == stop - start:
                columns[tag] = column
            else:
                _column(columns, tag, stop - start)[first - start : first - start + len(column)] = column
        rows = self._connection.execute(
            "SELECT tag, idx, part FROM feed_parts WHERE feed=? AND idx>=? AND idx<? AND withheld=0",
            (feed, start, stop),
        )
        for tag, index, part in rows:
            held = columns.get(tag)
            (_column(columns, tag, stop - start) if held is None else held)[index - start] = part
        return columns

    def part(self, feed: int, index: int, tag: str) -> bytes | None:
        part = self._value("SELECT part FROM feed_parts WHERE feed=? AND idx=? AND tag=?", feed, index, tag)
        return self._packages.part(feed, index, tag) if part is None else part

    def part_names(self, feed: int, start: int, stop: int) -> list[tuple[int, str]]:
        rows = self._connection.execute(
            "SELECT idx, tag FROM feed_parts WHERE feed=? AND idx>=? AND idx<? ORDER BY idx, tag",
            (feed, start, stop),
        )
        found = [(index, tag) for index, tag in rows]
        packed = self._packages.parts(feed, start, stop)
        return sorted([*found, *((index, tag) for index, tag, _ in packed)]) if packed else found

    def withheld(self, feed: int, start: int, stop: int) -> set[int]:
        rows = self._connection.execute(
            "SELECT idx FROM feed_parts WHERE feed=? AND idx>=? AND idx<? AND withheld=1", (feed, start, stop)
        )
        return {index for (index,) in rows}

    def erased(self, feed: int, start: int, stop: int) -> set[tuple[int, str]]:
        return set(
            self._connection.execute(
                "SELECT idx, tag FROM erased_parts WHERE origin_hash=(SELECT origin_hash FROM feeds WHERE feed=?)"
                " AND idx>=? AND idx<?",
                (feed, start, stop),
            )
        )

    def missing_parts(self, feed: int, wanted: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        held = "SELECT 1 FROM feed_parts WHERE feed=? AND idx=? AND tag=?"
        execute = self._connection.execute
        missing = [(index, tag) for index, tag in wanted if execute(held, (feed, index, tag)).fetchone() is None]
        if not missing:
            return missing
        first, last = min(missing)[0], max(missing)[0]
        packed = {(index, tag) for index, tag, _ in self._packages.parts(feed, first, last + 1)}
        packed |= self.erased(feed, first, last + 1)
        return [name for name in missing if name not in packed]

    def node(self, feed: int, level: int, index: int) -> bytes | None:
        return self._value("SELECT hash FROM feed_nodes WHERE feed=? AND level=? AND idx=?", feed, level, index)

    def holds_statement(self, feed: int, statement_id: bytes) -> bool:
        return self.statement_index(feed, statement_id) is not None

    def statement_index(self, feed: int, statement_id: bytes) -> int | None:
        row = self._connection.execute(
            "SELECT idx FROM feed_statements WHERE feed=? AND statement_id=?", (feed, statement_id)
        ).fetchone()
        return row[0] if row else None

    def _rows(self, columns: str, packed: str, feed: int, start: int, stop: int) -> list[tuple[Any, ...]]:
        """(index, ...) of the entries in [start, stop), in order; the columns' names are given for either table."""
        rows = self._connection.execute(
            f"SELECT idx, {columns} FROM feed_entries WHERE feed=? AND idx>=? AND idx<? ORDER BY idx",
            (feed, start, stop),
        ).fetchall()
        if len(rows) < stop - start:
            rows = sorted([*rows, *self._packages.rows(packed, feed, start, stop)])
        return rows

    def _head(self, condition: str, value: str | bytes) -> FeedHead | None:
        row = self._connection.execute(f"SELECT {HEAD_COLUMNS} FROM feeds WHERE {condition}", (value,)).fetchone()
        return FeedHead(*row) if row else None

    def _value(self, statement: str, *values: int | str) -> bytes | None:
        row = self._connection.execute(statement, values).fetchone()
        return row[0] if row else None


class SqliteFeeds(SqliteFeedReader):
    """Writing, within the writer's transaction."""

    def open_feed(
        self,
        origin: str,
        origin_hash: bytes,
        owner: str,
        circle: bytes | None,
        generation: int,
        frontier: bytes,
    ) -> FeedHead:
        held = self.head(origin)
        if held is None:
            self._connection.execute(
                "INSERT INTO feeds (origin, origin_hash, owner, circle, generation, frontier) VALUES (?,?,?,?,?,?)",
                (origin, origin_hash, owner, circle, generation, frontier),
            )
            held = self.head(origin)
            assert held is not None  # inserted above
        if (held.origin_hash, held.owner, held.circle, held.generation) != (
            origin_hash,
            owner,
            circle,
            generation,
        ):
            raise FeedConflict(f"{origin} is already known with another hash, owner, circle or generation")
        return held

    def append(
        self,
        feed: int,
        entries: Sequence[NewEntry],
        frontier: bytes,
        size: int,
        nodes: TreeNodes = (),
    ) -> None:
        start = self._grow(feed, len(entries), frontier, size, nodes)
        erased = self.erased(feed, start, size)
        insert = partial(insert_rows, self._connection)
        insert(
            "INSERT INTO feed_entries", [(feed, index, new.entry, new.leaf) for index, new in enumerate(entries, start)]
        )
        insert(
            "INSERT INTO feed_parts (feed, idx, tag, part)",
            [
                (feed, index, tag, part)
                for index, new in enumerate(entries, start)
                for tag, part in new.parts
                if (index, tag) not in erased
            ],
        )
        insert(
            "INSERT INTO feed_statements",
            [(feed, new.statement_id, index) for index, new in enumerate(entries, start) if new.statement_id],
        )

    def append_package(
        self,
        feed: int,
        package: NewPackage,
        frontier: bytes,
        size: int,
        nodes: TreeNodes = (),
    ) -> None:
        entries, leaves, columns = package
        if len(entries) < PACKED_ENTRIES_MIN:
            parts = one_by_one(columns, len(entries))
            new = [NewEntry(entry, leaf, None, held) for entry, leaf, held in zip(entries, leaves, parts, strict=True)]
            self.append(feed, new, frontier, size, nodes)
        else:
            start = self._grow(feed, len(entries), frontier, size, nodes)
            self._packages.insert(feed, start, _without(package, start, self.erased(feed, start, size)))

    def store_checkpoint(self, feed: int, note: bytes, size: int) -> None:
        self._update(
            "UPDATE feeds SET checkpoint=?1, signed_size=?2 WHERE feed=?3 AND signed_size<=?2 AND size>=?2",
            (note, size, feed),
            f"feed {feed} does not reach {size}, or holds a larger checkpoint",
        )

    def store_claim(self, feed: int, note: bytes, size: int) -> None:
        self._connection.execute(
            "UPDATE feeds SET claimed=?1, claimed_size=?2 WHERE feed=?3 AND claimed_size<?2",
            (note, size, feed),
        )

    def freeze(self, feed: int, code: str) -> None:
        self._connection.execute("UPDATE feeds SET frozen=? WHERE feed=? AND frozen IS NULL", (code, feed))

    def set_folded(self, feed: int, index: int) -> None:
        self._update(
            "UPDATE feeds SET folded=?1 WHERE feed=?2 AND folded<=?1 AND size>=?1",
            (index, feed),
            f"feed {feed} cannot be interpreted up to {index}: that is back, or beyond its size",
        )

    def read_again(self, feed: int, index: int) -> None:
        self._connection.execute("UPDATE feeds SET folded=?1 WHERE feed=?2 AND folded>?1", (index, feed))

    def cut(self, feed: int, size: int, frontier: bytes) -> None:
        self._update(
            "UPDATE feeds SET size=?1, frontier=?2 WHERE feed=?3 AND size>?1 AND signed_size<=?1 AND folded<=?1",
            (size, frontier, feed),
            f"feed {feed} has no unsigned entries beyond {size}",
        )
        for table in ("feed_entries", "feed_parts", "feed_statements"):
            self._connection.execute(f"DELETE FROM {table} WHERE feed=? AND idx>=?", (feed, size))
        self._connection.execute("DELETE FROM feed_nodes WHERE feed=? AND ((idx + 1) << level) > ?", (feed, size))

    def put_part(self, feed: int, index: int, tag: str, part: bytes) -> None:
        if not self.leaves(feed, index, index + 1):
            raise FeedConflict(f"feed {feed} has no entry {index}")
        if self._packages.part(feed, index, tag) is not None or (index, tag) in self.erased(feed, index, index + 1):
            return
        self._connection.execute(
            "INSERT OR IGNORE INTO feed_parts (feed, idx, tag, part) VALUES (?,?,?,?)",
            (feed, index, tag, part),
        )

    def withhold_parts(self, feed: int, indexes: Iterable[int], tag: str) -> None:
        self._connection.executemany(
            "UPDATE feed_parts SET withheld=1 WHERE feed=? AND idx=? AND tag=?",
            [(feed, index, tag) for index in indexes],
        )

    # SPEC §5.6e: `append`, `append_package` and `put_part` leave out what is erased here, whoever brings it.
    def erase_part(self, feed: int, index: int, tag: str) -> None:
        execute = self._connection.execute
        execute("DELETE FROM feed_parts WHERE feed=? AND idx=? AND tag=?", (feed, index, tag))
        self._packages.erase(feed, index, tag)
        execute(
            "INSERT OR IGNORE INTO erased_parts SELECT origin_hash, ?, ? FROM feeds WHERE feed=?", (index, tag, feed)
        )

    def _grow(self, feed: int, count: int, frontier: bytes, size: int, nodes: TreeNodes) -> int:
        """The feed gets so many entries; the index of the first."""
        start = size - count
        self._update(
            "UPDATE feeds SET size=?, frontier=? WHERE feed=? AND size=? AND frozen IS NULL",
            (size, frontier, feed, start),
            f"feed {feed} has not {start} entries, or is frozen",
        )
        insert_rows(self._connection, "INSERT INTO feed_nodes", [(feed, *node) for node in nodes])
        return start

    def _update(self, statement: str, values: tuple[object, ...], conflict: str) -> None:
        if self._connection.execute(statement, values).rowcount != 1:
            raise FeedConflict(conflict)


def _without(package: NewPackage, start: int, erased: set[tuple[int, str]]) -> NewPackage:
    """The package without parts that were erased before it came."""
    if not erased:
        return package
    columns = {
        tag: [None if (index, tag) in erased else part for index, part in enumerate(column, start)]
        for tag, column in package.columns.items()
    }
    return package._replace(columns=columns)


def _column(columns: dict[str, list[bytes | None]], tag: str, count: int) -> list[bytes | None]:
    """The column of this tag, made of so many gaps when it is not there yet."""
    column = columns.get(tag)
    if column is None:
        column = columns[tag] = [None] * count
    return column
