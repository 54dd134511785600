"""Every view in one place: their tables, and what happens to each of them when something was done or said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from aidmesh_node.domain.event import Event
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.views import (
    changes,
    circles,
    disputes,
    foreign,
    groups,
    known_items,
    members,
    needs,
    offers,
    peers,
    pledges,
    shared_needs,
    shared_offers,
    shares,
    tracking,
)
from aidmesh_node.views.foreign import Place
from aidmesh_node.views.handling import ForeignFold, Handle, Insert
from aidmesh_node.views.tracking import Tracked
from aidmesh_protocol import statements
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import Incomplete, Statement, Unknown

TABLES = (
    tracking.TABLES,
    foreign.TABLES,
    groups.TABLES,
    peers.TABLES,
    circles.TABLES,
    members.TABLES,
    shares.TABLES,
    needs.TABLES,
    offers.TABLES,
    pledges.TABLES,
    disputes.TABLES,
    shared_needs.TABLES,
    shared_offers.TABLES,
    known_items.TABLES,
    changes.TABLES,
)

HANDLERS = (
    peers.HANDLERS,
    groups.HANDLERS,
    circles.HANDLERS,
    members.HANDLERS,
    shares.HANDLERS,
    needs.HANDLERS,
    offers.HANDLERS,
    disputes.HANDLERS,
    known_items.HANDLERS,
)
"""In order: a group's name and a circle are found through the link that an event is about."""

Said = tuple[Entry, Statement]


class Projection:
    """What writes the views, bound to their one writing connection."""

    def __init__(self, connection: sqlite3.Connection, stream: Callable[[UUID], list[Any]]) -> None:
        """`stream` gives one aggregate's events from the log."""
        self._connection = connection
        self._pledges = pledges.PledgesView(connection, stream)
        self._changes = changes.ChangeLog(connection)
        self._handlers: dict[type[Any], tuple[Handle, ...]] = {}
        for handlers in HANDLERS:
            for event_class, handle in handlers.items():
                self._handlers[event_class] = (*self._handlers.get(event_class, ()), handle)
        self._names = groups.GroupNamesFold(connection)
        self._folds: tuple[ForeignFold, ...] = (
            shared_needs.SharedNeedsFold(connection),
            shared_offers.SharedOffersFold(connection),
            self._names,
        )
        self._fold_of = {kind.TYPE: fold for fold in self._folds for kind in fold.STATEMENTS}

    def events(self, events: Iterable[Any]) -> None:
        """Project events of our log, in order. Those that no view is about change nothing."""
        for event_class, some in groupby(events, type):
            run = list(some)
            if issubclass(event_class, Pledge.Event | Pledge.Offered):
                for event in run:
                    self._pledges.apply(event)
            for handle in self._handlers.get(event_class, ()):
                if isinstance(handle, Insert):
                    handle.all(self._connection, run)
                    continue
                for event in run:
                    handle(self._connection, event)

    def changed_by(self, events: Sequence[tuple[int, Event]]) -> None:
        """All these events, with their positions, were projected: tell of them with this transaction."""
        self._changes.events(events)

    def read(self, data: bytes, parts: dict[str, bytes]) -> Said | Incomplete | None:
        """What an entry of a foreign feed says that a view is about, from its bytes and the parts at hand.

        Incomplete: it has no meaning before a part arrives, so nothing after it can be projected either. None
        for what is unknown, or means nothing, or nothing here: judging it is the inbox's business.
        """
        try:
            entry = Entry.decode(data)
            if entry.type not in self._fold_of:
                return None
            statement = statements.read(entry, parts)
        except ProtocolError:
            return None
        if isinstance(statement, Incomplete):
            return statement
        return None if isinstance(statement, Unknown) else (entry, statement)

    def said(self, feed: int, heard: Sequence[tuple[Place, Said]]) -> None:
        """Project statements of one feed, in order."""
        about: dict[ForeignFold, set[str]] = {}
        for _, (entry, _) in heard:
            about.setdefault(self._fold_of[entry.type], set()).add(entry.subject_id.hex())
        for fold, ids in about.items():
            fold.load(feed, ids)
        for place, (entry, statement) in heard:
            self._fold_of[entry.type].apply(place, entry, statement)

    def late_view(self, place: Place, data: bytes, parts: dict[str, bytes]) -> None:
        """The view part of an entry projected before has arrived."""
        read = self.read(data, parts)
        if isinstance(read, tuple):
            entry, statement = read
            fold = self._fold_of[entry.type]
            fold.load(place.feed, (entry.subject_id.hex(),))
            fold.describe(place, entry, statement)

    def flush(self, incarnation: bytes, moved: Mapping[int, Tracked], position: int) -> bool:
        """Write what is kept in memory, and what has changed by it; before every commit. Whether anything changed that
        lists show; `moved` are the positions that move in this transaction, `position` is that of the log."""
        for fold in self._folds:
            self._changes.shown(fold.KIND, fold.flush(), position)
        self._changes.renamed(sorted(self._names.renamed), position)
        self._names.renamed.clear()
        return self._changes.write(incarnation, moved)

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._pledges.forget()
        self._changes.forget()
        for fold in self._folds:
            fold.forget()
