"""Pledges as Pledge JSON, with one sentence on what happens next. What a pledge means, only the domain's fold
decides.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from aidmesh_node.domain import pledge_events
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.domain.window import ANY_TIME
from aidmesh_node.views.disputes import OPEN_AND_TOLD
from aidmesh_node.views.next_steps import next_step, note, presume_from
from aidmesh_node.views.pages import Mark, mark_of, page, page_limit
from aidmesh_node.views.times import time_text, window_text

TABLES = """
CREATE TABLE pledges (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL, need TEXT NOT NULL, offer TEXT, peer TEXT, circle TEXT, posted_by TEXT,
    unit TEXT NOT NULL, how TEXT NOT NULL, posted_at TEXT NOT NULL, starts TEXT, ends TEXT,
    offered TEXT NOT NULL, revision INTEGER NOT NULL,
    proposed TEXT NOT NULL, proposed_starts TEXT, proposed_ends TEXT,
    accepted TEXT NOT NULL, committed TEXT NOT NULL, remainder TEXT NOT NULL,
    handed TEXT NOT NULL, received TEXT NOT NULL, presumed TEXT NOT NULL, in_transit TEXT NOT NULL,
    outcome TEXT, failure TEXT, failures INTEGER NOT NULL, handed_at TEXT, asked INTEGER NOT NULL, asked_at TEXT,
    left_by TEXT NOT NULL,
    phase TEXT NOT NULL, discrepancy INTEGER NOT NULL, reason TEXT,
    version INTEGER NOT NULL, updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX pledges_listed ON pledges (posted_at, id);
CREATE INDEX pledges_by_need ON pledges (need);
CREATE INDEX pledges_by_phase ON pledges (phase)
"""

FIXED = (
    "id", "role", "need", "offer", "peer", "circle", "posted_by", "unit", "how", "posted_at",
)  # fmt: skip
FOLDED = (
    "starts", "ends", "offered", "revision", "proposed", "proposed_starts", "proposed_ends",
    "accepted", "committed", "remainder", "handed", "received", "presumed", "in_transit",
    "outcome", "failure", "failures", "handed_at", "asked", "asked_at", "left_by", "phase",
    "discrepancy", "reason", "version", "updated_at",
)  # fmt: skip
COLUMNS = FIXED + FOLDED

SELECT = (
    f"SELECT {', '.join('p.' + column for column in COLUMNS)},"
    " (SELECT name FROM group_names WHERE gid = p.peer),"
    # A giver's need is the peer's: its item is what they show, else what we give.
    " coalesce((SELECT item FROM needs WHERE id = p.need),"
    " (SELECT item FROM shared_needs AS s JOIN speakers USING (feed)"
    " WHERE s.id = p.need AND speakers.circle = p.circle AND owner = p.peer),"
    " (SELECT item FROM offers WHERE id = p.offer)),"
    f" {OPEN_AND_TOLD}"
    " FROM pledges AS p "
)

_UPSERT = (
    f"INSERT INTO pledges ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in FOLDED)}"
)

FOLDED_MAX = 1_000
"""Pledges kept folded in memory between events: the ones people act on now."""


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One pledge by its full hex id; None if there is none."""
    row = connection.execute(SELECT + "WHERE p.id = ?", (id,)).fetchone()
    return None if row is None else to_json(row)


def posted_by(connection: sqlite3.Connection, id: str) -> str | None:
    """Member id (hex) of who made the pledge; None if a peer did, or there is no such pledge."""
    row = connection.execute("SELECT posted_by FROM pledges WHERE id = ?", (id,)).fetchone()
    return None if row is None else row[0]


def list_page(
    connection: sqlite3.Connection,
    *,
    role: str | None = None,
    phase: str | None = None,
    need: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """{schema_version, items: [Pledge], position, cursor}, newest first. Raises BadCursor."""
    items_max, after = page_limit(limit), mark_of(connection, cursor)
    rows = connection.execute(
        SELECT + "WHERE (p.posted_at, 0, p.id) < (?, ?, ?) AND (? IS NULL OR p.role = ?)"
        " AND (? IS NULL OR p.phase = ?) AND (? IS NULL OR p.need = ?)"
        " ORDER BY p.posted_at DESC, p.id DESC LIMIT ?",
        (*after, role, role, phase, phase, need, need, items_max + 1),
    )
    found = [(Mark(row[COLUMNS.index("posted_at")], 0, row[0]), to_json(row)) for row in rows]
    return page(connection, found, items_max)


def to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of SELECT as Pledge JSON."""
    pledge = dict(zip((*COLUMNS, "peer_name", "item", "disputes"), row, strict=True))
    return {
        "id": pledge["id"],
        "role": pledge["role"],
        "need": pledge["need"],
        "offer": pledge["offer"],
        "peer": pledge["peer"],
        "peer_name": pledge["peer_name"],
        "circle": pledge["circle"],
        "item": pledge["item"],
        "unit": pledge["unit"],
        "offered": pledge["offered"],
        "revision": pledge["revision"],
        "proposed": _proposed(pledge),
        "accepted": pledge["accepted"],
        "committed": pledge["committed"],
        "handed": pledge["handed"],
        "received": pledge["received"],
        "presumed": pledge["presumed"],
        "in_transit": pledge["in_transit"],
        "phase": pledge["phase"],
        "outcome": pledge["outcome"],
        "failure": pledge["failure"],
        "failures": pledge["failures"],
        "asked": pledge["asked"],
        "asked_at": pledge["asked_at"],
        "presume_from": presume_from(pledge),
        "discrepancy": bool(pledge["discrepancy"]),
        "note": note(pledge),
        "disputes": pledge["disputes"],
        "how": pledge["how"],
        "from": pledge["starts"],
        "until": pledge["ends"],
        "reason": pledge["reason"],
        "version": pledge["version"],
        "updated_at": pledge["updated_at"],
        "next": next_step(pledge),
    }


def _proposed(pledge: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the home would rather have, while it waits for the giver's answer."""
    if pledge["phase"] != "countered":
        return None
    return {
        "quantity": pledge["proposed"],
        "from": pledge["proposed_starts"],
        "until": pledge["proposed_ends"],
    }


class PledgesView:
    """Projects pledges through the aggregate itself, so that no second fold can disagree with the first."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        stream: Callable[[UUID], list[Any]],
        folded_max: int = FOLDED_MAX,
    ) -> None:
        """`stream` gives a pledge's events from the log, for one whose folded state is not in memory any
        more.
        """
        self._connection = connection
        self._stream = stream
        self._folded: OrderedDict[UUID, Pledge] = OrderedDict()
        self._folded_max = folded_max

    def apply(self, event: pledge_events.Event) -> None:
        """Project one event, in the running transaction."""
        pledge = self._folded.pop(event.originator_id, None)
        if pledge is None and event.originator_version > 1:
            for earlier in self._stream(event.originator_id):
                if earlier.originator_version < event.originator_version:
                    pledge = earlier.mutate(pledge)
        changed = event.mutate(pledge)
        assert isinstance(changed, Pledge)
        self._folded[event.originator_id] = changed
        if len(self._folded) > self._folded_max:
            self._folded.popitem(last=False)
        self._write(changed, event)

    def forget(self) -> None:
        """The transaction was rolled back: fold again from the log."""
        self._folded.clear()

    def _write(self, pledge: Pledge, event: pledge_events.Event) -> None:
        state, proposed = pledge.state, pledge.proposed or ANY_TIME
        self._connection.execute(
            _UPSERT,
            (
                pledge.id.hex,
                pledge.role,
                pledge.need_id.hex,
                pledge.offer_id and pledge.offer_id.hex,
                pledge.peer,
                pledge.circle,
                event.actor and event.actor.hex,
                pledge.unit,
                pledge.how,
                time_text(event.timestamp),
                window_text(pledge.window.start),
                window_text(pledge.window.end),
                amount_text(state.offered),
                state.giver.revision,
                amount_text(state.home.proposed),
                window_text(proposed.start),
                window_text(proposed.end),
                amount_text(state.accepted),
                amount_text(state.committed),
                amount_text(state.live_remainder),
                amount_text(state.handed),
                amount_text(state.received),
                amount_text(state.presumed),
                amount_text(state.in_transit),
                pledge.outcome,
                pledge.failure,
                pledge.failures,
                pledge.handed_at and time_text(pledge.handed_at),
                len(pledge.asked),
                time_text(pledge.asked[-1]) if pledge.asked else None,
                " ".join(side for side, left in pledge.left.items() if left == (state.handed, state.received)),
                state.phase,
                state.discrepancy,
                pledge.reason,
                pledge.version,
                time_text(event.timestamp),
            ),
        )
