"""Offers that peers show to our circles: a fold of offer.* statements per (circle, owner, subject).

Revoked: gone from every list at once, and its description is overwritten. Closed: final, nothing after it
counts. An offer whose description has not arrived is kept and hidden until it does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

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


class Row(NamedTuple):
    """One row of the table. `version` counts the statements folded."""

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


COLUMNS = Row._fields
DESCRIPTION = COLUMNS[COLUMNS.index("described") : COLUMNS.index("quantity")]
HIDDEN = (0, None, None, None, None, None, None, None)


class SharedOffersFold:
    """Projects offer.* entries of foreign feeds; `flush` before the transaction commits."""

    KIND = "offer"
    STATEMENTS: tuple[type[Statement], ...] = (OfferShared, OfferUpdated, OfferShareRevoked, OfferClosed)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = SharedRows(connection, "shared_offers", COLUMNS, Row._make)
        self.load, self.write = self._rows.load, self._rows.write
        self.flush, self.forget = self._rows.flush, self._rows.forget

    def apply(self, by: Speaker, heard: Heard) -> None:
        key, said = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None:
            # About something never shown to us a correct node says nothing else.
            if isinstance(said, OfferShared):
                self._rows.put(key, self._first(key, heard, said))
            return
        if row.state == "closed" or (row.state == "revoked" and not isinstance(said, OfferShared)):
            return
        if isinstance(said, OfferShared):
            self._await_no_longer(row)
            row = row._replace(
                state="open",
                quantity=said.quantity,
                unit=said.unit,
                available=said.available,
                shared_idx=heard.index,
            )
            row = _with(row, self._description(key, heard, said))
        elif isinstance(said, OfferUpdated):
            row = row._replace(quantity=said.quantity, available=said.available)
        elif isinstance(said, OfferShareRevoked):
            self._await_no_longer(row)
            row = _with(row._replace(state="revoked"), HIDDEN)
        elif isinstance(said, OfferClosed):
            row = row._replace(state="closed", closed_reason=said.reason)
        self._rows.put(key, row._replace(version=row.version + 1))

    def describe(self, by: Speaker, heard: Heard) -> None:
        """The view part of an entry projected earlier has arrived."""
        key, said = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None or row.state == "revoked" or not isinstance(said, OfferShared) or said.view is None:
            return
        self._rows.put(key, _with(row, _description(said.view)))

    def forget_view(self, key: Key, indexes: Iterable[int]) -> None:
        """Its description was erased, if it comes from one of these entries."""
        row = self._rows.find(key)
        if row is not None and row.shared_idx in indexes:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)
            row = row._replace(version=row.version + 1)
            self._rows.put(key, _with(row, HIDDEN))

    def _first(self, key: Key, heard: Heard, said: OfferShared) -> Row:
        return Row._make((
            *key, "open", None, *self._description(key, heard, said), said.quantity, said.unit, said.available,
            hour_text(heard.hour), heard.index, 1, heard.index,
        ))  # fmt: skip

    def _description(self, key: Key, heard: Heard, said: OfferShared) -> Description:
        if said.view is None:
            tracking.await_view(self._connection, key[1], heard.index)
            return HIDDEN
        return _description(said.view)

    def _await_no_longer(self, row: Row) -> None:
        if not row.described:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)


Description = tuple[Any, ...]
"""The values of the columns DESCRIPTION."""


def _description(view: OfferView) -> Description:
    starts, ends = minute_or_none(view.from_minute), minute_or_none(view.until_minute)
    return 1, view.category, view.item, key_or_none(view.item), view.mode, starts, ends, view.area


def _with(row: Row, description: Description) -> Row:
    return row._replace(**dict(zip(DESCRIPTION, description, strict=True)))


FROM = " FROM shared_offers AS s JOIN speakers USING (feed) "
FIELDS = (
    ", ".join("s." + column for column in COLUMNS)
    + ", speakers.circle, speakers.owner, (SELECT name FROM group_names WHERE gid = speakers.owner)"
)
_POSTED_AT = COLUMNS.index("posted_at")
SELECT = "SELECT " + FIELDS + FROM
IN_FORCE = " s.feed IN (SELECT feed FROM speakers JOIN circles USING (circle) WHERE circles.state = 'active')"


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
