"""Every port's contract, on SQLite. PostgreSQL is to be a second fixture and a second subclass of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.contracts.feeds import FeedRowsContract
from tests.storage.contracts.small_rows import (
    EvidenceContract,
    IdempotencyContract,
    PositionsContract,
    SubjectsContract,
)
from tests.storage.contracts.vault import VaultContract
from tests.storage.contracts.work import WorkContract
from tests.storage.home import SqliteHome


class OnSqlite:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Iterator[SqliteHome]:
        with SqliteHome(tmp_path / "home") as home:
            yield home


class TestWork(OnSqlite, WorkContract):
    pass


class TestFeeds(OnSqlite, FeedRowsContract):
    pass


class TestVault(OnSqlite, VaultContract):
    pass


class TestSubjects(OnSqlite, SubjectsContract):
    pass


class TestPositions(OnSqlite, PositionsContract):
    pass


class TestIdempotency(OnSqlite, IdempotencyContract):
    pass


class TestEvidence(OnSqlite, EvidenceContract):
    pass
