"""How far the views have come, in the log and in every foreign feed; moved in the transaction of the rows.

Every row also says what lies at its position. A log restored from a backup and written to again has other
things there, or ends earlier, or has another incarnation id: then nothing projected can be trusted and all is
rebuilt.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

LOG = 0
"""The log's key; feeds are numbered from 1."""

TABLES = """
CREATE TABLE tracking (
    feed INTEGER PRIMARY KEY,
    incarnation BLOB NOT NULL,
    position INTEGER NOT NULL,
    landmark BLOB NOT NULL
);
CREATE TABLE waiting (feed INTEGER NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (feed, idx)) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Tracked:
    """`position`: the log position projected last, or the number of entries projected of a feed.

    `landmark`: the event id or leaf hash of the last one, empty before the first.
    """

    position: int
    landmark: bytes


START = Tracked(0, b"")


def load(connection: sqlite3.Connection) -> tuple[bytes | None, dict[int, Tracked]]:
    """The incarnation the rows belong to (None: nothing projected yet) and each position."""
    rows = connection.execute("SELECT incarnation, feed, position, landmark FROM tracking").fetchall()
    return rows[0][0] if rows else None, {feed: Tracked(*now) for _, feed, *now in rows}


def move(connection: sqlite3.Connection, feed: int, incarnation: bytes, to: Tracked) -> None:
    """Remember a position, in the running transaction."""
    connection.execute(
        "INSERT INTO tracking VALUES (?, ?, ?, ?)"
        " ON CONFLICT (feed) DO UPDATE SET position = excluded.position, landmark = excluded.landmark",
        (feed, incarnation, to.position, to.landmark),
    )


def incarnation(connection: sqlite3.Connection) -> bytes:
    """That of the log the rows belong to, b"" while nothing was projected."""
    row = connection.execute("SELECT incarnation FROM tracking LIMIT 1").fetchone()
    return b"" if row is None else bytes(row[0])


def position(connection: sqlite3.Connection) -> int:
    """The log position that everything in this snapshot has seen."""
    row = connection.execute("SELECT position FROM tracking WHERE feed = ?", (LOG,)).fetchone()
    return 0 if row is None else int(row[0])


def await_view(connection: sqlite3.Connection, feed: int, index: int) -> None:
    """This entry's view part has not arrived: look again later."""
    connection.execute("INSERT OR IGNORE INTO waiting VALUES (?, ?)", (feed, index))


def await_no_longer(connection: sqlite3.Connection, feed: int, index: int) -> None:
    """The view arrived, or nobody needs it any more."""
    connection.execute("DELETE FROM waiting WHERE feed = ? AND idx = ?", (feed, index))


def awaited_after(connection: sqlite3.Connection, feed: int, index: int, limit: int) -> list[tuple[int, int]]:
    """Up to `limit` awaited (feed, index) after the given one, in order."""
    return connection.execute(
        "SELECT feed, idx FROM waiting WHERE (feed, idx) > (?, ?) ORDER BY feed, idx LIMIT ?",
        (feed, index, limit),
    ).fetchall()
