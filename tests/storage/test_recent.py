"""Who follows the log is given the newest events from memory, and cannot tell."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.application.ports import Reading, Work
from aidmesh_node.domain.refused import Refused
from aidmesh_node.storage.recent import RecentEvents
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


def told(events: list[tuple[int, Any]]) -> list[tuple[int, str, dict[str, object]]]:
    return [(position, type(event).__qualname__, vars(event)) for position, event in events]


def heap(name: int) -> Any:
    return lambda work: work.commit(Pile.heap(number(name)))


def followed(after: int, limit: int) -> Callable[[Reading], list[tuple[int, Any]]]:
    return lambda reading: reading.events.follow(after, limit)


def stored(after: int, limit: int) -> Callable[[Reading], list[tuple[int, Any]]]:
    return lambda reading: reading.events.select(after, limit)


def test_following_gives_what_is_stored_whatever_was_refused_between(tmp_path: Path) -> None:
    def refused(work: Work) -> None:
        work.commit(Pile.heap(number(99)))
        raise Refused("no", "No.", "Leave it.")

    def half(work: Work) -> None:
        with pytest.raises(Refused), work.attempt():
            refused(work)
        work.commit(Pile.heap(number(98)))

    with SqliteHome(tmp_path / "home") as home:
        for first in (1, 11):
            home.together(*map(heap, range(first, first + 5)), refused, heap(first + 5))
        home.do(half)
        for after in range(14):
            for limit in (1, 3, 100):
                assert told(home.read(followed(after, limit))) == told(home.read(stored(after, limit)))
        assert len(home.read(lambda reading: reading.events.follow(0, 100))) == 13


def test_the_newest_come_from_memory_and_older_ones_from_the_store(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        home.do(heap(1))
        home.reopen()
        home.do(heap(2))
        with sqlite3.connect(home.database.path) as connection:
            connection.execute("UPDATE stored_events SET topic = 'unknown' WHERE rowid = 2")
        connection.close()
        assert [position for position, _ in home.read(lambda reading: reading.events.follow(1, 9))] == [2]
        with pytest.raises(Exception, match="hash"):
            home.read(lambda reading: reading.events.follow(0, 9))


def test_what_was_not_committed_is_followed_by_nobody(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        home.do(heap(1))
        seen: list[int] = []

        def job(work: Work) -> None:
            work.commit(Pile.heap(number(2)))
            seen.append(len(home.read(lambda reading: reading.events.follow(0, 9))))

        home.do(job)
        assert seen == [1]
        assert len(home.read(lambda reading: reading.events.follow(0, 9))) == 2


@given(batches=st.lists(st.integers(0, 6), max_size=12), kept=st.integers(1, 9), data=st.data())
def test_any_part_is_given_whole_or_not_at_all(batches: list[int], kept: int, data: st.DataObject) -> None:
    recent: Any = RecentEvents(kept)
    last = 0
    for size in batches:
        recent.add(last, [last + nth for nth in range(1, size + 1)])
        last += size
    up_to = data.draw(st.integers(0, last), label="nobody's snapshot is newer than the newest commit")
    after, limit = data.draw(st.integers(0, last)), data.draw(st.integers(0, 9))
    given_ = recent.between(after, up_to, limit)
    if given_ is None:
        assert after < last - kept or after >= up_to
    else:
        assert given_ == [(position, position) for position in range(after + 1, up_to + 1)[:limit]]
