"""home/node.db: opened, recognised, or made. Holds the writer's connection; says which log this is.

Never opens a database of another program, or of a newer aidmesh.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aidmesh_node.storage.connections import DatabaseRefused, connect_reader, connect_writer
from aidmesh_node.storage.files import fsync_directory
from aidmesh_node.storage.recorder import NodeRecorder, WriterDatastore
from aidmesh_node.storage.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES, UPGRADES

INCARNATION_BYTES = 16
SQLITE_OLDEST = (3, 35, 0)  # the library's recorder uses RETURNING


class Database:
    """One open database with its only writing connection, to be used by one thread at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, incarnation: bytes) -> None:
        self.path = path
        self.connection = connection
        self.incarnation = incarnation
        self.recorder = NodeRecorder(WriterDatastore(connection))

    @classmethod
    def open(cls, path: Path, entropy: Callable[[int], bytes]) -> Database:
        """Open, or make with a new incarnation id; durable on return. Raises DatabaseRefused."""
        if sqlite3.sqlite_version_info < SQLITE_OLDEST:
            raise DatabaseRefused(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
        connection = connect_writer(path)
        try:
            if _is_new(connection, path):
                _create(connection, entropy(INCARNATION_BYTES))
                fsync_directory(path.parent)
            _upgrade(connection)
            return cls(path, connection, read_incarnation(connection))
        except sqlite3.DatabaseError as error:
            connection.close()
            raise DatabaseRefused(f"{path} cannot be used: {error}") from error
        except BaseException:
            connection.close()
            raise

    def reader(self) -> sqlite3.Connection:
        """A new read-only connection."""
        return connect_reader(self.path)

    def close(self) -> None:
        """Close the writing connection; SQLite then moves the WAL into the database."""
        self.connection.close()


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection to an existing database of ours, running or stopped. Raises DatabaseRefused."""
    connection = connect_reader(path)
    try:
        if _is_new(connection, path):
            raise DatabaseRefused(f"{path} is empty: nothing was ever stored in it")
        if _version(connection) < SCHEMA_VERSION:
            raise DatabaseRefused(f"{path} was written by an older aidmesh: start the node once, so that it is updated")
        read_incarnation(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DatabaseRefused(f"{path} cannot be read: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def read_incarnation(connection: sqlite3.Connection) -> bytes:
    """The 16 bytes drawn when this log was created."""
    row = connection.execute("SELECT value FROM metadata WHERE name='incarnation'").fetchone()
    if row is None:
        raise DatabaseRefused("the database has no incarnation id: it is damaged, or was made by hand")
    incarnation: bytes = row[0]
    return incarnation


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (application, version, tables) == (0, 0, 0):
        return True
    if application != APPLICATION_ID:
        raise DatabaseRefused(f"{path} belongs to another program: choose another --home, or move that file away")
    if version > SCHEMA_VERSION:
        raise DatabaseRefused(
            f"{path} was written by a newer aidmesh (schema {version}, this one knows {SCHEMA_VERSION}): "
            "update aidmesh, or restore the backup made before the update"
        )
    return False


def _create(connection: sqlite3.Connection, incarnation: bytes) -> None:
    # One transaction: after a crash there is a whole database, or an empty file that is made again.
    with _transaction(connection):
        NodeRecorder(WriterDatastore(connection)).create_new_tables()
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO metadata VALUES ('incarnation', ?)", (incarnation,))
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _upgrade(connection: sqlite3.Connection) -> None:
    # One transaction a version: after a crash the next start goes on from the last that was reached.
    for version in range(_version(connection), SCHEMA_VERSION):
        with _transaction(connection):
            for statement in UPGRADES[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version + 1}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
