"""Looks at everything a stopped or running home has stored and names what is wrong. Changes nothing.

Feeds are checked against their own hashes and signatures by whoever knows the protocol; here: database, log,
vault.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Erased
from aidmesh_node.storage.event_log import SqliteEventLog
from aidmesh_node.storage.mapper import TABLE, HashingMapper
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.schema import TABLES
from aidmesh_node.storage.transcoder import MsgpackTranscoder
from aidmesh_node.storage.vault import SqliteVaultReader

PAGE_EVENTS = 500


def scrub(connection: sqlite3.Connection, keys: PersonKeys) -> Iterator[Damaged]:
    """Every damage found, one by one; nothing when all is well."""
    try:
        yield from _scrub_tables(connection)
        yield from _scrub_log(connection)
        yield from _scrub_vault(connection, keys)
        yield from _scrub_pages(connection)
    except sqlite3.DatabaseError as error:
        yield Damaged("node.db", "the database file", str(error))


def _scrub_tables(connection: sqlite3.Connection) -> Iterator[Damaged]:
    """A table whose description is damaged fails only when somebody needs it, which may be in a year."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in TABLES:
            fresh.execute(statement)
        for (table,) in fresh.execute("SELECT name FROM sqlite_master WHERE type='table'"):
            if _columns(connection, table) != _columns(fresh, table):
                yield Damaged(table, "its columns", "the table is not the one this version makes")


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    # As bytes: after a flipped bit a name may not be UTF-8.
    return connection.execute(
        'SELECT CAST(name AS BLOB), CAST(type AS BLOB), "notnull", pk FROM pragma_table_info(?)', (table,)
    ).fetchall()


def _scrub_pages(connection: sqlite3.Connection) -> Iterator[Damaged]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Damaged("node.db", "the database file", line)


def _scrub_log(connection: sqlite3.Connection) -> Iterator[Damaged]:
    log = SqliteEventLog(connection, HashingMapper(MsgpackTranscoder()))
    versions: dict[UUID, int] = {}
    position = 0
    while True:
        try:
            page = log.select(position, PAGE_EVENTS)
        except Damaged as damage:
            # The first wrong event: what follows it in this log cannot be trusted to be in order.
            yield damage
            return
        if not page:
            return
        for found, event in page:
            position += 1
            if found != position:
                yield Damaged(TABLE, f"position {position}", "the event is missing from the log")
                return
            version = versions.get(event.originator_id, 0) + 1
            if event.originator_version != version:
                yield Damaged(
                    TABLE,
                    f"position {position}",
                    f"{event.originator_id.hex} goes on without version {version}",
                )
                return
            versions[event.originator_id] = version


def _scrub_vault(connection: sqlite3.Connection, keys: PersonKeys) -> Iterator[Damaged]:
    for offset in keys.damaged:
        yield Damaged(keys.path.name, f"byte {offset}", "the record of a person's key is damaged")
    vault = SqliteVaultReader(connection, keys)
    for person, record in connection.execute("SELECT DISTINCT person, record FROM vault"):
        try:
            vault.open(UUID(bytes=person), UUID(bytes=record))
        except Damaged as damage:
            yield damage
        except Erased:
            # Erased between the key and its rows: a crash, or a database older than the erasure. Unreadable
            # as it is.
            continue
        except (ValueError, TypeError):
            yield Damaged("vault", repr((person, record)), "the row's ids are not ids")
