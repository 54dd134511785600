"""What changed, in the order the views came to show it: what live pages follow. Kinds, ids and versions, never what
they stand for.

Written in the transaction of the rows, so whoever is told of a change also sees it. It has one number for our own
events and for what peers show, and like every view it can be rebuilt. So a place in it is its number and a stamp over
all that was told up to there: a place of another history is found out, and never taken for one of this.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple

from aidmesh_node.domain.event import Event
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views import tracking
from aidmesh_node.views.disputes import PLEDGE_OF
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.handling import Shown
from aidmesh_node.views.tracking import Tracked

TABLES = """
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, id TEXT, ours INTEGER NOT NULL, version INTEGER, position INTEGER NOT NULL,
    stamp BLOB NOT NULL
)
"""

KINDS = ("need", "offer", "pledge", "member", "peer", "group", "recovery", "board", "fork")
"""`board`: which circles are in force changed, and with it what the lists show of others; it has no id. Of a dispute
the pledge is told, which says how many are open; of one about somebody's conduct nothing, for every member follows.
"""

CHANGES_KEPT = 20_000
"""Some 2 MiB, months of a village's work. Who comes back later reads the lists anew, which then costs less."""

TRIM_CHANGES = 1_000
"""Removed at once, so that not every transaction removes some."""

STAMP_BYTES = 8
"""Nobody gains by guessing one: it tells histories of one node apart."""

ROWS_A_STATEMENT = 32
"""Each statement lets go of the interpreter and takes it again, which under load costs more than a row."""

_ONE = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)"
_MANY = _ONE + ", (?, ?, ?, ?, ?, ?, ?)" * (ROWS_A_STATEMENT - 1)

_PLACE = re.compile(rf"([0-9]{{1,18}})-([0-9a-f]{{{STAMP_BYTES * 2}}})", re.ASCII)
_START = (0, bytes(STAMP_BYTES))
_OTHERWISE = ("peer", "group", "dispute")
_IN_FORCE = (PeerLink.Activated, PeerLink.Suspended, PeerLink.Resumed, PeerLink.Severed)


class Change(NamedTuple):
    """One thing that is shown differently now. `place` names it for ever, `id` is as in the lists (a gid for a peer and
    for our group); `position`: of the log, which the lists then showed."""

    place: str
    kind: str
    id: str | None
    ours: bool
    version: int | None
    position: int


class Told(NamedTuple):
    """What came after a place, `end` being the place of the last, and the log position the views show now.

    `lost`: there is no such place, "too_old" or "other_history"; then nothing is told, and `end` is the newest place.
    """

    changes: list[Change]
    end: str
    position: int
    lost: str | None


def since(connection: sqlite3.Connection, place: str | None, limit: int) -> Told:
    """Up to `limit` changes after `place`; after the newest one when it is None."""
    position = tracking.position(connection)
    newest = connection.execute("SELECT seq, stamp FROM changes ORDER BY seq DESC LIMIT 1").fetchone() or _START
    if place is None:
        return Told([], _place(*newest), position, None)
    written = _PLACE.fullmatch(place)
    seq, stamp = (int(written[1]), bytes.fromhex(written[2])) if written else (newest[0] + 1, b"")
    if (seq, stamp) == newest:
        return Told([], place, position, None)
    rows = connection.execute(
        "SELECT seq, kind, id, ours, version, position, stamp FROM changes WHERE seq >= ? ORDER BY seq LIMIT ?",
        (seq, limit + 1),
    ).fetchall()
    if (seq, stamp) == _START and rows[0][0] == 1:
        rows = rows[:limit]  # before the first there is no row
    elif rows and rows[0][0] == seq and rows[0][-1] == stamp:
        rows = rows[1:]
    else:
        too_old = bool(rows) and rows[0][0] > seq
        return Told([], _place(*newest), position, "too_old" if too_old else "other_history")
    told = [
        Change(_place(at, mark), kind, id, bool(ours), version, shown)
        for at, kind, id, ours, version, shown, mark in rows
    ]
    return Told(told, told[-1].place, position, None)


class ChangeLog:
    """Gathers what one transaction changes and writes it at its end."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kinds = _Kinds()
        self._gathered: list[tuple[str, str | None, int, int | None, int]] = []
        self._last: tuple[int, bytes] | None = None

    def events(self, events: Sequence[tuple[int, Event]]) -> None:
        """Events of our log, with their positions, were projected. In one go: it is done for every event there is."""
        kinds = self._kinds
        told = [
            (kinds[type(event)], event.originator_id.hex, 1, event.originator_version, position)
            if kinds[type(event)] not in _OTHERWISE
            else self._otherwise(event, position)
            for position, event in events
        ]
        self._gathered += filter(None, told)
        ends = [position for position, event in events if isinstance(event, _IN_FORCE)]
        if ends:
            self._gathered.append(("board", None, 1, None, ends[-1]))

    def shown(self, kind: str, shown: Sequence[Shown], position: int) -> None:
        """Peers showed us these differently; what lists hide, of a circle not in force or not yet described, is not
        told."""
        if not shown:
            return
        in_force = {
            feed
            for (feed,) in self._connection.execute(
                "SELECT feed FROM speakers JOIN circles USING (circle) WHERE circles.state = 'active'"
            )
        }
        # Folded more than once: lists may have shown it before.
        self._gathered += [
            (kind, one.id, 0, one.version, position)
            for one in shown
            if (one.described or one.version > 1) and one.feed in in_force
        ]

    def renamed(self, gids: Iterable[str], position: int) -> None:
        """These groups call themselves something else now."""
        for gid in gids:
            link = self._connection.execute("SELECT version FROM peers WHERE gid = ?", (gid,)).fetchone()
            if link is not None:
                self._gathered.append(("peer", gid, 0, link[0], position))

    def write(self, incarnation: bytes, moved: Mapping[int, Tracked]) -> bool:
        """Write what was gathered, in the running transaction; whether there was anything. `moved` are the positions
        that move with it."""
        if not self._gathered:
            return False
        seq, stamp = self._newest()
        # What is ours is named by how far the log came; what peers show depends also on when its parts arrived.
        theirs = [change for change in self._gathered if not change[2]]
        told = repr((stamp, incarnation, sorted(moved.items()), len(self._gathered), theirs))
        stamp = blake2b(told.encode(), digest_size=STAMP_BYTES).digest()
        rows = [(at, *change, stamp) for at, change in enumerate(self._gathered, seq + 1)]
        whole = len(rows) - len(rows) % ROWS_A_STATEMENT
        for begin in range(0, whole, ROWS_A_STATEMENT):
            self._connection.execute(_MANY, tuple(chain.from_iterable(rows[begin : begin + ROWS_A_STATEMENT])))
        self._connection.executemany(_ONE, rows[whole:])
        last = seq + len(self._gathered)
        if last // TRIM_CHANGES != seq // TRIM_CHANGES:
            self._connection.execute("DELETE FROM changes WHERE seq <= ?", (last - CHANGES_KEPT,))
        self._last = last, stamp
        self._gathered.clear()
        return True

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._gathered.clear()
        self._last = None

    def _otherwise(self, event: Event, position: int) -> tuple[str, str | None, int, int | None, int] | None:
        """A group goes by its gid everywhere but in the log, and a dispute shows in its pledge, if at all."""
        kind, id = self._kinds[type(event)], event.originator_id.hex
        if kind == "dispute":
            pledge = self._connection.execute(PLEDGE_OF, (id,)).fetchone()
            return pledge and ("pledge", pledge[0], 1, pledge[1], position)
        if kind == "peer":
            (gid,) = self._connection.execute("SELECT gid FROM peers WHERE id = ?", (id,)).fetchone()
        else:
            gid = own_group(self._connection).gid
        return kind, gid, 1, event.originator_version, position

    def _newest(self) -> tuple[int, bytes]:
        if self._last is None:
            row = self._connection.execute("SELECT seq, stamp FROM changes ORDER BY seq DESC LIMIT 1").fetchone()
            self._last = row or _START
        return self._last


class _Kinds(dict[type[Event], str]):
    """What an event is about, as lists call it: a `need:posted` a need, a `peer-link:invited` a peer."""

    def __missing__(self, event: type[Event]) -> str:
        kind = self[event] = event.TOPIC.partition(":")[0].removesuffix("-link")
        return kind


def _place(seq: int, stamp: bytes) -> str:
    return f"{seq}-{stamp.hex()}"
