"""How a view takes part in the projection: its tables, and one function per event class it is about."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_protocol.statements import Statement

ROWS_PER_INSERT = 16
"""Rows of one statement: each statement lets go of the interpreter and takes it again, which costs more than a row."""


@dataclass(frozen=True, slots=True)
class Insert:
    """What an event adds: one row, or none. Rows of consecutive events of one class go in together.

    `into`: the statement up to VALUES; `row`: its values for an event, always as many, or None.
    """

    into: str
    row: Callable[[Any], tuple[Any, ...] | None]

    def all(self, connection: sqlite3.Connection, events: Sequence[Any]) -> None:
        """Add the rows of these events, in order."""
        rows = [row for row in map(self.row, events) if row is not None]
        for begin in range(0, len(rows), ROWS_PER_INSERT):
            some = rows[begin : begin + ROWS_PER_INSERT]
            one = f"({', '.join('?' * len(some[0]))})"
            statement = f"{self.into} VALUES {', '.join([one] * len(some))}"
            connection.execute(statement, [value for row in some for value in row])


Handle = Insert | Callable[[sqlite3.Connection, Any], None]
Handlers = Mapping[type[Any], Handle]


class Shown(Protocol):
    """One thing of a peer that a transaction changed: subject id (hex), feed, whether its description is here, and how
    many statements about it were folded."""

    @property
    def id(self) -> str: ...
    @property
    def feed(self) -> int: ...
    @property
    def described(self) -> int: ...
    @property
    def version(self) -> int: ...


class ForeignFold(Protocol):
    """A view of what peers said. `KIND` is what lists call its things."""

    KIND: str
    STATEMENTS: tuple[type[Statement], ...]

    def load(self, feed: int, ids: Iterable[str]) -> None:
        """The subjects (hex) that the statements to be applied next are about."""

    def apply(self, by: Speaker, heard: Heard) -> None:
        """Project one statement; a view part that is missing arrives later through `describe`."""

    def describe(self, by: Speaker, heard: Heard) -> None:
        """The same statement again, now with its view part."""

    def write(self) -> None:
        """Write what is kept in memory: the transaction may have to end soon."""

    def flush(self) -> Sequence[Shown]:
        """Write what is kept in memory: the transaction is about to commit. What it changed."""

    def forget(self) -> None:
        """The transaction was rolled back."""
