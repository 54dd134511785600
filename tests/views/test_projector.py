"""The projector: told and waited for, stopped and started, over a log that is not the one it knew."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.storage.readers import Readers
from aidmesh_node.views import needs, projector
from aidmesh_node.views.board import board
from aidmesh_node.views.database import SCHEMA_VERSION, ViewDatabase
from aidmesh_node.views.projection import TABLES
from aidmesh_node.views.views import Views
from aidmesh_protocol.statements import NeedShared, NeedUpdated, NeedView
from tests.views.house import ALICE, LONG, OURS, House, follow, subject

VIEW = NeedView("bedding", "Blankets", "high", None, None, None)
SHARED = NeedShared("100", "item", "100", VIEW)


async def test_what_was_written_is_read(house: House) -> None:
    follow(house)
    for _ in range(5):
        id = await asyncio.to_thread(house.need)
        assert await house.views.wait(house.home.writer.position, LONG)
        assert house.views.read(needs.get, id.hex) is not None
        assert await house.views.query(needs.get, id.hex) is not None


async def test_many_wait_and_one_waits_in_vain(house: House) -> None:
    follow(house)
    waiting = [asyncio.create_task(house.views.wait(position, LONG)) for position in (1, 2, 2, 3)]
    for _ in range(3):
        await asyncio.to_thread(house.need)
    assert await asyncio.gather(*waiting) == [True, True, True, True]
    assert not await house.views.wait(4, 0.01)
    assert await house.views.wait(3, 0.0)


async def test_entries_are_seen_without_any_event_of_ours(house: House) -> None:
    house.link(ALICE, "Alice's group")
    follow(house)
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()
    feed = house.feed(ALICE)

    def told(_: int) -> None:
        loop.call_soon_threadsafe(seen.set)

    house.home.writer.on_commit(told)
    await asyncio.to_thread(feed.say, subject(1), SHARED)
    await asyncio.wait_for(seen.wait(), LONG)
    # The next event of ours is projected after the entry, or together with it.
    await asyncio.to_thread(house.need)
    assert await house.views.wait(house.home.writer.position, LONG)
    assert len(house.views.read(board)["needs"]) == 2


def test_more_than_one_transaction_holds(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.append([feed.sealed(subject(number), SHARED) for number in range(1_201)])

    rice: dict[str, Any] = {"person": None, "category": "food", "quantity": Quantity.parse("1", "kg")}
    posted = [Need.post(house.id(), house.act(), **rice) for _ in range(1_100)]
    house.do(lambda work: work.commit(*posted))
    assert house.ask(lambda connection: connection.execute("SELECT count(*) FROM needs").fetchone()) == (1_100,)
    shared = house.ask(lambda connection: connection.execute("SELECT count(*) FROM shared_needs").fetchone())
    assert shared == (1_201,)


def test_feeds_take_turns_until_all_are_projected(house: House) -> None:
    for number, gid in enumerate("abcd"):
        feed = house.feed(gid * 32, bytes([number]) * 32)
        feed.append([feed.sealed(subject(index), SHARED) for index in range(600)])
    counted = house.ask(lambda it: it.execute("SELECT feed, count(*) FROM shared_needs GROUP BY feed").fetchall())
    assert [count for _, count in counted] == [600, 600, 600, 600]


def test_a_restart_goes_on_where_it_was(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.say(subject(1), SHARED)
    house.need()
    house.views.catch_up()
    before = house.dump()
    house.reopen()
    house.views.catch_up()
    assert house.dump() == before

    feed.say(subject(1), NeedUpdated("100", "1", "2"))
    house.need()
    house.views.catch_up()
    after = house.dump()
    assert after != before
    house.views.rebuild()
    assert house.dump() == after


def test_views_that_are_gone_are_built_again(house: House) -> None:
    house.need()
    house.views.catch_up()
    before = house.dump()
    house.views.close()
    for path in house.path.glob("views.db*"):
        path.unlink()
    house.views = house.open_views()
    house.views.catch_up()
    assert house.dump() == before


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to have been one" * 100])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "views.db").write_bytes(content)
    house = House(tmp_path)
    house.need()
    assert len(house.ask(board)["needs"]) == 1
    house.close()


def test_views_of_another_version(house: House) -> None:
    house.need()
    house.views.catch_up()
    before = house.dump()
    house.views.close()
    with sqlite3.connect(house.path / "views.db") as connection:
        connection.execute("CREATE TABLE of_old (column_of_old TEXT)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    house.views = house.open_views()
    house.views.catch_up()
    assert house.dump() == before


def test_the_settings_that_what_is_taken_back_rests_on(tmp_path: Path) -> None:
    database = ViewDatabase(tmp_path / "views.db", TABLES)
    settings = ("journal_mode", "synchronous", "secure_delete")
    found = [database.connection.execute(f"PRAGMA {setting}").fetchone()[0] for setting in settings]
    assert found == ["wal", 1, 1]
    database.close()


def test_the_file_is_private(house: House) -> None:
    assert stat.S_IMODE((house.path / "views.db").stat().st_mode) == 0o600
    house.need()
    house.views.catch_up()
    for path in house.path.glob("views.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def restore(house: House, change: Callable[[], object]) -> None:
    """Put back the node's database as it is now, after `change` has been made and projected."""
    house.views.catch_up()
    house.views.close()
    house.home.close()
    shutil.copy(house.path / "node.db", house.path / "backup")
    house.home.reopen()
    house.views = house.open_views()
    change()
    house.views.catch_up()
    house.views.close()
    house.home.close()
    shutil.copy(house.path / "backup", house.path / "node.db")
    house.home.reopen()


def anew(house: House) -> None:
    """What the views must be: those of a node that never had others."""
    house.views.catch_up()
    found = house.dump()
    house.views.rebuild()
    assert house.dump() == found


def test_a_log_restored_from_a_backup_is_shorter(house: House) -> None:
    kept = house.need()
    restore(house, house.need)
    house.views = house.open_views()
    house.views.catch_up()
    assert [need["id"] for need in house.views.read(board)["needs"]] == [kept.hex]
    assert house.views.position == house.home.writer.position
    anew(house)


def test_a_restored_log_that_was_written_to_before_the_views_looked(house: House) -> None:
    house.need()
    restore(house, house.need)
    other, longer = house.need(), house.need()
    house.views = house.open_views()
    house.views.catch_up()
    shown = {need["id"] for need in house.views.read(board)["needs"]}
    assert len(shown) == 3
    assert {other.hex, longer.hex} <= shown
    anew(house)


def test_a_restored_feed_that_was_pulled_again_in_another_order(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.say(subject(1), SHARED)
    restore(house, lambda: feed.say(subject(2), SHARED))
    feed.say(subject(3), SHARED)
    house.views = house.open_views()
    house.views.catch_up()
    assert {need["id"] for need in house.views.read(board)["needs"]} == {subject(1).hex(), subject(3).hex()}
    anew(house)


def test_a_feed_that_shrinks_while_we_run(house: House, tmp_path: Path) -> None:
    """Nobody restores under a running node; if it happens, what is shown is still what is there."""
    house.link(ALICE, "Alice's group")
    house.feed(ALICE).say(subject(1), SHARED)
    house.views.catch_up()
    with sqlite3.connect(tmp_path / "node.db") as connection:
        connection.execute("UPDATE feeds SET size = 0")
    connection.close()
    house.views.catch_up()
    assert house.views.read(board)["needs"] == []


def test_the_views_of_another_log(house: House, tmp_path: Path) -> None:
    house.need()
    house.views.catch_up()
    other_path = tmp_path / "other"
    other_path.mkdir()
    other = House(other_path, seed=2)
    theirs = other.need()
    other.need()
    other.views.close()
    house.views.close()
    shutil.copy(tmp_path / "views.db", other_path / "views.db")
    other.views = other.open_views()
    other.views.catch_up()
    assert theirs.hex in {need["id"] for need in other.views.read(board)["needs"]}
    assert len(other.views.read(board)["needs"]) == 2
    other.close()
    house.views = house.open_views()


class Logged(logging.Handler):
    """Counts what is logged, and says when."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        self.event.set()


def test_a_transaction_that_fails_half_way_leaves_nothing(house: House, tmp_path: Path) -> None:
    """The log's events are projected before the feeds' entries: here the former fit and the latter do not."""
    pledge = Pledge.offer(
        house.id(),
        house.act(),
        role="giver",
        need_id=house.id(),
        quantity=Quantity.parse("5", "item"),
        circle="01" * 32,
        peer=ALICE,
    )
    pledge.revise(house.act(), Decimal(6))
    house.do(lambda work: work.commit(pledge))
    house.feed(ALICE).say(subject(1), SHARED)
    with sqlite3.connect(tmp_path / "node.db") as connection:
        row = connection.execute("SELECT * FROM feed_entries").fetchone()
        connection.execute("DELETE FROM feed_entries")
    with pytest.raises(ValueError, match="zip"):
        house.views.catch_up()
    assert house.dump()["pledges"] == []
    with connection:
        connection.execute("INSERT INTO feed_entries VALUES (?, ?, ?, ?)", row)
    connection.close()
    house.views.catch_up()
    found = house.dump()
    assert len(found["pledges"]) == len(found["shared_needs"]) == 1
    house.views.rebuild()
    assert house.dump() == found


def test_another_incarnation_of_the_same_log(house: House, tmp_path: Path) -> None:
    house.need()
    house.views.catch_up()
    before = house.dump()
    house.views.close()
    house.home.close()
    with sqlite3.connect(tmp_path / "node.db") as connection:
        connection.execute("UPDATE metadata SET value = ? WHERE name = 'incarnation'", (b"\7" * 16,))
    connection.close()
    house.home.reopen()
    house.views = house.open_views()
    house.views.catch_up()
    after = house.dump()
    assert [row[1] for row in after["tracking"]] == [b"\7" * 16]
    assert after["needs"] == before["needs"] != []


async def test_damage_stops_the_views_and_not_for_ever(house: House, tmp_path: Path) -> None:
    house.need()
    house.need()
    house.reopen()  # so that they are read back, and not remembered
    with sqlite3.connect(tmp_path / "node.db") as connection:
        (state,) = connection.execute("SELECT state FROM stored_events WHERE rowid = 2").fetchone()
        connection.execute("UPDATE stored_events SET state = ? WHERE rowid = 2", (state[:-1] + b"\0",))
    connection.close()
    with pytest.raises(Damaged):
        house.views.catch_up()
    assert house.dump()["needs"] == []
    logged = Logged()
    logging.getLogger(projector.__name__).addHandler(logged)
    follow(house)
    assert await asyncio.to_thread(logged.event.wait, LONG)
    house.views.notify()
    assert not await house.views.wait(1, 0.01)
    assert (type(house.views.failed), house.views.caught_up) == (Damaged, False)

    with sqlite3.connect(tmp_path / "node.db") as connection:
        connection.execute("UPDATE stored_events SET state = ? WHERE rowid = 2", (state,))
    connection.close()
    house.views.notify()
    assert await house.views.wait(2, LONG)
    assert len(house.views.read(board)["needs"]) == 2
    assert (logged.count, house.views.caught_up) == (1, True)
    logging.getLogger(projector.__name__).removeHandler(logged)


def test_nothing_new_writes_nothing(house: House) -> None:
    house.need()
    house.views.catch_up()

    def changes(connection: sqlite3.Connection) -> int:
        value: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return value

    before = house.views.read(changes)
    house.views.catch_up()
    assert house.views.read(changes) == before
    house.need()
    house.views.catch_up()
    assert house.views.read(changes) != before


async def test_stopping_while_there_is_much_to_do(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.append([feed.sealed(subject(number), SHARED) for number in range(3_000)])
    house.views.start()
    house.views.close()
    assert "aidmesh-views" not in {thread.name for thread in threading.enumerate()}
    house.views = Views(
        tmp_path / "views.db", OURS, house.home.readers, lambda path: Readers(path, lambda it: it), monotonic
    )
    house.views.catch_up()
    assert house.views.read(lambda it: it.execute("SELECT count(*) FROM shared_needs").fetchone()) == (3_000,)
    house.close()
