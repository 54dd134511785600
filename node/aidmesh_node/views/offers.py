"""Offers, ours and those shared with us, as Offer JSON. Only we see what of our own is held, committed and
drawn.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from aidmesh_node.domain import offer_events
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.offer_events import OPEN
from aidmesh_node.domain.offer_time import REOPEN_DAYS_MAX, asks_at, next_step
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.views import shared_offers
from aidmesh_node.views.amounts import remaining
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Handlers, Insert
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.needs import Who
from aidmesh_node.views.pages import Mark, mark_of, page, page_limit
from aidmesh_node.views.shares import shared_with
from aidmesh_node.views.times import time_text, window_text

TABLES = """
CREATE TABLE offers (
    id TEXT PRIMARY KEY,
    person TEXT, posted_by TEXT,
    category TEXT NOT NULL, item TEXT, item_key TEXT,
    quantity TEXT, unit TEXT NOT NULL, mode TEXT NOT NULL,
    starts TEXT, ends TEXT, area TEXT,
    state TEXT NOT NULL, closed_reason TEXT,
    held TEXT NOT NULL, committed TEXT NOT NULL, drawn TEXT NOT NULL,
    confirmed_at TEXT NOT NULL, ask_at TEXT NOT NULL, asked_at TEXT, warned_at TEXT, closed_at TEXT,
    version INTEGER NOT NULL,
    posted_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX offers_listed ON offers (posted_at, id);
CREATE INDEX offers_by_state ON offers (state)
"""

DUE_MAX = 256
"""Offers looked at together where something may be due."""

COLUMNS = (
    "id", "category", "item", "quantity", "unit", "mode", "starts", "ends", "area", "state", "closed_reason",
    "held", "committed", "drawn", "confirmed_at", "ask_at", "asked_at", "warned_at", "closed_at",
    "version", "posted_at",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM offers "


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One offer, ours or shared with us, by its full hex id; None if there is none."""
    rows = connection.execute(SELECT + "WHERE id = ?", (id,)).fetchall()
    return to_json(connection, rows)[0] if rows else shared_offers.get(connection, id)


def who(connection: sqlite3.Connection, id: str) -> Who | None:
    """Whose offer it is, for the vault and for rights; None unless it is ours."""
    row = connection.execute("SELECT person, posted_by FROM offers WHERE id = ?", (id,)).fetchone()
    return None if row is None else Who(*row)


def list_page(
    connection: sqlite3.Connection,
    *,
    state: str | None = None,
    ours: bool | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """{schema_version, items: [Offer], position, cursor}, newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(connection, cursor)
    found: list[tuple[Mark, dict[str, Any]]] = []
    if ours is not False:
        rows = connection.execute(
            SELECT + "WHERE (posted_at, 0, id) < (?, ?, ?) AND (? IS NULL OR state = ?)"
            " ORDER BY posted_at DESC, id DESC LIMIT ?",
            (*after, state, state, items_max + 1),
        ).fetchall()
        found += [(Mark(offer["posted_at"], 0, offer["id"]), offer) for offer in to_json(connection, rows)]
    if ours is not True:
        found += shared_offers.listed(connection, state, after, items_max + 1)
    return page(connection, found, items_max)


def open_ones(
    connection: sqlite3.Connection, key: str | None, category: str | None, limit: int
) -> list[dict[str, Any]]:
    """Our open ones as Offer JSON, those whose time runs out first."""
    rows = connection.execute(
        SELECT + "WHERE state = 'open' AND (?1 IS NULL OR item_key = ?1) AND (?2 IS NULL OR category = ?2)"
        " ORDER BY coalesce(ends, '~'), posted_at, id LIMIT ?3",
        (key, category, limit),
    ).fetchall()
    return to_json(connection, rows)


def due(connection: sqlite3.Connection, now: datetime, ends_before: datetime, after: str) -> list[str]:
    """Ids (hex) above `after` of our open ones that are to be asked about, or that end soon, DUE_MAX at most."""
    rows = connection.execute(
        "SELECT id FROM offers WHERE state = 'open' AND id > ?"
        " AND ((asked_at IS NULL AND ask_at <= ?) OR ends <= ?) ORDER BY id LIMIT ?",
        (after, time_text(now), time_text(ends_before), DUE_MAX),
    )
    return [row[0] for row in rows]


def to_json(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of SELECT as Offer JSON."""
    us = own_group(connection)
    shares = shared_with(connection, [row[0] for row in rows])
    return [_to_json(dict(zip(COLUMNS, row, strict=True)), us.gid, us.name, shares.get(row[0], [])) for row in rows]


def _to_json(offer: dict[str, Any], gid: str, name: str, shares: list[dict[str, Any]]) -> dict[str, Any]:
    quantity, booked = offer["quantity"], (offer["held"], offer["committed"], offer["drawn"])
    if offer["state"] != "open":
        available: str | None = "0"
    else:
        available = None if quantity is None else remaining(quantity, *booked)
    return {
        "id": offer["id"],
        "ours": True,
        "group": gid,
        "group_name": name,
        "circle": None,
        "category": offer["category"],
        "item": offer["item"],
        "quantity": quantity,
        "unit": offer["unit"],
        "mode": offer["mode"],
        "held": offer["held"],
        "committed": offer["committed"],
        "drawn": offer["drawn"],
        "available": available,
        "from": offer["starts"],
        "until": offer["ends"],
        "area": offer["area"],
        "state": offer["state"],
        "closed_reason": offer["closed_reason"],
        "confirmed_at": offer["confirmed_at"],
        "ask_at": offer["ask_at"] if offer["state"] == "open" else None,
        "stale": offer["state"] == "open" and offer["asked_at"] is not None,
        "ends_soon": offer["state"] == "open" and offer["warned_at"] is not None,
        "next": _next(offer, available),
        "shared_with": shares,
        "version": offer["version"],
        "posted_at": offer["posted_at"],
    }


def _next(offer: dict[str, Any], available: str | None) -> str:
    """What somebody should do about it, in a sentence."""
    closed = offer["closed_at"]
    last_day = closed and time_text(datetime.fromisoformat(closed) + timedelta(days=REOPEN_DAYS_MAX))
    return next_step(
        offer["state"],
        asked=offer["asked_at"] and offer["confirmed_at"][:10],
        warned=offer["warned_at"] is not None,
        ends=offer["ends"] and offer["ends"][:10],
        left=available != "0" or (offer["held"], offer["committed"]) != ("0", "0"),
        reopen=last_day and last_day[:10],
    )


def _posted(event: offer_events.Posted) -> tuple[object, ...]:
    quantity: Decimal | None = event.quantity
    return (
        event.originator_id.hex,
        event.person and event.person.hex,
        event.actor and event.actor.hex,
        event.category,
        event.item,
        key_or_none(event.item),
        None if quantity is None else amount_text(quantity),
        event.unit,
        event.mode,
        window_text(event.window_start),
        window_text(event.window_end),
        event.area,
        OPEN,
        None,
        "0",
        "0",
        "0",
        time_text(event.timestamp),
        time_text(asks_at(event.category, event.timestamp)),
        None,
        None,
        None,
        event.originator_version,
        time_text(event.timestamp),
    )


def _booked(connection: sqlite3.Connection, event: offer_events.BookingChanged) -> None:
    connection.execute(
        "UPDATE offers SET held = ?, committed = ?, drawn = ?, version = ? WHERE id = ?",
        (
            amount_text(event.held),
            amount_text(event.committed),
            amount_text(event.drawn),
            event.originator_version,
            event.originator_id.hex,
        ),
    )


def _close(connection: sqlite3.Connection, event: offer_events.Event, reason: str) -> None:
    connection.execute(
        "UPDATE offers SET state = 'closed', closed_reason = ?, closed_at = ?, version = ? WHERE id = ?",
        (reason, time_text(event.timestamp), event.originator_version, event.originator_id.hex),
    )


def _asked(connection: sqlite3.Connection, event: offer_events.StillAvailableAsked) -> None:
    connection.execute(
        "UPDATE offers SET asked_at = ?, version = ? WHERE id = ?",
        (time_text(event.timestamp), event.originator_version, event.originator_id.hex),
    )


def _confirmed(connection: sqlite3.Connection, event: offer_events.Event) -> None:
    id = event.originator_id.hex
    (category,) = connection.execute("SELECT category FROM offers WHERE id = ?", (id,)).fetchone()
    connection.execute(
        "UPDATE offers SET confirmed_at = ?, ask_at = ?, asked_at = NULL, version = ? WHERE id = ?",
        (
            time_text(event.timestamp),
            time_text(asks_at(category, event.timestamp)),
            event.originator_version,
            id,
        ),
    )


def _warned(connection: sqlite3.Connection, event: offer_events.ExpiryWarned) -> None:
    connection.execute(
        "UPDATE offers SET warned_at = ?, version = ? WHERE id = ?",
        (time_text(event.timestamp), event.originator_version, event.originator_id.hex),
    )


def _ends_later(connection: sqlite3.Connection, event: offer_events.ExpiryExtended | offer_events.Reopened) -> None:
    _confirmed(connection, event)
    connection.execute(
        "UPDATE offers SET state = 'open', closed_reason = NULL, closed_at = NULL, warned_at = NULL, ends = ?"
        " WHERE id = ?",
        (window_text(event.until), event.originator_id.hex),
    )


def _changed(connection: sqlite3.Connection, event: offer_events.Event) -> None:
    # What changed is in another view; here it is one more version.
    connection.execute(
        "UPDATE offers SET version = ? WHERE id = ?", (event.originator_version, event.originator_id.hex)
    )


HANDLERS: Handlers = {
    Offer.Posted: Insert("INSERT INTO offers", _posted),
    Offer.BookingChanged: _booked,
    Offer.Withdrawn: lambda connection, event: _close(connection, event, "withdrawn"),
    Offer.Closed: lambda connection, event: _close(connection, event, event.reason),
    Offer.StillAvailableAsked: _asked,
    Offer.StillAvailableConfirmed: _confirmed,
    Offer.ExpiryWarned: _warned,
    Offer.ExpiryExtended: _ends_later,
    Offer.Reopened: _ends_later,
    Offer.Shared: _changed,
    Offer.Unshared: _changed,
    Offer.UnshareAcknowledged: _changed,
}
