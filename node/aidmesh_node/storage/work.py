"""What one job may do: aggregates in memory, rows in the writer's open transaction. Never commits, never
begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from eventsourcing.domain import Aggregate

from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import A, Event
from aidmesh_node.storage.aggregates import AggregateCache
from aidmesh_node.storage.database import Database
from aidmesh_node.storage.disclosures import SqliteDisclosures
from aidmesh_node.storage.erasure_list import ErasureList
from aidmesh_node.storage.erasures import SqliteErasures
from aidmesh_node.storage.evidence import SqliteEvidence
from aidmesh_node.storage.feeds import SqliteFeeds
from aidmesh_node.storage.idempotency import SqliteIdempotency
from aidmesh_node.storage.mapper import HashingMapper
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.positions import SqlitePositions
from aidmesh_node.storage.projector import project
from aidmesh_node.storage.staged_log import StagedEventLog
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
        self,
        database: Database,
        keys: PersonKeys,
        entropy: Callable[[int], bytes],
        cache: AggregateCache,
        erased: ErasureList | None = None,
    ) -> None:
        connection = database.connection
        self.connection = connection
        self.mapper = HashingMapper(MsgpackTranscoder())
        self.log = StagedEventLog(connection, self.mapper, database.recorder)
        self.cache = cache
        self.feeds = SqliteFeeds(connection)
        self.vault = SqliteVault(connection, keys, entropy)
        self.subjects = SqliteSubjects(connection)
        self.positions = SqlitePositions(connection, entropy)
        self.idempotency = SqliteIdempotency(connection, entropy)
        self.evidence = SqliteEvidence(connection)
        self.disclosures = SqliteDisclosures(connection)
        self.erasures = SqliteErasures(connection, self.feeds, self.log, self.mapper, self.idempotency, erased)

    def staged(self) -> tuple[tuple[int, int], int]:
        """How much is staged for files beside the database: give it back to ``rewind`` when a job is rolled back."""
        return self.vault.staged(), self.erasures.staged()

    def rewind(self, staged: tuple[tuple[int, int], int] = ((0, 0), 0)) -> None:
        self.vault.rewind(staged[0])
        self.erasures.rewind(staged[1])


class SqliteWork:
    """One job's Work. ``touched`` is everything that must be forgotten when the job fails.

    The job's savepoint is opened by the first thing that needs it: most jobs only stage events."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Bench | None = bench
        self._begun_at = bench.log.position
        self._savepoint = False
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
        return self._rows().feeds

    @property
    def vault(self) -> SqliteVault:
        return self._rows().vault

    @property
    def subjects(self) -> SqliteSubjects:
        return self._rows().subjects

    @property
    def positions(self) -> SqlitePositions:
        return self._rows().positions

    @property
    def idempotency(self) -> SqliteIdempotency:
        return self._rows().idempotency

    @property
    def evidence(self) -> SqliteEvidence:
        return self._rows().evidence

    @property
    def disclosures(self) -> SqliteDisclosures:
        return self._rows().disclosures

    @property
    def erasures(self) -> SqliteErasures:
        return self._rows().erasures

    @property
    def position(self) -> int:
        return self.bench.log.position

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
            aggregate = project(self._rows().log.stream(id))
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
            events: list[Event] = []
            for aggregate in aggregates:
                stored_version = aggregate.version - len(aggregate.pending_events)
                found = bench.log.version(aggregate.id, perhaps_new=stored_version == 0)
                if found != stored_version:
                    # A stale object would leave a gap in its stream, which no key of the table forbids.
                    raise UncommittedChange(
                        f"{aggregate.id.hex} is stored at version {found}, not {stored_version}: get it again"
                    )
                self._touch(aggregate)
                events.extend(aggregate.collect_events())
            bench.log.stage(events)
        except BaseException as error:
            # Events are collected but not staged: the job must not end well even if it catches this.
            self._failed = error
            raise
        for aggregate in aggregates:
            bench.cache.put(aggregate)

    def events_of(self, id: UUID) -> list[Event]:
        return self._rows().log.stream(id)

    def events_after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        return self._rows().log.select(position, limit)

    def events_without(self, position: int, limit: int, topics: frozenset[bytes]) -> list[tuple[int, Event | None]]:
        return self._rows().log.select_without(position, limit, topics)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        self._assert_all_committed()
        bench = self._rows()
        position, staged = bench.log.position, bench.staged()
        bench.log.flush()
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
            bench.log.rewind(position)
            bench.rewind(staged)
            bench.cache.forget(self.ids_touched)
            self.touched.clear()
            self._failed = None
            raise
        bench.connection.execute("RELEASE attempt")

    def end(self) -> None:
        """The job returned. Raises UncommittedChange when it left something half done."""
        self._assert_all_committed()

        if self._savepoint:
            self.bench.connection.execute("RELEASE job")

    def undo(self) -> None:
        """The job raised: nothing of it is left in the transaction or in memory. ``touched`` must be forgotten."""
        bench = self.bench
        if self._savepoint:
            bench.connection.execute("ROLLBACK TO job")
            bench.connection.execute("RELEASE job")
        bench.log.rewind(self._begun_at)
        bench.cache.forget(self.ids_touched)

    def close(self) -> None:
        self._bench = None

    def _rows(self) -> Bench:
        """The bench, for reading or writing rows: from here on SQLite undoes this job, and it alone."""
        bench = self.bench
        if not self._savepoint:
            bench.log.flush(self._begun_at)
            bench.connection.execute("SAVEPOINT job")
            self._savepoint = True
        return bench

    def _touch(self, aggregate: Aggregate) -> None:
        self.touched[aggregate.id] = aggregate
        self.ids_touched.add(aggregate.id)

    def _assert_all_committed(self) -> None:
        if self._failed is not None:
            raise UncommittedChange("the job went on after a failed commit") from self._failed
        for id, aggregate in self.touched.items():
            if aggregate.pending_events:
                raise UncommittedChange(f"{type(aggregate).__name__} {id.hex} was changed but not committed")
