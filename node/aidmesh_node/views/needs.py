"""Needs, ours and those shared with us, as Need JSON. Names and notes are in the vault; `who` says under
which ids.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any, NamedTuple

from aidmesh_node.domain import need_events
from aidmesh_node.domain.act import NODE
from aidmesh_node.domain.need import OPEN, Need
from aidmesh_node.domain.need_time import EMERGENCY, Standing, next_action, untouched_until
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.views import shared_needs, tracking
from aidmesh_node.views.amounts import remaining, share_of
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Handlers, Insert
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.pages import SCHEMA_VERSION, Mark, cursor_of, mark_of, page, page_limit
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
    posted_at TEXT NOT NULL,
    listed TEXT NOT NULL,
    next_at TEXT, warned_at TEXT, unanswered INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX needs_listed ON needs (listed, id);
CREATE INDEX needs_by_state ON needs (state);
CREATE INDEX needs_ending ON needs (id) WHERE state = 'open' AND ends IS NOT NULL;
CREATE INDEX needs_untouched ON needs (next_at) WHERE state = 'open'
"""

COLUMNS = (
    "id", "category", "item", "quantity", "unit", "urgency", "starts", "ends", "area", "state",
    "closed_reason", "received", "presumed", "reserved", "version", "posted_at", "listed", "next_at", "warned_at",
    "unanswered", "offers_waiting",
)  # fmt: skip
SELECT = (
    f"SELECT {', '.join(COLUMNS[:-1])},"
    " EXISTS (SELECT 1 FROM pledges WHERE need = needs.id AND phase = 'offered') AS offers_waiting FROM needs "
)

ENDING_MAX = 500
"""Needs whose end is near that are named at once."""


_LISTED = COLUMNS.index("listed")
"""The place in the list: open emergencies sort after all others, and so come first in a list that begins at the end."""

ENOUGH = ("full", "over")


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
    """{schema_version, items: [Need], position, cursor}: open emergencies, then newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(connection, cursor)
    found: list[tuple[Mark, dict[str, Any]]] = []
    if ours is not False:
        rows = connection.execute(
            SELECT + "WHERE (listed, 0, id) < (?, ?, ?) AND (? IS NULL OR state = ?)"
            " ORDER BY listed DESC, id DESC LIMIT ?",
            (*after, state, state, items_max + 1),
        ).fetchall()
        marks = [Mark(row[_LISTED], 0, row[0]) for row in rows]
        found += zip(marks, to_json(connection, rows), strict=True)
    if ours is not True:
        found += shared_needs.listed(connection, state, after, items_max + 1)
    return page(connection, found, items_max)


def untouched_page(
    connection: sqlite3.Connection, now: datetime, *, limit: int | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """As `list_page`, of our open needs whose next action is due: emergencies first, then the longest overdue."""
    items_max = page_limit(limit)
    after = Mark("", 0, "") if cursor is None else mark_of(connection, cursor)
    rows = connection.execute(
        SELECT + "WHERE state = 'open' AND next_at <= ? AND ((urgency <> 'emergency') || next_at, id) > (?, ?)"
        " ORDER BY urgency <> 'emergency', next_at, id LIMIT ?",
        (time_text(now), after.at, after.tie, items_max + 1),
    ).fetchall()
    shown, more = rows[:items_max], len(rows) > items_max
    items = to_json(connection, shown)
    end = None
    if more:
        last = items[-1]
        end = cursor_of(connection, Mark(f"{int(last['urgency'] != EMERGENCY)}{last['next_action_at']}", 0, last["id"]))
    position = tracking.position(connection)
    return {"schema_version": SCHEMA_VERSION, "items": items, "position": position, "cursor": end}


def ending(connection: sqlite3.Connection, before: datetime, after: str) -> list[str]:
    """Ids of our open needs that end by then with nothing promised, by id beyond `after`; up to ENDING_MAX."""
    rows = connection.execute(
        "SELECT id FROM needs WHERE state = 'open' AND ends IS NOT NULL AND ends <= ? AND reserved = '0'"
        " AND urgency <> 'emergency' AND id > ? ORDER BY id LIMIT ?",
        (time_text(before), after, ENDING_MAX),
    )
    return [id for (id,) in rows]


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
        **_next(need, any(share["state"] == "shared" for share in shares)),
        "version": need["version"],
        "posted_at": need["posted_at"],
    }


def _next(need: dict[str, Any], shared: bool) -> dict[str, Any]:
    """What somebody does next, and by when; both None once it is closed."""
    if need["state"] != "open":
        return {"next_action": None, "next_action_at": None}
    standing = Standing(
        urgency=need["urgency"],
        ends_on=need["ends"][:10] if need["warned_at"] is not None and need["ends"] is not None else None,
        offers_waiting=bool(need["offers_waiting"]),
        unanswered=need["unanswered"],
        covered=share_of(need["quantity"], need["received"], need["presumed"], need["reserved"]) in ENOUGH,
        arrived=share_of(need["quantity"], need["received"]) in ENOUGH,
        shared=shared,
    )
    return {"next_action": next_action(standing), "next_action_at": need["next_at"]}


def _posted(event: need_events.Posted) -> tuple[object, ...]:
    posted_at = time_text(event.timestamp)
    return (
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
        OPEN,
        None,
        "0",
        "0",
        "0",
        event.originator_version,
        posted_at,
        f"{int(event.urgency == EMERGENCY)}{posted_at}",
        time_text(untouched_until(event.urgency, event.timestamp)),
        None,
        0,
    )


def _covered(connection: sqlite3.Connection, event: need_events.CoverageChanged) -> None:
    touched = "" if event.role == NODE else f", {_TOUCHED}"
    connection.execute(
        f"UPDATE needs SET received = ?, reserved = ?, version = ?{touched} WHERE id = ?",
        (
            amount_text(event.received),
            amount_text(event.reserved),
            event.originator_version,
            *(_clocks(event) if touched else ()),
            event.originator_id.hex,
        ),
    )


def _presumed(connection: sqlite3.Connection, event: need_events.ReceiptsPresumed) -> None:
    _covered(connection, event)
    connection.execute(
        "UPDATE needs SET presumed = ? WHERE id = ?", (amount_text(event.presumed), event.originator_id.hex)
    )


def _close(connection: sqlite3.Connection, event: need_events.Event, reason: str) -> None:
    connection.execute(
        "UPDATE needs SET state = 'closed', closed_reason = ?, warned_at = NULL, listed = '0' || posted_at, version = ?"
        " WHERE id = ?",
        (reason, event.originator_version, event.originator_id.hex),
    )


_TOUCHED = "next_at = CASE urgency WHEN 'emergency' THEN ? ELSE ? END"


def _clocks(event: need_events.Event) -> tuple[str, str]:
    """When a need that somebody has just done something about is to be looked at: an emergency, and any other."""
    return (
        time_text(untouched_until(EMERGENCY, event.timestamp)),
        time_text(untouched_until("normal", event.timestamp)),
    )


def _changed(connection: sqlite3.Connection, event: need_events.Event) -> None:
    # What changed is in another view; here it is one more version.
    connection.execute("UPDATE needs SET version = ? WHERE id = ?", (event.originator_version, event.originator_id.hex))


def _touched(connection: sqlite3.Connection, event: need_events.Event, change: str = "", *values: object) -> None:
    """A person did something about it: its clock begins anew. `change` is more to set, from `values`."""
    connection.execute(
        f"UPDATE needs SET {change}{_TOUCHED}, version = ? WHERE id = ?",
        (*values, *_clocks(event), event.originator_version, event.originator_id.hex),
    )


def _reviewed(connection: sqlite3.Connection, event: need_events.Reviewed) -> None:
    _touched(connection, event)
    if event.next_at is not None:
        connection.execute(
            "UPDATE needs SET next_at = ? WHERE id = ?", (time_text(event.next_at), event.originator_id.hex)
        )


def _contacted(connection: sqlite3.Connection, event: need_events.ContactAttempted) -> None:
    _touched(connection, event, "unanswered = CASE ? WHEN 'reached' THEN 0 ELSE unanswered + 1 END, ", event.outcome)


def _warned(connection: sqlite3.Connection, event: need_events.ExpiryWarned) -> None:
    # At once at the head of what is to be looked at, so that the warning is seen.
    at = time_text(event.timestamp)
    connection.execute(
        "UPDATE needs SET warned_at = ?, next_at = min(next_at, ?), version = ? WHERE id = ?",
        (at, at, event.originator_version, event.originator_id.hex),
    )


def _urgency_changed(connection: sqlite3.Connection, event: need_events.UrgencyChanged) -> None:
    # First, so that the clock that begins anew is the new one.
    connection.execute(
        "UPDATE needs SET urgency = ?, listed = ? || posted_at WHERE id = ?",
        (event.urgency, str(int(event.urgency == EMERGENCY)), event.originator_id.hex),
    )
    _touched(connection, event)


def _reopened(connection: sqlite3.Connection, event: need_events.Reopened) -> None:
    _touched(
        connection,
        event,
        "state = 'open', closed_reason = NULL, unanswered = 0, listed = (urgency = 'emergency') || posted_at, ",
    )


HANDLERS: Handlers = {
    Need.Posted: Insert("INSERT INTO needs", _posted),
    Need.CoverageChanged: _covered,
    Need.ReceiptsPresumed: _presumed,
    Need.Withdrawn: lambda connection, event: _close(connection, event, "withdrawn_by_person"),
    **{
        closing: lambda connection, event: _close(connection, event, event.reason)
        for closing in (
            Need.Closed,
            Need.Expired,
            Need.MarkedDuplicate,
            Need.Referred,
            Need.FoundOutOfScope,
            Need.GivenUpReaching,
        )
    },
    Need.Shared: _touched,
    Need.SharedInEmergency: _touched,
    Need.Unshared: _touched,
    Need.UnshareAcknowledged: _changed,
    Need.EmergencyAdviceAcknowledged: _changed,
    Need.Amended: lambda connection, event: _touched(connection, event, "quantity = ?, ", amount_text(event.quantity)),
    Need.UrgencyChanged: _urgency_changed,
    Need.Reviewed: _reviewed,
    Need.ContactAttempted: _contacted,
    Need.ExpiryWarned: _warned,
    Need.ExpiryExtended: lambda connection, event: _touched(
        connection, event, "ends = ?, warned_at = NULL, ", window_text(event.until)
    ),
    Need.Reopened: _reopened,
}
