"""Needs that peers show to our circles: a fold of need.* statements per (circle, owner, subject).

Revoked: gone from every list at once, and its description is overwritten. Closed: final, nothing after it
counts. A need whose description has not arrived is kept and hidden until it does.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from aidmesh_node.domain.need_time import EMERGENCY
from aidmesh_node.views import tracking
from aidmesh_node.views.amounts import remaining, share_of
from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.pages import Mark
from aidmesh_node.views.shared_rows import Key, SharedRows
from aidmesh_node.views.times import hour_text, minute_or_none
from aidmesh_protocol.statements import (
    NeedClosed,
    NeedShared,
    NeedShareRevoked,
    NeedUpdated,
    NeedView,
    Statement,
)

TABLES = """
CREATE TABLE shared_needs (
    id TEXT NOT NULL, feed INTEGER NOT NULL,
    state TEXT NOT NULL,
    closed_reason TEXT,
    described INTEGER NOT NULL,
    category TEXT, item TEXT, item_key TEXT, urgency TEXT, starts TEXT, ends TEXT, area TEXT,
    quantity TEXT NOT NULL, unit TEXT NOT NULL,
    received TEXT NOT NULL, reserved TEXT NOT NULL, open TEXT NOT NULL,
    posted_at TEXT NOT NULL, posted_idx INTEGER NOT NULL,
    version INTEGER NOT NULL,
    shared_idx INTEGER NOT NULL, shared_leaf BLOB NOT NULL,
    newest_idx INTEGER NOT NULL, newest_leaf BLOB NOT NULL,
    listed TEXT NOT NULL,
    UNIQUE (id, feed)
);
CREATE INDEX shared_needs_listed ON shared_needs (listed, feed, posted_idx)
    WHERE described AND state <> 'revoked';
CREATE INDEX shared_needs_open ON shared_needs (feed) WHERE described AND state = 'open'
"""

COLUMNS = (
    "id", "feed", "state", "closed_reason", "described", "category", "item", "item_key",
    "urgency", "starts", "ends", "area", "quantity", "unit", "received", "reserved", "open", "posted_at", "posted_idx",
    "version", "shared_idx", "shared_leaf", "newest_idx", "newest_leaf", "listed",
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
    urgency: str | None
    starts: str | None
    ends: str | None
    area: str | None
    quantity: str
    unit: str
    received: str
    reserved: str
    open: str
    posted_at: str
    posted_idx: int
    version: int
    shared_idx: int
    shared_leaf: bytes
    newest_idx: int
    newest_leaf: bytes
    listed: str = ""
    """Its place in the list, as for our own: open emergencies sort after all others."""

    def place(self) -> None:
        self.listed = ("1" if self.urgency == EMERGENCY and self.state == "open" else "0") + self.posted_at

    def describe(self, view: NeedView) -> None:
        self.described = 1
        self.category, self.item, self.item_key = view.category, view.item, key_or_none(view.item)
        self.urgency, self.area = view.urgency, view.area
        self.starts, self.ends = minute_or_none(view.from_minute), minute_or_none(view.until_minute)

    def forget_description(self) -> None:
        self.described = 0
        self.category = self.item = self.item_key = self.urgency = self.starts = self.ends = self.area = None


class SharedNeedsFold:
    """Projects need.* entries of foreign feeds; `flush` before the transaction commits."""

    KIND = "need"
    STATEMENTS: tuple[type[Statement], ...] = (NeedShared, NeedUpdated, NeedShareRevoked, NeedClosed)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = SharedRows(connection, "shared_needs", COLUMNS, Row)
        self.load, self.write = self._rows.load, self._rows.write
        self.flush, self.forget = self._rows.flush, self._rows.forget

    def apply(self, by: Speaker, heard: Heard) -> None:
        key, statement = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is not None and row.state == "closed":
            return
        if isinstance(statement, NeedShared):
            row = self._shared(key, row, heard, statement)
        elif row is None or row.state == "revoked":
            # About something never shown to us, or no longer: a correct node does not say it.
            return
        elif isinstance(statement, NeedUpdated):
            row.quantity, row.received, row.reserved = (
                statement.quantity,
                statement.received,
                statement.reserved,
            )
            row.open = remaining(row.quantity, row.received, row.reserved)
        elif isinstance(statement, NeedShareRevoked):
            self._await_no_longer(row)
            row.state = "revoked"
            row.forget_description()
        elif isinstance(statement, NeedClosed):
            row.state, row.closed_reason = "closed", statement.reason
        row.version += 1
        row.newest_idx, row.newest_leaf = heard.index, heard.leaf
        row.place()
        self._rows.put(key, row)

    def describe(self, by: Speaker, heard: Heard) -> None:
        """The view part of an entry projected earlier has arrived."""
        key, statement = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None or row.state == "revoked" or not isinstance(statement, NeedShared):
            return
        if statement.view is not None:
            row.describe(statement.view)
            row.place()
            self._rows.put(key, row)

    def _shared(self, key: Key, row: Row | None, heard: Heard, said: NeedShared) -> Row:
        if row is None:
            row = Row(
                *key, "open", None, 0, None, None, None, None, None, None, None,
                said.quantity, said.unit, "0", "0", "0", hour_text(heard.hour), heard.index, 0, 0, b"", 0, b"",
            )  # fmt: skip
        else:
            self._await_no_longer(row)
            row.state = "open"
        row.quantity, row.unit, row.open = said.quantity, said.unit, said.open
        # How the rest splits into reserved and received, only need.updated says.
        row.received, row.reserved = "0", remaining(said.quantity, said.open)
        row.shared_idx, row.shared_leaf = heard.index, heard.leaf
        if said.view is None:
            row.forget_description()
            tracking.await_view(self._connection, row.feed, heard.index)
        else:
            row.describe(said.view)
        return row

    def _await_no_longer(self, row: Row) -> None:
        if not row.described:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)


FROM = " FROM shared_needs AS s JOIN speakers USING (feed) "
FIELDS = (
    ", ".join("s." + column for column in COLUMNS)
    + ", speakers.circle, speakers.owner, (SELECT name FROM group_names WHERE gid = speakers.owner)"
)
_LISTED, _POSTED_IDX = COLUMNS.index("listed"), COLUMNS.index("posted_idx")
SELECT = "SELECT " + FIELDS + FROM
IN_FORCE = (
    " s.feed IN (SELECT feed FROM speakers JOIN circles USING (circle)"
    " WHERE circles.gid = speakers.owner AND circles.state = 'active')"
)


def get(connection: sqlite3.Connection, id: str, owner: str | None = None) -> dict[str, Any] | None:
    """One shared need as Need JSON, revoked ones too (state "revoked", no description). None if there is
    none.

    Subject ids are unguessable, but a peer that saw one could repeat it: with several owners the first heard
    wins unless `owner` says whose.
    """
    row = connection.execute(
        SELECT + "WHERE s.id = ? AND (? IS NULL OR owner = ?) ORDER BY s.rowid LIMIT 1", (id, owner, owner)
    ).fetchone()
    return None if row is None else to_json(row)


def listed(
    connection: sqlite3.Connection, state: str | None, after: Mark, limit: int
) -> list[tuple[Mark, dict[str, Any]]]:
    """Those of circles in force whose description is here and not taken back: open emergencies, then newest first, as
    Need JSON.
    """
    rows = connection.execute(
        SELECT + "WHERE s.described AND s.state <> 'revoked' AND (s.listed, s.feed, s.posted_idx) < (?, ?, ?)"
        " AND (? IS NULL OR s.state = ?)"
        f" AND {IN_FORCE}"
        " ORDER BY s.listed DESC, s.feed DESC, s.posted_idx DESC LIMIT ?",
        (*after, state, state, limit),
    )
    return [(Mark(row[_LISTED], row[1], row[_POSTED_IDX]), to_json(row)) for row in rows]


def open_ones(
    connection: sqlite3.Connection, key: str | None, category: str | None, limit: int
) -> list[dict[str, Any]]:
    """Open ones of circles in force as Need JSON: most urgent first, then those whose time runs out first."""
    # Feed by feed through the index of open ones: what is closed, or of an ended circle, is never read.
    rows = connection.execute(
        SELECT + f"WHERE {IN_FORCE} AND s.described AND s.state = 'open'"
        " AND (?1 IS NULL OR s.item_key = ?1) AND (?2 IS NULL OR s.category = ?2)"
        " ORDER BY CASE s.urgency WHEN 'emergency' THEN 0 WHEN 'high' THEN 1 WHEN 'normal' THEN 2 ELSE 3 END,"
        " coalesce(s.ends, '~'), s.posted_at, s.id LIMIT ?3",
        (key, category, limit),
    )
    return [to_json(row) for row in rows]


STANDING = ("id", "circle", "owner", "unit", "quantity", "open", "item")


def standing(connection: sqlite3.Connection, id: str, owner: str | None = None) -> dict[str, Any] | None:
    """What a pledge towards a shared need is built from, None if there is no such need.

    {id, circle, owner, unit, quantity, open, item, state, shared, newest}: `state` is open, revoked, closed,
    or "not_in_force" where the circle is suspended or severed. `shared` and `newest` are references to the
    need.shared entry and to the newest entry about the need: {origin_hash (hex), index, leaf_hash (hex)}.
    """
    row = connection.execute(
        "SELECT s.id, speakers.circle, owner, unit, quantity, open, item,"
        " CASE WHEN s.state <> 'open' OR coalesce(circles.state, '') = 'active' THEN s.state"
        " ELSE 'not_in_force' END,"
        " origin_hash, shared_idx, shared_leaf, newest_idx, newest_leaf"
        + FROM
        + "LEFT JOIN circles ON circles.circle = speakers.circle AND circles.gid = speakers.owner"
        " WHERE s.id = ? AND (? IS NULL OR owner = ?) ORDER BY s.rowid LIMIT 1",
        (id, owner, owner),
    ).fetchone()
    if row is None:
        return None
    *_, state, origin, shared_index, shared_leaf, newest_index, newest_leaf = row
    return {
        **dict(zip(STANDING, row, strict=False)),
        "state": state,
        "shared": {"origin_hash": origin.hex(), "index": shared_index, "leaf_hash": shared_leaf.hex()},
        "newest": {"origin_hash": origin.hex(), "index": newest_index, "leaf_hash": newest_leaf.hex()},
    }


def to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of `SELECT` as Need JSON. What its owner presumes stands in `received`: wanted from nobody else."""
    need = dict(zip((*COLUMNS, "circle", "owner", "group_name"), row, strict=True))
    return {
        "id": need["id"],
        "ours": False,
        "group": need["owner"],
        "group_name": need["group_name"],
        "circle": need["circle"],
        "category": need["category"],
        "item": need["item"],
        "quantity": need["quantity"],
        "unit": need["unit"],
        "urgency": need["urgency"],
        "from": need["starts"],
        "until": need["ends"],
        "area": need["area"],
        "state": need["state"],
        "closed_reason": need["closed_reason"],
        "received": need["received"],
        "presumed": None,
        "reserved": need["reserved"],
        "open": need["open"],
        "coverage": share_of(need["quantity"], need["received"], need["reserved"]),
        "fulfilment": share_of(need["quantity"], need["received"]),
        "shared_with": [],
        # What is to be done next is their home's business.
        "next_action": None,
        "next_action_at": None,
        "version": need["version"],
        "posted_at": need["posted_at"],
    }
