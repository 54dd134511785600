"""Needs that peers show to our circles: a fold of need.* statements per (circle, owner, subject).

Revoked: gone from every list at once, and its description is overwritten. Closed: final, nothing after it
counts. A need whose description has not arrived is kept and hidden until it does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

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


class Row(NamedTuple):
    """One row of the table. `version` counts the statements folded; `listed` is its place in the list, as for our own:
    open emergencies sort after all others."""

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
    listed: str


COLUMNS = Row._fields
DESCRIPTION = COLUMNS[COLUMNS.index("described") : COLUMNS.index("quantity")]
HIDDEN = (0, None, None, None, None, None, None, None)


class SharedNeedsFold:
    """Projects need.* entries of foreign feeds; `flush` before the transaction commits."""

    KIND = "need"
    STATEMENTS: tuple[type[Statement], ...] = (NeedShared, NeedUpdated, NeedShareRevoked, NeedClosed)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = SharedRows(connection, "shared_needs", COLUMNS, Row._make)
        self.load, self.write = self._rows.load, self._rows.write
        self.flush, self.forget = self._rows.flush, self._rows.forget

    def apply(self, by: Speaker, heard: Heard) -> None:
        key, said = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None:
            # About something never shown to us a correct node says nothing else.
            if isinstance(said, NeedShared):
                self._rows.put(key, self._first(key, heard, said))
            return
        if row.state == "closed" or (row.state == "revoked" and not isinstance(said, NeedShared)):
            return
        if isinstance(said, NeedShared):
            self._await_no_longer(row)
            row = self._shared_again(row, heard, said)
        elif isinstance(said, NeedUpdated):
            row = row._replace(
                quantity=said.quantity,
                received=said.received,
                reserved=said.reserved,
                open=remaining(said.quantity, said.received, said.reserved),
            )
        elif isinstance(said, NeedShareRevoked):
            self._await_no_longer(row)
            row = _with(row._replace(state="revoked"), HIDDEN)
        elif isinstance(said, NeedClosed):
            row = row._replace(state="closed", closed_reason=said.reason)
        row = row._replace(version=row.version + 1, newest_idx=heard.index, newest_leaf=heard.leaf)
        self._rows.put(key, _placed(row))

    def describe(self, by: Speaker, heard: Heard) -> None:
        """The view part of an entry projected earlier has arrived."""
        key, said = (heard.id, by.feed), heard.statement
        row = self._rows.find(key)
        if row is None or row.state == "revoked" or not isinstance(said, NeedShared) or said.view is None:
            return
        self._rows.put(key, _placed(_with(row, _description(said.view))))

    def forget_view(self, key: Key, indexes: Iterable[int]) -> None:
        """Its description was erased, if it comes from one of these entries."""
        row = self._rows.find(key)
        if row is not None and row.shared_idx in indexes:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)
            row = row._replace(version=row.version + 1)
            self._rows.put(key, _placed(_with(row, HIDDEN)))

    def _first(self, key: Key, heard: Heard, said: NeedShared) -> Row:
        # Nearly all that a feed brings to a new peer: made in one go.
        description, posted_at = self._description(key, heard, said), hour_text(heard.hour)
        reserved = remaining(said.quantity, said.open)
        listed = _listed("open", description[_URGENCY], posted_at)
        return Row._make((
            *key, "open", None, *description, said.quantity, said.unit, "0", reserved, said.open,
            posted_at, heard.index, 1, heard.index, heard.leaf, heard.index, heard.leaf, listed,
        ))  # fmt: skip

    def _shared_again(self, row: Row, heard: Heard, said: NeedShared) -> Row:
        again = row._replace(
            state="open",
            quantity=said.quantity,
            unit=said.unit,
            # How the rest splits into reserved and received, only need.updated says.
            received="0",
            reserved=remaining(said.quantity, said.open),
            open=said.open,
            shared_idx=heard.index,
            shared_leaf=heard.leaf,
        )
        return _with(again, self._description((row.id, row.feed), heard, said))

    def _description(self, key: Key, heard: Heard, said: NeedShared) -> Description:
        if said.view is None:
            tracking.await_view(self._connection, key[1], heard.index)
            return HIDDEN
        return _description(said.view)

    def _await_no_longer(self, row: Row) -> None:
        if not row.described:
            tracking.await_no_longer(self._connection, row.feed, row.shared_idx)


Description = tuple[Any, ...]
"""The values of the columns DESCRIPTION."""

_URGENCY = DESCRIPTION.index("urgency")


def _description(view: NeedView) -> Description:
    starts, ends = minute_or_none(view.from_minute), minute_or_none(view.until_minute)
    return 1, view.category, view.item, key_or_none(view.item), view.urgency, starts, ends, view.area


def _with(row: Row, description: Description) -> Row:
    return row._replace(**dict(zip(DESCRIPTION, description, strict=True)))


def _placed(row: Row) -> Row:
    return row._replace(listed=_listed(row.state, row.urgency, row.posted_at))


def _listed(state: str, urgency: object, posted_at: str) -> str:
    return ("1" if urgency == EMERGENCY and state == "open" else "0") + posted_at


FROM = " FROM shared_needs AS s JOIN speakers USING (feed) "
FIELDS = (
    ", ".join("s." + column for column in COLUMNS)
    + ", speakers.circle, speakers.owner, (SELECT name FROM group_names WHERE gid = speakers.owner)"
)
_LISTED, _POSTED_IDX = COLUMNS.index("listed"), COLUMNS.index("posted_idx")
SELECT = "SELECT " + FIELDS + FROM
IN_FORCE = " s.feed IN (SELECT feed FROM speakers JOIN circles USING (circle) WHERE circles.state = 'active')"


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
        + "LEFT JOIN circles ON circles.circle = speakers.circle"
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
