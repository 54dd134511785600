"""What one job may do: aggregates in memory, rows in the writer's open transaction. Never commits, never
begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from eventsourcing.domain import Aggregate
from eventsourcing.persistence import StoredEvent

from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import A, Event
from aidmesh_node.storage.aggregates import AggregateCache
from aidmesh_node.storage.database import Database
from aidmesh_node.storage.event_log import SqliteEventLog
from aidmesh_node.storage.evidence import SqliteEvidence
from aidmesh_node.storage.feeds import SqliteFeeds
from aidmesh_node.storage.idempotency import SqliteIdempotency
from aidmesh_node.storage.mapper import HashingMapper
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.positions import SqlitePositions
from aidmesh_node.storage.projector import project
from aidmesh_node.storage.subjects import SqliteSubjects
from aidmesh_node.storage.transcoder import MsgpackTranscoder
from aidmesh_node.storage.vault import SqliteVault


class UncommittedChange(Exception):
    """Our bug: a job changed an aggregate and did not commit it (or a commit failed and the job went on)."""


class OutsideJob(Exception):
    """Our bug: Work was used after its job had ended."""


class Bench:
    """Everything the jobs of one writer share; lives as long as the writer."""

    def __init__(
        self, database: Database, keys: PersonKeys, entropy: Callable[[int], bytes], cache: AggregateCache
    ) -> None:
        connection = database.connection
        self.connection = connection
        self.recorder = database.recorder
        self.mapper = HashingMapper(MsgpackTranscoder())
        self.log = SqliteEventLog(connection, self.mapper)
        self.cache = cache
        self.position = self.log.max_position()
        self.feeds = SqliteFeeds(connection)
        self.vault = SqliteVault(connection, keys, entropy)
        self.subjects = SqliteSubjects(connection)
        self.positions = SqlitePositions(connection, database.incarnation)
        self.idempotency = SqliteIdempotency(connection, entropy)
        self.evidence = SqliteEvidence(connection)


class SqliteWork:
    """One job's Work. ``touched`` is everything that must be forgotten when the job fails."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Bench | None = bench
        self._failed: BaseException | None = None
        self.touched: dict[UUID, Aggregate] = {}
        self.ids_touched: set[UUID] = set()

    @property
    def bench(self) -> Bench:
        if self._bench is None:
            raise OutsideJob("this Work's job has ended: nothing it says would be true any more")
        return self._bench

    @property
    def feeds(self) -> SqliteFeeds:
        return self.bench.feeds

    @property
    def vault(self) -> SqliteVault:
        return self.bench.vault

    @property
    def subjects(self) -> SqliteSubjects:
        return self.bench.subjects

    @property
    def positions(self) -> SqlitePositions:
        return self.bench.positions

    @property
    def idempotency(self) -> SqliteIdempotency:
        return self.bench.idempotency

    @property
    def evidence(self) -> SqliteEvidence:
        return self.bench.evidence

    @property
    def position(self) -> int:
        return self.bench.position

    def get(self, cls: type[A], id: UUID) -> A:
        aggregate = self.find(cls, id)
        if aggregate is None:
            raise NotFound(cls.__name__.lower(), id)
        return aggregate

    def find(self, cls: type[A], id: UUID) -> A | None:
        bench = self.bench
        aggregate = self.touched.get(id)
        if aggregate is None:
            aggregate = bench.cache.get(id)
        if aggregate is None:
            aggregate = project(bench.log.stream(id))
            if aggregate is None:
                return None
            bench.cache.put(aggregate)
        # An id of another kind is not found: a need's id never opens an offer.
        if not isinstance(aggregate, cls):
            return None
        self._touch(aggregate)
        return aggregate

    def commit(self, *aggregates: Aggregate) -> None:
        bench = self.bench
        try:
            stored: list[StoredEvent] = []
            for aggregate in aggregates:
                stored_version = aggregate.version - len(aggregate.pending_events)
                found = bench.log.version(aggregate.id)
                if found != stored_version:
                    # A stale object would leave a gap in its stream, which no key of the table forbids.
                    raise UncommittedChange(
                        f"{aggregate.id.hex} is stored at version {found}, not {stored_version}: get it again"
                    )
                self._touch(aggregate)
                stored.extend(map(bench.mapper.to_stored_event, aggregate.collect_events()))
            if stored:
                bench.position = bench.recorder.insert(stored)[-1]
        except BaseException as error:
            # Events are collected but not stored: the job must not end well even if it catches this.
            self._failed = error
            raise
        for aggregate in aggregates:
            bench.cache.put(aggregate)

    def events_after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return self.bench.log.select(position, limit)

    def events_without(self, position: int, limit: int, topics: frozenset[bytes]) -> list[tuple[int, Event | None]]:
        return self.bench.log.select_without(position, limit, topics)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        self._assert_all_committed()
        bench = self.bench
        position, staged = bench.position, bench.vault.staged()
        bench.connection.execute("SAVEPOINT attempt")
        try:
            yield
            self._assert_all_committed()
        except BaseException:
            # After a storage fault SQLite may have rolled everything back already; the writer deals with
            # that.
            if bench.connection.in_transaction:
                bench.connection.execute("ROLLBACK TO attempt")
                bench.connection.execute("RELEASE attempt")
            bench.position = position
            bench.vault.rewind(staged)
            bench.cache.forget(self.ids_touched)
            self.touched.clear()
            self._failed = None
            raise
        bench.connection.execute("RELEASE attempt")

    def end(self) -> None:
        """The job returned. Raises UncommittedChange when it left something half done."""
        self._assert_all_committed()

    def close(self) -> None:
        self._bench = None

    def _touch(self, aggregate: Aggregate) -> None:
        self.touched[aggregate.id] = aggregate
        self.ids_touched.add(aggregate.id)

    def _assert_all_committed(self) -> None:
        if self._failed is not None:
            raise UncommittedChange("the job went on after a failed commit") from self._failed
        for id, aggregate in self.touched.items():
            if aggregate.pending_events:
                raise UncommittedChange(f"{type(aggregate).__name__} {id.hex} was changed but not committed")
