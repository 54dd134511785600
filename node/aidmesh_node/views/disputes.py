"""Disputes as Dispute JSON, for coordinators. What people wrote is in the vault; here stands under which ids."""

from __future__ import annotations

import sqlite3
from typing import Any

from aidmesh_node.domain.dispute import CONDUCT, Dispute
from aidmesh_node.views.handling import Handlers
from aidmesh_node.views.pages import Mark, mark_of, page, page_limit
from aidmesh_node.views.times import time_text

TABLES = """
CREATE TABLE disputes (
    id TEXT PRIMARY KEY,
    pledge TEXT NOT NULL, about TEXT NOT NULL, side TEXT NOT NULL, ours TEXT,
    peer TEXT, opened_by TEXT, resolved_by_us TEXT, resolved_by_them TEXT,
    state TEXT NOT NULL, version INTEGER NOT NULL, opened_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX disputes_listed ON disputes (opened_at, id);
CREATE INDEX disputes_by_pledge ON disputes (pledge);
CREATE TABLE dispute_statements (
    record TEXT PRIMARY KEY, dispute TEXT NOT NULL, written_by TEXT, written_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX dispute_statements_in_order ON dispute_statements (dispute, written_at)
"""

COLUMNS = (
    "id", "pledge", "about", "side", "ours", "peer", "opened_by", "resolved_by_us", "resolved_by_them", "state",
    "version", "opened_at",
)  # fmt: skip
SELECT = (
    f"SELECT {', '.join('d.' + column for column in COLUMNS)}, (SELECT name FROM group_names WHERE gid = d.peer)"
    " FROM disputes AS d "
)

OPEN_AND_TOLD = f"(SELECT count(*) FROM disputes WHERE pledge = p.id AND state = 'open' AND about <> '{CONDUCT}')"
"""How many disputes about the pledge `p` are open, as everybody may know: none about somebody's conduct."""

PLEDGE_OF = (
    "SELECT pledges.id, pledges.version FROM disputes JOIN pledges ON pledges.id = disputes.pledge"
    f" WHERE disputes.id = ? AND about <> '{CONDUCT}'"
)
"""The pledge in which a dispute shows, for everybody; none where it is about somebody's conduct."""


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One dispute by its full hex id; None if there is none."""
    row = connection.execute(SELECT + "WHERE d.id = ?", (id,)).fetchone()
    return None if row is None else to_json(row)


def statements(connection: sqlite3.Connection, id: str) -> list[tuple[str, str | None, str]]:
    """(record, member id, time) of what was written about it, oldest first."""
    return connection.execute(
        "SELECT record, written_by, written_at FROM dispute_statements WHERE dispute = ? ORDER BY written_at, record",
        (id,),
    ).fetchall()


def list_page(
    connection: sqlite3.Connection,
    *,
    state: str | None = None,
    pledge: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """{schema_version, items: [Dispute], position, cursor}, newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(connection, cursor)
    rows = connection.execute(
        SELECT + "WHERE (d.opened_at, 0, d.id) < (?, ?, ?) AND (? IS NULL OR d.state = ?)"
        " AND (? IS NULL OR d.pledge = ?) ORDER BY d.opened_at DESC, d.id DESC LIMIT ?",
        (*after, state, state, pledge, pledge, items_max + 1),
    )
    found = [(Mark(row[COLUMNS.index("opened_at")], 0, row[0]), to_json(row)) for row in rows]
    return page(connection, found, items_max)


def to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of SELECT as Dispute JSON."""
    dispute = dict(zip((*COLUMNS, "peer_name"), row, strict=True))
    return {
        "id": dispute["id"],
        "pledge": dispute["pledge"],
        "about": dispute["about"],
        "opened_by": dispute["side"],
        "ours": dispute["ours"] in (None, dispute["side"]),
        "peer": dispute["peer"],
        "peer_name": dispute["peer_name"],
        "state": dispute["state"],
        "resolved_by_us": dispute["resolved_by_us"],
        "resolved_by_them": dispute["resolved_by_them"],
        "version": dispute["version"],
        "opened_at": dispute["opened_at"],
        "next": _next(dispute),
    }


def _next(dispute: dict[str, Any]) -> str:
    if dispute["state"] == "resolved":
        return ""
    if dispute["resolved_by_us"] is not None:
        return f"Wait: {dispute['peer_name'] or 'the other group'} says when it is over for them."
    if dispute["about"] == CONDUCT:
        return "Only coordinators of your group see this. Talk with whom it concerns, then resolve it."
    them = f" with {dispute['peer_name'] or 'the other group'}" if dispute["ours"] else ""
    return f"Talk{them} about it, then say how it was resolved; nobody is accused by it being open."


def _opened(connection: sqlite3.Connection, event: Dispute.Opened) -> None:
    connection.execute(
        "INSERT INTO disputes VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, 'open', ?, ?)",
        (
            event.originator_id.hex,
            event.pledge_id.hex,
            event.about,
            event.side,
            event.ours,
            event.peer,
            event.actor and event.actor.hex,
            event.originator_version,
            time_text(event.timestamp),
        ),
    )


def _added(connection: sqlite3.Connection, event: Dispute.StatementAdded) -> None:
    connection.execute(
        "INSERT INTO dispute_statements VALUES (?, ?, ?, ?)",
        (
            event.record.hex,
            event.originator_id.hex,
            event.actor and event.actor.hex,
            time_text(event.timestamp),
        ),
    )
    _versioned(connection, event)


def _resolved(connection: sqlite3.Connection, event: Dispute.Resolved) -> None:
    column = "resolved_by_them" if event.heard else "resolved_by_us"
    id = event.originator_id.hex
    connection.execute(f"UPDATE disputes SET {column} = ? WHERE id = ?", (event.how, id))
    connection.execute(
        "UPDATE disputes SET state = 'resolved' WHERE id = ?"
        " AND (ours IS NULL OR (resolved_by_us IS NOT NULL AND resolved_by_them IS NOT NULL))",
        (id,),
    )
    _versioned(connection, event)


def _versioned(connection: sqlite3.Connection, event: Dispute.Event) -> None:
    connection.execute(
        "UPDATE disputes SET version = ? WHERE id = ?", (event.originator_version, event.originator_id.hex)
    )


HANDLERS: Handlers = {
    Dispute.Opened: _opened,
    Dispute.StatementAdded: _added,
    Dispute.Resolved: _resolved,
}
