"""Which entries' parts went to whom, and when: ranges of a feed, one row for what went within one hour."""

from __future__ import annotations

import sqlite3

from aidmesh_node.application.ports_beside import Disclosed


class SqliteDisclosures:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def record(self, feed: int, peer: str, start: int, stop: int, hour: int) -> None:
        last = self._connection.execute(
            "SELECT start FROM disclosures WHERE feed=? AND peer=? AND stop=? AND at=?", (feed, peer, start, hour)
        ).fetchone()
        if last is not None:
            self._connection.execute(
                "UPDATE disclosures SET stop=? WHERE feed=? AND peer=? AND start=?", (stop, feed, peer, last[0])
            )
        else:
            # Served from there before: the first time counts, the longer range stays.
            self._connection.execute(
                "INSERT INTO disclosures VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET stop=max(stop, excluded.stop)",
                (feed, peer, start, stop, hour),
            )

    def of(self, feed: int, index: int) -> list[Disclosed]:
        rows = self._connection.execute(
            "SELECT peer, min(at) FROM disclosures WHERE feed=? AND start<=? AND stop>? GROUP BY peer ORDER BY peer",
            (feed, index, index),
        )
        return [Disclosed(*row) for row in rows]
