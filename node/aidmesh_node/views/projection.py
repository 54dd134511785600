"""Every view in one place: their tables, and what happens to each of them when something was done or said."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from aidmesh_node.application.ports import HeldEntry
from aidmesh_node.domain.event import Event
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.views import (
    changes,
    circles,
    disputes,
    erasing,
    foreign,
    forks,
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
from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_node.views.handling import ForeignFold, Handle, Insert
from aidmesh_node.views.tracking import Tracked
from aidmesh_protocol.entry import Entry, kept_content
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import Incomplete, Statement, Unknown, Vocabulary

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
    forks.TABLES,
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
    forks.HANDLERS,
    known_items.HANDLERS,
    erasing.HANDLERS,
)
"""In order: a group's name and a circle are found through the link that an event is about."""


class Projection:
    """What writes the views, bound to their one writing connection."""

    def __init__(
        self, connection: sqlite3.Connection, stream: Callable[[UUID], list[Any]], vocabulary: Vocabulary
    ) -> None:
        """`stream` gives one aggregate's events from the log."""
        self._vocabulary = vocabulary
        self._connection = connection
        self._pledges = pledges.PledgesView(connection, stream)
        self._changes = changes.ChangeLog(connection)
        self._handlers: dict[type[Any], tuple[Handle, ...]] = {}
        for handlers in HANDLERS:
            for event_class, handle in handlers.items():
                self._handlers[event_class] = (*self._handlers.get(event_class, ()), handle)
        self._names = groups.GroupNamesFold(connection)
        shown = shared_needs.SharedNeedsFold(connection), shared_offers.SharedOffersFold(connection)
        self._erased = erasing.ErasedFold(connection, shown)
        self._folds: tuple[ForeignFold, ...] = (*shown, self._names, self._erased)
        self._fold_of: dict[type[Statement], ForeignFold] = {
            kind: fold for fold in self._folds for kind in fold.STATEMENTS
        }
        self._types = frozenset(kind.TYPE for kind in self._fold_of)

    def events(self, events: Iterable[Any]) -> None:
        """Project events of our log, in order. Those that no view is about change nothing."""
        for event_class, some in groupby(events, type):
            run = list(some)
            self._erased.erased |= event_class in erasing.HANDLERS
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

    def read(self, index: int, held: HeldEntry) -> Heard | Incomplete | None:
        """What an entry of a foreign feed, its index there, says that a view is about.

        Incomplete: it has no meaning before a part arrives, so nothing after it can be projected either. None
        for what is unknown, or means nothing, or nothing here: judging it is the inbox's business.
        """
        data, leaf, parts = held
        try:
            entry = Entry.decode(data)
            if entry.type not in self._types:
                return None
            # Its parts were checked against it before they were stored.
            statement = self._vocabulary.read(entry, parts, kept_content)
        except ProtocolError:
            return None
        if isinstance(statement, Incomplete):
            return statement
        if isinstance(statement, Unknown):
            return None
        return Heard(index, leaf, entry.subject_id.hex(), entry.hour, statement)

    def said(self, by: Speaker, heard: Sequence[Heard]) -> None:
        """Project statements of one feed, in order."""
        with_folds = [(self._fold_of[type(one.statement)], one) for one in heard]
        about: dict[ForeignFold, list[str]] = {}
        for fold, one in with_folds:
            about.setdefault(fold, []).append(one.id)
        for fold, ids in about.items():
            fold.load(by.feed, ids)
        for fold, one in with_folds:
            fold.apply(by, one)
        for fold in about:
            fold.write()

    def late_view(self, by: Speaker, index: int, held: HeldEntry) -> None:
        """The view part of an entry projected before has arrived."""
        read = self.read(index, held)
        if isinstance(read, Heard):
            fold = self._fold_of[type(read.statement)]
            fold.load(by.feed, (read.id,))
            fold.describe(by, read)

    def flush(self, incarnation: bytes, moved: Mapping[int, Tracked], position: int) -> bool:
        """Write what is kept in memory, and what has changed by it; before every commit. Whether anything changed that
        lists show; `moved` are the positions that move in this transaction, `position` is that of the log."""
        for fold in self._folds:
            self._changes.shown(fold.KIND, fold.flush(), position)
        self._changes.renamed(sorted(self._names.renamed), position)
        self._names.renamed.clear()
        return self._changes.write(incarnation, moved)

    @property
    def erased(self) -> bool:
        """Whether anything was erased since `forget_erased`: then no older copy of it may stay behind."""
        return self._erased.erased

    def forget_erased(self) -> None:
        """No older copy is left."""
        self._erased.erased = False

    def forget(self) -> None:
        """The transaction was rolled back, or the tables were made anew."""
        self._pledges.forget()
        self._changes.forget()
        for fold in self._folds:
            fold.forget()
