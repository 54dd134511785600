"""One page of a feed as it is served: a package that leads to a checkpoint, with its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from aidmesh_node.application.arrival import Columns
from aidmesh_node.application.ports import PartRow, Reading
from aidmesh_node.federation.carrying import Carrying
from aidmesh_node.federation.columns import columns_of
from aidmesh_node.federation.ledger import disclosed
from aidmesh_node.federation.tree_reading import proof_to
from aidmesh_protocol.bundle import Frame, PackageFrame, PartFrame, encode_frame
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint
from aidmesh_protocol.entry import VIEW
from aidmesh_protocol.feed import Package, package_stop


@dataclass(frozen=True, slots=True)
class Page:
    """Frames as bytes, and the index after the last entry in them."""

    data: bytes
    stop: int
    disclosed: list[tuple[int, int]]
    """Ranges of entries all of whose erasable parts are in it."""


def page_of(
    checkpoint: Checkpoint | VerifiedCheckpoint,
    start: int,
    columns: bool,
    reading: Reading,
    *,
    carrying: Carrying | None = None,
) -> Page:
    """The package that begins at `start` with its parts, as bytes; without those that `carrying` keeps back."""
    feeds = reading.feeds
    head = feeds.head(checkpoint.origin)
    assert head is not None  # it is served, so its rows are there
    stop = package_stop(start, checkpoint.size)
    entries = tuple(feeds.entries(head.feed, start, stop))
    proof = proof_to(feeds, head.feed, stop, checkpoint.size)
    data = [encode_frame(PackageFrame(Package(head.origin_hash, start, entries, proof)))]
    hidden = carrying.hidden(feeds, head, start, stop) if carrying else frozenset()
    parts: Iterable[Frame]
    held = feeds.columns(head.feed, start, stop)
    if columns:
        parts = columns_of(head.origin_hash, start, _without(hidden, start, held))
    else:
        rows = feeds.parts(head.feed, start, stop)
        parts = _one_by_one(head.origin_hash, [row for row in rows if row.tag != VIEW or row.entry_index not in hidden])
    data += map(encode_frame, parts)
    return Page(b"".join(data), stop, disclosed(feeds, head.feed, start, stop, held))


def _without(hidden: frozenset[int], start: int, columns: Columns) -> Columns:
    """The same parts but for the views of these entries."""
    if not hidden or VIEW not in columns:
        return columns
    views = [None if index in hidden else part for index, part in enumerate(columns[VIEW], start)]
    return {**columns, VIEW: views}


def _one_by_one(hashed: bytes, rows: Sequence[PartRow]) -> Iterator[Frame]:
    return (PartFrame(hashed, *row) for row in rows)
