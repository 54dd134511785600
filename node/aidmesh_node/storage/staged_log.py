"""The log as the writer's jobs see it: what they add is staged in memory and inserted together, many rows a
statement, at the latest just before COMMIT.

Each statement lets go of the interpreter and takes it again; under load that costs more than the row. Positions are
given when events are staged and hold because the log has one writer and no gaps; every insert checks it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Event
from aidmesh_node.entropy import was_drawn
from aidmesh_node.storage.event_log import SqliteEventLog
from aidmesh_node.storage.mapper import TABLE, HashingMapper
from aidmesh_node.storage.recorder import NodeRecorder


class StagedEventLog(SqliteEventLog):
    """Reads what it has staged as if it were stored. To be used within the writer's open transaction."""

    def __init__(self, connection: sqlite3.Connection, mapper: HashingMapper, recorder: NodeRecorder) -> None:
        super().__init__(connection, mapper)
        self._recorder = recorder
        self._inserted = super().max_position()
        self._staged: list[StoredEvent] = []
        self._begun_at = self._inserted
        self._made: list[Event] = []
        self._versions: dict[UUID | str, int] = {}

    @property
    def position(self) -> int:
        """The last position given out."""
        return self._inserted + len(self._staged)

    def stage(self, events: Iterable[Event]) -> None:
        """Put these next in the log. Raises what the mapper raises, having staged none of them."""
        made = list(events)
        stored = list(map(self._mapper.to_stored_event, made))
        for event in stored:
            self._versions[event.originator_id] = event.originator_version
        self._staged += stored
        self._made += made

    def committed(self) -> tuple[int, list[Event]]:
        """COMMIT was said: the position before it, and the events it added. From here the next one is counted."""
        begun_at, made = self._begun_at, self._made
        self._begun_at, self._made = self.position, []
        return begun_at, made

    def flush(self, up_to: int | None = None) -> None:
        """Insert what is staged, or its part up to a position. Raises what SQLite raises."""
        count = len(self._staged) if up_to is None else up_to - self._inserted
        if count <= 0:
            return
        expected = self._inserted + count
        position = self._recorder.insert(self._staged[:count])[-1]
        if position != expected:
            raise Damaged(TABLE, f"position {expected}", f"the next event would be stored at position {position}")
        self._inserted = expected
        self._keep(self._staged[count:])

    def rewind(self, position: int) -> None:
        """Forget what was added after `position`; rows that were inserted since, the caller has rolled back."""
        kept = position - self._inserted
        self._inserted = min(position, self._inserted)
        self._keep(self._staged[: max(0, kept)])
        del self._made[position - self._begun_at :]

    def version(self, id: UUID, *, perhaps_new: bool = False) -> int:
        """The version of an aggregate's last event, 0 when there is none. `perhaps_new`: then one whose id was drawn is
        new, and the database is not asked, which would let go of the interpreter. The table's key would refuse it."""
        staged = self._versions.get(id, 0)
        return staged if staged or (perhaps_new and was_drawn(id)) else super().version(id)

    def max_position(self) -> int:
        return self.position

    def select(self, after: int, limit: int) -> list[tuple[int, Event]]:
        self.flush()
        return super().select(after, limit)

    def select_without(self, after: int, limit: int, topics: frozenset[bytes]) -> list[tuple[int, Event | None]]:
        self.flush()
        return super().select_without(after, limit, topics)

    def stream(self, id: UUID) -> list[Event]:
        if id in self._versions:
            self.flush()
        return super().stream(id)

    def _keep(self, staged: list[StoredEvent]) -> None:
        self._staged = staged
        self._versions = {event.originator_id: event.originator_version for event in staged}
