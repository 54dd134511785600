"""Four words that both screens show when two groups pair, and the commitments before them (SPEC §14.2).

Never draws a nonce. The word list is the BIP-39 English list, read once from the `mnemonic` package.
"""

from __future__ import annotations

import hashlib
from functools import cache

from mnemonic import Mnemonic

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PAIRING_WORDS
from aidmesh_protocol.origin import check_group_id

NONCE_BYTES = 32
_WORD_BITS = 11


def commitment(nonce: bytes) -> bytes:
    """SHA-256 of a nonce (32 bytes) under its own prefix, 32 bytes: sent before either nonce is shown."""
    return hashlib.sha256(b"aidmesh/1 nonce\n" + _nonce(nonce)).digest()


def four_words(gid_a: str, gid_b: str, nonce_a: bytes, nonce_b: bytes) -> tuple[str, ...]:
    """The words for two groups and their nonces (32 bytes each), the same from either side.

    Raises ProtocolError("malformed") for other lengths, bad group ids or twice the same group.
    """
    if check_group_id(gid_a) == check_group_id(gid_b):
        raise ProtocolError("malformed", "a group does not pair with itself")
    digest = hashlib.sha256(b"aidmesh/1 words\n")
    for gid, nonce in sorted([(gid_a, _nonce(nonce_a)), (gid_b, _nonce(nonce_b))]):
        digest.update(gid.encode() + nonce)
    bits = int.from_bytes(digest.digest(), "big") >> (256 - PAIRING_WORDS * _WORD_BITS)
    words = word_list()
    mask = (1 << _WORD_BITS) - 1
    return tuple(words[bits >> (_WORD_BITS * place) & mask] for place in range(PAIRING_WORDS - 1, -1, -1))


@cache
def word_list() -> tuple[str, ...]:
    """The 2,048 words of the BIP-39 English list, in its order."""
    return tuple(Mnemonic("english").wordlist)


def _nonce(nonce: bytes) -> bytes:
    if type(nonce) is not bytes or len(nonce) != NONCE_BYTES:
        raise ProtocolError("malformed", f"a pairing nonce is {NONCE_BYTES} bytes")
    return nonce
