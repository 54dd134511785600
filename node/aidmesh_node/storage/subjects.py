"""Which of our aggregates a subject id on the wire names. Keyed by circle: another circle's peer cannot take
a name."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from uuid import UUID

from aidmesh_node.application.ports import Subject, SubjectTaken

IDS_A_STATEMENT = 256
"""Of a statement that SQLite keeps prepared."""


class SqliteSubjects:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, circle: bytes, subject_id: bytes, kind: str, aggregate_id: UUID) -> None:
        new = Subject(circle, subject_id, kind, aggregate_id)
        self._connection.execute(
            "INSERT OR IGNORE INTO subjects VALUES (?,?,?,?)", (circle, subject_id, kind, aggregate_id.hex)
        )
        held = self.find(circle, subject_id)
        if held != new:
            raise SubjectTaken(f"{subject_id.hex()} already names {held}")

    def find(self, circle: bytes, subject_id: bytes) -> Subject | None:
        row = self._connection.execute(
            "SELECT circle, subject_id, kind, aggregate_id FROM subjects WHERE circle=? AND subject_id=?",
            (circle, subject_id),
        ).fetchone()
        return None if row is None else Subject(row[0], row[1], row[2], UUID(row[3]))

    def known(self, circle: bytes, subject_ids: Sequence[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        for begin in range(0, len(subject_ids), IDS_A_STATEMENT):
            some = subject_ids[begin : begin + IDS_A_STATEMENT]
            asked = f"SELECT subject_id FROM subjects WHERE circle=? AND subject_id IN ({','.join('?' * len(some))})"
            found.update(row[0] for row in self._connection.execute(asked, (circle, *some)))
        return found

    def in_circle(self, circle: bytes) -> list[Subject]:
        rows = self._connection.execute(
            "SELECT circle, subject_id, kind, aggregate_id FROM subjects WHERE circle=? ORDER BY subject_id", (circle,)
        )
        return [Subject(row[0], row[1], row[2], UUID(row[3])) for row in rows]

    def of(self, aggregate_id: UUID) -> list[Subject]:
        rows = self._connection.execute(
            "SELECT circle, subject_id, kind, aggregate_id FROM subjects "
            "WHERE aggregate_id=? ORDER BY circle, subject_id",
            (aggregate_id.hex,),
        )
        return [Subject(row[0], row[1], row[2], UUID(row[3])) for row in rows]
