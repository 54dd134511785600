"""Our links with other groups, as far as our log tells. Contact, sizes and refusals are the federation's to
add.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views.handling import Handlers

TABLES = """
CREATE TABLE peers (
    id TEXT PRIMARY KEY,
    gid TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    endpoints TEXT NOT NULL, words TEXT,
    confirmed INTEGER NOT NULL DEFAULT 0,
    circle TEXT, reason TEXT,
    version INTEGER NOT NULL
) WITHOUT ROWID
"""

SELECT = (
    "SELECT peers.gid, name, state, words, circle, endpoints, confirmed, reason, version"
    " FROM peers LEFT JOIN group_names USING (gid) "
)


def get(connection: sqlite3.Connection, gid: str) -> dict[str, Any] | None:
    """One link: {gid, name, state: invited|pending|active|suspended|severed, words, circle, endpoints,
    confirmed, reason, version}; `words` only while pending, `confirmed`: our person said that they are the
    same. Or None.
    """
    row = connection.execute(SELECT + "WHERE peers.gid = ?", (gid,)).fetchone()
    return None if row is None else _to_json(row)


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every link, by name."""
    return [_to_json(row) for row in connection.execute(SELECT + "ORDER BY name, peers.gid")]


def find(connection: sqlite3.Connection, text: str) -> list[dict[str, Any]]:
    """The links that `text` can mean: exactly a gid or a name, else the start of one. More than one:
    ambiguous.
    """
    wanted = text.strip().casefold()
    links = list_all(connection)
    for matches in (str.__eq__, str.startswith):
        found = [
            link for link in links
            if wanted and (matches(link["gid"], wanted) or matches((link["name"] or "").casefold(), wanted))
        ]  # fmt: skip
        if found:
            return found
    return []


def _to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    gid, name, state, words, circle, endpoints, confirmed, reason, version = row
    return {
        "gid": gid,
        "name": name,
        "state": state,
        "words": json.loads(words) if words is not None and state == "pending" else None,
        "circle": circle,
        "endpoints": json.loads(endpoints),
        "confirmed": bool(confirmed),
        "reason": reason,
        "version": version,
    }


def _invited(connection: sqlite3.Connection, event: PeerLink.Invited) -> None:
    connection.execute(
        "INSERT INTO peers (id, gid, state, endpoints, version) VALUES (?, ?, 'invited', ?, ?)",
        (event.originator_id.hex, event.gid, json.dumps(event.endpoints), event.originator_version),
    )


def _pending(connection: sqlite3.Connection, event: PeerLink.Pending) -> None:
    connection.execute(
        "UPDATE peers SET state = 'pending', endpoints = ?, words = ?, confirmed = 0,"
        " circle = NULL, reason = NULL, version = ? WHERE id = ?",
        (
            json.dumps(event.endpoints),
            json.dumps(event.words),
            event.originator_version,
            event.originator_id.hex,
        ),
    )


def _described(connection: sqlite3.Connection, event: PeerLink.Described) -> None:
    connection.execute(
        "UPDATE peers SET endpoints = ?, version = ? WHERE id = ?",
        (json.dumps(event.endpoints), event.originator_version, event.originator_id.hex),
    )


def _confirmed(connection: sqlite3.Connection, event: PeerLink.Confirmed) -> None:
    connection.execute(
        "UPDATE peers SET confirmed = 1, version = ? WHERE id = ?",
        (event.originator_version, event.originator_id.hex),
    )


def _activated(connection: sqlite3.Connection, event: PeerLink.Activated) -> None:
    connection.execute(
        "UPDATE peers SET state = 'active', circle = ?, words = NULL, version = ? WHERE id = ?",
        (event.circle, event.originator_version, event.originator_id.hex),
    )


def _become(connection: sqlite3.Connection, event: PeerLink.Event, state: str, reason: str | None) -> None:
    connection.execute(
        "UPDATE peers SET state = ?, reason = ?, words = NULL, version = ? WHERE id = ?",
        (state, reason, event.originator_version, event.originator_id.hex),
    )


def _changed(connection: sqlite3.Connection, event: PeerLink.Event) -> None:
    connection.execute("UPDATE peers SET version = ? WHERE id = ?", (event.originator_version, event.originator_id.hex))


HANDLERS: Handlers = {
    PeerLink.Invited: _invited,
    PeerLink.Pending: _pending,
    PeerLink.Described: _described,
    PeerLink.Confirmed: _confirmed,
    PeerLink.Signed: _changed,
    PeerLink.Activated: _activated,
    PeerLink.Suspended: lambda connection, event: _become(connection, event, "suspended", event.reason),
    PeerLink.Resumed: lambda connection, event: _become(connection, event, "active", None),
    PeerLink.Severed: lambda connection, event: _become(connection, event, "severed", event.reason),
    PeerLink.RevocationAcknowledged: _changed,
    PeerLink.ErasureAcknowledged: _changed,
}
