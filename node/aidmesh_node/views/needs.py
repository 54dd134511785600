"""Needs, ours and those shared with us, as Need JSON. Names and notes are in the vault; `who` says under
which ids.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from aidmesh_node.domain.need import Need
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.views import shared_needs, tracking
from aidmesh_node.views.amounts import remaining, share_of
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Handlers
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.pages import Mark, mark_of, page, page_limit
from aidmesh_node.views.shares import shared_with
from aidmesh_node.views.times import time_text, window_text

TABLES = """
CREATE TABLE needs (
    id TEXT PRIMARY KEY,
    person TEXT, posted_by TEXT,
    category TEXT NOT NULL, item TEXT, item_key TEXT,
    quantity TEXT NOT NULL, unit TEXT NOT NULL,
    urgency TEXT NOT NULL, starts TEXT, ends TEXT, area TEXT, language TEXT,
    state TEXT NOT NULL, closed_reason TEXT,
    received TEXT NOT NULL, presumed TEXT NOT NULL, reserved TEXT NOT NULL,
    version INTEGER NOT NULL,
    posted_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX needs_listed ON needs (posted_at, id);
CREATE INDEX needs_by_state ON needs (state)
"""

COLUMNS = (
    "id", "category", "item", "quantity", "unit", "urgency", "starts", "ends", "area", "state",
    "closed_reason", "received", "presumed", "reserved", "version", "posted_at",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM needs "


class Who(NamedTuple):
    """Vault id of the person it is for, and member id of who posted it; hex, None where there is none."""

    person: str | None
    posted_by: str | None


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One need, ours or shared with us, by its full hex id; None if there is none."""
    rows = connection.execute(SELECT + "WHERE id = ?", (id,)).fetchall()
    return to_json(connection, rows)[0] if rows else shared_needs.get(connection, id)


def who(connection: sqlite3.Connection, id: str) -> Who | None:
    """Whose need it is, for the vault and for rights; None unless it is ours."""
    row = connection.execute("SELECT person, posted_by FROM needs WHERE id = ?", (id,)).fetchone()
    return None if row is None else Who(*row)


def list_page(
    connection: sqlite3.Connection,
    *,
    state: str | None = None,
    ours: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """{schema_version, items: [Need], position, cursor}, newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(cursor)
    found: list[tuple[Mark, dict[str, Any]]] = []
    if ours is not False:
        rows = connection.execute(
            SELECT + "WHERE (posted_at, 0, id) < (?, ?, ?) AND (? IS NULL OR state = ?)"
            " ORDER BY posted_at DESC, id DESC LIMIT ?",
            (*after, state, state, items_max + 1),
        ).fetchall()
        found += [(Mark(need["posted_at"], 0, need["id"]), need) for need in to_json(connection, rows)]
    if ours is not True:
        found += shared_needs.listed(connection, state, after, items_max + 1)
    return page(found, items_max, tracking.position(connection))


def open_ones(
    connection: sqlite3.Connection, key: str | None, category: str | None, limit: int
) -> list[dict[str, Any]]:
    """Our open ones as Need JSON, most urgent first, then those whose time runs out first."""
    rows = connection.execute(
        SELECT + "WHERE state = 'open' AND (?1 IS NULL OR item_key = ?1) AND (?2 IS NULL OR category = ?2)"
        " ORDER BY CASE urgency WHEN 'emergency' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END, "
        " coalesce(ends, '~'), posted_at, id LIMIT ?3",
        (key, category, limit),
    ).fetchall()
    return to_json(connection, rows)


def to_json(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of SELECT as Need JSON."""
    us = own_group(connection)
    shares = shared_with(connection, [row[0] for row in rows])
    return [_to_json(dict(zip(COLUMNS, row, strict=True)), us.gid, us.name, shares.get(row[0], [])) for row in rows]


def _to_json(need: dict[str, Any], gid: str, name: str, shares: list[dict[str, Any]]) -> dict[str, Any]:
    quantity, received, reserved = need["quantity"], need["received"], need["reserved"]
    presumed = need["presumed"]
    return {
        "id": need["id"],
        "ours": True,
        "group": gid,
        "group_name": name,
        "circle": None,
        "category": need["category"],
        "item": need["item"],
        "quantity": quantity,
        "unit": need["unit"],
        "urgency": need["urgency"],
        "from": need["starts"],
        "until": need["ends"],
        "area": need["area"],
        "state": need["state"],
        "closed_reason": need["closed_reason"],
        "received": received,
        "presumed": presumed,
        "reserved": reserved,
        "open": remaining(quantity, received, presumed, reserved),
        "coverage": share_of(quantity, received, presumed, reserved),
        "fulfilment": share_of(quantity, received),
        "shared_with": shares,
        "version": need["version"],
        "posted_at": need["posted_at"],
    }


def _posted(connection: sqlite3.Connection, event: Need.Posted) -> None:
    connection.execute(
        "INSERT INTO needs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', NULL, '0', '0', '0', ?, ?)",
        (
            event.originator_id.hex,
            event.person and event.person.hex,
            event.actor and event.actor.hex,
            event.category,
            event.item,
            key_or_none(event.item),
            amount_text(event.quantity),
            event.unit,
            event.urgency,
            window_text(event.window_start),
            window_text(event.window_end),
            event.area,
            event.language,
            event.originator_version,
            time_text(event.timestamp),
        ),
    )


def _covered(connection: sqlite3.Connection, event: Need.CoverageChanged) -> None:
    connection.execute(
        "UPDATE needs SET received = ?, reserved = ?, version = ? WHERE id = ?",
        (
            amount_text(event.received),
            amount_text(event.reserved),
            event.originator_version,
            event.originator_id.hex,
        ),
    )


def _presumed(connection: sqlite3.Connection, event: Need.ReceiptsPresumed) -> None:
    _covered(connection, event)
    connection.execute(
        "UPDATE needs SET presumed = ? WHERE id = ?", (amount_text(event.presumed), event.originator_id.hex)
    )


def _close(connection: sqlite3.Connection, event: Need.Event, reason: str) -> None:
    connection.execute(
        "UPDATE needs SET state = 'closed', closed_reason = ?, version = ? WHERE id = ?",
        (reason, event.originator_version, event.originator_id.hex),
    )


def _changed(connection: sqlite3.Connection, event: Need.Event) -> None:
    # What changed is in another view; here it is one more version.
    connection.execute("UPDATE needs SET version = ? WHERE id = ?", (event.originator_version, event.originator_id.hex))


HANDLERS: Handlers = {
    Need.Posted: _posted,
    Need.CoverageChanged: _covered,
    Need.ReceiptsPresumed: _presumed,
    Need.Withdrawn: lambda connection, event: _close(connection, event, "withdrawn_by_person"),
    Need.Closed: lambda connection, event: _close(connection, event, event.reason),
    Need.Shared: _changed,
    Need.Unshared: _changed,
    Need.UnshareAcknowledged: _changed,
}
