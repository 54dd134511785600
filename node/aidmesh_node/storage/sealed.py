"""Authenticated encryption of small values at rest: ChaCha20-Poly1305 with a random nonce in front."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE_BYTES = 12


class NotAuthentic(Exception):
    """Key, context or bytes are not those that were sealed."""


def seal(key: bytes, content: bytes, context: bytes, entropy: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """(nonce, ciphertext); ``context`` must be given again to open. One key seals far fewer than 2^32
    values."""
    nonce = entropy(NONCE_BYTES)
    return nonce, ChaCha20Poly1305(key).encrypt(nonce, content, context)


def unseal(key: bytes, nonce: bytes, ciphertext: bytes, context: bytes) -> bytes:
    """What ``seal`` was given. Raises NotAuthentic."""
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, context)
    except (InvalidTag, ValueError, TypeError) as error:
        raise NotAuthentic from error
