"""Names of groups, ours and others'. What a group says in its own identity feed goes before what a link
recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from aidmesh_node.domain.group import Group
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views.foreign import Heard, Speaker
from aidmesh_node.views.handling import Handlers, Shown
from aidmesh_protocol.statements import GroupDescribed, Statement

TABLES = """
CREATE TABLE groups (
    gid TEXT PRIMARY KEY, ours INTEGER NOT NULL DEFAULT 0, said TEXT, recorded TEXT
) WITHOUT ROWID;
CREATE VIEW group_names AS SELECT gid, coalesce(said, recorded) AS name FROM groups
"""


class OwnGroup(NamedTuple):
    gid: str
    name: str


def names_of(connection: sqlite3.Connection) -> dict[str, str]:
    """What every group we know of calls itself, by gid."""
    return dict(connection.execute("SELECT gid, name FROM group_names WHERE name IS NOT NULL"))


def own_group(connection: sqlite3.Connection) -> OwnGroup:
    """Who we are; empty texts before the group is founded."""
    row = connection.execute(
        "SELECT gid, name FROM group_names WHERE gid = (SELECT gid FROM groups WHERE ours)"
    ).fetchone()
    return OwnGroup("", "") if row is None else OwnGroup(*row)


class GroupNamesFold:
    """Projects group.described entries of identity feeds."""

    KIND = "group"
    STATEMENTS: tuple[type[Statement], ...] = (GroupDescribed,)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.renamed: set[str] = set()
        """Groups (gids) that said their name in this transaction."""

    def load(self, feed: int, ids: Iterable[str]) -> None:
        """Nothing has to be read to write a name."""

    def apply(self, by: Speaker, heard: Heard) -> None:
        # Only the identity feed speaks for the group as a whole.
        if by.circle == "" and isinstance(heard.statement, GroupDescribed):
            self._connection.execute(
                "INSERT INTO groups (gid, said) VALUES (?, ?) ON CONFLICT (gid) DO UPDATE SET said = excluded.said",
                (by.owner, heard.statement.name),
            )
            self.renamed.add(by.owner)

    def describe(self, by: Speaker, heard: Heard) -> None:
        """These statements have no view part."""

    def write(self) -> None:
        """Every row is written at once: a group says its name once in a while."""

    def flush(self) -> list[Shown]:
        """A group is no subject of a feed."""
        return []

    def forget(self) -> None:
        """The transaction was rolled back, or is over."""
        self.renamed.clear()


def _founded(connection: sqlite3.Connection, event: Group.Founded) -> None:
    connection.execute(
        "INSERT INTO groups (gid, ours, recorded) VALUES (?, 1, ?)"
        " ON CONFLICT (gid) DO UPDATE SET ours = 1, recorded = excluded.recorded",
        (event.gid, event.name),
    )


def _described(connection: sqlite3.Connection, event: Group.Described) -> None:
    connection.execute("UPDATE groups SET recorded = ? WHERE ours", (event.name,))


def _peer_named(connection: sqlite3.Connection, event: PeerLink.Pending | PeerLink.Described) -> None:
    connection.execute(
        "INSERT INTO groups (gid, recorded) SELECT gid, ? FROM peers WHERE id = ?"
        " ON CONFLICT (gid) DO UPDATE SET recorded = excluded.recorded",
        (event.name, event.originator_id.hex),
    )


HANDLERS: Handlers = {
    Group.Founded: _founded,
    Group.Described: _described,
    PeerLink.Pending: _peer_named,
    PeerLink.Described: _peer_named,
}
