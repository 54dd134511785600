"""Every view in one place: their tables, and what happens to each of them when something was done or said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.views import (
    circles,
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
from aidmesh_node.views.handling import ForeignFold
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
    shared_needs.TABLES,
    shared_offers.TABLES,
    known_items.TABLES,
)

HANDLERS = (
    peers.HANDLERS,
    groups.HANDLERS,
    circles.HANDLERS,
    members.HANDLERS,
    shares.HANDLERS,
    needs.HANDLERS,
    offers.HANDLERS,
    known_items.HANDLERS,
)
"""In order: a group's name and a circle are found through the link that an event is about."""

Said = tuple[Entry, Statement]
Handle = Callable[[sqlite3.Connection, Any], None]


class Projection:
    """What writes the views, bound to their one writing connection."""

    def __init__(self, connection: sqlite3.Connection, stream: Callable[[UUID], list[Any]]) -> None:
        """`stream` gives one aggregate's events from the log."""
        self._connection = connection
        self._pledges = pledges.PledgesView(connection, stream)
        self._handlers: dict[type[Any], tuple[Handle, ...]] = {}
        for handlers in HANDLERS:
            for event_class, handle in handlers.items():
                self._handlers[event_class] = (*self._handlers.get(event_class, ()), handle)
        self._folds: tuple[ForeignFold, ...] = (
            shared_needs.SharedNeedsFold(connection),
            shared_offers.SharedOffersFold(connection),
            groups.GroupNamesFold(connection),
        )
        self._fold_of = {kind.TYPE: fold for fold in self._folds for kind in fold.STATEMENTS}

    def event(self, event: Any) -> None:
        """Project one event of our log. Events no view is about change nothing."""
        if isinstance(event, Pledge.Event | Pledge.Offered):
            self._pledges.apply(event)
        for handle in self._handlers.get(type(event), ()):
            handle(self._connection, event)

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

    def flush(self) -> None:
        """Write what is kept in memory; before every commit."""
        for fold in self._folds:
            fold.flush()

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._pledges.forget()
        for fold in self._folds:
            fold.forget()
