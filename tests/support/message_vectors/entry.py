"""entry.json: leaf bytes and part bytes, good and bad."""

from __future__ import annotations

from typing import Any

from tests.support.message_vectors.raw import (
    KEY,
    LEAF_HASH,
    ORIGIN_HASH,
    REF,
    commitment,
    fields,
    header,
    pack,
    pad,
    part,
    show,
)

KIND = "need.shared"
FACTS = header(KIND, "facts", pad(b"facts"))
VIEW = header(KIND, "view", pad(b"view"))
TEXT = header(KIND, "text", pad(b"text"))
SEALED = header(KIND, "sealed", pad(b"sealed"))


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 5.1 to 5.3. entries: leaf bytes -> fields; parts: part bytes against an entry.",
        "entries": [*_good_entries(), *_bad_entries()],
        "parts": _parts(),
    }


def _good_entries() -> list[dict[str, Any]]:
    good = {
        "a statement without parts": fields(),
        "facts and view": fields(KIND, parts=[FACTS, VIEW]),
        "all four tags": fields(KIND, parts=[FACTS, VIEW, TEXT, SEALED]),
        "text alone": fields(KIND, parts=[TEXT]),
        "one ref": fields("pledge.offered", refs=[REF]),
        "eight refs and four parts": fields(KIND, parts=[FACTS, VIEW, TEXT, SEALED], refs=[REF] * 8),
        "a type nobody knows": fields("sun.risen", schema=65535),
        "every flag, known and unknown": fields(flags=65535),
        "hour zero": fields(hour=0),
        "the last hour": fields(hour=2**32),
        "the last index": fields(refs=[[ORIGIN_HASH, 2**53 - 1, LEAF_HASH]]),
        "the largest bucket": fields(KIND, parts=[["facts", LEAF_HASH, 61440]]),
    }
    return [
        {"name": name, "bytes": pack(value).hex(), "verdict": "ok", "fields": show(value)}
        for name, value in good.items()
    ]


def _bad_entries() -> list[dict[str, Any]]:
    malformed: dict[str, Any] = {
        "not an array": 1,
        "an empty array": [],
        "a version that is text": ["1", *fields()[1:]],
        "a version that is true": [True, *fields()[1:]],
        "eight fields": fields()[:8],
        "ten fields": [*fields(), 0],
        "a type in capitals": fields("Need.shared"),
        "a type without a dot": fields("need"),
        "a type with two dots": fields("need.shared.twice"),
        "a type that ends in a newline": fields("need.shared\n"),
        "a type of 49 bytes": fields("need." + "s" * 44),
        "a type that is bytes": fields(b"need.shared"),  # type: ignore[arg-type]
        "schema zero": fields(schema=0),
        "schema past its bound": fields(schema=65536),
        "schema true": fields(schema=True),
        "a statement id of 15 bytes": [1, "need.closed", 1, b"\x11" * 15, b"\x22" * 16, 0, [], [], 0],
        "a statement id that is text": [1, "need.closed", 1, "1" * 16, b"\x22" * 16, 0, [], [], 0],
        "a subject id of 17 bytes": [1, "need.closed", 1, b"\x11" * 16, b"\x22" * 17, 0, [], [], 0],
        "a negative hour": fields(hour=-1),
        "an hour past its bound": fields(hour=2**32 + 1),
        "an hour that is nil": fields(hour=None),
        "parts that are nil": [*fields()[:6], None, [], 0],
        "five parts": fields(KIND, parts=[FACTS, VIEW, TEXT, SEALED, SEALED]),
        "parts out of order": fields(KIND, parts=[VIEW, FACTS]),
        "a tag twice": fields(KIND, parts=[FACTS, FACTS]),
        "an unknown tag": fields(KIND, parts=[["photo", LEAF_HASH, 64]]),
        "a tag that is bytes": fields(KIND, parts=[[b"facts", LEAF_HASH, 64]]),
        "a part of two fields": fields(KIND, parts=[["facts", LEAF_HASH]]),
        "a part that is a number": fields(KIND, parts=[1]),
        "a commitment of 31 bytes": fields(KIND, parts=[["facts", LEAF_HASH[:31], 64]]),
        "a length between buckets": fields(KIND, parts=[["facts", LEAF_HASH, 65]]),
        "a bucket that is true": fields(KIND, parts=[["facts", LEAF_HASH, True]]),
        "refs that are text": [*fields()[:7], "", 0],
        "nine refs": fields(refs=[REF] * 9),
        "a ref of four fields": fields(refs=[[*REF, 0]]),
        "a ref to a short origin hash": fields(refs=[[ORIGIN_HASH[:31], 7, LEAF_HASH]]),
        "a ref to a negative index": fields(refs=[[ORIGIN_HASH, -1, LEAF_HASH]]),
        "a ref past the last index": fields(refs=[[ORIGIN_HASH, 2**53, LEAF_HASH]]),
        "a ref to a long leaf hash": fields(refs=[[ORIGIN_HASH, 7, LEAF_HASH + b"!"]]),
        "negative flags": fields(flags=-1),
        "flags past 16 bits": fields(flags=65536),
        "flags that are a map": fields(flags={}),
    }
    rows = [{"name": name, "bytes": pack(value).hex(), "verdict": "malformed"} for name, value in malformed.items()]
    good = pack(fields())
    rows += [
        {"name": "no bytes", "bytes": "", "verdict": "malformed"},
        {"name": "a byte behind the entry", "bytes": (good + b"\0").hex(), "verdict": "malformed"},
        {"name": "a byte short", "bytes": good[:-1].hex(), "verdict": "malformed"},
        {
            "name": "flags in two bytes where one is enough",
            "bytes": (good[:-1] + b"\xcc\x00").hex(),
            "verdict": "malformed",
        },
        {
            "name": "another version",
            "bytes": pack([2, *fields()[1:]]).hex(),
            "verdict": "upgrade_required",
        },
        {
            "name": "another version with fields of its own",
            "bytes": pack([2]).hex(),
            "verdict": "upgrade_required",
        },
        {"name": "1,025 bytes", "bytes": pack(b"\0" * 1022).hex(), "verdict": "too_large"},
    ]
    return rows


def _parts() -> list[dict[str, Any]]:
    def row(name: str, verdict: str, padded: bytes, **change: Any) -> dict[str, Any]:
        of = change.get("of", [header(KIND, "facts", padded)])
        return {
            "name": name,
            "entry": pack(fields(KIND, parts=of)).hex(),
            "tag": change.get("tag", "facts"),
            "part": change.get("bytes", part(padded)).hex(),
            "verdict": verdict,
            **({"content": change["content"].hex()} if verdict == "ok" else {}),
        }

    body = pad(b"hello")
    uncanonical = {
        "padding that is not zero": body[:-1] + b"\1",
        "a bucket larger than needed": body.ljust(128, b"\0"),
        "a length past the body": b"\xff\xff" + bytes(62),
    }
    other = header(KIND, "facts", pad(b"other"))
    return [
        row("empty content", "ok", pad(b""), content=b""),
        row("a short content", "ok", body, content=b"hello"),
        row("62 bytes fill the first bucket", "ok", pad(b"x" * 62), content=b"x" * 62),
        row("63 bytes need the second", "ok", pad(b"x" * 63), content=b"x" * 63),
        *(row(name, "malformed", padded) for name, padded in uncanonical.items()),
        row(
            "a body of no bucket's length",
            "proof_invalid",
            body[:-1],
            of=[["facts", commitment(KIND, "facts", body[:-1]), 64]],
        ),
        row("another content", "proof_invalid", body, of=[other]),
        row("another key", "proof_invalid", body, bytes=part(body, key=KEY[::-1])),
        row(
            "a commitment made for another tag",
            "proof_invalid",
            body,
            of=[["facts", commitment(KIND, "view", body), 64]],
        ),
        row(
            "a commitment made for another schema",
            "proof_invalid",
            body,
            of=[["facts", commitment(KIND, "facts", body, schema=2), 64]],
        ),
        row("a tag the entry does not have", "proof_invalid", body, tag="view"),
        row("a key of 15 bytes", "malformed", body, bytes=part(body, key=KEY[:15])),
        row("a key of 17 bytes", "malformed", body, bytes=part(body, key=KEY + b"\0")),
        row("three fields", "malformed", body, bytes=pack([KEY, body, 0])),
        row("not an array", "malformed", body, bytes=pack(0)),
        row("a body that is text", "malformed", body, bytes=pack([KEY, "hello"])),
        row("a key that is text", "malformed", body, bytes=pack(["k" * 16, body])),
    ]
