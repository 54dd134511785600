"""The event log read back, on the writer's connection or a reader's. Every event's hash is checked, every
time."""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Event
from aidmesh_node.storage.mapper import TABLE, HashingMapper, event_key
from aidmesh_node.storage.recent import RecentEvents

# As bytes: after a flipped bit a text column may not be UTF-8, and sqlite3 would fail the whole page of rows.
COLUMNS = "rowid, CAST(originator_id AS BLOB), originator_version, CAST(topic AS BLOB), CAST(state AS BLOB)"


class SqliteEventLog:
    """Events in the order they were committed; a position is the row's number, without gaps."""

    def __init__(
        self, connection: sqlite3.Connection, mapper: HashingMapper, recent: RecentEvents | None = None
    ) -> None:
        self._connection = connection
        self._mapper = mapper
        self._recent = recent or RecentEvents()

    def select(self, after: int, limit: int) -> list[tuple[int, Event]]:
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM stored_events WHERE rowid>? ORDER BY rowid LIMIT ?", (after, limit)
        )
        return [(row[0], self._restore(row)) for row in rows]

    def select_without(self, after: int, limit: int, topics: frozenset[bytes]) -> list[tuple[int, Event | None]]:
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM stored_events WHERE rowid>? ORDER BY rowid LIMIT ?", (after, limit)
        )
        return [(row[0], None if row[3] in topics else self._restore(row)) for row in rows]

    def follow(self, after: int, limit: int) -> list[tuple[int, Event]]:
        newest = self._recent.between(after, self.max_position(), limit)
        return self.select(after, limit) if newest is None else newest

    def max_position(self) -> int:
        position: int = self._connection.execute("SELECT coalesce(max(rowid), 0) FROM stored_events").fetchone()[0]
        return position

    def stream(self, id: UUID) -> list[Event]:
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM stored_events WHERE originator_id=? ORDER BY originator_version",
            (id.hex,),
        ).fetchall()
        for expected, row in enumerate(rows, start=1):
            if row[2] != expected:
                raise Damaged(TABLE, event_key(id.hex, expected), "the event is missing from its aggregate's stream")
        return [self._restore(row) for row in rows]

    def version(self, id: UUID) -> int:
        """The version of an aggregate's last stored event, 0 when there is none."""
        version: int = self._connection.execute(
            "SELECT coalesce(max(originator_version), 0) FROM stored_events WHERE originator_id=?", (id.hex,)
        ).fetchone()[0]
        return version

    def _restore(self, row: tuple[int, Any, Any, Any, Any]) -> Event:
        position, id_bytes, version, topic_bytes, state = row
        try:
            id_hex, topic = id_bytes.decode("ascii"), topic_bytes.decode()
            if not isinstance(version, int) or not isinstance(state, bytes):
                raise ValueError
        except (ValueError, AttributeError) as error:
            raise Damaged(TABLE, f"position {position}", "the row's id, version, topic or state is not one") from error
        return self._mapper.restore(id_hex, version, topic, state)
