"""Our circles: with whom, and whether in force. What peers show stops counting when a circle ends."""

from __future__ import annotations

import sqlite3
from typing import Any

from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Handlers
from aidmesh_protocol.origin import circle_origin

TABLES = """
CREATE TABLE circles (
    circle TEXT PRIMARY KEY, gid TEXT NOT NULL, link TEXT NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID
"""

GENERATION = 0
"""The only one there is until feeds can be reset."""


def list_all(connection: sqlite3.Connection, state: str | None = None) -> list[dict[str, Any]]:
    """Every circle: {id, peers: [{gid, name}], state: active|suspended|severed, ours: {origin}, theirs:
    [{gid, origin}]}.

    The sizes of the feeds are in the feed rows, not here.
    """
    us = own_group(connection).gid
    rows = connection.execute(
        "SELECT circle, circles.gid, name, state FROM circles LEFT JOIN group_names USING (gid)"
        " WHERE ? IS NULL OR state = ? ORDER BY name, circle",
        (state, state),
    )
    return [
        {
            "id": circle,
            "peers": [{"gid": gid, "name": name}],
            "state": state,
            "ours": {"origin": circle_origin(us, bytes.fromhex(circle), GENERATION)},
            "theirs": [{"gid": gid, "origin": circle_origin(gid, bytes.fromhex(circle), GENERATION)}],
        }
        for circle, gid, name, state in rows
    ]


def find(connection: sqlite3.Connection, prefix: str) -> list[str]:
    """The circle ids (64 hex) that start with `prefix`."""
    rows = connection.execute(
        "SELECT circle FROM circles WHERE circle >= ? AND circle < ? ORDER BY circle", (prefix, prefix + "g")
    )
    return [circle for (circle,) in rows]


def _activated(connection: sqlite3.Connection, event: PeerLink.Activated) -> None:
    connection.execute(
        "INSERT INTO circles SELECT ?, gid, id, 'active' FROM peers WHERE id = ?"
        " ON CONFLICT (circle) DO UPDATE SET state = 'active'",
        (event.circle, event.originator_id.hex),
    )


def _become(connection: sqlite3.Connection, event: PeerLink.Event, state: str) -> None:
    # A link that ended and began anew has a new circle; the old ones stay ended.
    connection.execute(
        "UPDATE circles SET state = ? WHERE link = ? AND state <> 'severed'", (state, event.originator_id.hex)
    )


HANDLERS: Handlers = {
    PeerLink.Activated: _activated,
    PeerLink.Suspended: lambda connection, event: _become(connection, event, "suspended"),
    PeerLink.Resumed: lambda connection, event: _become(connection, event, "active"),
    PeerLink.Severed: lambda connection, event: _become(connection, event, "severed"),
}
