"""Answers kept for repeated requests, sealed under the client's own Idempotency-Key.

The key itself is never stored, only its hash: without the client nobody reads a kept one-time secret.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import KeptAnswer
from aidmesh_node.storage.sealed import NONCE_BYTES, NotAuthentic, seal, unseal

KEY_BYTES = 32


class SqliteIdempotency:
    """Rows in the writer's transaction."""

    def __init__(self, connection: sqlite3.Connection, entropy: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._entropy = entropy

    def find(self, actor: str, key: str) -> KeptAnswer | None:
        key_hash = _key_hash(actor, key)
        row = self._connection.execute(
            "SELECT request_hash, sealed FROM idempotency WHERE key_hash=?", (key_hash,)
        ).fetchone()
        if row is None:
            return None
        request_hash, sealed = row
        try:
            body = unseal(_sealing_key(actor, key), sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key_hash + request_hash)
        except NotAuthentic as error:
            raise Damaged("idempotency", key_hash.hex(), "the kept answer is not what was stored") from error
        return KeptAnswer(request_hash, body)

    def keep(self, actor: str, key: str, request_hash: bytes, body: bytes, at: int, thing: str | None = None) -> None:
        key_hash = _key_hash(actor, key)
        nonce, ciphertext = seal(_sealing_key(actor, key), body, key_hash + request_hash, self._entropy)
        self._connection.execute(
            "INSERT INTO idempotency (key_hash, request_hash, sealed, at, thing) VALUES (?,?,?,?,?)",
            (key_hash, request_hash, nonce + ciphertext, at, thing),
        )

    def forget_about(self, thing: str) -> None:
        self._connection.execute("DELETE FROM idempotency WHERE thing=?", (thing,))

    def sweep(self, before: int, rows_max: int) -> int:
        oldest = "SELECT key_hash FROM idempotency WHERE at<? ORDER BY at LIMIT ?"
        done = self._connection.execute(f"DELETE FROM idempotency WHERE key_hash IN ({oldest})", (before, rows_max))
        return done.rowcount


def _key_hash(actor: str, key: str) -> bytes:
    # The actor's own hash first, so that no actor and key can be cut differently.
    return sha256(b"aidmesh idempotency 1\n" + sha256(actor.encode()).digest() + key.encode()).digest()


def _sealing_key(actor: str, key: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"aidmesh idempotency 1\n" + actor.encode()).derive(key.encode())
