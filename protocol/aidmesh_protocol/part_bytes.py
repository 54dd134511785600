"""The bytes of a part, and the commitment that holds them (SPEC §5.3): `[key, padded body]` under HMAC-SHA256.

Knows nothing of entries: what a part is of comes as bytes from `what`.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import Any

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PART_BUCKETS, PART_BYTES_MAX
from aidmesh_protocol.padding import unpad

KEY_BYTES = 16

KINDS_CACHED_MAX = 256
"""Kinds of parts remembered, more than there are; peers may name others, of some 100 bytes each."""

# The one canonical form: array of two, the key, a body of a bucket's length with its shortest header.
_KEY_START = b"\x92\xc4\x10"
_KEY_AT = len(_KEY_START)
_KEY_END = _KEY_AT + KEY_BYTES
_LAYOUT = {
    bucket: (start, _KEY_END + len(start), _KEY_END + len(start) + bucket)
    for bucket in PART_BUCKETS
    for start in [canonical.encode(bytes(bucket))[:-bucket]]
}
"""By bucket: the header of the body, where the body begins, how long the part is."""
BODY_AT = {length: body for _, body, length in _LAYOUT.values()}
"""By the length of a part, where its body begins."""


@lru_cache(maxsize=KINDS_CACHED_MAX)
def what(statement_type: str, schema: int, tag: str) -> bytes:
    """What a commitment says its part is of."""
    return canonical.encode([statement_type, schema, tag])


def commitment(key: bytes, statement_type: str, schema: int, tag: str, padded: bytes) -> bytes:
    """HMAC-SHA256(key, encode([type, schema, tag]) || padded body), 32 bytes (SPEC §5.3)."""
    # The key has one fixed length: HMAC would otherwise give a key and its zero-extended twin one value.
    _check_key(key)
    return hmac.digest(key, what(statement_type, schema, tag) + padded, "sha256")


def content(part_bytes: bytes, of: bytes, bucket: int, committed: bytes) -> bytes:
    """The content of a part, once its bytes are shown to be those committed to (SPEC §5.3a); `of` is `what` it is of.

    Raises ProtocolError: `proof_invalid` for other bytes, `too_large` or `malformed` for what is no part at all.
    """
    start, body, length = _LAYOUT[bucket]
    if len(part_bytes) != length or part_bytes[:_KEY_AT] != _KEY_START or part_bytes[_KEY_END:body] != start:
        # The one canonical form of a key and a body of this length is another.
        raise _no_such_part(part_bytes)
    padded = part_bytes[body:]
    # Whoever sends a part has its key too: how long the comparison takes tells nothing.
    if hmac.digest(part_bytes[_KEY_AT:_KEY_END], of + padded, "sha256") != committed:
        raise ProtocolError("proof_invalid", "the entry commits to other bytes for this part")
    return unpad(padded)


def _no_such_part(part_bytes: bytes) -> ProtocolError:
    value: Any = canonical.decode(part_bytes, bytes_max=PART_BYTES_MAX)
    if not isinstance(value, list) or len(value) != 2 or type(value[1]) is not bytes:
        return ProtocolError("malformed", "a part is an array of key and body")
    _check_key(value[0])
    return ProtocolError("proof_invalid", "the entry commits to other bytes for this part")


def _check_key(value: object) -> None:
    if type(value) is not bytes or len(value) != KEY_BYTES:
        raise ProtocolError("malformed", f"part key is not {KEY_BYTES} bytes")
