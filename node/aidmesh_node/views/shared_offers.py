"""Offers that peers show to our circles: a fold of offer.* statements per (circle, owner, subject).

Revoked: gone from every list at once, and its description is overwritten. Closed: final, nothing after it
counts. An offer whose description has not arrived is kept and hidden until it does.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from aidmesh_node.views import tracking
from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.pages import Mark
from aidmesh_node.views.shared_rows import Key, SharedRows
from aidmesh_node.views.times import hour_text, minute_or_none
from aidmesh_protocol.statements import (
    OfferClosed,
    OfferShared,
    OfferShareRevoked,
    OfferUpdated,
    OfferView,
    Statement,
)

TABLES = """
CREATE TABLE shared_offers (
    id TEXT NOT NULL, feed INTEGER NOT NULL,
    state TEXT NOT NULL,
    closed_reason TEXT,
    described INTEGER NOT NULL,
    category TEXT, item TEXT, item_key TEXT, mode TEXT, starts TEXT, ends TEXT, area TEXT,
    quantity TEXT, unit TEXT NOT NULL, available TEXT,
    posted_at TEXT NOT NULL, posted_idx INTEGER NOT NULL,
    version INTEGER NOT NULL,
    shared_idx INTEGER NOT NULL,
    UNIQUE (id, feed)
);
CREATE INDEX shared_offers_listed ON shared_offers (posted_at, feed, posted_idx)
    WHERE described AND state <> 'revoked';
CREATE INDEX shared_offers_open ON shared_offers (feed) WHERE described AND state = 'open'
"""

COLUMNS = (
    "id", "feed", "state", "closed_reason", "described", "category", "item", "item_key",
    "mode", "starts", "ends", "area", "quantity", "unit", "available",
    "posted_at", "posted_idx", "version", "shared_idx",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """One row, fields as COLUMNS. `version` counts the statements folded."""

    id: str
    feed: int
    state: str
    closed_reason: str | None
    described: int
    category: str | None
    item: str | None
    item_key: str | None
    mode: str | None
    starts: str | None
    ends: str | None
    area: str | None
    quantity: str | None
    unit: str
    available: str | None
    posted_at: str
    posted_idx: int
    version: int
    shared_idx: int

    def describe(self, view: OfferView) -> None:
        self.described = 1
        self.category, self.item, self.item_key = view.category, view.item, key_or_none(view.item)
        self.mode, self.area = view.mode, view.area
        self.starts, self.ends = minute_or_none(view.from_minute), minute_or_none(view.until_minute)

    def forget_description(self) -> None:
        self.described = 0
        self.category = self.item = self.item_key = self.mode = self.starts = self.ends = self.area = None


class SharedOffersFold:
    """Projects offer.* entries of foreign feeds; `flush` before the transaction commits."""

    KIND = "offer"
    STATEMENTS: tuple[type[Statement], ...] = (OfferShared, OfferUpdated, OfferShareRevoked, OfferClosed)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = SharedRows(connection, "shared_offers", COLUMNS, Row)
        self.load, self.write = self._rows.load, self._rows.write
        self.flush, self.forget = self._rows.flush, self._rows.forget

    def apply(self, by: Speaker, heard: Heard) -> None:
        key, statement = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is not None and row.state == "closed":
            return
        if isinstance(statement, OfferShared):
            row = self._shared(key, row, heard, statement)
        elif row is None or row.state == "revoked":
            # About something never shown to us, or no longer: a correct node does not say it.
            return
        elif isinstance(statement, OfferUpdated):
            row.quantity, row.available = statement.quantity, statement.available
        elif isinstance(statement, OfferShareRevoked):
            self._await_no_longer(row)
            row.state = "revoked"
            row.forget_description()
        elif isinstance(statement, OfferClosed):
            row.state, row.closed_reason = "closed", statement.reason
        row.version += 1
        self._rows.put(key, row)

    def describe(self, by: Speaker, heard: Heard) -> None:
        """The view part of an entry projected earlier has arrived."""
        key, statement = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None or row.state == "revoked" or not isinstance(statement, OfferShared):
            return
        if statement.view is not None:
            row.describe(statement.view)
            self._rows.put(key, row)

    def _shared(self, key: Key, row: Row | None, heard: Heard, said: OfferShared) -> Row:
        if row is None:
            row = Row(
                *key, "open", None, 0, None, None, None, None, None, None, None,
                said.quantity, said.unit, said.available, hour_text(heard.hour), heard.index, 0, 0,
            )  # fmt: skip
        else:
            self._await_no_longer(row)
            row.state = "open"
        row.quantity, row.unit, row.available = said.quantity, said.unit, said.available
        row.shared_idx = heard.index
        if said.view is None:
            row.forget_description()
            tracking.await_view(self._connection, row.feed, heard.index)
        else:
            row.describe(said.view)
        return row

    def _await_no_longer(self, row: Row) -> None:
        if not row.described:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)


FROM = " FROM shared_offers AS s JOIN speakers USING (feed) "
FIELDS = (
    ", ".join("s." + column for column in COLUMNS)
    + ", speakers.circle, speakers.owner, (SELECT name FROM group_names WHERE gid = speakers.owner)"
)
_POSTED_AT = COLUMNS.index("posted_at")
SELECT = "SELECT " + FIELDS + FROM
IN_FORCE = (
    " s.feed IN (SELECT feed FROM speakers JOIN circles USING (circle)"
    " WHERE circles.gid = speakers.owner AND circles.state = 'active')"
)


def get(connection: sqlite3.Connection, id: str, owner: str | None = None) -> dict[str, Any] | None:
    """One shared offer as Offer JSON, revoked ones too (state "revoked", no description). None if there is
    none.
    """
    row = connection.execute(
        SELECT + "WHERE s.id = ? AND (? IS NULL OR owner = ?) ORDER BY s.rowid LIMIT 1", (id, owner, owner)
    ).fetchone()
    return None if row is None else to_json(row)


def listed(
    connection: sqlite3.Connection, state: str | None, after: Mark, limit: int
) -> list[tuple[Mark, dict[str, Any]]]:
    """Those of circles in force whose description is here and not taken back, newest first, as Offer JSON."""
    rows = connection.execute(
        SELECT + "WHERE s.described AND s.state <> 'revoked' AND (s.posted_at, s.feed, s.posted_idx) < (?, ?, ?)"
        " AND (? IS NULL OR s.state = ?)"
        f" AND {IN_FORCE}"
        " ORDER BY s.posted_at DESC, s.feed DESC, s.posted_idx DESC LIMIT ?",
        (*after, state, state, limit),
    )
    return [(Mark(row[_POSTED_AT], row[1], row[_POSTED_AT + 1]), to_json(row)) for row in rows]


def open_ones(
    connection: sqlite3.Connection, key: str | None, category: str | None, limit: int
) -> list[dict[str, Any]]:
    """Open ones of circles that are in force, as Offer JSON, those whose time runs out first."""
    # Feed by feed through the index of open ones: what is closed, or of an ended circle, is never read.
    rows = connection.execute(
        SELECT + f"WHERE {IN_FORCE} AND s.described AND s.state = 'open'"
        " AND (?1 IS NULL OR s.item_key = ?1) AND (?2 IS NULL OR s.category = ?2)"
        " ORDER BY coalesce(s.ends, '~'), s.posted_at, s.id LIMIT ?3",
        (key, category, limit),
    )
    return [to_json(row) for row in rows]


def to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of SELECT as Offer JSON. What is booked of it is its owner's business."""
    offer = dict(zip((*COLUMNS, "circle", "owner", "group_name"), row, strict=True))
    return {
        "id": offer["id"],
        "ours": False,
        "group": offer["owner"],
        "group_name": offer["group_name"],
        "circle": offer["circle"],
        "category": offer["category"],
        "item": offer["item"],
        "quantity": offer["quantity"],
        "unit": offer["unit"],
        "mode": offer["mode"],
        "held": None,
        "committed": None,
        "drawn": None,
        "available": offer["available"],
        "from": offer["starts"],
        "until": offer["ends"],
        "area": offer["area"],
        "state": offer["state"],
        "closed_reason": offer["closed_reason"],
        "confirmed_at": None,
        "ask_at": None,
        "stale": None,
        "ends_soon": None,
        "next": "",
        "shared_with": [],
        "version": offer["version"],
        "posted_at": offer["posted_at"],
    }
