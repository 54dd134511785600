"""Readers: their own connections, one snapshot a call, never a write, never in the writer's way."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Work
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.readers import Readers
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        home.do(lambda work: work.commit(Pile.heap(number(1))))
        yield home


def committing(pile: Pile) -> Callable[[Work], None]:
    return lambda work: work.commit(pile)


async def test_reads_run_beside_the_writer(home: SqliteHome) -> None:
    go = home.hold()
    position = await home.readers.run(lambda reading: reading.events.max_position())
    go()
    assert position == 1


async def test_reads_run_beside_each_other(home: SqliteHome) -> None:
    both = threading.Barrier(2, timeout=30)
    await asyncio.gather(*(home.readers.run(lambda reading: both.wait()) for _ in range(2)))


async def test_what_a_read_raises_reaches_its_caller_and_the_thread_goes_on(home: SqliteHome) -> None:
    def fail(reading: object) -> None:
        raise LookupError

    for _ in range(5):
        with pytest.raises(LookupError):
            await home.readers.run(fail)
    assert await home.readers.run(lambda reading: reading.events.max_position()) == 1


async def test_each_call_sees_what_is_durable_by_then(home: SqliteHome) -> None:
    for index in range(2, 5):
        pile = Pile.heap(number(index))
        await home.writer.run(committing(pile))
        assert await home.readers.run(lambda reading: reading.events.max_position()) == index


async def test_a_reader_cannot_write(home: SqliteHome) -> None:
    raw = Readers(home.database.path, lambda connection: connection, size=1)
    try:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await raw.run(lambda connection: connection.execute("DELETE FROM stored_events"))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await raw.run(lambda connection: connection.execute("CREATE TABLE other (id)"))
    finally:
        raw.close()


async def test_too_many_waiting_reads_are_refused(home: SqliteHome) -> None:
    few = Readers(home.database.path, lambda connection: connection, size=1, waiting_max=2)
    go = threading.Event()
    try:
        held = [asyncio.ensure_future(few.run(lambda connection: go.wait(30))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as caught:
            await few.run(lambda connection: None)
        assert caught.value.reason == "busy"
        go.set()
        assert await asyncio.gather(*held) == [True, True]
        assert await few.run(lambda connection: "again") == "again"
    finally:
        go.set()
        few.close()


async def test_a_cancelled_wait_gives_its_place_back(home: SqliteHome) -> None:
    few = Readers(home.database.path, lambda connection: connection, size=1, waiting_max=2)
    go = threading.Event()
    try:
        held = asyncio.ensure_future(few.run(lambda connection: go.wait(30)))
        for _ in range(3):
            left = asyncio.ensure_future(few.run(lambda connection: None))
            await asyncio.sleep(0)
            left.cancel()
            assert isinstance((await asyncio.gather(left, return_exceptions=True))[0], asyncio.CancelledError)
        go.set()
        assert await held
        for _ in range(3):
            assert await few.run(lambda connection: "again") == "again"
    finally:
        go.set()
        few.close()


async def test_a_malformed_file_is_damage_not_a_bug(home: SqliteHome) -> None:
    home.reopen()
    ask = "SELECT rootpage FROM sqlite_master WHERE name='stored_events'"
    (root,) = home.database.connection.execute(ask).fetchone()
    home.close()
    content = bytearray(home.database.path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    home.database.path.write_bytes(content)
    raw = Readers(home.database.path, lambda connection: connection, size=1)
    try:
        with pytest.raises(Damaged, match=r"node\.db"):
            await raw.run(lambda connection: connection.execute("SELECT * FROM stored_events").fetchall())
    finally:
        raw.close()
        home.database.path.unlink()
        home._open()
