"""request_signing.json: signed requests as they come in. Signature bases are written out by hand."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.support.message_vectors.raw import ALICE, ALICE_GID, BOB, BOB_GID, EVE, EVE_GID

BODY = b"AIDMESH1\n"
CREATED = 1_795_334_400
NONCE = "abcdefghijklmnopqrstuv"
COMPONENTS = ["@method", "@path", "@query", "content-digest", "aidmesh-destination"]
PARAMETERS = f'created={CREATED};keyid="{ALICE_GID}";nonce="{NONCE}";tag="aidmesh/1"'


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 10. A request as received by `destination` -> who signed it, when, with which nonce.",
        "keys": {ALICE_GID: ALICE.verify_key.raw.hex(), BOB_GID: BOB.verify_key.raw.hex()},
        "rows": [*_good(), *_bad_headers(), *_bad_coverage(), *_bad_parameters(), *_bad_match()],
    }


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _row(name: str, verdict: str = "bad_signature", **change: Any) -> dict[str, Any]:
    """A request signed by alice for bob; `change` says what differs in the signing or on the way."""
    method, path, query = (
        change.get("method", "POST"),
        change.get("path", "/aidmesh/1/sync"),
        change.get("query", ""),
    )
    destination = change.get("signed_destination", BOB_GID)
    content = change.get("digest", digest(BODY))
    components = change.get("components", COMPONENTS)
    parameters = change.get("parameters", PARAMETERS)
    values = {
        "@method": method,
        "@path": path,
        "@query": f"?{query}",
        "content-digest": content,
        "aidmesh-destination": destination,
        "date": "today",
    }
    covered = " ".join(f'"{component}"' for component in components)
    inner = f"({covered});{parameters}" if parameters else f"({covered})"
    base = "\n".join(
        [
            *(f'"{component}": {values[component]}' for component in components),
            f'"@signature-params": {inner}',
        ]
    )
    signature = base64.b64encode(change.get("key", ALICE).sign(base.encode())).decode()
    headers = [
        ["Aidmesh-Destination", destination],
        ["Content-Digest", content],
        ["Date", "today"],
        ["Signature-Input", f"aidmesh={inner}"],
        ["Signature", f"aidmesh=:{signature}:"],
    ]
    row = {
        "name": name,
        "method": change.get("seen_method", method),
        "path": change.get("seen_path", path),
        "query": change.get("seen_query", query),
        "headers": change["headers"](headers) if "headers" in change else headers,
        "destination": change.get("destination", BOB_GID),
        "body_sha256": hashlib.sha256(change.get("body", BODY)).hexdigest(),
        "verdict": verdict,
    }
    if verdict == "ok":
        row |= {
            "gid": ALICE_GID,
            "created": change.get("created", CREATED),
            "nonce": change.get("nonce", NONCE),
        }
    return row


def _params(**change: Any) -> str:
    """The parameters with one changed, added, or left out (None)."""
    values: dict[str, Any] = {
        "created": CREATED,
        "keyid": ALICE_GID,
        "nonce": NONCE,
        "tag": "aidmesh/1",
    } | change
    return ";".join(
        f"{name}={value}" if isinstance(value, int) else f'{name}="{value}"'
        for name, value in values.items()
        if value is not None
    )


def _good() -> list[dict[str, Any]]:
    other_order = f'tag="aidmesh/1";nonce="{NONCE}";keyid="{ALICE_GID}";created={CREATED}'
    return [
        _row("a sync", "ok"),
        _row("a query", "ok", path="/aidmesh/1/log", query="a=%20b&c"),
        _row("the algorithm named", "ok", parameters=_params(alg="ed25519")),
        _row("parameters in another order", "ok", parameters=other_order),
        _row("hours late: for the caller to judge", "ok", parameters=_params(created=5), created=5),
        _row("a nonce the server issued", "ok", parameters=_params(nonce="s" * 160), nonce="s" * 160),
        _row("header names in capitals", "ok", headers=lambda lines: [[n.upper(), v] for n, v in lines]),
        _row("another label", "ok", headers=_relabel),
    ]


def _relabel(lines: list[list[str]]) -> list[list[str]]:
    return [[name, value.replace("aidmesh=", "sig1=", 1)] for name, value in lines]


def _bad_headers() -> list[dict[str, Any]]:
    def without(name: str) -> Any:
        return lambda lines: [line for line in lines if line[0] != name]

    def twice(name: str) -> Any:
        return lambda lines: [*lines, *(line for line in lines if line[0] == name)]

    def changed(name: str, value: str) -> Any:
        return lambda lines: [[line[0], value if line[0] == name else line[1]] for line in lines]

    names = ("Aidmesh-Destination", "Content-Digest", "Signature-Input", "Signature")
    return [
        *(_row(f"no {name}", headers=without(name)) for name in names),
        *(_row(f"{name} twice", headers=twice(name)) for name in names),
        _row("no headers", headers=lambda lines: []),
        _row(
            "two signatures in one header",
            headers=lambda lines: [
                [n, f"{v}, {v.replace('aidmesh=', 'more=', 1)}" if n.startswith("Signature") else v] for n, v in lines
            ],
        ),
        _row(
            "labels that differ",
            headers=lambda lines: [[n, v.replace("aidmesh=", "more=", 1) if n == "Signature" else v] for n, v in lines],
        ),
        _row(
            "the same label twice",
            headers=lambda lines: [[n, f"{v}, {v}" if n.startswith("Signature") else v] for n, v in lines],
        ),
        _row("Signature-Input that is garbage", headers=changed("Signature-Input", "((((")),
        _row("Signature-Input that is no list", headers=changed("Signature-Input", "aidmesh=1")),
        _row("Signature that is no byte sequence", headers=changed("Signature", "aidmesh=1")),
        _row("Signature that is empty", headers=changed("Signature", "aidmesh=::")),
        _row("Signature of zeros", headers=changed("Signature", f"aidmesh=:{'A' * 86}==:")),
        _row("Signature not in ASCII", headers=changed("Signature", "aidmesh=:é:")),
        _row("a header of 1,025 bytes", headers=changed("Signature", "x" * 1025)),
        _row("sha-512", digest=f"sha-512=:{'A' * 86}==:"),
        _row("two digests", digest=f"{digest(BODY)}, {digest(BODY)}"),
        _row("a digest that is too short", digest="sha-256=:AAAA:"),
    ]


def _bad_coverage() -> list[dict[str, Any]]:
    return [
        *(_row(f"{name} not covered", components=[c for c in COMPONENTS if c != name]) for name in COMPONENTS),
        _row("one component more", components=[*COMPONENTS, "date"]),
        _row("components in another order", components=COMPONENTS[::-1]),
        _row("nothing covered", components=[]),
        _row("a component twice", components=[*COMPONENTS, "@method"]),
    ]


def _bad_parameters() -> list[dict[str, Any]]:
    return [
        _row("no parameters", parameters=""),
        *(_row(f"no {name}", parameters=_params(**{name: None})) for name in ("created", "keyid", "nonce", "tag")),
        _row("another tag", parameters=_params(tag="aidmesh/2")),
        _row("another algorithm", parameters=_params(alg="hmac-sha256")),
        _row("an end", parameters=_params(expires=CREATED + 300)),
        _row("an unknown parameter", parameters=_params(colour="red")),
        _row("created that is text", parameters=_params(created=str(CREATED))),
        _row("created before 1970", parameters=_params(created=-1)),
        _row("created past its bound", parameters=_params(created=2**36 + 1)),
        _row("created with a fraction", parameters=PARAMETERS.replace(str(CREATED), f"{CREATED}.5")),
        _row("a nonce of 15 characters", parameters=_params(nonce="n" * 15)),
        _row("a nonce of 161 characters", parameters=_params(nonce="n" * 161)),
        _row("a nonce with a space", parameters=_params(nonce="n" * 16 + " n")),
        _row("a nonce that is a number", parameters=_params(nonce=1_795_334_400_123_456)),
        _row("a key id in capitals", parameters=_params(keyid=ALICE_GID.upper())),
        _row("a key nobody knows", "unknown_key", key=EVE, parameters=_params(keyid=EVE_GID)),
    ]


def _bad_match() -> list[dict[str, Any]]:
    return [
        _row("signed by somebody else", key=EVE),
        _row("signed by bob in alice's name", key=BOB),
        _row("another method on the way", seen_method="PUT"),
        _row("a method in small letters", seen_method="post"),
        _row("another path on the way", seen_path="/aidmesh/1/pair"),
        _row("another query on the way", seen_query="a=1"),
        _row("a path that is no path", seen_path="/a b"),
        _row("a path of 2,049 bytes", "malformed", path="/" + "a" * 2048),
        _row("meant for another group", destination=EVE_GID),
        _row("signed for another group", signed_destination=EVE_GID),
        _row("a group for destination in capitals", signed_destination=BOB_GID.upper()),
        _row("another body", body=b"another"),
    ]
