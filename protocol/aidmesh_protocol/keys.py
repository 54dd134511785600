"""Ed25519 keys: signing keys from a seed, verify keys that have passed admission (SPEC §3).

Never makes a seed (random comes from outside) and never verifies with a key that was not admitted.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import ADMITTED_KEYS_CACHED_MAX

SEED_BYTES = 32
KEY_BYTES = 32
SIGNATURE_BYTES = 64

# SPEC §3: edwards25519 as in RFC 8032 §5.1.
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z."""
_IDENTITY: _Point = (0, 1, 1, 0)


class VerifyKey:
    """A peer's public key that passed admission. There is no other way to make one."""

    __slots__ = ("_key", "_raw")

    def __init__(self, raw: bytes) -> None:
        """Admit 32 bytes; raises ProtocolError("unknown_key") when they are not a sound key."""
        _require_admissible(raw)
        self._raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    @classmethod
    def admit(cls, raw: bytes) -> VerifyKey:
        """Return the key for 32 raw bytes, remembered after the first time (SPEC §3).

        Raises ProtocolError("unknown_key") unless the encoding is canonical, the point lies on the curve, has
        prime order and is not the identity.
        """
        return _admitted(bytes(raw))

    @property
    def raw(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._raw

    def verify(self, signature: bytes, message: bytes) -> None:
        """Pass when `signature` is this key's over `message`; else raise ProtocolError("bad_signature").

        The library asks for S below L, and compares R as bytes (SPEC §3.2a).
        """
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise ProtocolError("bad_signature", "the signature does not verify") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"VerifyKey({self._raw.hex()})"


class SigningKey:
    """A private key. Its seed appears in no representation of it."""

    __slots__ = ("_key", "_seed", "verify_key")

    def __init__(self, seed: bytes) -> None:
        """Make the key of a 32-byte seed; raises ValueError for another length."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verify_key = VerifyKey.admit(self._key.public_key().public_bytes_raw())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Return the key of a 32-byte seed (RFC 8032 §5.1.5); raises ValueError for another length."""
        return cls(bytes(seed))

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes the key is made of."""
        return self._seed

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`; the same message gives the same bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(for {self.verify_key.raw.hex()})"


@lru_cache(maxsize=ADMITTED_KEYS_CACHED_MAX)
def _admitted(raw: bytes) -> VerifyKey:
    return VerifyKey(raw)


def _require_admissible(raw: bytes) -> None:
    """Raise ProtocolError("unknown_key") unless `raw` encodes a point of prime order (SPEC §3.1a).

    Needed because the library loads any point: under the identity one signature verifies for every message.
    """
    if len(raw) != KEY_BYTES:
        raise ProtocolError("unknown_key", f"a key has {KEY_BYTES} bytes, not {len(raw)}")
    point = _point(raw)
    if point is None:
        raise ProtocolError("unknown_key", "not the canonical encoding of a point of the curve")
    if point[:2] == (0, 1):
        raise ProtocolError("unknown_key", "the identity is no key")
    x, y, z, _ = _times_order(point)
    if x != 0 or y != z:
        raise ProtocolError("unknown_key", "the point does not have prime order")


def _point(raw: bytes) -> _Point | None:
    """Decode 32 bytes (RFC 8032 §5.1.3); None when not canonical or not on the curve."""
    encoded = int.from_bytes(raw, "little")
    sign, y = encoded >> 255, encoded & ((1 << 255) - 1)
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    square = v * x * x % _P
    if square == -u % _P:
        x = x * _SQRT_MINUS_ONE % _P
    elif square != u:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _times_order(point: _Point) -> _Point:
    total, scalar = _IDENTITY, _ORDER
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _add(left: _Point, right: _Point) -> _Point:
    a = (left[1] - left[0]) * (right[1] - right[0]) % _P
    b = (left[1] + left[0]) * (right[1] + right[0]) % _P
    c = 2 * left[3] * right[3] * _D % _P
    d = 2 * left[2] * right[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P
