"""`views.db`: the read models' own SQLite file. Derived: whatever is wrong with it, dropping it is the cure.

This is its one writing connection, owned by the projector. Queries run elsewhere, on read-only connections.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from aidmesh_protocol.statements import EVERYTHING

SCHEMA_VERSION = 3
"""Raise it whenever a table or the meaning of a column changes: the file is then rebuilt from the log."""

STATEMENTS_CACHED = 256
"""Prepared statements kept: more than all the views have together."""

CACHE_KIB = 16 * 1024
"""Holds the indexes of some 100,000 shared needs, whose ids come in no order."""

WAL_PAGES_MAX = 8 * 1024
"""32 MiB between checkpoints: each costs an fsync, which a cold feed would otherwise wait for all the time."""

BUSY_TIMEOUT_SECONDS = 5.0
"""Only somebody's backup tool can hold the lock."""


class ViewDatabase:
    """The tables of all views. `tables` are scripts of CREATE statements; tables of another schema are
    dropped, and so are those of a program that read other statements of peers: `schemas`, by type.
    """

    def __init__(self, path: Path, tables: Iterable[str], schemas: Mapping[str, int] = EVERYTHING.schemas) -> None:
        self._path = path
        self._tables = tuple(tables)
        self._version = version_of(schemas)
        try:
            self.connection = self._open()
            # What a process that was killed left in the WAL may have been erased since.
            self.empty_wal()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Not a database, or a damaged one. Nothing in it is worth keeping.
            remove_views(path)
            self.connection = self._open()

    def begin(self) -> None:
        """Start the write transaction."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make it visible to queries. A power cut may still take it back; then it is projected again."""
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """End the transaction, if one is open, as if it had never been."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def reset(self) -> None:
        """Drop every table and make them anew, inside the transaction."""
        self._create(self.connection)

    def empty_wal(self) -> bool:
        """Move everything into the file and cut the WAL to nothing. False when a reader is in the way; never waits."""
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            return not self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_SECONDS * 1000)}")

    def close(self) -> None:
        self.connection.close()

    def _open(self) -> sqlite3.Connection:
        # SQLite gives -wal and -shm the permissions of the file itself.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS_CACHED,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # A tail lost to a power cut is projected again from the log.
            connection.execute("PRAGMA synchronous = NORMAL")
            # What was taken back must not linger in free pages.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX}")
            # Sorting must not write to files in a shared temporary folder.
            connection.execute("PRAGMA temp_store = MEMORY")
            if connection.execute("PRAGMA user_version").fetchone()[0] != self._version:
                connection.execute("BEGIN IMMEDIATE")
                self._create(connection)
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        found = connection.execute(
            "SELECT type, name FROM sqlite_master"
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            " ORDER BY type = 'table'"
        ).fetchall()
        for kind, name in found:
            connection.execute(f'DROP {kind} "{name}"')
        for script in self._tables:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self._version}")


def version_of(schemas: Mapping[str, int]) -> int:
    """What SQLite remembers of the program that made the file (31 bits): its tables, and what it could read."""
    digest = sha256(repr((SCHEMA_VERSION, sorted(schemas.items()))).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def remove_views(path: Path) -> None:
    """Delete the file, which nobody has open, and what belongs to it: it is made again."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
