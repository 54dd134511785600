"""One page of a feed as it is served: a package that leads to a checkpoint, with its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aidmesh_node.application.ports import PartRow, Reading
from aidmesh_node.federation.columns import columns_of
from aidmesh_node.federation.ledger import disclosed, hidden_parts
from aidmesh_node.federation.tree_reading import proof_to
from aidmesh_protocol.bundle import Frame, PackageFrame, PartFrame, encode_frame
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint
from aidmesh_protocol.feed import Package, package_stop


@dataclass(frozen=True, slots=True)
class Page:
    """Frames as bytes, and the index after the last entry in them."""

    data: bytes
    stop: int
    disclosed: list[tuple[int, int]]
    """Ranges of entries all of whose erasable parts are in it."""


def page_of(checkpoint: Checkpoint | VerifiedCheckpoint, start: int, columns: bool, reading: Reading) -> Page:
    """The package that begins at `start` with its parts, as bytes."""
    feeds = reading.feeds
    head = feeds.head(checkpoint.origin)
    assert head is not None  # it is served, so its rows are there
    stop = package_stop(start, checkpoint.size)
    entries = tuple(feeds.entries(head.feed, start, stop))
    proof = proof_to(feeds, head.feed, stop, checkpoint.size)
    data = [encode_frame(PackageFrame(Package(head.origin_hash, start, entries, proof)))]
    parts: Iterable[Frame]
    held = feeds.columns(head.feed, start, stop)
    if columns:
        parts = columns_of(head.origin_hash, start, held)
    else:
        parts = _one_by_one(head.origin_hash, feeds.parts(head.feed, start, stop))
    data += map(encode_frame, parts)
    return Page(b"".join(data), stop, disclosed(held, start, hidden_parts(feeds, head.feed, start, stop, held)))


def _one_by_one(hashed: bytes, rows: Sequence[PartRow]) -> Iterator[Frame]:
    return (PartFrame(hashed, *row) for row in rows)
