"""The views of one node as the rest of it uses them: told of commits, waited for, asked.

Questions are the functions of the view modules, for example `await views.query(needs.get, need_id)`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from aidmesh_node.views.database import ViewDatabase
from aidmesh_node.views.pace import Pace
from aidmesh_node.views.projection import TABLES
from aidmesh_node.views.projector import Projector, Source
from aidmesh_protocol.statements import EVERYTHING, Vocabulary

P = ParamSpec("P")
T = TypeVar("T")


class Queries(Protocol):
    """Read-only connections to `views.db`, each question on one snapshot."""

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """On a reader's thread."""

    def run_now(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """On the calling thread."""

    def close(self) -> None: ...


class Views:
    """Opens (or makes anew) the file at `path`; nothing is projected before `start` or `catch_up`."""

    def __init__(
        self,
        path: Path,
        gid: str,
        source: Source,
        queries: Callable[[Path], Queries],
        now: Callable[[], float],
        vocabulary: Vocabulary = EVERYTHING,
    ) -> None:
        """`source` gives snapshots of log and feeds, `queries` opens the readers of the file; both are
        storage's. `now` gives monotonic seconds; `vocabulary` is what peers' statements are read in.
        """
        self._pace = Pace(now)
        self._database = ViewDatabase(path, TABLES, vocabulary.schemas)
        self._projector = Projector(source, self._database, gid, vocabulary)
        self._queries = queries(path)
        self.start, self.notify = self._projector.start, self._projector.notify
        self.catch_up, self.rebuild = self._projector.catch_up, self._projector.rebuild
        self.wait = self._projector.wait
        self.follow, self.unfollow = self._projector.follow, self._projector.unfollow

    @property
    def position(self) -> int:
        """The log position that questions see."""
        return self._projector.position

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at start has been projected once."""
        return self._projector.caught_up

    @property
    def failed(self) -> Exception | None:
        """Why the views stand still, None while they move."""
        return self._projector.failed

    async def query(self, ask: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`ask(connection, ...)`, all it reads of one moment; on a reader's thread unless it lately was quick."""
        pace = self._pace

        def timed(connection: sqlite3.Connection) -> T:
            begun = pace.now()
            try:
                return ask(connection, *args, **kwargs)
            finally:
                pace.took(ask, pace.now() - begun)

        if pace.is_quick(ask):
            return self._queries.run_now(timed)
        return await self._queries.run(timed)

    def read(self, ask: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `query`, on the calling thread: for the shortest questions, and for jobs."""
        return self._queries.run_now(lambda connection: ask(connection, *args, **kwargs))

    def close(self) -> None:
        """Stop projecting, finish running questions, close the file."""
        self._projector.stop()
        self._queries.close()
        self._database.close()
