"""Members: who has a way in, with which role, and the hash of which token. Names are in the vault."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple
from uuid import UUID

from aidmesh_node.domain.member import Member
from aidmesh_node.views.handling import Handlers
from aidmesh_node.views.times import time_text

TABLES = """
CREATE TABLE members (
    id TEXT PRIMARY KEY,
    person TEXT,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    secret_hash TEXT NOT NULL, token_hash TEXT,
    expires TEXT NOT NULL, invited_at TEXT NOT NULL, joined_at TEXT,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX members_by_token ON members (token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX members_by_secret ON members (secret_hash)
"""

COLUMNS = ("id", "role", "state", "expires", "invited_at", "joined_at", "version")
SELECT = f"SELECT {', '.join(COLUMNS)} FROM members "


class TokenHolder(NamedTuple):
    """Whose token it is. `person` is a vault id; a revoked member has no rights at all."""

    member: UUID
    person: UUID | None
    role: str
    revoked: bool


def by_token_hash(connection: sqlite3.Connection, token_hash: bytes) -> TokenHolder | None:
    """The member whose token has this SHA-256 (32 bytes), None if there is none."""
    row = connection.execute(
        "SELECT id, person, role, state FROM members WHERE token_hash = ?", (token_hash.hex(),)
    ).fetchone()
    if row is None:
        return None
    id, person, role, state = row
    return TokenHolder(UUID(id), None if person is None else UUID(person), role, state != "joined")


def by_invitation_hash(connection: sqlite3.Connection, secret_hash: bytes) -> UUID | None:
    """The member whose invitation has this SHA-256; whether it is still good, the aggregate decides."""
    row = connection.execute("SELECT id FROM members WHERE secret_hash = ?", (secret_hash.hex(),)).fetchone()
    return None if row is None else UUID(row[0])


def active_operators(connection: sqlite3.Connection) -> int:
    """How many members could run the node."""
    row = connection.execute("SELECT count(*) FROM members WHERE state = 'joined' AND role = 'operator'").fetchone()
    return int(row[0])


def get(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """One member: {id, role, state: invited|joined|revoked, expires, invited_at, joined_at, version}, or
    None.
    """
    row = connection.execute(SELECT + "WHERE id = ?", (id,)).fetchone()
    return None if row is None else _to_json(row)


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every member, in the order of invitation. A group has as many members as a village has, not more."""
    return [_to_json(row) for row in connection.execute(SELECT + "ORDER BY invited_at, id")]


def persons(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Vault id of every member, by member id: where the names are."""
    return dict(connection.execute("SELECT id, person FROM members").fetchall())


def _to_json(row: tuple[Any, ...]) -> dict[str, Any]:
    member = dict(zip(COLUMNS, row, strict=True))
    if member["state"] != "invited":
        member["expires"] = None
    return member


def _invited(connection: sqlite3.Connection, event: Member.Invited) -> None:
    connection.execute(
        "INSERT INTO members (id, person, role, state, secret_hash, expires, invited_at, version)"
        " VALUES (?, ?, ?, 'invited', ?, ?, ?, ?)",
        (
            event.originator_id.hex,
            event.person and event.person.hex,
            event.member_role,
            event.secret_hash,
            time_text(event.expires),
            time_text(event.timestamp),
            event.originator_version,
        ),
    )


def _joined(connection: sqlite3.Connection, event: Member.Joined) -> None:
    connection.execute(
        "UPDATE members SET state = 'joined', token_hash = ?, joined_at = ?, version = ? WHERE id = ?",
        (event.token_hash, time_text(event.timestamp), event.originator_version, event.originator_id.hex),
    )


def _role_changed(connection: sqlite3.Connection, event: Member.RoleChanged) -> None:
    connection.execute(
        "UPDATE members SET role = ?, version = ? WHERE id = ?",
        (event.member_role, event.originator_version, event.originator_id.hex),
    )


def _revoked(connection: sqlite3.Connection, event: Member.Revoked) -> None:
    # The hash stays, so that the holder can be told that access was taken back.
    connection.execute(
        "UPDATE members SET state = 'revoked', version = ? WHERE id = ?",
        (event.originator_version, event.originator_id.hex),
    )


HANDLERS: Handlers = {
    Member.Invited: _invited,
    Member.Joined: _joined,
    Member.RoleChanged: _role_changed,
    Member.Revoked: _revoked,
}
