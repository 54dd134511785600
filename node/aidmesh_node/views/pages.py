"""Lists in pages, newest first, over our own rows and foreign ones alike. A cursor is opaque to callers."""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from typing import Any, NamedTuple

from aidmesh_node.views import tracking

PAGE_ITEMS_MAX = 500
"""Items of one page: one answer stays well below a megabyte."""

PAGE_ITEMS_DEFAULT = 100

LOG_BYTES = 6
"""Of the incarnation id in a cursor: a node is restored a few times in its life."""

SCHEMA_VERSION = 1
"""Of the JSON shapes, not of the tables."""


class BadCursor(ValueError):
    """The cursor was not given by an earlier answer."""


class Mark(NamedTuple):
    """Where a page ends, as rows are ordered: time, feed (0 for ours), index in the feed (for ours the id)."""

    at: str
    feed: int
    tie: int | str


FIRST = Mark("~", 0, "")
"""Before everything: sorts after any time."""


def mark_of(connection: sqlite3.Connection, cursor: str | None) -> Mark:
    """The place a cursor stands for. Raises BadCursor, also for one of a log that was lost since: what came back after
    a restore may lie before that place."""
    if cursor is None:
        return FIRST
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        at, feed, tie, log = values
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise BadCursor("not a cursor of an earlier answer") from None
    usable = isinstance(at, str) and _is_number(feed) and (_is_number(tie) if feed else isinstance(tie, str))
    if not usable or log != _log(connection):
        raise BadCursor("not a cursor of an earlier answer")
    return Mark(at, feed, tie)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def cursor_of(connection: sqlite3.Connection, mark: Mark) -> str:
    """The text that `mark_of` reads back."""
    return base64.urlsafe_b64encode(json.dumps([*mark, _log(connection)]).encode()).decode("ascii")


def _log(connection: sqlite3.Connection) -> str:
    """Which log these views are of: enough of its incarnation id to tell it from one that was lost."""
    return tracking.incarnation(connection)[:LOG_BYTES].hex()


def page_limit(limit: int | None) -> int:
    """The number of items to give: what was asked for, within 1 and PAGE_ITEMS_MAX."""
    return PAGE_ITEMS_DEFAULT if limit is None else max(1, min(limit, PAGE_ITEMS_MAX))


def page(connection: sqlite3.Connection, found: list[tuple[Mark, dict[str, Any]]], limit: int) -> dict[str, Any]:
    """The answer: items in order, the log position it shows, and `cursor` for the next page, null at the end.

    `found` holds up to `limit` + 1 of each kind of row.
    """
    found.sort(key=lambda one: one[0], reverse=True)
    more = len(found) > limit
    return {
        "schema_version": SCHEMA_VERSION,
        "items": [item for _, item in found[:limit]],
        "position": tracking.position(connection),
        "cursor": cursor_of(connection, found[limit - 1][0]) if more else None,
    }
