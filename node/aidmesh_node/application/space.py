"""How much of our disk one feed of a peer has taken, and when that is enough (SPEC §12, `quota`).

What a feed has taken is a position of its own, moved in the transaction that stores more of it. It is looked at before
an answer is read, so a feed passes its share by one answer at most; what is stored stays, and other feeds go on.
"""

from __future__ import annotations

from aidmesh_node.application.ports import NewPackage, Reading, Work
from aidmesh_protocol.errors import ProtocolError

FEED_BYTES_MAX = 2 * 1024**3
"""Of one peer's feed: some five million needs, or 30,000 statements as large as they may be."""

ENTRY_EXTRA_BYTES = 100
"""What an entry costs beside its own bytes: leaf hash, index, row."""


def of_package(package: NewPackage) -> int:
    """Bytes that a package takes."""
    parts = sum(sum(map(len, filter(None, column))) for column in package.columns.values())
    return sum(map(len, package.entries)) + parts + ENTRY_EXTRA_BYTES * len(package.entries)


def take(work: Work, feed: int, count: int) -> None:
    """Count so many bytes more."""
    name = _name(feed)
    work.positions.put(name, work.positions.get(name) + count)


def check(reading: Reading, feed: int) -> None:
    """Raise ProtocolError("quota") when the feed has all the space that we keep for one."""
    if reading.position_of(_name(feed)) >= FEED_BYTES_MAX:
        raise ProtocolError("quota", f"this feed has taken the {FEED_BYTES_MAX // 1024**2} MiB that we keep for one")


def _name(feed: int) -> str:
    return f"space of feed {feed}"
