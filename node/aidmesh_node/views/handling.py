"""How a view takes part in the projection: its tables, and one function per event class it is about."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from aidmesh_node.views.foreign import Place
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.statements import Statement

Handlers = Mapping[type[Any], Callable[[sqlite3.Connection, Any], None]]


class Shown(NamedTuple):
    """One thing of a peer that a transaction changed: subject id (hex), feed, version; `seen`: lists show it, or may
    have shown it before."""

    id: str
    feed: int
    version: int
    seen: bool


class ForeignFold(Protocol):
    """A view of what peers said. `KIND` is what lists call its things."""

    KIND: str
    STATEMENTS: tuple[type[Statement], ...]

    def load(self, feed: int, ids: Iterable[str]) -> None:
        """The subjects (hex) that the statements to be applied next are about."""

    def apply(self, place: Place, entry: Entry, statement: Statement) -> None:
        """Project one statement; a view part that is missing arrives later through `describe`."""

    def describe(self, place: Place, entry: Entry, statement: Statement) -> None:
        """The same statement again, now with its view part."""

    def flush(self) -> list[Shown]:
        """Write what is kept in memory: the transaction is about to commit. What it changed."""

    def forget(self) -> None:
        """The transaction was rolled back."""
