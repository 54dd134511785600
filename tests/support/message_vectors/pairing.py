"""pairing.json: the bodies of POST /pair and of its answers."""

from __future__ import annotations

from typing import Any

from tests.support.message_vectors.raw import ALICE_GID, KEY, pack, show

IDENT = b"AIDMESH1\n and so on"
HASH = b"\x99" * 32
SIGNATURE = b"\x55" * 64
TERMS = b"\x96 terms"

GOOD: dict[str, list[Any]] = {
    "Hello": [1, KEY, IDENT, HASH],
    "HelloAnswer": [2, IDENT, HASH],
    "Reveal": [3, ALICE_GID, KEY, HASH],
    "RevealAnswer": [4, HASH],
    "Sign": [5, ALICE_GID, TERMS, SIGNATURE],
    "SignAnswer": [6, SIGNATURE],
}


def document() -> dict[str, Any]:
    bad: dict[str, Any] = {
        "not an array": 1,
        "an empty array": [],
        "kind zero": [0],
        "kind seven": [7],
        "a kind that is text": ["1", KEY, IDENT, HASH],
        "a kind that is true": [True, KEY, IDENT, HASH],
        "Hello with a short secret": [1, KEY[:15], IDENT, HASH],
        "Hello with an empty bundle": [1, KEY, b"", HASH],
        "Hello with a short commitment": [1, KEY, IDENT, HASH[:31]],
        "Hello a field short": [1, KEY, IDENT],
        "HelloAnswer with a field too many": [2, IDENT, HASH, 0],
        "Reveal of nobody": [3, "", KEY, HASH],
        "RevealAnswer that is text": [4, "9" * 32],
        "Sign without terms": [5, ALICE_GID, b"", SIGNATURE],
        "Sign with terms of 4,097 bytes": [5, ALICE_GID, bytes(4097), SIGNATURE],
        "Sign with a short signature": [5, ALICE_GID, TERMS, SIGNATURE[:63]],
        "Sign without a signature": [5, ALICE_GID, TERMS, None],
        "SignAnswer that is false": [6, False],
    }
    return {
        "about": "SPEC 14.2. Body -> message and its fields.",
        "rows": [
            *(_good(name, name, value) for name, value in GOOD.items()),
            _good("a SignAnswer that has to wait", "SignAnswer", [6, None]),
            *({"name": name, "bytes": pack(value).hex(), "verdict": "malformed"} for name, value in bad.items()),
            {"name": "no bytes", "bytes": "", "verdict": "malformed"},
            {"name": "a byte too many", "bytes": (pack(GOOD["Sign"]) + b"\0").hex(), "verdict": "malformed"},
        ],
    }


def _good(name: str, message: str, value: list[Any]) -> dict[str, Any]:
    return {
        "name": name,
        "bytes": pack(value).hex(),
        "verdict": "ok",
        "message": message,
        "fields": show(value[1:]),
    }
