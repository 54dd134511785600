"""Where in which feed a foreign statement stands. The author is the feed's owner, never a field of a body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`circle` is 64 hex digits ("" in an identity feed), `owner` a gid, `leaf` the entry's leaf hash."""

    feed: int
    owner: str
    circle: str
    index: int
    leaf: bytes
