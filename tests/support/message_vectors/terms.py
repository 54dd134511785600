"""terms.json: terms, the circle they make, and signatures under them."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.support.message_vectors.raw import ALICE, ALICE_GID, BOB_GID, EVE, EVE_GID, HOUR, pack

SALT = b"\x88" * 16
TERMS: list[Any] = [1, [ALICE_GID, BOB_GID], HOUR, SALT, "L1", 30]
MANY = [f"{'a' * 30}{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(65)]


def document() -> dict[str, Any]:
    good = {
        "two groups": TERMS,
        "64 groups, amended": [65535, MANY[:64], 0, SALT, "L1", 365],
    }
    bad: dict[str, Any] = {
        "not an array": "terms",
        "five fields": TERMS[:5],
        "seven fields": [*TERMS, 0],
        "version zero": [0, *TERMS[1:]],
        "version past its bound": [65536, *TERMS[1:]],
        "version true": [True, *TERMS[1:]],
        "parties that are text": [1, ALICE_GID, *TERMS[2:]],
        "one party": [1, [ALICE_GID], *TERMS[2:]],
        "65 parties": [1, MANY, *TERMS[2:]],
        "a party twice": [1, [ALICE_GID, ALICE_GID], *TERMS[2:]],
        "parties out of order": [1, [BOB_GID, ALICE_GID], *TERMS[2:]],
        "a party that is none": [1, [ALICE_GID, "bob"], *TERMS[2:]],
        "a negative hour": [*TERMS[:2], -1, *TERMS[3:]],
        "a salt of 15 bytes": [*TERMS[:3], SALT[:15], *TERMS[4:]],
        "a salt that is text": [*TERMS[:3], "s" * 16, *TERMS[4:]],
        "an unknown share level": [*TERMS[:4], "L4", 30],
        "a share level that is nil": [*TERMS[:4], None, 30],
        "a notice of 366 days": [*TERMS[:5], 366],
        "a negative notice": [*TERMS[:5], -1],
    }
    return {
        "about": "SPEC 14.3. terms: bytes -> fields and circle id; signatures: terms, group, key -> verdict.",
        "terms": [
            *(_good(name, value) for name, value in good.items()),
            *({"name": name, "bytes": pack(value).hex(), "verdict": "malformed"} for name, value in bad.items()),
            {"name": "no bytes", "bytes": "", "verdict": "malformed"},
            {"name": "4,097 bytes", "bytes": pack(b"\0" * 4094).hex(), "verdict": "too_large"},
        ],
        "signatures": _signatures(),
    }


def _good(name: str, value: list[Any]) -> dict[str, Any]:
    data = pack(value)
    return {
        "name": name,
        "bytes": data.hex(),
        "verdict": "ok",
        "fields": [*value[:3], value[3].hex(), *value[4:]],
        "circle_id": hashlib.sha256(data).hexdigest(),
    }


def _signatures() -> list[dict[str, Any]]:
    data = pack(TERMS)
    amended = pack([2, *TERMS[1:]])

    def row(name: str, verdict: str, **change: Any) -> dict[str, Any]:
        return {
            "name": name,
            "terms": change.get("terms", data).hex(),
            "gid": change.get("gid", ALICE_GID),
            "key": ALICE.verify_key.raw.hex(),
            "signature": change.get("signature", ALICE.sign(b"aidmesh/1 terms\n" + data)).hex(),
            "verdict": verdict,
        }

    return [
        row("alice signs", "ok"),
        row("another group's key", "bad_signature", signature=EVE.sign(b"aidmesh/1 terms\n" + data)),
        row("no domain separation", "bad_signature", signature=ALICE.sign(data)),
        row("other terms", "bad_signature", terms=amended),
        row("63 bytes", "bad_signature", signature=bytes(63)),
        row("no bytes", "bad_signature", signature=b""),
        row("a group that is no party", "not_member", gid=EVE_GID),
        row("no terms", "malformed", terms=b"\xc0"),
    ]
