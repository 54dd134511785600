"""Requests: signed by one group, for one group, over one body; nobody's clock is asked."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from http_message_signatures import HTTPSignatureKeyResolver
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol import request_signing
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.request_signing import VerifiedRequest, check_body, sign_request, verify_request

KEY = SigningKey.from_seed(b"a" * 32)
ALICE, BOB = "a" * 32, "b" * 32
BODY_SHA256 = hashlib.sha256(b"AIDMESH1\n").digest()
LONG_AGO = 5
NONCE = "n" * 22


def signed(**change: Any) -> dict[str, str]:
    request: dict[str, Any] = {
        "method": "POST",
        "path": "/aidmesh/1/sync",
        "query": "",
        "body_sha256": BODY_SHA256,
        "key": KEY,
        "gid": ALICE,
        "destination_gid": BOB,
        "created": LONG_AGO,
        "nonce": NONCE,
    }
    return sign_request(**request | change)


def received(
    headers: list[tuple[str, str]],
    key_for: Callable[[str], VerifyKey] = lambda gid: KEY.verify_key,
    body_sha256: bytes | None = BODY_SHA256,
    query: str = "",
) -> VerifiedRequest:
    return verify_request(
        method="POST",
        path="/aidmesh/1/sync",
        query=query,
        headers=headers,
        destination_gid=BOB,
        key_for=key_for,
        body_sha256=body_sha256,
    )


def test_bob_knows_that_alice_asked_however_long_ago_it_was() -> None:
    request = received(list(signed().items()))
    assert request == VerifiedRequest(ALICE, LONG_AGO, NONCE, BODY_SHA256)


def test_a_query_is_signed_as_it_travels() -> None:
    assert received(list(signed(query="a=%20").items()), query="a=%20").gid == ALICE


def test_a_streamed_body_is_compared_at_its_end() -> None:
    request = received(list(signed().items()), body_sha256=None)
    check_body(request, BODY_SHA256)
    with pytest.raises(ProtocolError) as refused:
        check_body(request, hashlib.sha256(b"another").digest())
    assert refused.value.code == "bad_signature"


def test_why_a_key_is_not_known_reaches_the_caller() -> None:
    def key_for(gid: str) -> VerifyKey:
        raise ProtocolError("suspended", f"{gid} is suspended")

    with pytest.raises(ProtocolError) as refused:
        received(list(signed().items()), key_for)
    assert refused.value.code == "suspended"


def test_our_own_fault_while_looking_for_a_key_is_not_the_peers() -> None:
    def key_for(gid: str) -> VerifyKey:
        raise LookupError("a bug of ours")

    with pytest.raises(LookupError):
        received(list(signed().items()), key_for)


@pytest.mark.parametrize(
    "change",
    [
        {"created": -1},
        {"created": 2**36 + 1},
        {"created": 1.5},
        {"nonce": "short"},
        {"nonce": "n" * 16 + "\n"},
        {"gid": "alice"},
        {"destination_gid": "bob"},
        {"path": "/a b"},
        {"path": "/" + "a" * 2048},
        {"method": "post"},
    ],
)
def test_what_nobody_would_accept_is_not_signed(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        signed(**change)
    assert refused.value.code == "malformed"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Signature", "Signature-Input", "Content-Digest", "Aidmesh-Destination", "Accept"]),
            st.text(max_size=80) | st.text(alphabet='aidmesh=();"@:,*?1', max_size=80),
        ),
        max_size=6,
    )
)
def test_no_headers_make_verifying_fail_otherwise(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(ProtocolError):
        received(headers)


# aiohttp hands on bytes that are no UTF-8 as lone surrogates.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_request_line_makes_verifying_fail_otherwise(method: str, path: str, query: str, more: str) -> None:
    headers = [(name, value + more * (name == "Signature")) for name, value in signed().items()]
    for name in (*signed(), ""):
        spoiled = [(key, more if key == name else value) for key, value in headers]
        with pytest.raises(ProtocolError):
            verify_request(
                method=method,
                path=path,
                query=query,
                headers=spoiled,
                destination_gid=BOB,
                key_for=lambda gid: KEY.verify_key,
                body_sha256=BODY_SHA256,
            )


@given(st.sampled_from(sorted(signed())), st.integers(0, 200), st.integers(0, 3), st.text(max_size=3))
def test_no_change_to_a_header_goes_unnoticed(name: str, start: int, length: int, text: str) -> None:
    """SPEC §10.2a."""
    headers = signed()
    value = headers[name]
    headers[name] = value[:start] + text + value[start + length :]
    # Structured fields allow space and other spellings; what is signed cannot change with them.
    with contextlib.suppress(ProtocolError):
        assert received(list(headers.items())) == received(list(signed().items()))


@pytest.fixture(scope="module")
def rfc_9421(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "vectors/rfc9421/b26_ed25519.json").read_text())
    return found


class TestSignatureKey(HTTPSignatureKeyResolver):
    """The key of RFC 9421 B.1.4."""

    __test__ = False

    def __init__(self, raw: bytes) -> None:
        self.key = VerifyKey.admit(raw)

    def resolve_public_key(self, key_id: str) -> VerifyKey:
        assert key_id == "test-key-ed25519"
        return self.key


def test_the_example_of_rfc_9421_verifies_with_our_keys_and_without_a_clock(rfc_9421: dict[str, Any]) -> None:
    request = rfc_9421["request"]
    message = request_signing._Message(
        request["method"],
        f"https://{request['authority']}{request['target']}",
        {
            **request["headers"],
            "Signature-Input": rfc_9421["signature_input"],
            "Signature": f"sig-b26=:{rfc_9421['signature_b64']}:",
        },
    )
    verifier = request_signing._Verifier(
        signature_algorithm=request_signing._Ed25519,
        key_resolver=TestSignatureKey(base64.b64decode(rfc_9421["public_key_ed25519_b64"])),
    )
    (result,) = verifier.verify(message, max_age=None)
    base = "\n".join(f"{name}: {value}" for name, value in result.covered_components.items())
    assert base == rfc_9421["signature_base"]


def test_the_example_of_rfc_9421_is_no_request_of_ours(rfc_9421: dict[str, Any]) -> None:
    """SPEC §10.1a."""
    headers = list(rfc_9421["request"]["headers"].items())
    headers += [
        ("Signature-Input", rfc_9421["signature_input"]),
        ("Signature", f"sig-b26=:{rfc_9421['signature_b64']}:"),
    ]
    with pytest.raises(ProtocolError) as refused:
        received(headers)
    assert refused.value.code == "bad_signature"
