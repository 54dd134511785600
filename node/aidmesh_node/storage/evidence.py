"""Proofs of peers' faults: the first of each kind are kept, the rest only counted, so nobody can fill the
disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

import msgpack

from aidmesh_node.application.ports import EvidenceRow

KEPT_MAX = 64
"""Rows kept of each (peer, code): enough to see a pattern, too few to fill a disk."""

BLOBS_BYTES_MAX = 128 * 1024
"""Bytes kept with one row: a part (64 KiB) with its entry and proof, or a fork proof (8 KiB), fits."""


class SqliteEvidence:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def keep(
        self, peer: str, code: str, detail: str, blobs: Sequence[bytes], at: datetime, feed: int | None = None
    ) -> bool:
        self._connection.execute(
            "INSERT INTO evidence_counts VALUES (?,?,1) ON CONFLICT (peer, code) DO UPDATE SET seen=seen+1",
            (peer, code),
        )
        if self.count(peer, code) > KEPT_MAX:
            return False
        if sum(map(len, blobs)) > BLOBS_BYTES_MAX:
            # Half a proof proves nothing.
            detail, blobs = f"{detail} (the bytes were too many to keep)", ()
        self._connection.execute(
            "INSERT INTO evidence (feed, peer, code, detail, blobs, at) VALUES (?,?,?,?,?,?)",
            (feed, peer, code, detail, msgpack.packb([bytes(blob) for blob in blobs]), int(at.timestamp())),
        )
        return True

    def kept(self, peer: str | None = None) -> list[EvidenceRow]:
        rows = self._connection.execute(
            "SELECT feed, peer, code, detail, blobs, at FROM evidence WHERE ?1 IS NULL OR peer=?1 ORDER BY id",
            (peer,),
        )
        return [
            EvidenceRow(feed, who, code, detail, tuple(msgpack.unpackb(blobs)), datetime.fromtimestamp(at, UTC))
            for feed, who, code, detail, blobs, at in rows
        ]

    def unstripped(self) -> list[tuple[int, tuple[bytes, ...]]]:
        rows = self._connection.execute("SELECT id, blobs FROM evidence WHERE stripped=0")
        return [(id, tuple(msgpack.unpackb(blobs))) for id, blobs in rows]

    def strip(self, id: int, blobs: Sequence[bytes]) -> None:
        self._connection.execute(
            "UPDATE evidence SET blobs=?, stripped=1 WHERE id=?", (msgpack.packb([bytes(blob) for blob in blobs]), id)
        )

    def count(self, peer: str, code: str) -> int:
        row = self._connection.execute(
            "SELECT seen FROM evidence_counts WHERE peer=? AND code=?", (peer, code)
        ).fetchone()
        return row[0] if row else 0
