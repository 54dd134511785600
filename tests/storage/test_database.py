"""Opening a database: the settings hold or the node does not start; nobody else's file is touched."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aidmesh_node.storage import connections, database
from aidmesh_node.storage.connections import DatabaseRefused, assert_setting, connect_writer
from aidmesh_node.storage.database import Database, open_for_reading
from aidmesh_node.storage.schema import SCHEMA_VERSION, TABLES
from tests.storage.home import SqliteHome
from tests.storage.programs import run
from tests.storage.things import Pile, number


def opened(path: Path, seed: int = 1) -> Database:
    return Database.open(path, random.Random(seed).randbytes)


def settings(connection: sqlite3.Connection) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "trusted_schema", "temp_store")
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


def test_the_settings_durability_rests_on(tmp_path: Path) -> None:
    node = opened(tmp_path / "node.db")
    assert settings(node.connection) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "temp_store": 2,
    }
    node.close()


@pytest.mark.parametrize("name", ["journal_mode", "synchronous", "secure_delete"])
def test_a_setting_that_does_not_hold_stops_the_node(name: str) -> None:
    # A database in memory has no WAL, and this connection was never told anything.
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA synchronous=1")
    connection.execute("PRAGMA secure_delete=0")
    settings_wanted: dict[str, int | str] = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    wanted = settings_wanted[name]
    with pytest.raises(DatabaseRefused, match=f"SQLite setting {name} is .* the node does not start"):
        assert_setting(connection, name, wanted)
    connection.close()


def test_a_setting_sqlite_does_not_take_stops_the_node(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="SQLite setting synchronous is"):
        connect_writer(tmp_path / "node.db", synchronous=7)


def test_only_the_owner_can_read_anything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    with SqliteHome(home) as one:
        one.do(lambda work: work.commit(Pile.heap(number(1))))
        one.do(lambda work: work.vault.put(number(1), number(1), {"name": "Amina"}))
        one.do(lambda work: work.vault.erase(number(1)))
        assert home.stat().st_mode & 0o777 == 0o700
        modes = {file.name: file.stat().st_mode & 0o777 for file in home.iterdir()}
    names = ["erased.persons", "node.db", "node.db-shm", "node.db-wal", "person.keys"]
    assert modes == dict.fromkeys(names, 0o600)


def test_a_log_keeps_its_incarnation_and_another_has_another(tmp_path: Path) -> None:
    first = opened(tmp_path / "a" / "node.db", seed=1)
    other = opened(tmp_path / "b" / "node.db", seed=2)
    first.close()
    other.close()
    again = opened(tmp_path / "a" / "node.db", seed=3)
    again.close()
    assert len(first.incarnation) == 16
    assert first.incarnation == again.incarnation != other.incarnation


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match="belongs to another program"):
        opened(path)
    assert sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    # Journal mode apart (two bytes of the header and the counters they move), nothing was written.
    assert path.read_bytes()[100:] == before[100:]


@pytest.mark.parametrize("pragma", ["application_id=7", "user_version=1"])
def test_an_empty_database_of_another_program_is_left_alone_too(tmp_path: Path, pragma: str) -> None:
    path = tmp_path / "node.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA {pragma}")
    connection.close()
    with pytest.raises(DatabaseRefused, match="another program"):
        opened(path)


def test_a_newer_database_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(DatabaseRefused, match=rf"schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}\)"):
        opened(path)


OF_VERSION_1 = """
DROP TABLE feed_packages; DROP TABLE feed_columns; DROP TABLE erased_parts; DROP TABLE erased_things;
DROP TABLE erasures; DROP TABLE erasure_receipts;
DROP TABLE disclosures; DROP INDEX idempotency_by_thing; ALTER TABLE idempotency DROP COLUMN thing;
ALTER TABLE evidence DROP COLUMN stripped; PRAGMA user_version=1
"""
"""What makes the database of the first version of a new one."""


def test_an_older_database_gets_what_it_lacks_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    opened(path).close()
    with closing(sqlite3.connect(path)) as connection:
        new = shape(connection)
        connection.executescript(OF_VERSION_1)
        assert shape(connection) != new
    with pytest.raises(DatabaseRefused, match="older aidmesh: start the node once"):
        open_for_reading(path)
    opened(path).close()
    with closing(open_for_reading(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert shape(connection) == new


def shape(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Every index, and every column of every table."""
    names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    columns = [(name, *column) for _, name in names for column in connection.execute(f"PRAGMA table_info({name})")]
    return [*names, *columns]


def test_an_update_that_fails_leaves_the_older_database(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    opened(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE feed_packages; PRAGMA user_version=1")
    with pytest.raises(DatabaseRefused, match="feed_columns already exists"):
        opened(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name='feed_packages'").fetchall()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(DatabaseRefused, match="cannot be used as a database"):
        opened(path)
    with pytest.raises(DatabaseRefused):
        open_for_reading(path)


def test_what_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused):
        open_for_reading(tmp_path / "node.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "node.db").touch()
    with pytest.raises(DatabaseRefused, match="empty"):
        open_for_reading(tmp_path / "node.db")


def test_a_database_without_incarnation_is_refused(tmp_path: Path) -> None:
    node = opened(tmp_path / "node.db")
    node.connection.execute("DELETE FROM metadata")
    node.close()
    with pytest.raises(DatabaseRefused, match="incarnation"):
        opened(tmp_path / "node.db")


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(DatabaseRefused, match="too old"):
        opened(tmp_path / "node.db")


def test_a_folder_with_special_characters_is_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#x %41&vfs=none" / "node.db"
    opened(path).close()
    assert path.exists()


def test_what_can_be_made_again_may_be_less_durable(tmp_path: Path) -> None:
    connection = connect_writer(tmp_path / "views.db", synchronous=1)
    assert settings(connection)["synchronous"] == 1
    assert settings(connection)["secure_delete"] == 1
    connection.close()


def test_a_second_writer_waits_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 0)
    with SqliteHome(tmp_path / "home") as home:
        other = sqlite3.connect(home.database.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Exception, match="held by another program"):
            home.do(lambda work: work.commit(Pile.heap(number(1))))
        other.execute("ROLLBACK")
        other.close()
        assert home.writer.broken is None
        home.do(lambda work: work.commit(Pile.heap(number(1))))


HOSTILE = {
    "PERSISTENCE_MODULE": "eventsourcing.popo",
    "INFRASTRUCTURE_FACTORY": "eventsourcing.popo:POPOFactory",
    "FACTORY_TOPIC": "eventsourcing.popo:POPOFactory",
    "TRANSCODER_TOPIC": "eventsourcing.persistence:JSONTranscoder",
    "MAPPER_TOPIC": "eventsourcing.persistence:Mapper",
    "COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor",
    "CIPHER_TOPIC": "eventsourcing.cipher:AESCipher",
    "CIPHER_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SQLITE_DBNAME": ":memory:",
    "SQLITE_LOCK_TIMEOUT": "0",
    "SINGLE_ROW_TRACKING": "n",
    "ORIGINATOR_ID_TYPE": "text",
    "CREATE_TABLE": "n",
    "PROCESS_RECORDER_TOPIC": "eventsourcing.popo:POPOProcessRecorder",
    "AGGREGATE_CACHE_MAXSIZE": "0",
    "IS_SNAPSHOTTING_ENABLED": "y",
    "SQLITE_TMPDIR": "/nonexistent",
    "TMPDIR": "/nonexistent",
    "TZ": "Pacific/Kiritimati",
}


def test_no_environment_variable_changes_what_is_stored(tmp_path: Path) -> None:
    plain = run("describe_home.py", str(tmp_path / "plain"))
    hostile = run("describe_home.py", str(tmp_path / "hostile"), more=HOSTILE)
    assert hostile == plain
    assert "journal_mode wal" in plain
    assert plain[-1] == "incarnation and two events"


def test_a_database_that_another_program_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 0)
    other = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    other.execute("CREATE TABLE held (id)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseRefused, match="locked"):
        opened(tmp_path / "node.db")
    with pytest.raises(DatabaseRefused, match="locked"):
        open_for_reading(tmp_path / "node.db")
    other.close()


def test_a_first_start_that_fails_half_way_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TABLES", (*TABLES, "CREATE NONSENSE"))
    with pytest.raises(DatabaseRefused, match="NONSENSE"):
        opened(tmp_path / "node.db")
    monkeypatch.undo()
    with pytest.raises(DatabaseRefused, match="empty"):
        open_for_reading(tmp_path / "node.db")
    opened(tmp_path / "node.db").close()


def test_a_database_without_its_tables_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "node.db").close()
    connection = sqlite3.connect(tmp_path / "node.db")
    connection.execute("DROP TABLE metadata")
    connection.close()
    with pytest.raises(DatabaseRefused, match="no such table: metadata"):
        opened(tmp_path / "node.db")
    with pytest.raises(DatabaseRefused, match="no such table: metadata"):
        open_for_reading(tmp_path / "node.db")
