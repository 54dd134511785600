"""Which circles our needs and offers are shown to, and whether a share taken back was acknowledged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.views.handling import Handlers
from aidmesh_node.views.times import time_text

TABLES = """
CREATE TABLE shares (
    subject TEXT NOT NULL, circle TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, since TEXT NOT NULL,
    PRIMARY KEY (subject, circle)
) WITHOUT ROWID;
CREATE INDEX shares_unacknowledged ON shares (since) WHERE state = 'revoked'
"""

_JOIN_PEER = " LEFT JOIN circles USING (circle) LEFT JOIN group_names ON group_names.gid = circles.gid"


def shared_with(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """For each of our needs or offers (hex ids) the `shared_with` list of its JSON, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for subject, circle, state, peer, name in connection.execute(
        "SELECT subject, circle, shares.state, circles.gid, name FROM shares"
        + _JOIN_PEER
        + " WHERE subject IN (SELECT value FROM json_each(?)) ORDER BY since, circle",
        (json.dumps(list(ids)),),
    ):
        found.setdefault(subject, []).append(
            {
                "circle": circle,
                "peer": peer,
                "peer_name": name,
                "state": "shared" if state == "shared" else "revoked",
                "acknowledged": state == "acknowledged",
            }
        )
    return found


def unacknowledged(connection: sqlite3.Connection, limit: int = 500) -> list[dict[str, Any]]:
    """Shares we took back and peers have not confirmed, longest waiting first: whom to call.

    {kind: need|offer, id, circle, peer, peer_name, since}
    """
    names = ("kind", "id", "circle", "peer", "peer_name", "since")
    rows = connection.execute(
        "SELECT kind, subject, circle, circles.gid, name, since FROM shares"
        + _JOIN_PEER
        + " WHERE shares.state = 'revoked' ORDER BY since, subject LIMIT ?",
        (limit,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _ended(connection: sqlite3.Connection, event: Any) -> None:
    # What was shared of something that is open again is closed there for good: now it is shared with nobody.
    connection.execute("DELETE FROM shares WHERE subject = ? AND state = 'shared'", (event.originator_id.hex,))


def _put(connection: sqlite3.Connection, event: Any, kind: str, state: str) -> None:
    connection.execute(
        "INSERT INTO shares VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (subject, circle) DO UPDATE SET state = excluded.state, since = excluded.since",
        (event.originator_id.hex, event.circle, kind, state, time_text(event.timestamp)),
    )


HANDLERS: Handlers = {
    Need.Shared: lambda connection, event: _put(connection, event, "need", "shared"),
    Need.SharedInEmergency: lambda connection, event: _put(connection, event, "need", "shared"),
    Need.Reopened: _ended,
    Need.Unshared: lambda connection, event: _put(connection, event, "need", "revoked"),
    Need.UnshareAcknowledged: lambda connection, event: _put(connection, event, "need", "acknowledged"),
    Offer.Reopened: _ended,
    Offer.Shared: lambda connection, event: _put(connection, event, "offer", "shared"),
    Offer.Unshared: lambda connection, event: _put(connection, event, "offer", "revoked"),
    Offer.UnshareAcknowledged: lambda connection, event: _put(connection, event, "offer", "acknowledged"),
}
