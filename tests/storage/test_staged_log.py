"""Events wait in memory for the end of the batch, and nobody can tell: not the jobs, not after a refusal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application.ports import Work
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy, was_drawn
from aidmesh_node.storage.work import UncommittedChange
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        yield home


def heap(name: int) -> Any:
    return lambda work: work.commit(Pile.heap(number(name)))


def seen(work: Work) -> list[tuple[int, int]]:
    return [(position, event.originator_id.int) for position, event in work.events_after(0, 100)]


def test_a_batch_of_commands_is_a_few_statements(home: SqliteHome) -> None:
    statements: list[str] = []
    home.database.connection.set_trace_callback(statements.append)
    home.together(*(heap(name) for name in range(1, 21)))
    home.database.connection.set_trace_callback(None)
    kinds = [statement.split()[0] for statement in statements]
    assert kinds.count("SAVEPOINT") == 0, "no row but the log's was written or read"
    assert sum(statement.startswith("INSERT INTO stored_events") for statement in statements) == 2, "16 rows and 4"
    assert home.do(seen) == [(name, name) for name in range(1, 21)]


def test_a_job_reads_what_it_and_the_jobs_before_it_have_staged(home: SqliteHome) -> None:
    def job(work: Work) -> list[tuple[int, int]]:
        work.commit(Pile.heap(number(2)))
        return seen(work)

    _, looked, after = home.together(heap(1), job, seen)
    assert looked.result().value == [(1, 1), (2, 2)] == after.result().value
    assert looked.result().position == 2


@pytest.mark.parametrize("reads", [True, False], ids=["inserted already", "only staged"])
def test_a_refused_job_takes_back_its_own_events_and_no_others(home: SqliteHome, reads: bool) -> None:
    def refused(work: Work) -> None:
        work.commit(Pile.heap(number(7)))
        if reads:
            assert seen(work) == [(1, 1), (2, 7)]
        raise Refused("no", "No.", "")

    home.together(heap(1), refused, heap(2))
    assert home.do(seen) == [(1, 1), (2, 2)]
    home.reopen()
    assert home.do(seen) == [(1, 1), (2, 2)]


@pytest.mark.parametrize("reads", [True, False], ids=["inserted already", "only staged"])
def test_an_attempt_takes_back_its_events_and_the_job_goes_on(home: SqliteHome, reads: bool) -> None:
    def job(work: Work) -> int:
        work.commit(Pile.heap(number(2)))
        with suppress(Refused), work.attempt():
            work.commit(Pile.heap(number(7)))
            if reads:
                assert seen(work)[-1] == (3, 7)
            raise Refused("no", "No.", "")
        work.commit(Pile.heap(number(3)))
        return work.position

    _, done = home.together(heap(1), job)
    assert done.result().value == 3
    assert home.do(seen) == [(1, 1), (2, 2), (3, 3)]


def test_a_stale_object_is_noticed_while_the_newer_event_is_only_staged(home: SqliteHome) -> None:
    stale = Pile.heap(number(1))

    def twice(work: Work) -> None:
        work.commit(Pile.heap(number(1)))
        work.commit(stale)

    with pytest.raises(UncommittedChange, match="stored at version 1, not 0"):
        home.do(twice)
    assert home.do(seen) == []


def test_a_row_that_another_program_put_into_the_log_stops_the_writer(home: SqliteHome) -> None:
    home.do(heap(1))
    with closing(sqlite3.connect(home.database.path)) as other, other:
        other.execute("INSERT INTO stored_events VALUES (?, 1, 'test.pile:heaped', x'00')", (number(9).hex,))
    with pytest.raises(Unavailable, match="would be stored at position 3"):
        home.do(heap(2))
    with pytest.raises(Unavailable):
        home.do(heap(3))


def test_the_database_is_asked_about_new_things_with_derived_ids_only(home: SqliteHome) -> None:
    """A derived id may be there already; of a drawn one nobody had heard before."""
    derived, drawn = UUID(int=5 << 76 | 2 << 62 | 1), UUID(int=4 << 76 | 2 << 62 | 1)
    assert (was_drawn(derived), was_drawn(drawn), was_drawn(Entropy().uuid())) == (False, True, True)
    home.do(lambda work: work.commit(Pile.heap(derived)))
    with pytest.raises(UncommittedChange, match="stored at version 1, not 0"):
        home.do(lambda work: work.commit(Pile.heap(derived)))
    asked: list[str] = []
    home.database.connection.set_trace_callback(asked.append)
    home.do(lambda work: work.commit(Pile.heap(drawn)))
    home.database.connection.set_trace_callback(None)
    assert not [one for one in asked if "max(originator_version)" in one]
    assert home.do(seen) == [(1, derived.int), (2, drawn.int)]
