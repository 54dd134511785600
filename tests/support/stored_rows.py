"""Stopped homes whose rows are changed behind the node's back, and put back afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aidmesh_node import main
from aidmesh_node.application.verification import Report
from aidmesh_node.home import Home

TABLES = (
    *("stored_events", "feeds", "feed_entries", "feed_parts"),
    *("feed_packages", "feed_columns", "feed_nodes", "feed_statements"),
)

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class World:
    """Two stopped homes."""

    folder: Path

    def home(self, name: str) -> Path:
        return self.folder / name

    def database(self, name: str) -> Path:
        return Home(self.home(name)).database

    def gid(self, name: str) -> str:
        return str(json.loads(Home(self.home(name)).group.read_text())["gid"])

    def verify(self, name: str) -> Report:
        return main.verify_home(self.home(name))


def flips(value: Any, places: Any = None) -> Iterator[Any]:
    """The value with one bit changed: in the first, the middle and the last byte; numbers by one either way."""
    if isinstance(value, int):
        yield from (value + 1, value - 1)
        return
    data = value.encode() if isinstance(value, str) else bytes(value)
    for place in sorted({0, len(data) // 2, len(data) - 1}) if places is None else places:
        changed = bytearray(data)
        changed[place] ^= 1
        yield changed.decode() if isinstance(value, str) else bytes(changed)


@contextmanager
def opened(world: World, name: str) -> Iterator[tuple[sqlite3.Connection, dict[int, str]]]:
    """The stopped database, to be changed behind the node's back; all is as it was afterwards."""
    with closing(sqlite3.connect(world.database(name), isolation_level=None)) as connection:
        yield connection, dict(connection.execute("SELECT feed, origin FROM feeds"))
        assert world.verify(name).ok, "the test has put everything back"


@contextmanager
def patched(connection: sqlite3.Connection, table: str, column: str, value: Any, **where: Any) -> Iterator[None]:
    condition = " AND ".join(f"{name}=?" for name in where)
    select = f"SELECT {column} FROM {table} WHERE {condition}"
    (before,) = connection.execute(select, tuple(where.values())).fetchone()
    changed = {**where, column: value} if column in where else where
    set_value(connection, table, column, value, where)
    try:
        yield
    finally:
        set_value(connection, table, column, before, changed)


def set_value(connection: sqlite3.Connection, table: str, column: str, value: Any, where: dict[str, Any]) -> None:
    condition = " AND ".join(f"{name}=?" for name in where)
    done = connection.execute(f"UPDATE {table} SET {column}=? WHERE {condition}", (value, *where.values()))
    assert done.rowcount == 1


@contextmanager
def deleted(connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> Iterator[None]:
    condition = " AND ".join(f"{name} IS ?" for name in values)
    assert connection.execute(f"DELETE FROM {table} WHERE {condition}", tuple(values.values())).rowcount == 1
    try:
        yield
    finally:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))


def dump(connection: sqlite3.Connection, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(f"SELECT {'rowid, ' if table == 'stored_events' else ''}* FROM {table}")
    return [column[0] for column in cursor.description], cursor.fetchall()


def read_rows(path: Path) -> Rows:
    """Everything stored that is never derived, byte by byte."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
