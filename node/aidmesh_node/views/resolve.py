"""From the few characters a person types to the one thing they mean."""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

PREFIX_CHARACTERS_MIN = 6
FOUND_MAX = 10
"""More would not help anybody choose."""

_HEX = re.compile(r"[0-9a-f]{1,32}", re.ASCII)

_TABLES = (
    ("need", "needs", "1"),
    ("offer", "offers", "1"),
    ("pledge", "pledges", "1"),
    ("member", "members", "1"),
    ("dispute", "disputes", "1"),
    ("fork", "forks", "1"),
    ("need", "shared_needs", "0"),
    ("offer", "shared_offers", "0"),
)
_ANY = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, id, {ours} AS ours FROM {table} WHERE id >= ?1 AND id < ?2"
    for kind, table, ours in _TABLES
)
_SELECT = f"SELECT DISTINCT kind, id, ours FROM ({_ANY}) WHERE ?3 IS NULL OR kind = ?3 ORDER BY id, kind LIMIT ?4"


class Found(NamedTuple):
    """`kind` is need, offer, pledge, member, dispute or fork; `id` 32 hex digits; not `ours`: shared by a peer."""

    kind: str
    id: str
    ours: bool


def resolve(connection: sqlite3.Connection, prefix: str, kind: str | None = None) -> list[Found]:
    """Everything (of one `kind`) whose id starts with `prefix`, at most FOUND_MAX. None: unknown; two:
    ambiguous.

    A prefix shorter than PREFIX_CHARACTERS_MIN, or one that is not hex, finds nothing.
    """
    text = prefix.strip().casefold().replace("-", "")
    if len(text) < PREFIX_CHARACTERS_MIN or not _HEX.fullmatch(text):
        return []
    rows = connection.execute(_SELECT, (text, text + "g", kind, FOUND_MAX))
    return [Found(found_kind, id, bool(ours)) for found_kind, id, ours in rows]
