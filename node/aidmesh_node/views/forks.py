"""Forks as Fork JSON: whose feed, how it was found out, what our people made of it. The proof itself is in the log."""

from __future__ import annotations

import sqlite3
from typing import Any

from aidmesh_node.domain.fork import EXPLAINED, Fork
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Handlers
from aidmesh_node.views.pages import Mark, mark_of, page, page_limit
from aidmesh_node.views.times import time_text

TABLES = """
CREATE TABLE forks (
    id TEXT PRIMARY KEY,
    origin TEXT NOT NULL, gid TEXT NOT NULL,
    smaller INTEGER NOT NULL, larger INTEGER NOT NULL, alike INTEGER NOT NULL,
    shown_by TEXT, resolution TEXT, resolved_at TEXT,
    version INTEGER NOT NULL, found_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX forks_listed ON forks (found_at, id)
"""

COLUMNS = (
    "id", "origin", "gid", "smaller", "larger", "alike", "shown_by", "resolution", "resolved_at", "version", "found_at",
)  # fmt: skip
SELECT = (
    f"SELECT {', '.join('f.' + column for column in COLUMNS)}, (SELECT name FROM group_names WHERE gid = f.gid)"
    " FROM forks AS f "
)


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One fork by its full hex id; None if there is none."""
    row = connection.execute(SELECT + "WHERE f.id = ?", (id,)).fetchone()
    return None if row is None else _to_json(row, own_group(connection).gid)


def list_page(
    connection: sqlite3.Connection, *, state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """{schema_version, items: [Fork], position, cursor}, newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(connection, cursor)
    rows = connection.execute(
        SELECT + "WHERE (f.found_at, 0, f.id) < (?, ?, ?) AND (? IS NULL OR (f.resolution IS NULL) = (? = 'open'))"
        " ORDER BY f.found_at DESC, f.id DESC LIMIT ?",
        (*after, state, state, items_max + 1),
    ).fetchall()
    ours = own_group(connection).gid if rows else ""
    found = [(Mark(row[COLUMNS.index("found_at")], 0, row[0]), _to_json(row, ours)) for row in rows]
    return page(connection, found, items_max)


def open_count(connection: sqlite3.Connection) -> int:
    """How many wait for our people to say what they make of them."""
    count: int = connection.execute("SELECT count(*) FROM forks WHERE resolution IS NULL").fetchone()[0]
    return count


def _to_json(row: tuple[Any, ...], own_gid: str) -> dict[str, Any]:
    fork = dict(zip((*COLUMNS, "group_name"), row, strict=True))
    return {
        **fork,
        "ours": fork["gid"] == own_gid,
        "state": "open" if fork["resolution"] is None else "resolved",
        "next": _next(fork, fork["gid"] == own_gid),
    }


def _next(fork: dict[str, Any], ours: bool) -> str:
    name = fork["group_name"] or f"the group {fork['gid'][:8]}"
    if fork["resolution"] is not None:
        trust = "may be followed" if fork["resolution"] == EXPLAINED else "is not followed either"
        return f"Nothing: what was taken in stays readable, and a new beginning of this feed {trust}."
    if ours:
        return (
            "Somebody else signs with your group's key: a copy of this node, a backup that was started, or a thief. "
            "Find out which, stop the copy, and tell the groups you are linked with."
        )
    return (
        f"Call {name} and ask how it came about: a restored backup or a copied disk is an accident. "
        "Then say what you make of it."
    )


def _proven(connection: sqlite3.Connection, event: Fork.Proven) -> None:
    connection.execute(
        "INSERT INTO forks VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?)",
        (
            event.originator_id.hex,
            event.origin,
            event.gid,
            event.smaller,
            event.larger,
            event.alike,
            event.peer,
            event.originator_version,
            time_text(event.timestamp),
        ),
    )


def _resolved(connection: sqlite3.Connection, event: Fork.Resolved) -> None:
    connection.execute(
        "UPDATE forks SET resolution = ?, resolved_at = ?, version = ? WHERE id = ?",
        (event.how, time_text(event.timestamp), event.originator_version, event.originator_id.hex),
    )


HANDLERS: Handlers = {Fork.Proven: _proven, Fork.Resolved: _resolved}
