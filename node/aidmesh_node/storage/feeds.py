"""Feeds as rows beside the log: entries, parts and tree hashes exactly as received. Knows nothing of their
meaning."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial

from aidmesh_node.application.ports import FeedConflict, FeedHead, HeldEntry, NewEntry, PartRow
from aidmesh_node.storage.many_rows import insert_rows

HEAD_COLUMNS = (
    "feed, origin, origin_hash, owner, circle, generation, size, frontier, "
    "checkpoint, signed_size, claimed, claimed_size, folded, frozen"
)


class SqliteFeedReader:
    """Reading, on the writer's connection or a reader's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

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
        rows = self._connection.execute(
            "SELECT entry FROM feed_entries WHERE feed=? AND idx>=? AND idx<? ORDER BY idx",
            (feed, start, stop),
        )
        return [row[0] for row in rows]

    def leaves(self, feed: int, start: int, stop: int) -> list[bytes]:
        rows = self._connection.execute(
            "SELECT leaf FROM feed_entries WHERE feed=? AND idx>=? AND idx<? ORDER BY idx",
            (feed, start, stop),
        )
        return [row[0] for row in rows]

    def held(self, feed: int, start: int, stop: int) -> list[HeldEntry]:
        # No join: rows of two scans are put together for less than it costs SQLite to look each part up.
        entries = self._connection.execute(
            "SELECT entry, leaf FROM feed_entries WHERE feed=? AND idx>=? AND idx<? ORDER BY idx", (feed, start, stop)
        ).fetchall()
        parts: list[dict[str, bytes]] = [{} for _ in entries]
        for index, tag, part in self._connection.execute(
            "SELECT idx, tag, part FROM feed_parts WHERE feed=? AND idx>=? AND idx<? AND withheld=0",
            (feed, start, start + len(entries)),
        ):
            parts[index - start][tag] = part
        return [(entry, leaf, held) for (entry, leaf), held in zip(entries, parts, strict=True)]

    def parts(self, feed: int, start: int, stop: int) -> list[PartRow]:
        rows = self._connection.execute(
            "SELECT idx, tag, part FROM feed_parts WHERE feed=? AND idx>=? AND idx<? AND withheld=0 ORDER BY idx, tag",
            (feed, start, stop),
        )
        return [PartRow(*row) for row in rows]

    def part(self, feed: int, index: int, tag: str) -> bytes | None:
        return self._value("SELECT part FROM feed_parts WHERE feed=? AND idx=? AND tag=?", feed, index, tag)

    def part_names(self, feed: int, start: int, stop: int) -> list[tuple[int, str]]:
        rows = self._connection.execute(
            "SELECT idx, tag FROM feed_parts WHERE feed=? AND idx>=? AND idx<? ORDER BY idx, tag",
            (feed, start, stop),
        )
        return [(index, tag) for index, tag in rows]

    def missing_parts(self, feed: int, wanted: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        held = "SELECT 1 FROM feed_parts WHERE feed=? AND idx=? AND tag=?"
        execute = self._connection.execute
        return [(index, tag) for index, tag in wanted if execute(held, (feed, index, tag)).fetchone() is None]

    def node(self, feed: int, level: int, index: int) -> bytes | None:
        return self._value("SELECT hash FROM feed_nodes WHERE feed=? AND level=? AND idx=?", feed, level, index)

    def holds_statement(self, feed: int, statement_id: bytes) -> bool:
        return self.statement_index(feed, statement_id) is not None

    def statement_index(self, feed: int, statement_id: bytes) -> int | None:
        row = self._connection.execute(
            "SELECT idx FROM feed_statements WHERE feed=? AND statement_id=?", (feed, statement_id)
        ).fetchone()
        return row[0] if row else None

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
        nodes: Iterable[tuple[int, int, bytes]] = (),
    ) -> None:
        start = size - len(entries)
        self._update(
            "UPDATE feeds SET size=?, frontier=? WHERE feed=? AND size=? AND frozen IS NULL",
            (size, frontier, feed, start),
            f"feed {feed} has not {start} entries, or is frozen",
        )
        insert = partial(insert_rows, self._connection)
        insert(
            "INSERT INTO feed_entries", [(feed, index, new.entry, new.leaf) for index, new in enumerate(entries, start)]
        )
        insert(
            "INSERT INTO feed_parts (feed, idx, tag, part)",
            [(feed, index, tag, part) for index, new in enumerate(entries, start) for tag, part in new.parts],
        )
        insert("INSERT INTO feed_nodes", [(feed, *node) for node in nodes])
        insert(
            "INSERT INTO feed_statements",
            [(feed, new.statement_id, index) for index, new in enumerate(entries, start) if new.statement_id],
        )

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

    def put_part(self, feed: int, index: int, tag: str, part: bytes) -> None:
        if self._value("SELECT leaf FROM feed_entries WHERE feed=? AND idx=?", feed, index) is None:
            raise FeedConflict(f"feed {feed} has no entry {index}")
        self._connection.execute(
            "INSERT OR IGNORE INTO feed_parts (feed, idx, tag, part) VALUES (?,?,?,?)",
            (feed, index, tag, part),
        )

    def withhold_parts(self, feed: int, indexes: Iterable[int], tag: str) -> None:
        self._connection.executemany(
            "UPDATE feed_parts SET withheld=1 WHERE feed=? AND idx=? AND tag=?",
            [(feed, index, tag) for index in indexes],
        )

    def _update(self, statement: str, values: tuple[object, ...], conflict: str) -> None:
        if self._connection.execute(statement, values).rowcount != 1:
            raise FeedConflict(conflict)
