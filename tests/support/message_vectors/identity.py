"""identity.json: inception entries against group ids, and origins."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.support.message_vectors.raw import (
    ALICE,
    ALICE_GID,
    BOB,
    EVE,
    HOUR,
    REF,
    fields,
    header,
    pack,
    pad,
    part,
)

NOBODY = bytes(16)
HPKE_KEY = hashlib.sha256(b"alice's hpke key").digest()
NEXT_HASH = hashlib.sha256(EVE.verify_key.raw).digest()
KEYS = [ALICE.verify_key.raw, BOB.verify_key.raw, HPKE_KEY, NEXT_HASH]
IDENTITY_POINT = b"\x01" + bytes(31)
CIRCLE = hashlib.sha256(b"terms").digest()


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 4. inceptions: entry and facts part against a group id; origins: text -> its pieces.",
        "inceptions": _inceptions(),
        "origins": _origins(),
    }


def gid_of(entry: bytes) -> str:
    return base64.b32encode(hashlib.sha256(entry).digest()).decode().lower()[:32]


def inception(keys: list[Any] = KEYS, kind: str = "group.incepted", **change: Any) -> tuple[bytes, bytes]:
    body = pad(pack(keys))
    schema = change.get("schema", 1)
    entry = [
        1,
        kind,
        schema,
        change.get("statement_id", NOBODY),
        change.get("subject_id", NOBODY),
        HOUR,
        [header(kind, "facts", body, schema=schema)],
        change.get("refs", []),
        0,
    ]
    return pack(entry), part(body)


def _inceptions() -> list[dict[str, Any]]:
    def row(name: str, verdict: str, made: tuple[bytes, bytes], gid: str | None = None) -> dict[str, Any]:
        entry, facts = made
        said = {"keys": [key.hex() for key in KEYS]} if verdict == "ok" else {}
        return {
            "name": name,
            "entry": entry.hex(),
            "part": facts.hex(),
            "gid": gid or gid_of(entry),
            "verdict": verdict,
            **said,
        }

    good = inception()
    garbage = pack("garbage")
    described = inception(["Aileu", []], "group.described")
    return [
        row("a group", "ok", good),
        row("another group's id", "proof_invalid", good, ALICE_GID),
        row("a flipped bit in the entry", "proof_invalid", (good[0][:-1] + b"\1", good[1]), gid_of(good[0])),
        row("the part of another inception", "proof_invalid", (good[0], inception([*KEYS[:3], HPKE_KEY])[1])),
        row("the id of something that is no entry", "malformed", (garbage, good[1])),
        row("the id of another statement", "malformed", described),
        row("a statement nobody knows", "malformed", inception(KEYS, "group.conceived")),
        row("a schema to come", "malformed", inception(schema=2)),
        row("a statement id", "malformed", inception(statement_id=b"\1" * 16)),
        row("a subject id", "malformed", inception(subject_id=b"\1" * 16)),
        row("a signing key for which anything verifies", "unknown_key", inception([IDENTITY_POINT, *KEYS[1:]])),
        row(
            "a witness key for which anything verifies",
            "unknown_key",
            inception([KEYS[0], IDENTITY_POINT, *KEYS[2:]]),
        ),
        row("an entry that is too long", "too_large", (pack(fields(refs=[REF] * 64)), good[1])),
        row("three keys", "malformed", inception(KEYS[:3])),
    ]


def _origins() -> list[dict[str, Any]]:
    gid = gid_of(inception()[0])
    good = {
        f"aidmesh/{gid}/id/0": [gid, "id", None, 0],
        f"aidmesh/{gid}/id/12": [gid, "id", None, 12],
        f"aidmesh/{gid}/public/4294967296": [gid, "public", None, 4294967296],
        f"aidmesh/{gid}/c/{CIRCLE.hex()}/3": [gid, "c", CIRCLE.hex(), 3],
    }
    bad = [
        "",
        "aidmesh",
        f"aidmesh/{gid}",
        f"aidmesh/{gid}/id",
        f"aidmesh/{gid}/id/",
        f"aidmesh/{gid}/id/01",
        f"aidmesh/{gid}/id/-1",
        f"aidmesh/{gid}/id/+1",
        f"aidmesh/{gid}/id/4294967297",
        f"aidmesh/{gid}/id/99999999999",
        f"aidmesh/{gid}/id/٣",
        f"aidmesh/{gid}/id/0/",
        f"aidmesh/{gid}/id/0\n",
        f" aidmesh/{gid}/id/0",
        f"Aidmesh/{gid}/id/0",
        f"aidmesh/{gid.upper()}/id/0",
        f"aidmesh/{gid[:31]}/id/0",
        f"aidmesh/{gid}a/id/0",
        f"aidmesh/{gid[:31]}1/id/0",
        f"aidmesh/{gid}/witness/0",
        f"aidmesh/{gid}/c/0",
        f"aidmesh/{gid}/c/{CIRCLE.hex().upper()}/0",
        f"aidmesh/{gid}/c/{CIRCLE.hex()[:62]}/0",
        f"aidmesh/{gid}/id/{CIRCLE.hex()}/0",
        f"aidmesh/{gid}/c/{CIRCLE.hex()}/0" + "0" * 100,
    ]
    return [
        *(
            {
                "text": text,
                "verdict": "ok",
                "fields": pieces,
                "hash": hashlib.sha256(text.encode()).hexdigest(),
            }
            for text, pieces in good.items()
        ),
        *({"text": text, "verdict": "malformed"} for text in bad),
    ]
