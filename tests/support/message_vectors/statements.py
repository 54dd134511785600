"""statements.json: every statement once, and each rule broken."""

from __future__ import annotations

from typing import Any

from tests.support.message_vectors.raw import (
    ALICE_GID,
    BOB_GID,
    REF,
    SUBJECT_ID,
    fields,
    header,
    pack,
    pad,
    part,
    show,
)

NEED = ["31800", "m2", "200"]
NEED_VIEW = ["shelter", "Plastic Sheets", "high", 29_923_680, 29_925_120, "Dili"]
OFFER = ["33", "item", "33"]
OFFER_VIEW = ["bedding", "Blankets", None, None, None, "give"]
PLEDGE = [SUBJECT_ID, None, 1, "2.5", "kg", "deliver", None, 29_925_120]
SIGNATURE = b"\x55" * 64
SIGNATURES = [[ALICE_GID, SIGNATURE], [BOB_GID, SIGNATURE]]

# type: facts, view, refs, flags
GOOD: dict[str, tuple[list[Any], list[Any] | None, list[Any], int]] = {
    "group.incepted": ([b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32], None, [], 0),
    "group.described": (
        ["Nachbarschaft Süd", ["https://aid.example.org", "http://[::1]:8080/a"]],
        None,
        [],
        0,
    ),
    "circle.opened": ([b"terms", SIGNATURES], None, [], 0),
    "share.acknowledged": ([], None, [REF], 0),
    "parts.erased": ([0, [[7, "view"]]], None, [], 8),
    "erasure.acknowledged": ([], None, [REF], 0),
    "feed.reset": ([0, 7, b"\7" * 32], None, [], 0),
    "need.shared": (NEED, NEED_VIEW, [], 0),
    "need.updated": (["31800", "1200", "0"], None, [], 0),
    "need.share_revoked": ([], None, [], 0),
    "need.closed": (["partly_met"], None, [], 1),
    "offer.shared": (OFFER, OFFER_VIEW, [], 0),
    "offer.updated": ([None, None], None, [], 0),
    "offer.share_revoked": ([], None, [], 0),
    "offer.closed": (["exhausted"], None, [], 1),
    "pledge.offered": (PLEDGE, None, [REF], 0),
    "pledge.revised": ([2, "2"], None, [], 0),
    "pledge.committed": ([1, "2.5"], None, [REF], 0),
    "pledge.withdrawn": (["lapsed"], None, [], 0),
    "handover.declared": ([1, "0.125", "left_as_agreed"], None, [], 0),
    "handover.failed": ([1, "carrier_did_not_come"], None, [], 0),
    "pledge.countered": ([1, "1"], None, [], 0),
    "pledge.declined": ([1, "already_covered"], None, [], 0),
    "pledge.accepted": ([1, 1, "2.5"], None, [REF], 0),
    "pledge.released": ([1, "unanswered"], None, [], 0),
    "receipt.confirmed": ([1, "0", "other"], None, [], 0),
    "handover.proposed": ([2, 29_923_680, 29_925_120], None, [], 0),
    "handover.missed": ([1, "carrier_did_not_come"], None, [], 0),
    "handover.corrected": ([1, "0"], None, [], 0),
    "receipt.presumed": ([1, "2.5", 0], None, [], 0),
    "receipt.corrected": ([1, "2"], None, [], 0),
    "discrepancy.left": (["2.5", "2"], None, [], 0),
    "dispute.opened": ([1, "not_received"], None, [], 0),
    "dispute.resolved": (["home", 1, "made_good"], None, [], 0),
}


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 5.4. An entry with the parts at hand -> what it says.",
        "rows": [
            *(_row(kind, kind, "ok", says=_says(kind)) for kind in GOOD),
            *_more_good(),
            *(_row(f"{kind}: {name}", kind, "malformed", facts=facts) for kind, name, facts in _bad_facts()),
            *(_row(f"{kind}: {name}", kind, "malformed", view=view) for kind, name, view in _bad_views()),
            *_by_shape(),
        ],
    }


def _row(name: str, kind: str, verdict: str, **change: Any) -> dict[str, Any]:
    facts, view, refs, flags = GOOD[change.get("like", kind)]
    facts, view = change.get("facts", facts), change.get("view", view)
    schema = change.get("schema", 1)
    bodies = {"facts": pad(pack(facts))} | ({} if view is None else {"view": pad(pack(view))})
    headers = [header(kind, tag, body, schema=schema) for tag, body in bodies.items() if tag != change.get("without")]
    entry = fields(
        kind,
        schema=schema,
        parts=headers,
        refs=change.get("refs", refs),
        flags=change.get("flags", flags),
    )
    given = change.get("given", list(bodies))
    row: dict[str, Any] = {
        "name": name,
        "entry": pack(entry).hex(),
        "parts": {tag: part(body).hex() for tag, body in bodies.items() if tag in given},
        "verdict": verdict,
    }
    return row | ({"says": change["says"]} if "says" in change else {})


def _says(kind: str, **change: Any) -> dict[str, Any]:
    facts, view, *_ = GOOD[kind]
    return {
        "type": kind,
        "facts": show(change.get("facts", facts)),
        "view": show(change.get("view", view)),
    }


def _more_good() -> list[dict[str, Any]]:
    facts: dict[str, tuple[str, list[Any]]] = {
        "the largest quantity": ("need.updated", ["1000000000", "999999999.999", "0.001"]),
        "an offer without end": ("offer.shared", [None, "request", None]),
        "a group without an address": ("group.described", ["Aileu", []]),
        "eight addresses": ("group.described", ["A", [f"http://10.0.0.{n}:8080" for n in range(8)]]),
        "a name written from right to left": ("group.described", ["مجموعة الحي", []]),
        "a name of 320 bytes": ("group.described", ["é" * 160, []]),
        "the last number": ("pledge.revised", [65535, "1"]),
        "a window of one minute": (
            "pledge.offered",
            [SUBJECT_ID, SUBJECT_ID, 1, "1", "trip", "remote", 2**32, 2**32],
        ),
        "a time that only begins": ("handover.proposed", [1, 5, None]),
        "a presumption after the last correction": ("receipt.presumed", [65535, "1", 65535]),
        "every part that can be erased, of a generation that has ended": (
            "parts.erased",
            [2**32, [[0, "view"], [0, "text"], [0, "sealed"], [2**53 - 1, "view"]]],
        ),
        "as many parts as one statement erases": ("parts.erased", [0, [[n, "view"] for n in range(256)]]),
        "a feed of which nothing is left": ("feed.reset", [2**32, 0, b"\7" * 32]),
        "the last dispute": ("dispute.opened", [16, "money"]),
    }
    views: dict[str, tuple[str, list[Any]]] = {
        "a view with the category alone": ("need.shared", ["other", None, "low", None, None, None]),
        "a window that only begins": ("offer.shared", ["tools", None, 5, None, None, "lend"]),
    }
    return [
        *(
            _row(name, kind, "ok", facts=values, says=_says(kind, facts=values))
            for name, (kind, values) in facts.items()
        ),
        *(_row(name, kind, "ok", view=values, says=_says(kind, view=values)) for name, (kind, values) in views.items()),
    ]


def _bad_facts() -> list[tuple[str, str, Any]]:
    quantities = [
        "", "0", "00", "01", "1.", ".5", "1.0", "1.50", "0.0001", "-1", "+1", "1e3", "1 000", "1,5",
        "\u0661", "1\n",
        "1000000000.001", "1000000001", "10000000000", "NaN", 1, None, b"1",
    ]  # fmt: skip
    return [
        *(("need.shared", f"quantity {text!r}", [text, "m2", "0"]) for text in quantities),
        ("need.shared", "an unknown unit", ["1", "bushel", "0"]),
        ("need.shared", "a unit that is nil", ["1", None, "0"]),
        ("need.shared", "a negative rest", ["1", "kg", "-1"]),
        ("need.shared", "a field short", ["1", "kg"]),
        ("need.shared", "a field too many", ["1", "kg", "1", "1"]),
        ("need.shared", "no array", "1"),
        ("need.share_revoked", "a field where none belongs", [1]),
        ("need.closed", "an unknown reason", ["bored"]),
        ("offer.closed", "a reason for needs", ["met"]),
        ("group.described", "an empty name", ["", []]),
        ("group.described", "a name of 321 bytes", ["é" * 160 + "x", []]),
        ("group.described", "a name with a line end", ["a\nb", []]),
        ("group.described", "a name with a line separator", ["a\u2028b", []]),
        ("group.described", "a name with a bidi override", ["a\u202eb", []]),
        ("group.described", "a name with a bidi isolate", ["a\u2066b", []]),
        ("group.described", "a name with a space before it", [" a", []]),
        ("group.described", "a name that is bytes", [b"a", []]),
        ("group.described", "addresses that are nil", ["a", None]),
        ("group.described", "nine addresses", ["a", [f"http://10.0.0.{n}" for n in range(9)]]),
        ("group.described", "an address twice", ["a", ["http://a", "http://a"]]),
        *(
            ("group.described", f"address {address!r}", ["a", [address]])
            for address in (
                "ftp://a",
                "https://",
                "https://A.example",
                "https://a/",
                "https://a?b",
                "https://u@a",
                "https://a:0",
                "https://a:65536",
                "https://a;b",
                "https://a,b",
                "https://a#b",
                "https://a b",
                "https://-a",
                "https://" + "a" * 248,
                "https://a\n",
                7,
            )
        ),
        ("group.incepted", "a key of 31 bytes", [b"\1" * 31, b"\2" * 32, b"\3" * 32, b"\4" * 32]),
        ("circle.opened", "no terms", [b"", SIGNATURES]),
        ("circle.opened", "terms of 4,097 bytes", [bytes(4097), SIGNATURES]),
        ("circle.opened", "one signature", [b"terms", SIGNATURES[:1]]),
        ("circle.opened", "signatures out of order", [b"terms", SIGNATURES[::-1]]),
        ("circle.opened", "a signature twice", [b"terms", [SIGNATURES[0], SIGNATURES[0]]]),
        ("circle.opened", "65 signatures", [b"terms", SIGNATURES[:1] * 65]),
        ("circle.opened", "a signature alone", [b"terms", [[ALICE_GID], [BOB_GID]]]),
        ("circle.opened", "a signature of 63 bytes", [b"terms", [[ALICE_GID, b"5" * 63], SIGNATURES[1]]]),
        ("circle.opened", "a group id in capitals", [b"terms", [["A" * 32, SIGNATURE], SIGNATURES[1]]]),
        ("circle.opened", "a signature that is a number", [b"terms", [1, 2]]),
        ("parts.erased", "nothing erased", [0, []]),
        ("parts.erased", "facts, which are never erased", [0, [[7, "facts"]]]),
        ("parts.erased", "an unknown tag", [0, [[7, "photo"]]]),
        ("parts.erased", "257 parts", [0, [[n, "view"] for n in range(257)]]),
        ("parts.erased", "a tag that is bytes", [0, [[7, b"view"]]]),
        ("parts.erased", "a part twice", [0, [[7, "view"], [7, "view"]]]),
        ("parts.erased", "parts out of order", [0, [[8, "view"], [7, "view"]]]),
        ("parts.erased", "tags out of order", [0, [[7, "text"], [7, "view"]]]),
        ("parts.erased", "half a part", [0, [[7]]]),
        ("parts.erased", "a part that is a number", [0, [7]]),
        ("parts.erased", "parts that are nil", [0, None]),
        ("parts.erased", "an index past the last", [0, [[2**53, "view"]]]),
        ("parts.erased", "an index below the first", [0, [[-1, "view"]]]),
        ("parts.erased", "an index that is true", [0, [[True, "view"]]]),
        ("parts.erased", "a generation past its bound", [2**32 + 1, [[7, "view"]]]),
        ("pledge.offered", "a need id of 15 bytes", [b"2" * 15, *PLEDGE[1:]]),
        ("pledge.offered", "an offer id that is text", [PLEDGE[0], "one", *PLEDGE[2:]]),
        ("pledge.offered", "a first revision of two", [*PLEDGE[:2], 2, *PLEDGE[3:]]),
        ("pledge.offered", "nothing promised", [*PLEDGE[:3], "0", *PLEDGE[4:]]),
        ("pledge.offered", "an unknown way", [*PLEDGE[:5], "drone", *PLEDGE[6:]]),
        ("pledge.offered", "a window that ends before it begins", [*PLEDGE[:6], 6, 5]),
        ("pledge.offered", "a time before 1970", [*PLEDGE[:6], -1, None]),
        ("pledge.offered", "a time past its bound", [*PLEDGE[:6], None, 2**32 + 1]),
        ("pledge.revised", "revision zero", [0, "1"]),
        ("pledge.revised", "a revision past its bound", [65536, "1"]),
        ("pledge.revised", "a revision that is true", [True, "1"]),
        ("pledge.committed", "quantity zero", [1, "0"]),
        ("pledge.withdrawn", "an unknown reason", ["angry"]),
        ("handover.declared", "an unknown outcome", [1, "1", "thrown"]),
        ("handover.declared", "quantity zero", [1, "0", "handed"]),
        ("handover.failed", "an unknown reason", [1, "rain"]),
        ("pledge.countered", "quantity zero", [1, "0"]),
        ("pledge.declined", "an unknown reason", [1, "no"]),
        ("pledge.accepted", "acceptance zero", [0, 1, "1"]),
        ("pledge.released", "an unknown reason", [1, "no"]),
        ("receipt.confirmed", "an unknown condition", [1, "1", "fine"]),
        ("receipt.confirmed", "a negative quantity", [1, "-1", "good"]),
        ("handover.proposed", "no time at all", [1, None, None]),
        ("handover.proposed", "a window that ends before it begins", [1, 6, 5]),
        ("handover.proposed", "revision zero", [0, 5, 6]),
        ("handover.missed", "an unknown reason", [1, "rain"]),
        ("handover.missed", "number zero", [0, "not_home"]),
        ("handover.corrected", "a negative quantity", [1, "-1"]),
        ("handover.corrected", "number zero", [0, "1"]),
        ("receipt.presumed", "quantity zero", [1, "0", 0]),
        ("receipt.presumed", "number zero", [0, "1", 0]),
        ("receipt.presumed", "corrections below zero", [1, "1", -1]),
        ("receipt.presumed", "corrections past their bound", [1, "1", 65536]),
        ("receipt.presumed", "corrections that are nil", [1, "1", None]),
        ("receipt.presumed", "a field short", [1, "1"]),
        ("receipt.corrected", "a quantity that is nil", [1, None]),
        ("receipt.corrected", "number zero", [0, "1"]),
        ("discrepancy.left", "a negative quantity", ["1", "-1"]),
        ("discrepancy.left", "words of a person", ["1", "two were broken"]),
        ("dispute.opened", "somebody's conduct", [1, "conduct"]),
        ("dispute.opened", "words of a person", [1, "they were rude"]),
        ("dispute.opened", "number zero", [0, "quality"]),
        ("dispute.opened", "one more than a side can open", [17, "quality"]),
        ("dispute.opened", "a text beside it", [1, "quality", "torn"]),
        ("dispute.resolved", "a third side", ["mediator", 1, "explained"]),
        ("dispute.resolved", "an unknown end", ["giver", 1, "revenge"]),
        ("dispute.resolved", "number zero", ["giver", 0, "explained"]),
    ]


def _bad_views() -> list[tuple[str, str, Any]]:
    need, offer = NEED_VIEW, OFFER_VIEW
    return [
        ("need.shared", "an unknown category", ["gold", *need[1:]]),
        ("need.shared", "an empty item", [need[0], "", *need[2:]]),
        ("need.shared", "an item of 321 bytes", [need[0], "x" * 321, *need[2:]]),
        ("need.shared", "an item with a control character", [need[0], "a\x07", *need[2:]]),
        ("need.shared", "an unknown urgency", [*need[:2], "asap", *need[3:]]),
        ("need.shared", "a window that ends before it begins", [*need[:3], 6, 5, None]),
        ("need.shared", "a time that is text", [*need[:3], "6", None, None]),
        ("need.shared", "an area of 321 bytes", [*need[:5], "x" * 321]),
        ("need.shared", "an area with a bidi override", [*need[:5], "\u202dDili"]),
        ("need.shared", "a field short", need[:5]),
        ("offer.shared", "an unknown mode", [*offer[:5], "sell"]),
        ("offer.shared", "a window that ends before it begins", [*offer[:2], 6, 5, None, "give"]),
    ]


def _by_shape() -> list[dict[str, Any]]:
    return [
        _row("a type nobody knows", "sun.risen", "unknown", like="need.updated"),
        _row("a schema to come", "need.updated", "unknown", schema=2),
        _row("facts not here yet", "need.updated", "incomplete", given=[]),
        _row("a view without its facts", "need.shared", "incomplete", given=["view"]),
        _row("a view erased", "need.shared", "ok", given=["facts"], says=_says("need.shared", view=None)),
        _row("no facts committed to", "need.updated", "malformed", without="facts"),
        _row("no view committed to", "need.shared", "malformed", without="view"),
        _row("an end without the terminal flag", "need.closed", "malformed", flags=0),
        _row("an erasure without the erase flag", "parts.erased", "malformed", flags=1),
        _row("an end with more flags", "offer.closed", "ok", flags=0xFFFF, says=_says("offer.closed")),
        *(
            _row(f"{kind} that answers nothing", kind, "malformed", refs=[])
            for kind in (
                "share.acknowledged",
                "erasure.acknowledged",
                "pledge.offered",
                "pledge.committed",
                "pledge.accepted",
            )
        ),
        _row("more refs than needed", "pledge.offered", "ok", refs=[REF, REF], says=_says("pledge.offered")),
        _part_of_another(),
    ]


def _part_of_another() -> dict[str, Any]:
    row = _row("facts of another statement", "need.updated", "proof_invalid")
    row["parts"]["facts"] = part(pad(pack(["1", "1", "1"]))).hex()
    return row
