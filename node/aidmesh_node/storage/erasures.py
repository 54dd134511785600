"""Erasing in the writer's transaction: parts of feeds, and people's words in our own events. What was erased is written
to the list before COMMIT, as persons' keys are: after a crash in between it is erased all the same.
"""

from __future__ import annotations

import sqlite3
from uuid import UUID

from aidmesh_node.application.ports_beside import Asked
from aidmesh_node.storage.erasure_list import ErasedPart, ErasureList
from aidmesh_node.storage.feeds import SqliteFeeds
from aidmesh_node.storage.idempotency import SqliteIdempotency
from aidmesh_node.storage.mapper import HashingMapper
from aidmesh_node.storage.staged_log import StagedEventLog

WORDS = ("item", "area")
"""Fields of events that hold what people typed. Everything else in an event is a choice, a number or an id."""


class SqliteErasures:
    """`kept` is None where no list is kept: for whoever only looks at a database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        feeds: SqliteFeeds,
        log: StagedEventLog,
        mapper: HashingMapper,
        idempotency: SqliteIdempotency,
        kept: ErasureList | None,
    ) -> None:
        self._connection = connection
        self._feeds = feeds
        self._log = log
        self._mapper = mapper
        self._idempotency = idempotency
        self._kept = kept
        self._erasing: list[ErasedPart | UUID] = []

    def part(self, feed: int, index: int, tag: str) -> None:
        self._feeds.erase_part(feed, index, tag)
        (hashed,) = self._connection.execute("SELECT origin_hash FROM feeds WHERE feed=?", (feed,)).fetchone()
        self._erasing.append((hashed, index, tag))

    def words(self, thing: UUID) -> None:
        self._log.flush()
        rows = self._connection.execute(
            "SELECT originator_version, topic, state FROM stored_events WHERE originator_id=?", (thing.hex,)
        ).fetchall()
        for version, topic, state in rows:
            event = self._mapper.restore(thing.hex, version, topic, state)
            held = [name for name in WORDS if vars(event).get(name) is not None]
            if held:
                vars(event).update(dict.fromkeys(held))
                self._connection.execute(
                    "UPDATE stored_events SET state=? WHERE originator_id=? AND originator_version=?",
                    (self._mapper.to_stored_event(event).state, thing.hex, version),
                )
        self._idempotency.forget_about(thing.hex)
        self._connection.execute("INSERT OR IGNORE INTO erased_things VALUES (?)", (thing.hex,))
        self._erasing.append(thing)

    def undone(self) -> tuple[list[ErasedPart], list[UUID]]:
        if self._kept is None:
            return [], []
        parts = set(self._connection.execute("SELECT origin_hash, idx, tag FROM erased_parts"))
        things = {UUID(hex) for (hex,) in self._connection.execute("SELECT thing FROM erased_things")}
        # A list that was lost gets back what the database still knows.
        self._erasing += [*(parts - set(self._kept.parts)), *(things - set(self._kept.things))]
        return [part for part in self._kept.parts if part not in parts], [
            thing for thing in self._kept.things if thing not in things
        ]

    def unheld_part(self, part: ErasedPart) -> None:
        self._connection.execute("INSERT OR IGNORE INTO erased_parts VALUES (?,?,?)", part)
        self._erasing.append(part)

    def asked(self, feed: int, index: int, hour: int) -> None:
        self._connection.execute("INSERT OR IGNORE INTO erasures VALUES (?,?,?)", (feed, index, hour))

    def receive(self, feed: int, index: int, peer: str, hour: int) -> bool:
        if not self._connection.execute("SELECT 1 FROM erasures WHERE feed=? AND idx=?", (feed, index)).fetchone():
            return False
        self._connection.execute("INSERT OR IGNORE INTO erasure_receipts VALUES (?,?,?,?)", (feed, index, peer, hour))
        return True

    def asked_last(self, limit: int) -> list[Asked]:
        rows = self._connection.execute(
            "SELECT feed, idx, at FROM erasures ORDER BY at DESC, feed, idx DESC LIMIT ?", (limit,)
        ).fetchall()
        return [Asked(feed, index, hour, self._receipts(feed, index)) for feed, index, hour in rows]

    def _receipts(self, feed: int, index: int) -> dict[str, int]:
        return dict(
            self._connection.execute("SELECT peer, at FROM erasure_receipts WHERE feed=? AND idx=?", (feed, index))
        )

    def staged(self) -> int:
        """How many erasures are staged: give it back to ``rewind`` when a job is rolled back."""
        return len(self._erasing)

    def rewind(self, staged: int = 0) -> None:
        del self._erasing[staged:]

    def flush(self) -> tuple[bool, bool]:
        """Write what was erased to the list, before COMMIT: whether anything was, and any words. Raises OSError."""
        erasing, self._erasing = self._erasing, []
        things = [one for one in erasing if isinstance(one, UUID)]
        if erasing and self._kept is not None:
            self._kept.add([one for one in erasing if not isinstance(one, UUID)], things)
        return bool(erasing), bool(things)
