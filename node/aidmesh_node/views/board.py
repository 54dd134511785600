"""The board: what is open now, ours and what our circles show us. What ends, is taken back or closed is gone
at once.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from aidmesh_node.views import needs, offers, shared_needs, shared_offers, tracking
from aidmesh_node.views.items import key_or_none
from aidmesh_node.views.pages import SCHEMA_VERSION

BOARD_ITEMS_MAX = 1_000
"""Of needs, and of offers: what a screen can scroll through. The most urgent come first, so they are never
cut off.
"""

_URGENCY = {"emergency": 0, "high": 1, "normal": 2, "low": 3}
_NEVER = "~"  # sorts after every time


def board(
    connection: sqlite3.Connection,
    *,
    item: str | None = None,
    category: str | None = None,
    limit: int = BOARD_ITEMS_MAX,
) -> dict[str, Any]:
    """{schema_version, position, needs: [Need], offers: [Offer]}: needs by urgency, then both by when time
    runs out.

    `item` matches whatever its case and spaces, `category` exactly; up to `limit` of each.
    """
    wanted = (key_or_none(item), category, min(limit, BOARD_ITEMS_MAX))
    open_needs = needs.open_ones(connection, *wanted) + shared_needs.open_ones(connection, *wanted)
    open_offers = offers.open_ones(connection, *wanted) + shared_offers.open_ones(connection, *wanted)
    open_needs.sort(key=lambda need: (_URGENCY[need["urgency"]], *_by_time(need)))
    open_offers.sort(key=_by_time)
    return {
        "schema_version": SCHEMA_VERSION,
        "position": tracking.position(connection),
        "needs": open_needs[: wanted[2]],
        "offers": open_offers[: wanted[2]],
    }


def _by_time(thing: dict[str, Any]) -> tuple[str, str, str]:
    return (thing["until"] or _NEVER, thing["posted_at"], thing["id"])
