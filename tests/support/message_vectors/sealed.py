"""sealed.json: files sealed to some groups, put together from HPKE's steps, HKDF and ChaCha20-Poly1305 alone."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.support.hpke_reference import public, seal
from tests.support.message_vectors.raw import ALICE, frame, pack

ALICE_HPKE, BOB_HPKE, EVE_HPKE = (hashlib.sha256(name).digest() for name in (b"alice", b"bob", b"eve"))
CONTENT_KEY, SALT = b"\x5c" * 32, b"\x5a" * 16
MAGIC, HEADER_BYTES, SLOT_BYTES, CHUNK = b"AIDMESHS1\n", 27, 80, 65536

HEAD = pack([1, b"\x77" * 16, "a" * 32, 1_795_334_400, 86_400, 0])
BEFORE_END = b"AIDMESH1\n" + frame(HEAD)
SIGNED = ALICE.sign(b"aidmesh/1 file\n" + hashlib.sha256(BEFORE_END).digest())
BUNDLE = BEFORE_END + frame(pack([13, SIGNED]))


def padded(content: bytes, length: int) -> bytes:
    return content.ljust(length, b"\0")


def sealed(content: bytes, readers: list[bytes], slots: int = 8) -> bytes:
    header = MAGIC + SALT + bytes([slots])
    keys = [public(reader) for reader in readers] + [bytes([n]) * 32 for n in range(9, 9 + slots - len(readers))]
    info = b"aidmesh/1 sealed bundle\n" + header
    wrapped = [seal(CONTENT_KEY, key, info, bytes([n + 1]) * 32) for n, key in enumerate(keys)]
    extracted = hmac.new(SALT, CONTENT_KEY, hashlib.sha256).digest()
    cipher = ChaCha20Poly1305(hmac.new(extracted, b"aidmesh/1 sealed payload\n\1", hashlib.sha256).digest())
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    last = len(chunks) - 1
    stream = [cipher.encrypt(n.to_bytes(11, "big") + bytes([n == last]), chunk, None) for n, chunk in enumerate(chunks)]
    return header + b"".join(wrapped) + b"".join(stream)


SHORT = sealed(padded(BUNDLE, 4096), [ALICE_HPKE, BOB_HPKE])
# 65,537 bytes of content become 67,584.
LONG_CONTENT = padded(b"a" * 65_537, 67_584)
LONG = sealed(LONG_CONTENT, [BOB_HPKE])
LENGTHS = [0, 1, 4_095, 4_096, 4_097, 10_000, 65_535, 65_536, 65_537, 1_000_000, 4_000_000_000]


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 8.6. A sealed file, cut and changed -> what a reader's key makes of it.",
        "file": SHORT.hex(),
        "bundle": BUNDLE.hex(),
        "packer": ALICE.verify_key.raw.hex(),
        "rows": _rows(),
        "long": [_long()],
        "padding": [{"name": str(length), "length": length, "padded": _padme(length)} for length in LENGTHS],
    }


def _rows() -> list[dict[str, Any]]:
    first, end = HEADER_BYTES + 8 * SLOT_BYTES, len(SHORT)
    slot = HEADER_BYTES + SLOT_BYTES
    return [
        _row("the first reader", ALICE_HPKE, "ok"),
        _row("the second reader", BOB_HPKE, "ok"),
        _row("somebody else", EVE_HPKE, "not_member"),
        _row("another magic", ALICE_HPKE, "malformed", {0: b"B"}),
        _row("seven slots", ALICE_HPKE, "malformed", {26: b"\7"}),
        _row("the salt changed: what is bound to the header does not open", ALICE_HPKE, "not_member", {10: b"!"}),
        _row("the other reader's slot changed", ALICE_HPKE, "ok", {slot: b"!!!!"}),
        _row("one's own slot changed", BOB_HPKE, "not_member", {slot: b"!!!!"}),
        _row("the content changed", ALICE_HPKE, "malformed", {first: b"!"}),
        _row("the last byte changed", ALICE_HPKE, "malformed", {end - 1: b"!!"}),
        _row("nothing of it", ALICE_HPKE, "malformed", cut=0),
        _row("half a header", ALICE_HPKE, "malformed", cut=20),
        _row("half the slots", ALICE_HPKE, "malformed", cut=400),
        _row("no content", ALICE_HPKE, "malformed", cut=first),
        _row("one byte too few", ALICE_HPKE, "malformed", cut=end - 1),
    ]


def _row(
    name: str, key: bytes, verdict: str, changes: dict[int, bytes] | None = None, cut: int | None = None
) -> dict[str, Any]:
    data = SHORT[:cut]
    changed = [[at, new[: len(data) - at].hex()] for at, new in (changes or {}).items()]
    return {"name": name, "key": key.hex(), "cut": len(data), "changes": changed, "verdict": verdict}


def _long() -> dict[str, Any]:
    """Two chunks: how to make the file, and what it hashes to. Cut between them, the first chunk is good."""
    return {
        "name": "two chunks",
        "readers": [BOB_HPKE.hex()],
        "ephemerals": [(bytes([n + 1]) * 32).hex() for n in range(8)],
        "decoys": [(bytes([n]) * 32).hex() for n in range(9, 16)],
        "content_key": CONTENT_KEY.hex(),
        "salt": SALT.hex(),
        "content": {"byte": "61", "times": 65_537},
        "sha256": hashlib.sha256(LONG).hexdigest(),
        "bytes": len(LONG),
    }


def _padme(length: int) -> int:
    """As the Padmé paper writes it."""
    length = max(length, 4096)
    exponent = length.bit_length() - 1
    digits = exponent.bit_length()
    step = 1 << (exponent - digits)
    return -(-length // step) * step
