"""HPKE (RFC 9180; base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305) step by step, with an ephemeral
key that is given: the library draws its own, so vectors could not be made with it. For tests only."""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(plaintext: bytes, recipient: bytes, info: bytes, ephemeral: bytes, aad: bytes = b"") -> bytes:
    """The encapsulated key, then the ciphertext with its tag."""
    enc = public(ephemeral)
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(X25519PublicKey.from_public_bytes(recipient))
    secret = _expand(_extract(b"", b"eae_prk", shared, KEM_SUITE), b"shared_secret", enc + recipient, 32, KEM_SUITE)
    context = b"\0" + _extract(b"", b"psk_id_hash", b"", SUITE) + _extract(b"", b"info_hash", info, SUITE)
    scheduled = _extract(secret, b"secret", b"", SUITE)
    key = _expand(scheduled, b"key", context, 32, SUITE)
    nonce = _expand(scheduled, b"base_nonce", context, 12, SUITE)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def _extract(salt: bytes, label: bytes, keying: bytes, suite: bytes) -> bytes:
    return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + keying, hashlib.sha256).digest()


def _expand(secret: bytes, label: bytes, info: bytes, length: int, suite: bytes) -> bytes:
    labelled = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return hmac.new(secret, labelled + b"\1", hashlib.sha256).digest()[:length]
