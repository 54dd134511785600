"""SQLite connections with the settings durability rests on, each set and then asserted. Reads no
environment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from aidmesh_node.storage.files import private_directory, private_file

BUSY_TIMEOUT_MS = 5_000
"""How long to wait for another connection's lock: only a backup tool or a second reader's checkpoint can hold
one."""

WAL_PAGES_MAX = 16_384
"""Last resort of 64 MiB: the writer checkpoints long before, between batches, where an error is seen."""

WAL_BYTES_KEPT_MAX = 64 * 1024 * 1024
"""Size the WAL file is cut back to after one large transaction made it longer."""

CACHE_KIB = 16 * 1024
STATEMENTS_CACHED = 256


class DatabaseRefused(Exception):
    """This database must not be used as it is; the sentence says why and what to do."""


def connect_writer(path: Path, *, synchronous: int = 2) -> sqlite3.Connection:
    """The one connection that writes; makes file (0600) and directory (0700). ``synchronous`` is 2 (FULL) for
    anything primary, 1 (NORMAL) only for what can be made again. Raises DatabaseRefused when a setting does
    not hold."""
    private_directory(path.parent)
    private_file(path)
    connection = _connect(path, "rw")
    with _refusing(path, connection):
        # fullfsync matters on macOS alone, where a plain fsync stops at the drive's cache.
        _settle(connection, "fullfsync", 1)
        _settle(connection, "checkpoint_fullfsync", 1)
        _settle(connection, "journal_mode", "wal")
        _settle(connection, "synchronous", synchronous)
        # Deleted rows are overwritten: an erased person leaves no bytes in free pages.
        _settle(connection, "secure_delete", 1)
        _settle(connection, "wal_autocheckpoint", WAL_PAGES_MAX)
        _settle(connection, "journal_size_limit", WAL_BYTES_KEPT_MAX)
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read; the file must exist."""
    connection = _connect(path, "ro")
    with _refusing(path, connection):
        _settle(connection, "query_only", 1)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # A path is quoted into the URI: "?" or "#" in a folder's name must not become options.
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    try:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_CACHED
        )
    except sqlite3.Error as error:
        raise _refused(path, error) from error
    with _refusing(path, connection):
        _settle(connection, "busy_timeout", BUSY_TIMEOUT_MS)
        _settle(connection, "foreign_keys", 1)
        _settle(connection, "trusted_schema", 0)
        _settle(connection, "cell_size_check", 1)
        # Sorting must not write personal data to files in a shared temporary folder.
        _settle(connection, "temp_store", 2)
        _settle(connection, "cache_size", -CACHE_KIB)
    return connection


@contextmanager
def _refusing(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        connection.close()
        # A damaged schema may hold text that is none.
        if isinstance(error, sqlite3.Error | UnicodeDecodeError):
            raise _refused(path, error) from error
        raise


def _refused(path: Path, error: Exception) -> DatabaseRefused:
    return DatabaseRefused(f"{path} cannot be used as a database: {error}")


def _settle(connection: sqlite3.Connection, name: str, wanted: int | str) -> None:
    connection.execute(f"PRAGMA {name}={wanted}").fetchall()
    assert_setting(connection, name, wanted)


def assert_setting(connection: sqlite3.Connection, name: str, wanted: int | str) -> None:
    """Raise DatabaseRefused unless the connection really has this setting."""
    row = connection.execute(f"PRAGMA {name}").fetchone()
    found = row[0] if row else None
    if found != wanted:
        raise DatabaseRefused(
            f"SQLite setting {name} is {found!r} and could not be made {wanted!r}: "
            "acknowledged writes would not be safe on this system, so the node does not start"
        )
