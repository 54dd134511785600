"""Bytes changed behind the node's back: named when they are read, never served as if nothing had happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Work
from aidmesh_node.storage.database import open_for_reading
from aidmesh_node.storage.mapper import state_hash
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.scrub import scrub
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number

EVENT = "event 00000000000000000000000000000002 version 2"


def commit(work: Work, pile: Pile) -> None:
    work.commit(pile)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        for index in (1, 2, 3):
            pile = Pile.heap(number(index))
            pile.add(1)
            home.do(partial(commit, pile=pile))
        home.do(lambda work: work.vault.put(number(7), number(2), {"name": "Amina", "phone": "1"}))
        home.do(lambda work: work.idempotency.keep("amina", "k", b"r" * 32, b"{}", 60))
        yield home


def change(home: SqliteHome, statement: str, *values: Any) -> None:
    """Like another program with its hands in the file."""
    connection = sqlite3.connect(home.database.path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        assert connection.execute(statement, values).rowcount == 1
    finally:
        connection.close()


def scrubbed(home: SqliteHome) -> list[Damaged]:
    connection = open_for_reading(home.database.path)
    try:
        return list(scrub(connection, home.keys))
    finally:
        connection.close()


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def stored(home: SqliteHome, column: str) -> Any:
    row = home.database.connection.execute(f"SELECT {column} FROM stored_events WHERE rowid=4").fetchone()
    return row[0]


def test_a_home_in_order_has_no_damage(home: SqliteHome) -> None:
    assert scrubbed(home) == []


def test_every_flipped_byte_of_a_stored_event_is_named(home: SqliteHome) -> None:
    state = stored(home, "state")
    topic = stored(home, "topic").encode()
    for column, content, kind in (("state", state, "BLOB"), ("topic", topic, "TEXT")):
        for at in range(len(content)):
            wrong = flipped(content, at)
            change(home, f"UPDATE stored_events SET {column}=CAST(? AS BLOB) WHERE rowid=4", wrong)
            with pytest.raises(Damaged) as caught:
                home.read(lambda reading: reading.events.stream(number(2)))
            assert (caught.value.table, caught.value.key) == ("stored_events", EVENT)
        change(home, f"UPDATE stored_events SET {column}=CAST(? AS {kind}) WHERE rowid=4", content)
    home.reopen()
    assert home.do(lambda work: work.get(Pile, number(2)).amount) == 2


def test_a_topic_that_is_no_text_any_more_is_named(home: SqliteHome) -> None:
    change(home, "UPDATE stored_events SET topic=CAST(? AS TEXT) WHERE rowid=4", b"test.pile:\xff\xfe")
    with pytest.raises(Damaged) as caught:
        home.read(lambda reading: reading.events.select(0, 10))
    assert caught.value.key == "position 4"
    assert [damage.key for damage in scrubbed(home)] == ["position 4"]


@pytest.mark.parametrize(
    ("assignment", "key"),
    [
        ("state=substr(state, 2)", EVENT),
        ("state=x''", EVENT),
        ("state='text'", EVENT),
        ("originator_version=9", EVENT.replace("version 2", "version 9")),
        ("originator_id='00000000000000000000000000000009'", EVENT.replace("2 v", "9 v")),
        ("originator_id=NULL", "position 4"),
        ("topic='test.pile:heaped'", EVENT),
    ],
)
def test_damage_is_found_by_reading_the_log(home: SqliteHome, assignment: str, key: str) -> None:
    change(home, f"UPDATE stored_events SET {assignment} WHERE rowid=4")
    with pytest.raises(Damaged) as caught:
        home.read(lambda reading: reading.events.select(3, 10))
    assert caught.value.key == key
    with pytest.raises(Damaged) as caught:
        home.do(lambda work: work.events_after(0, 10))
    assert caught.value.key == key
    assert [damage.key for damage in scrubbed(home)] == [key]


def test_two_events_cannot_change_places(home: SqliteHome) -> None:
    change(
        home,
        "UPDATE stored_events SET state=(SELECT state FROM stored_events WHERE rowid=2) WHERE rowid=4",
    )
    with pytest.raises(Damaged):
        home.read(lambda reading: reading.events.stream(number(2)))


@pytest.mark.parametrize("position", [1, 3, 4])
def test_a_missing_event_is_named(home: SqliteHome, position: int) -> None:
    change(home, "DELETE FROM stored_events WHERE rowid=?", position)
    (damage,) = scrubbed(home)
    assert damage.key == f"position {position}"
    assert "missing" in damage.detail


def test_a_stream_without_its_first_event_is_damaged(home: SqliteHome) -> None:
    change(home, "DELETE FROM stored_events WHERE rowid=3")
    home.reopen()
    with pytest.raises(Damaged, match="missing"):
        home.do(lambda work: work.get(Pile, number(2)))


@pytest.mark.parametrize("column", ["nonce", "ciphertext"])
def test_a_flipped_byte_in_the_vault_is_named(home: SqliteHome, column: str) -> None:
    find = f"SELECT {column} FROM vault WHERE field='name'"
    content = home.database.connection.execute(find).fetchone()[0]
    for at in range(len(content)):
        change(home, f"UPDATE vault SET {column}=? WHERE field='name'", flipped(content, at))
        with pytest.raises(Damaged) as caught:
            home.read(lambda reading: reading.vault.open(number(7), number(2)))
        assert caught.value.table == "vault"
        assert "field name" in caught.value.key
        assert len(scrubbed(home)) == 1


@pytest.mark.parametrize(
    ("assignment", "person", "record"),
    [(f"person=x'{8:032x}'", 8, 2), (f"record=x'{3:032x}'", 7, 3), ("field='address'", 7, 2)],
)
def test_a_vault_row_moved_elsewhere_is_named(home: SqliteHome, assignment: str, person: int, record: int) -> None:
    home.do(lambda work: work.vault.put(number(8), number(9), {"name": "Bob"}))
    change(home, f"UPDATE vault SET {assignment} WHERE field='name' AND person=x'{7:032x}'")
    with pytest.raises(Damaged):
        home.read(lambda reading: reading.vault.open(number(person), number(record)))


def test_a_lost_key_file_is_reported_not_taken_for_an_erasure(home: SqliteHome) -> None:
    home.close()
    home.keys.path.unlink()
    home._open()
    with pytest.raises(Damaged, match="key is missing"):
        home.do(lambda work: work.vault.open(number(7), number(2)))
    assert [damage.table for damage in scrubbed(home)] == ["person.keys"]


def test_a_flipped_byte_in_the_key_file_is_named(home: SqliteHome) -> None:
    home.close()
    content = home.keys.path.read_bytes()
    for at in range(len(b"aidmesh person keys 1\n"), len(content)):
        home.keys.path.write_bytes(flipped(content, at))
        keys = PersonKeys(home.keys.path, home.entropy, read_only=True)
        assert keys.damaged == (len(b"aidmesh person keys 1\n"),)
        connection = open_for_reading(home.database.path)
        assert [damage.table for damage in scrub(connection, keys)] == ["person.keys", "person.keys"]
        connection.close()
    home.keys.path.write_bytes(content)
    home._open()


def test_a_changed_answer_is_not_given_again(home: SqliteHome) -> None:
    change(home, "UPDATE idempotency SET request_hash=?", b"s" * 32)
    with pytest.raises(Damaged, match="idempotency"):
        home.do(lambda work: work.idempotency.find("amina", "k"))


def test_a_file_full_of_noise_is_reported_by_readers_and_scrub(home: SqliteHome) -> None:
    home.close()
    content = bytearray(home.database.path.read_bytes())
    page = 4096
    pages = len(content) // page
    content[page : pages * page] = b"\xa5" * (page * (pages - 1))
    home.database.path.write_bytes(content)
    keys = PersonKeys(home.keys.path, home.entropy, read_only=True)
    connection = sqlite3.connect(f"file:{home.database.path}?mode=ro", uri=True)
    assert [damage.table for damage in scrub(connection, keys)] == ["node.db"]
    connection.close()
    home.database.path.unlink()
    home._open()


def test_an_index_that_has_lost_a_row_is_named(home: SqliteHome) -> None:
    home.close()
    content = home.database.path.read_bytes()
    id_hex = number(2).hex.encode()
    # The index over id and version holds the id once more.
    found = [at for at in range(len(content)) if content.startswith(id_hex, at)]
    damages = []
    for at in found:
        home.database.path.write_bytes(flipped(content, at))
        connection = open_for_reading(home.database.path)
        damages.append([damage.table for damage in scrub(connection, home.keys)])
        connection.close()
    home.database.path.write_bytes(content)
    home._open()
    assert all(damages)
    assert ["node.db"] in [tables[:1] for tables in damages]


def test_an_intact_event_in_the_wrong_place_is_named(home: SqliteHome) -> None:
    topic, body = "test.pile:added", b"\x80"
    state = body + state_hash(number(2).hex, 4, topic, body)
    change(home, "INSERT INTO stored_events VALUES (?, 4, ?, ?)", number(2).hex, topic, state)
    (damage,) = scrubbed(home)
    assert (damage.key, "without version 3" in damage.detail) == ("position 7", True)


def test_rows_of_an_erased_person_are_no_damage(home: SqliteHome) -> None:
    home.keys.erase([number(7)])
    assert scrubbed(home) == []


def test_a_vault_row_of_nobody_is_named(home: SqliteHome) -> None:
    change(home, "INSERT INTO vault VALUES (x'00', x'00', 'name', x'00', x'00')")
    (damage,) = scrubbed(home)
    assert (damage.table, damage.detail) == ("vault", "the row's ids are not ids")
