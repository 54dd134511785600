"""Where in which feed a foreign statement stands, and whose feed it is: the author is the feed's owner, never
a field of a body.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

TABLES = """
CREATE TABLE speakers (
    feed INTEGER PRIMARY KEY, circle TEXT NOT NULL, owner TEXT NOT NULL, origin_hash BLOB NOT NULL
);
CREATE INDEX speakers_by_circle ON speakers (circle, owner)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """`circle` is 64 hex digits ("" in an identity feed), `owner` a gid, `leaf` the entry's leaf hash."""

    feed: int
    owner: str
    circle: str
    index: int
    leaf: bytes


def remember_speaker(connection: sqlite3.Connection, feed: int, circle: str, owner: str, origin_hash: bytes) -> None:
    """Whose feed this is, before the first of its entries is projected."""
    connection.execute("INSERT OR IGNORE INTO speakers VALUES (?, ?, ?, ?)", (feed, circle, owner, origin_hash))
