"""How many of what, in which state: the first thing a coordinator wants to see."""

from __future__ import annotations

import sqlite3


def counts(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """{"needs": {state: n}, "offers": {state: n}, "pledges": {phase: n}} of our own; only what occurs."""
    return {
        "needs": _grouped(connection, "SELECT state, count(*) FROM needs GROUP BY state"),
        "offers": _grouped(connection, "SELECT state, count(*) FROM offers GROUP BY state"),
        "pledges": _grouped(connection, "SELECT phase, count(*) FROM pledges GROUP BY phase"),
    }


def _grouped(connection: sqlite3.Connection, question: str) -> dict[str, int]:
    return dict(connection.execute(question).fetchall())
