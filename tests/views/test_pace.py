"""A quick question is answered where it is asked, a slow one on a thread, and the node learns which is which."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidmesh_node.views.pace import QUICK_SECONDS, Pace
from aidmesh_node.views.views import Views
from tests.views.house import House


def test_a_question_is_quick_once_it_was_and_until_it_was_slow() -> None:
    pace = Pace(lambda: 0.0)
    assert not pace.is_quick("board"), "nobody knows yet"
    pace.took("board", QUICK_SECONDS / 2)
    assert pace.is_quick("board") and not pace.is_quick("needs")
    pace.took("board", QUICK_SECONDS * 10)
    quick_again = 0
    while not pace.is_quick("board"):
        pace.took("board", QUICK_SECONDS / 2)
        quick_again += 1
    assert 30 < quick_again < 60, "one slow answer keeps dozens off the event loop"


@pytest.fixture
def took() -> list[float]:
    return []


@pytest.fixture
def views(tmp_path: Path, took: list[float]) -> Iterator[Views]:
    house = House(tmp_path)
    clock = iter(lambda: 0.0, None)
    house.views.catch_up()
    house.views._pace.now = lambda: took.pop() if took else next(clock)
    yield house.views
    house.close()


async def test_questions_find_their_thread(views: Views, took: list[float]) -> None:
    def where(connection: sqlite3.Connection) -> str:
        return threading.current_thread().name

    here = threading.current_thread().name
    assert await views.query(where) != here, "the first time"
    assert await views.query(where) == here
    took[:] = [5.0, 0.0]
    assert await views.query(where) == here, "it turned out to be slow"
    assert await views.query(where) != here
