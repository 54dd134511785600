"""Whose feed a foreign statement stands in: the author is the feed's owner, never a field of a body."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aidmesh_protocol.statements import Statement

TABLES = """
CREATE TABLE speakers (
    feed INTEGER PRIMARY KEY, circle TEXT NOT NULL, owner TEXT NOT NULL, origin_hash BLOB NOT NULL
);
CREATE INDEX speakers_by_circle ON speakers (circle, owner)
"""


@dataclass(frozen=True, slots=True)
class Speaker:
    """`circle` is 64 hex digits ("" in an identity feed), `owner` a gid."""

    feed: int
    circle: str
    owner: str
    origin_hash: bytes


@dataclass(slots=True)
class Heard:
    """One statement: the entry's index and leaf hash, its subject (hex) and hour, and what it says."""

    index: int
    leaf: bytes
    id: str
    hour: int
    statement: Statement


def forget_speaker(connection: sqlite3.Connection, feed: int) -> None:
    """This feed goes on in another, where everything that still holds is said again: what it showed is shown no
    more."""
    connection.execute("DELETE FROM speakers WHERE feed = ?", (feed,))


def remember_speaker(connection: sqlite3.Connection, by: Speaker) -> None:
    """Whose feed this is, before the first of its entries is projected."""
    connection.execute(
        "INSERT OR IGNORE INTO speakers VALUES (?, ?, ?, ?)", (by.feed, by.circle, by.owner, by.origin_hash)
    )
