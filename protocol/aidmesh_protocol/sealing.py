"""Sealed bundles: files that only a circle's members can open, and that name neither them nor feeds (SPEC §8.6).

A fresh content key encrypts the file in chunks (age's STREAM); HPKE wraps that key to each recipient. Who reads tries
every slot. Draws nothing itself; the ephemeral keys of HPKE are drawn inside the library, which offers no other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import SEALED_CHUNK_BYTES, SEALED_CONTENT_BYTES_MIN, SEALED_SLOTS

MAGIC = b"AIDMESHS1\n"
KEY_BYTES = 32
SALT_BYTES = 16
TAG_BYTES = 16

_SLOT_BYTES = KEY_BYTES + KEY_BYTES + TAG_BYTES  # encapsulated key, wrapped content key, tag
_HEADER_BYTES = len(MAGIC) + SALT_BYTES + 1
_SEALED_CHUNK_BYTES = SEALED_CHUNK_BYTES + TAG_BYTES
# What is signed, wrapped or derived starts with this, so that nothing made for one purpose serves another.
_WRAP_DOMAIN = b"aidmesh/1 sealed bundle\n"
_PAYLOAD_DOMAIN = b"aidmesh/1 sealed payload\n"
_HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def is_sealed(data: bytes) -> bool:
    """Whether a file that begins with these bytes, at least as many as MAGIC has, is a sealed bundle."""
    return data.startswith(MAGIC)


def padded_length(length: int) -> int:
    """Bytes of content after padding: Padmé, so that of a length little more than its magnitude can be told, for at
    most 12 % more. Never less than SEALED_CONTENT_BYTES_MIN."""
    length = max(length, SEALED_CONTENT_BYTES_MIN)
    exponent = length.bit_length() - 1
    free_bits = exponent - exponent.bit_length()
    return length + (-length & (1 << free_bits) - 1)


def sealed_length(content_length: int, recipients: int) -> int:
    """Bytes of the file with so many bytes of content for so many recipients."""
    padded = padded_length(content_length)
    chunks = -(-padded // SEALED_CHUNK_BYTES)
    return _HEADER_BYTES + slots_for(recipients) * _SLOT_BYTES + padded + chunks * TAG_BYTES


def slots_for(recipients: int) -> int:
    """Slots of a file for so many recipients: a few steps, so that their number tells little."""
    return next(slots for slots in SEALED_SLOTS if slots >= recipients)


def can_receive(recipient: bytes) -> bool:
    """Whether anything can be sealed to an X25519 public key: not to those that no private key has."""
    try:
        _wrap(bytes(KEY_BYTES), recipient, b"")
    except ProtocolError:
        return False
    return True


class Sealer:
    """Seals one file, piece by piece: `begin`, then `encrypt` for all of its content, then `finish`.

    `recipients` are X25519 public keys of 32 bytes; `decoys` as many random strings of 32 bytes as there are empty
    slots. `content_key` (32 bytes) and `salt` (16 bytes) are drawn for this file alone. Raises ProtocolError
    `unknown_key` for a recipient's key to which nothing can be sealed.
    """

    def __init__(self, recipients: Sequence[bytes], content_key: bytes, salt: bytes, decoys: Sequence[bytes]) -> None:
        slots = slots_for(len(recipients))
        if len(recipients) + len(decoys) != slots or len(content_key) != KEY_BYTES or len(salt) != SALT_BYTES:
            raise ValueError("a sealed file takes keys for all of its slots, a content key and a salt")
        header = MAGIC + salt + bytes((slots,))
        self._begin = header + b"".join(_wrap(content_key, key, header) for key in (*recipients, *decoys))
        self._stream = _Stream(content_key, salt)
        self._buffer = bytearray()
        self._length = 0

    def begin(self) -> bytes:
        """What stands before the content."""
        return self._begin

    def encrypt(self, data: bytes) -> bytes:
        """The chunks that are complete with these bytes."""
        self._length += len(data)
        self._buffer += data
        return self._chunks()

    def finish(self) -> bytes:
        """The rest of the file: padding and the last chunk."""
        self._buffer += bytes(padded_length(self._length) - self._length)
        return self._chunks() + self._stream.encrypt(bytes(self._buffer), last=True)

    def _chunks(self) -> bytes:
        sealed = bytearray()
        # One byte more than a chunk: which is the last one is known only at the end.
        while len(self._buffer) > SEALED_CHUNK_BYTES:
            sealed += self._stream.encrypt(bytes(self._buffer[:SEALED_CHUNK_BYTES]), last=False)
            del self._buffer[:SEALED_CHUNK_BYTES]
        return bytes(sealed)


class Opener:
    """Opens one sealed file from pieces of any length: yields content, padding included, that is authentic.

    `private_keys` are X25519 private keys of 32 bytes, each tried on every slot. What was yielded before an error is
    good: a file that was cut gives all of its complete chunks.
    """

    def __init__(self, private_keys: Sequence[bytes], *, bytes_max: int) -> None:
        self._keys = [X25519PrivateKey.from_private_bytes(key) for key in private_keys]
        self._buffer = bytearray()
        self._bytes_left = bytes_max
        self._stream: _Stream | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next piece; iterate over the content it completes, to the end before the next piece.

        Raises ProtocolError: `malformed`, `too_large`, `not_member` when none of the keys opens it.
        """
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ProtocolError("too_large", "the file is longer than was allowed")
        self._buffer += data
        if self._stream is None and not self._open():
            return
        while len(self._buffer) > _SEALED_CHUNK_BYTES:
            yield self._next(last=False)

    def close(self) -> Iterator[bytes]:
        """Say that no piece follows; iterate over the rest. Raises ProtocolError("malformed") when the file was cut."""
        if self._stream is None:
            raise ProtocolError("malformed", "interrupted: the file stops before its content")
        if len(self._buffer) == _SEALED_CHUNK_BYTES and (whole := self._try(last=False)) is not None:
            # Cut right between two chunks.
            yield whole
            raise ProtocolError("malformed", "interrupted: the file stops before its last chunk")
        yield self._next(last=True)

    def _open(self) -> bool:
        buffer = self._buffer
        if not MAGIC.startswith(buffer[: len(MAGIC)]):
            raise ProtocolError("malformed", "not a sealed aidmesh/1 bundle")
        if len(buffer) < _HEADER_BYTES:
            return False
        slots = buffer[_HEADER_BYTES - 1]
        if slots not in SEALED_SLOTS:
            raise ProtocolError("malformed", "a sealed file has one of a few numbers of slots")
        start = _HEADER_BYTES + slots * _SLOT_BYTES
        if len(buffer) < start:
            return False
        header = bytes(buffer[:_HEADER_BYTES])
        content_key = self._unwrap(header, bytes(buffer[_HEADER_BYTES:start]))
        self._stream = _Stream(content_key, header[len(MAGIC) : -1])
        del buffer[:start]
        return True

    def _unwrap(self, header: bytes, slots: bytes) -> bytes:
        for at in range(0, len(slots), _SLOT_BYTES):
            for key in self._keys:
                try:
                    content_key = _HPKE.decrypt(slots[at : at + _SLOT_BYTES], key, _WRAP_DOMAIN + header)
                except InvalidTag:
                    continue
                return content_key
        raise ProtocolError("not_member", "this file is not sealed to this group")

    def _next(self, *, last: bool) -> bytes:
        chunk = self._try(last=last)
        if chunk is None:
            # SPEC §8.6c. One that is cut short looks like one that is damaged: neither says anything.
            raise ProtocolError("malformed", "interrupted or damaged: a chunk of the file does not open")
        return chunk

    def _try(self, *, last: bool) -> bytes | None:
        assert self._stream is not None  # opened before the first chunk is asked for
        chunk = self._stream.decrypt(bytes(self._buffer[:_SEALED_CHUNK_BYTES]), last=last)
        if chunk is not None:
            del self._buffer[:_SEALED_CHUNK_BYTES]
        return chunk


class _Stream:
    """Chunks in order under one key: the nonce counts them and says which is the last."""

    def __init__(self, content_key: bytes, salt: bytes) -> None:
        self._cipher = ChaCha20Poly1305(HKDF(SHA256(), KEY_BYTES, salt, _PAYLOAD_DOMAIN).derive(content_key))
        self._count = 0

    def encrypt(self, chunk: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(self._nonce(last), chunk, None)
        self._count += 1
        return sealed

    def decrypt(self, sealed: bytes, *, last: bool) -> bytes | None:
        """The chunk, or None when it is not this one; then nothing has moved."""
        try:
            chunk = self._cipher.decrypt(self._nonce(last), sealed, None)
        except InvalidTag:
            return None
        self._count += 1
        return chunk

    def _nonce(self, last: bool) -> bytes:
        return self._count.to_bytes(11, "big") + bytes((last,))


def _wrap(content_key: bytes, recipient: bytes, header: bytes) -> bytes:
    try:
        return _HPKE.encrypt(content_key, X25519PublicKey.from_public_bytes(recipient), _WRAP_DOMAIN + header)
    except ValueError:
        raise ProtocolError("unknown_key", "nothing can be sealed to the HPKE key of this group") from None
