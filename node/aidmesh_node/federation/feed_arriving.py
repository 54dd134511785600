"""One feed while an answer is read: what is trusted of it so far, and the package being collected with its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aidmesh_node.application.arrival import Columns
from aidmesh_node.application.ports import FeedHead
from aidmesh_protocol.bundle import PackageFrame, PartFrame, encode_frame
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import TrustedFeed

EVIDENCE_PARTS_BYTES_MAX = 64 * 1024
"""Bytes of parts kept beside a package that was refused."""


@dataclass(slots=True)
class FeedArriving:
    """`offered` is the checkpoint that packages lead to; `claim`: it is newer than any we have stored, and what its
    owner signed is kept even if no entries follow."""

    head: FeedHead
    trusted: TrustedFeed
    offered: VerifiedCheckpoint
    claim: bool
    erased: frozenset[tuple[int, str]] = frozenset()
    """(index, tag) of parts that are not taken in again, whoever brings them; not even as evidence."""
    package: PackageFrame | None = None
    columns: dict[str, Sequence[bytes | None]] = field(default_factory=dict)
    """The parts of the package by tag, as they came: each column as long as the package."""
    parts_bytes: int = 0

    def collect(self, frame: PackageFrame | None) -> None:
        """Begin with this package, or with none."""
        self.package, self.columns, self.parts_bytes = frame, {}, 0

    def awaits(self, hashed: bytes, start: int, stop: int) -> bool:
        """Whether these entries are all of the package being collected."""
        if self.package is None or hashed != self.head.origin_hash:
            return False
        package = self.package.package
        return package.start <= start and stop <= package.start + len(package.entries)

    def add(self, tag: str, start: int, parts: Sequence[bytes | None]) -> None:
        """Parts of the package from index `start` on. Raises ProtocolError when there was another one for the same
        commitment."""
        assert self.package is not None  # it awaits them
        package = self.package.package
        column = self.columns.get(tag)
        if column is None and len(parts) == len(package.entries):
            self.columns[tag] = parts
        else:
            if not isinstance(column, list):
                column = self.columns[tag] = list(column or [None] * len(package.entries))
            for place, part in enumerate(parts, start - package.start):
                if part is not None:
                    if column[place] not in (None, part):
                        raise ProtocolError("proof_invalid", "two different parts for one commitment")
                    column[place] = part
        self.parts_bytes += sum(map(len, filter(None, parts)))

    def without_erased(self, tag: str, start: int, parts: Sequence[bytes | None]) -> Sequence[bytes | None]:
        """These parts of entries from index `start` on, less those that were erased."""
        if not self.erased:
            return parts
        return [None if (index, tag) in self.erased else part for index, part in enumerate(parts, start)]

    def is_whole(self) -> bool:
        """Whether the package being collected has all the parts its entries commit to."""
        if self.package is None:
            return False
        package = self.package.package
        try:
            entries = [Entry.decode(entry) for entry in package.entries]
        except ProtocolError:
            return False
        nothing = [None] * len(entries)
        return all(
            self.columns.get(header.tag, nothing)[place] is not None
            or (package.start + place, header.tag) in self.erased
            for place, entry in enumerate(entries)
            for header in entry.parts
        )


def refused(feed: FeedArriving, frame: PackageFrame, columns: Columns) -> tuple[bytes, ...]:
    """What proves that a package is wrong: the signature it came with, its bytes, and its first parts."""
    blobs, left = [feed.offered.note, encode_frame(frame)], EVIDENCE_PARTS_BYTES_MAX
    for tag, index, part in (
        (tag, *row) for tag, column in columns.items() for row in enumerate(column, frame.package.start)
    ):
        if part is None:
            continue
        data = encode_frame(PartFrame(feed.head.origin_hash, index, tag, part))
        left -= len(data)
        if left < 0:
            break
        blobs.append(data)
    return tuple(blobs)
