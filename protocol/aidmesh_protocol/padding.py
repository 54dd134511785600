"""The body of a part: its content's length, the content, and zero bytes up to one of few lengths (SPEC §5.3)."""

from __future__ import annotations

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PART_BUCKETS, PART_CONTENT_BYTES_MAX

PREFIX_BYTES = 2
"""Bytes of the content's length, before it."""

_SHORTEST = {
    bucket: smaller + 1 for smaller, bucket in zip((PREFIX_BYTES - 1, *PART_BUCKETS), PART_BUCKETS, strict=False)
}
"""By bucket, the shortest prefix and content that are padded to it."""


def pad(content: bytes) -> bytes:
    """Content as a padded body: u16 length, content, zero bytes up to the smallest bucket (SPEC §5.3)."""
    if len(content) > PART_CONTENT_BYTES_MAX:
        raise ProtocolError("too_large", "the part is longer than a part may be")
    return (len(content).to_bytes(PREFIX_BYTES, "big") + content).ljust(_bucket(len(content)), b"\0")


def unpad(padded: bytes) -> bytes:
    """The content of a padded body; ProtocolError("malformed") unless `pad` would give the same bytes."""
    bucket = len(padded)
    if (shortest := _SHORTEST.get(bucket)) is not None:
        end = PREFIX_BYTES + (padded[0] << 8 | padded[1])
        if shortest <= end <= bucket and padded.count(0, end) == bucket - end:
            return padded[PREFIX_BYTES:end]
    raise ProtocolError("malformed", "the part's padding is not canonical")


def _bucket(content_length: int) -> int:
    return next(bucket for bucket in PART_BUCKETS if bucket >= content_length + PREFIX_BYTES)
