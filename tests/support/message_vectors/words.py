"""words.json: the words two groups compare, and the commitments before them."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.support.message_vectors.raw import ALICE_GID, BOB_GID

NONCE_A = hashlib.sha256(b"alice's nonce").digest()
NONCE_B = hashlib.sha256(b"bob's nonce").digest()


def document() -> dict[str, Any]:
    def row(name: str, verdict: str, *, a: Any = (ALICE_GID, NONCE_A), b: Any = (BOB_GID, NONCE_B)) -> dict[str, Any]:
        row = {
            "name": name,
            "gid_a": a[0],
            "nonce_a": a[1].hex(),
            "gid_b": b[0],
            "nonce_b": b[1].hex(),
            "verdict": verdict,
        }
        if verdict == "ok":
            row["words"] = WORDS[name]
            row["commitment_a"] = hashlib.sha256(b"aidmesh/1 nonce\n" + a[1]).hexdigest()
        return row

    alice, bob = (ALICE_GID, NONCE_A), (BOB_GID, NONCE_B)
    return {
        "about": "SPEC 14.2. Four words of the BIP-39 English list; the same from either side.",
        "rows": [
            row("alice looks", "ok"),
            row("bob looks", "ok", a=bob, b=alice),
            row("alice with another nonce", "ok", a=(ALICE_GID, NONCE_B)),
            row("nonces exchanged", "ok", a=(ALICE_GID, NONCE_B), b=(BOB_GID, NONCE_A)),
            row("the same group twice", "malformed", b=alice),
            row("a group id in capitals", "malformed", b=("B" * 32, NONCE_B)),
            row("a nonce of 31 bytes", "malformed", a=(ALICE_GID, NONCE_A[:31])),
            row("a nonce of 33 bytes", "malformed", b=(BOB_GID, NONCE_B + b"\0")),
        ],
    }


# Looked up with the list at hand: eleven bits a word of SHA-256("aidmesh/1 words\n" a nonce_a b nonce_b).
WORDS = {
    "alice looks": ["ethics", "nut", "potato", "ozone"],
    "bob looks": ["ethics", "nut", "potato", "ozone"],
    "alice with another nonce": ["measure", "video", "veteran", "subject"],
    "nonces exchanged": ["oppose", "sentence", "dove", "joy"],
}
