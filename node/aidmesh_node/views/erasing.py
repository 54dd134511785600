"""What was erased is shown nowhere any more: our own words, and what peers had described to us."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Protocol

from aidmesh_node.domain.need import Need
from aidmesh_node.domain.need_events import Erased as NeedErased
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.offer_events import Erased as OfferErased
from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_node.views.handling import Handlers, Shown
from aidmesh_node.views.shared_rows import Key
from aidmesh_protocol.entry import VIEW
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.statements import PartsErased, Statement


class Describes(Protocol):
    """A fold whose rows hold descriptions from views."""

    def load(self, feed: int, ids: Iterable[str]) -> None: ...
    def write(self) -> None: ...
    def forget_view(self, key: Key, indexes: Iterable[int]) -> None:
        """The description goes, if it comes from one of these entries."""


class ErasedFold:
    """Projects parts.erased of foreign feeds into the folds that show descriptions. `erased`: there was one."""

    KIND = "need"
    STATEMENTS: tuple[type[Statement], ...] = (PartsErased,)

    def __init__(self, connection: sqlite3.Connection, folds: Sequence[Describes]) -> None:
        self._connection = connection
        self._folds = folds
        self.erased = False

    def load(self, feed: int, ids: Iterable[str]) -> None:
        for fold in self._folds:
            fold.load(feed, ids)

    def apply(self, by: Speaker, heard: Heard) -> None:
        said = heard.statement
        assert isinstance(said, PartsErased)  # nothing else is given to it
        self.erased = True
        feed = self._feed(by, said.generation)
        indexes = [index for index, tag in said.parts if tag == VIEW]
        for fold in self._folds if feed is not None else ():
            assert feed is not None
            fold.load(feed, (heard.id,))
            fold.forget_view((heard.id, feed), indexes)

    def describe(self, by: Speaker, heard: Heard) -> None:
        """It has no view."""

    def write(self) -> None:
        for fold in self._folds:
            fold.write()

    def flush(self) -> Sequence[Shown]:
        return ()

    def forget(self) -> None:
        """It keeps nothing; that something was erased may have been before."""

    def _feed(self, by: Speaker, generation: int) -> int | None:
        """The feed of that generation, by its number."""
        hashed = origin_hash(circle_origin(by.owner, bytes.fromhex(by.circle), generation)) if by.circle else b""
        if hashed == by.origin_hash:
            return by.feed
        row = self._connection.execute("SELECT feed FROM speakers WHERE origin_hash = ?", (hashed,)).fetchone()
        return None if row is None else int(row[0])


def _forget(connection: sqlite3.Connection, table: str, event: NeedErased | OfferErased) -> None:
    id = event.originator_id.hex
    (key,) = connection.execute(f"SELECT item_key FROM {table} WHERE id = ?", (id,)).fetchone()
    connection.execute(
        f"UPDATE {table} SET item = NULL, item_key = NULL, area = NULL, version = ? WHERE id = ?",
        (event.originator_version, id),
    )
    # A name that others use too is still the group's.
    connection.execute(
        "DELETE FROM known_items WHERE item_key = ?1 AND NOT EXISTS (SELECT 1 FROM needs WHERE item_key = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM offers WHERE item_key = ?1)",
        (key,),
    )


HANDLERS: Handlers = {
    Need.Erased: lambda connection, event: _forget(connection, "needs", event),
    Offer.Erased: lambda connection, event: _forget(connection, "offers", event),
}


def of_person(connection: sqlite3.Connection, person: str) -> list[tuple[str, str]]:
    """(need or offer, hex id) of everything of ours that is one person's."""
    return connection.execute(
        "SELECT 'need', id FROM needs WHERE person = ?1 UNION ALL SELECT 'offer', id FROM offers WHERE person = ?1",
        (person,),
    ).fetchall()
