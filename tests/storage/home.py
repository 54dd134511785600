"""A node's storage in a temporary folder, as main would build it: what the contract suites run against."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Protocol, TypeVar

from aidmesh_node.application import mark, ports
from aidmesh_node.storage.database import Database
from aidmesh_node.storage.erasure_list import ErasureList
from aidmesh_node.storage.mark import MarkFile
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.readers import SqliteReading, node_readers
from aidmesh_node.storage.recent import RecentEvents
from aidmesh_node.storage.writer import Writer

T = TypeVar("T")
WAIT_SECONDS = 30


class Home(Protocol):
    """What a contract suite may use; PostgreSQL will have one, too."""

    @property
    def writer(self) -> ports.Writer: ...
    def do(self, job: Callable[[ports.Work], T]) -> T: ...
    def read(self, read: Callable[[ports.Reading], T]) -> T: ...
    def reopen(self) -> None: ...


class SqliteHome:
    def __init__(
        self,
        path: Path,
        seed: int = 1,
        on_broken: Callable[[BaseException], None] | None = None,
        queued_jobs_max: int = 10_000,
        cached_max: int = 4_096,
    ) -> None:
        self.path = path
        self.entropy = random.Random(seed).randbytes
        self._on_broken = on_broken
        self._queued_jobs_max = queued_jobs_max
        self._cached_max = cached_max
        self._open()

    def _open(self) -> None:
        self.database = Database.open(self.path / "node.db", self.entropy)
        self.keys = PersonKeys(self.path / "person.keys", self.entropy)
        recent = RecentEvents()
        self.writer: Writer = Writer(
            self.database,
            self.keys,
            self.entropy,
            recent=recent,
            erased=ErasureList([self.path]),
            on_broken=self._on_broken,
            queued_jobs_max=self._queued_jobs_max,
            cached_max=self._cached_max,
        )
        self.readers = node_readers(self.database.path, self.keys, recent, size=2)

    def do(self, job: Callable[[ports.Work], T]) -> T:
        return self.writer.submit(job).result(WAIT_SECONDS).value

    def read(self, read: Callable[[ports.Reading], T]) -> T:
        def on_snapshot(reading: SqliteReading) -> T:
            return read(reading)

        return self.readers.run_now(on_snapshot)

    def hold(self) -> Callable[[], None]:
        """Stop the writer inside a job, so that what is submitted next waits together. Call the result to go
        on.
        """
        begun, go = Event(), Event()

        def wait(_: ports.Work) -> None:
            begun.set()
            go.wait(WAIT_SECONDS)

        self.writer.submit(wait)
        assert begun.wait(WAIT_SECONDS)
        return go.set

    def together(self, *jobs: Callable[[ports.Work], object]) -> list[Future[ports.Done[object]]]:
        """Run these jobs in one batch; returns their futures, all done."""
        go = self.hold()
        futures = [self.writer.submit(job) for job in jobs]
        go()
        for future in futures:
            future.exception(WAIT_SECONDS)
        return futures

    def reopen(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        self.readers.close()
        self.writer.close()
        self.database.close()

    def __enter__(self) -> SqliteHome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def as_ports(home: SqliteHome, file: MarkFile) -> tuple[ports.Writer, ports.Readers[ports.Reading], mark.MarkFile]:
    """The type checker's proof that what main builds is what the application asks for."""
    return home.writer, home.readers, file
