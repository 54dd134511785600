"""The wire forms put together by hand (SPEC §5, §8), so that vectors do not repeat the code's mistakes."""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from typing import Any

import msgpack

from aidmesh_protocol.keys import SigningKey

KEY = bytes(range(16))
STATEMENT_ID = b"\x11" * 16
SUBJECT_ID = b"\x22" * 16
HOUR = 498_728  # 2026-11-22T08:00Z
ORIGIN_HASH = b"\x33" * 32
LEAF_HASH = b"\x44" * 32
REF = [ORIGIN_HASH, 7, LEAF_HASH]
BUCKETS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 61440)

ALICE = SigningKey.from_seed(b"alice".ljust(32, b"."))
BOB = SigningKey.from_seed(b"bob".ljust(32, b"."))
EVE = SigningKey.from_seed(b"eve".ljust(32, b"."))
ALICE_GID = "a" * 32
BOB_GID = "b" * 32
EVE_GID = "e" * 32


def pack(value: Any) -> bytes:
    return bytes(msgpack.packb(value, use_bin_type=True))


def pad(content: bytes) -> bytes:
    framed = struct.pack(">H", len(content)) + content
    return framed.ljust(next(bucket for bucket in BUCKETS if bucket >= len(framed)), b"\0")


def commitment(kind: str, tag: str, padded: bytes, *, schema: int = 1, key: bytes = KEY) -> bytes:
    return hmac.new(key, pack([kind, schema, tag]) + padded, hashlib.sha256).digest()


def header(kind: str, tag: str, padded: bytes, *, schema: int = 1) -> list[Any]:
    return [tag, commitment(kind, tag, padded, schema=schema), len(padded)]


def part(padded: bytes, *, key: bytes = KEY) -> bytes:
    return pack([key, padded])


def fields(
    kind: str = "need.share_revoked",
    *,
    schema: Any = 1,
    hour: Any = HOUR,
    parts: Any = (),
    refs: Any = (),
    flags: Any = 0,
) -> list[Any]:
    """An entry as a list, for a vector to spoil."""
    return [1, kind, schema, STATEMENT_ID, SUBJECT_ID, hour, list(parts), list(refs), flags]


def frame(payload: bytes, *, flags: int = 0, length: int | None = None) -> bytes:
    return struct.pack(">IB", len(payload) if length is None else length, flags) + payload


def stored_zlib(data: bytes) -> bytes:
    """A zlib stream of one stored block: the same bytes from every zlib."""
    return (
        b"\x78\x01\x01"
        + struct.pack("<HH", len(data), 0xFFFF ^ len(data))
        + data
        + struct.pack(">I", zlib.adler32(data))
    )


def show(value: Any) -> Any:
    """A value as JSON: bytes become {"hex": ...}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, list | tuple):
        return [show(item) for item in value]
    return value
