"""Requests between nodes: an RFC 9421 profile over the http-message-signatures library (SPEC §10).

Reads no clock and keeps no nonces: whether `created` and `nonce` are acceptable is the caller's decision.
"""

from __future__ import annotations

import base64
import datetime
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import (
    NONCE_CHARACTERS_MAX,
    NONCE_CHARACTERS_MIN,
    REQUEST_TARGET_BYTES_MAX,
    SECOND_MAX,
    SIGNATURE_HEADER_BYTES_MAX,
)
from aidmesh_protocol.origin import check_group_id
from aidmesh_protocol.paths import (
    CONTENT_DIGEST_HEADER,
    DESTINATION_HEADER,
    SIGNATURE_HEADER,
    SIGNATURE_INPUT_HEADER,
)

TAG = "aidmesh/1"
LABEL = "aidmesh"
ALGORITHM = "ed25519"
COMPONENTS = ("@method", "@path", "@query", "content-digest", "aidmesh-destination")

_COVERED = [f'"{name}"' for name in COMPONENTS] + ['"@signature-params"']
_PARAMETERS = {"created", "keyid", "nonce", "tag"}
_HEADERS = (DESTINATION_HEADER, CONTENT_DIGEST_HEADER, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER)
_NONCE = re.compile(rf"[A-Za-z0-9._~-]{{{NONCE_CHARACTERS_MIN},{NONCE_CHARACTERS_MAX}}}")
_DIGEST = re.compile(r"sha-256=:(?P<digest>[A-Za-z0-9+/]{43}=):")
# The library wants an absolute URL; the profile signs path and query only, so that addresses can change.
_AUTHORITY = "https://aidmesh.invalid"


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """Who signed a request for us, when they say they did (seconds since 1970), and its body's SHA-256.

    Not yet decided: whether `created` is near enough, and whether `nonce` was seen before.
    """

    gid: str
    created: int
    nonce: str
    body_sha256: bytes


def content_digest(body_sha256: bytes) -> str:
    """The Content-Digest header for a body with this SHA-256 (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(body_sha256).decode()}:"


def sign_request(
    *,
    method: str,
    path: str,
    query: str,
    body_sha256: bytes,
    key: SigningKey,
    gid: str,
    destination_gid: str,
    created: int,
    nonce: str,
) -> dict[str, str]:
    """The four headers that make a request ours (SPEC §10.1).

    `path` and `query` (without "?") as they go over the wire; `created` in seconds since 1970; `nonce` from
    `[A-Za-z0-9._~-]`, fresh random or issued by the server. Raises ProtocolError("malformed") for what no
    receiver would accept.
    """
    check_group_id(gid)
    if type(created) is not int or not 0 <= created <= SECOND_MAX or not _NONCE.fullmatch(nonce):
        raise ProtocolError("malformed", "the time or nonce of a request is out of range")
    headers = {
        DESTINATION_HEADER: check_group_id(destination_gid),
        CONTENT_DIGEST_HEADER: content_digest(body_sha256),
    }
    message = _Message(method, _url(path, query), headers)
    try:
        prepared = _SIGNER.prepare(
            message,
            key_id=gid,
            created=datetime.datetime.fromtimestamp(created, datetime.UTC),
            nonce=nonce,
            tag=TAG,
            include_alg=False,
            covered_component_ids=COMPONENTS,
            use_existing_digest=True,
        )
    except HTTPMessageSignaturesException as error:
        raise ProtocolError("malformed", f"this request cannot be signed: {error}") from None
    # Not the library's apply(): it takes everything apart once more, for signers that answer much later.
    signature = base64.b64encode(key.sign(prepared.signature_base)).decode()
    headers[SIGNATURE_INPUT_HEADER] = f"{LABEL}={prepared.signature_params}"
    headers[SIGNATURE_HEADER] = f"{LABEL}=:{signature}:"
    return headers


def verify_request(
    *,
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    destination_gid: str,
    key_for: Callable[[str], VerifyKey],
    body_sha256: bytes | None,
) -> VerifiedRequest:
    """Check that a request is signed, for us, by the group it names (SPEC §10.2a).

    `headers` are all field lines as received, repeated ones repeated. `key_for` gives a group's key and may
    raise ProtocolError, which passes through. `body_sha256` is the digest of the body read, or None when the
    body is still to be streamed: then call `check_body` at its end. Raises ProtocolError("bad_signature").
    """
    found = _single_headers(headers)
    if found[DESTINATION_HEADER] != destination_gid:
        raise ProtocolError("bad_signature", "the request is meant for another group")
    digest = _DIGEST.fullmatch(found[CONTENT_DIGEST_HEADER])
    if digest is None:
        raise ProtocolError("bad_signature", "Content-Digest is not one sha-256 digest")
    keys = _Keys(key_for)
    verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=keys)
    try:
        message = _Message(method, _url(path, query), found)
        (result,) = verifier.verify(message, max_age=None)
    except HTTPMessageSignaturesException as error:
        if keys.failure is not None:
            raise keys.failure from None
        raise ProtocolError("bad_signature", f"the request's signature is not valid: {error}") from None
    if list(result.covered_components) != _COVERED:  # SPEC §10.1a
        raise ProtocolError("bad_signature", "the signature covers other components than it must")
    parameters: dict[str, Any] = dict(result.parameters)
    # The verifier has compared "alg", if there is one, and both sides may leave it out.
    parameters.pop("alg", None)
    if parameters.keys() != _PARAMETERS or parameters["tag"] != TAG:
        raise ProtocolError("bad_signature", "the signature has other parameters than it must")
    created, nonce = parameters["created"], parameters["nonce"]
    if not 0 <= created <= SECOND_MAX or not _NONCE.fullmatch(nonce):
        raise ProtocolError("bad_signature", "the signature's time or nonce is out of range")
    verified = VerifiedRequest(parameters["keyid"], created, nonce, base64.b64decode(digest["digest"]))
    if body_sha256 is not None:
        check_body(verified, body_sha256)
    return verified


def check_body(verified: VerifiedRequest, body_sha256: bytes) -> None:
    """Raise ProtocolError("bad_signature") unless the body that came is the one that was signed."""
    if not hmac.compare_digest(verified.body_sha256, body_sha256):
        raise ProtocolError("bad_signature", "the body is not the one that was signed")


@dataclass(slots=True)
class _Message:
    """What the library reads of a request."""

    method: str
    url: str
    headers: dict[str, str]


class _Ed25519(HTTPSignatureAlgorithm):
    """The library's algorithm over our keys: those that passed admission, and no other."""

    algorithm_id = ALGORITHM

    def __init__(self, public_key: VerifyKey) -> None:
        self._key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        self._key.verify(signature, message)


class _Keys(HTTPSignatureKeyResolver):
    """Asks the caller for a key; remembers what went wrong, which the library would call a bad signature."""

    def __init__(self, key_for: Callable[[str], VerifyKey]) -> None:
        self._key_for = key_for
        self.failure: Exception | None = None

    def resolve_public_key(self, key_id: str) -> VerifyKey:
        gid = check_group_id(key_id)
        try:
            return self._key_for(gid)
        except Exception as failure:
            self.failure = failure
            raise


class _Verifier(HTTPMessageVerifier):
    """The library's verifier without its clock."""

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:
        """Nothing: the profile has no `expires`, requires `created`, and leaves judging it to the caller."""


_SIGNER = HTTPMessageSigner(signature_algorithm=_Ed25519)


def _url(path: str, query: str) -> str:
    if len(path) + len(query) > REQUEST_TARGET_BYTES_MAX:
        raise ProtocolError("malformed", "path and query are longer than they may be")
    return f"{_AUTHORITY}{path}?{query}" if query else f"{_AUTHORITY}{path}"


def _single_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The four headers, each of which must be there once: two copies could be read as either."""
    wanted = {name.lower(): name for name in _HEADERS}
    found: dict[str, str] = {}
    for name, value in headers:
        canonical_name = wanted.get(name.lower())
        if canonical_name is None:
            continue
        if canonical_name in found or len(value) > SIGNATURE_HEADER_BYTES_MAX:
            raise ProtocolError("bad_signature", f"{canonical_name} is repeated or too long")
        found[canonical_name] = value
    if len(found) != len(_HEADERS):
        raise ProtocolError("bad_signature", "the request is not signed")
    return found
