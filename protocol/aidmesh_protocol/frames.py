"""The frames of a bundle: what each carries, its array form and its bounds (SPEC §8.2).

A frame that was read has the right shape (SPEC §8.2b); nothing in it is verified yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args

from aidmesh_protocol import frame_fields as fields
from aidmesh_protocol.canonical import Encodable
from aidmesh_protocol.feed import Package
from aidmesh_protocol.frame_form import FrameForm
from aidmesh_protocol.gossip_frames import Fork, Heads
from aidmesh_protocol.keys import SIGNATURE_BYTES
from aidmesh_protocol.limits import (
    ASK_WAIT_SECONDS_MAX,
    BUNDLE_BYTES_FILE_MAX,
    CHECKPOINT_BYTES_MAX,
    ENTRY_BYTES_MAX,
    FEED_ENTRIES_MAX,
    IDENT_ENTRIES_MAX,
    IDENT_PARTS_MAX,
    INDEX_MAX,
    KIND_MAX,
    PACKAGE_ENTRIES_MAX,
    PART_BYTES_MAX,
    READS_MAX,
    SECOND_MAX,
    SIZES_MAX,
    TTL_SECONDS_MAX,
    WANT_MAX,
)
from aidmesh_protocol.origin import check_group_id

FeedSize = tuple[bytes, int, bytes]
"""A feed's origin hash (32 bytes), its size, and the root at that size (32 bytes)."""
WantedPart = tuple[bytes, int, str]
"""A part somebody misses: origin hash, entry index, tag."""
WantedEntry = tuple[bytes, int]
"""A single entry somebody misses: origin hash, index."""
IdentPart = tuple[int, str, bytes]
"""A part of an identity feed: entry index, tag, part bytes."""


@dataclass(frozen=True, slots=True)
class Head(FrameForm):
    """First, if present: bundle id (16 bytes), packer, created and time to live in seconds, feeds inside."""

    KIND: ClassVar[int] = 1
    NAME: ClassVar[str] = "HEAD"

    bundle_id: bytes
    gid: str
    created: int
    ttl: int
    feeds: int

    def values(self) -> list[Encodable]:
        return [self.bundle_id, self.gid, self.created, self.ttl, self.feeds]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        bundle_id, gid, created, ttl, feeds = fields.exactly(values, 5)
        return cls(
            fields.octets(bundle_id, 16, 16),
            check_group_id(gid),
            fields.integer(created, SECOND_MAX),
            fields.integer(ttl, TTL_SECONDS_MAX),
            fields.integer(feeds, SIZES_MAX),
        )


@dataclass(frozen=True, slots=True)
class Ident(FrameForm):
    """A whole identity feed: checkpoint note, entries from `start` = 0, proof to the checkpoint, parts."""

    KIND: ClassVar[int] = 2
    NAME: ClassVar[str] = "IDENT"

    checkpoint: bytes
    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]
    parts: tuple[IdentPart, ...]

    def values(self) -> list[Encodable]:
        return [self.checkpoint, self.start, self.entries, self.proof, self.parts]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        checkpoint, start, entries, proof, parts = fields.exactly(values, 5)
        return cls(
            fields.octets(checkpoint, 1, CHECKPOINT_BYTES_MAX),
            fields.integer(start, 0),
            fields.entries(entries, IDENT_ENTRIES_MAX),
            fields.proof(proof),
            tuple(
                (fields.integer(index, INDEX_MAX), fields.known_tag(tag), fields.octets(part, 1, PART_BYTES_MAX))
                for index, tag, part in fields.rows(parts, IDENT_PARTS_MAX, 3)
            ),
        )


@dataclass(frozen=True, slots=True)
class CheckpointFrame(FrameForm):
    """A signed note, verbatim."""

    KIND: ClassVar[int] = 3
    NAME: ClassVar[str] = "CHECKPOINT"

    note: bytes

    def values(self) -> list[Encodable]:
        return [self.note]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        (note,) = fields.exactly(values, 1)
        return cls(fields.octets(note, 1, CHECKPOINT_BYTES_MAX))


@dataclass(frozen=True, slots=True)
class PackageFrame(FrameForm):
    """Consecutive entries of a feed with the proof from their end to the checkpoint before them."""

    KIND: ClassVar[int] = 4
    NAME: ClassVar[str] = "PACKAGE"

    package: Package

    def values(self) -> list[Encodable]:
        package = self.package
        return [package.origin_hash, package.start, package.entries, package.proof]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        origin_hash, start, entries, proof = fields.exactly(values, 4)
        return cls(
            Package(
                fields.hash_bytes(origin_hash),
                fields.integer(start, INDEX_MAX),
                fields.entries(entries, PACKAGE_ENTRIES_MAX),
                fields.proof(proof),
            )
        )


@dataclass(frozen=True, slots=True)
class PartFrame(FrameForm):
    """One part of one entry."""

    KIND: ClassVar[int] = 5
    NAME: ClassVar[str] = "PART"

    origin_hash: bytes
    index: int
    tag: str
    part: bytes

    def values(self) -> list[Encodable]:
        return [self.origin_hash, self.index, self.tag, self.part]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        origin_hash, index, tag, part = fields.exactly(values, 4)
        return cls(
            fields.hash_bytes(origin_hash),
            fields.integer(index, INDEX_MAX),
            fields.known_tag(tag),
            fields.octets(part, 1, PART_BYTES_MAX),
        )


@dataclass(frozen=True, slots=True)
class Sizes(FrameForm):
    """What the sender holds of feeds both sides share: also the acknowledgement of what it was sent."""

    KIND: ClassVar[int] = 8
    NAME: ClassVar[str] = "SIZES"

    feeds: tuple[FeedSize, ...]

    def values(self) -> list[Encodable]:
        return [self.feeds]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        (feeds,) = fields.exactly(values, 1)
        return cls(
            tuple(
                (fields.hash_bytes(origin_hash), fields.integer(size, FEED_ENTRIES_MAX), fields.hash_bytes(root))
                for origin_hash, size, root in fields.rows(feeds, SIZES_MAX, 3)
            )
        )


@dataclass(frozen=True, slots=True)
class Want(FrameForm):
    """What the sender misses: parts, and single entries, which INCLUSION answers."""

    KIND: ClassVar[int] = 9
    NAME: ClassVar[str] = "WANT"

    parts: tuple[WantedPart, ...] = ()
    entries: tuple[WantedEntry, ...] = ()

    def values(self) -> list[Encodable]:
        return [self.parts, self.entries]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        part_rows, entry_rows = fields.exactly(values, 2)
        parts = fields.part_names(part_rows, WANT_MAX)
        entries = tuple(
            (fields.hash_bytes(origin_hash), fields.integer(index, INDEX_MAX))
            for origin_hash, index in fields.rows(entry_rows, WANT_MAX - len(parts), 2)
        )
        return cls(parts, entries)


@dataclass(frozen=True, slots=True)
class Inclusion(FrameForm):
    """One entry with its proof under the root of `size` entries."""

    KIND: ClassVar[int] = 10
    NAME: ClassVar[str] = "INCLUSION"

    origin_hash: bytes
    index: int
    size: int
    entry: bytes
    proof: tuple[bytes, ...]

    def values(self) -> list[Encodable]:
        return [self.origin_hash, self.index, self.size, self.entry, self.proof]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        origin_hash, index, size, entry, proof = fields.exactly(values, 5)
        return cls(
            fields.hash_bytes(origin_hash),
            fields.integer(index, INDEX_MAX),
            fields.integer(size, FEED_ENTRIES_MAX),
            fields.octets(entry, 1, ENTRY_BYTES_MAX),
            fields.proof(proof),
        )


@dataclass(frozen=True, slots=True)
class Erased(FrameForm):
    """Parts that were asked for and were erased (SPEC §5.6)."""

    KIND: ClassVar[int] = 11
    NAME: ClassVar[str] = "ERASED"

    parts: tuple[WantedPart, ...]

    def values(self) -> list[Encodable]:
        return [self.parts]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        return cls(fields.part_names(fields.exactly(values, 1)[0], WANT_MAX))


@dataclass(frozen=True, slots=True)
class More(FrameForm):
    """There is more to fetch: an estimate of the remaining entries."""

    KIND: ClassVar[int] = 12
    NAME: ClassVar[str] = "MORE"

    entries: int

    def values(self) -> list[Encodable]:
        return [self.entries]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        (entries,) = fields.exactly(values, 1)
        return cls(fields.integer(entries, FEED_ENTRIES_MAX))


@dataclass(frozen=True, slots=True)
class End(FrameForm):
    """Last: without it the bundle was interrupted. In files with the packer's signature of all before it, 64 bytes."""

    KIND: ClassVar[int] = 13
    NAME: ClassVar[str] = "END"

    signature: bytes | None = None

    def values(self) -> list[Encodable]:
        return [] if self.signature is None else [self.signature]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        if not values:
            return cls()
        (signature,) = fields.exactly(values, 1)
        return cls(fields.octets(signature, SIGNATURE_BYTES, SIGNATURE_BYTES))


@dataclass(frozen=True, slots=True)
class Ask(FrameForm):
    """In a sync request: bytes the answer may have, seconds it may wait for something new."""

    KIND: ClassVar[int] = 14
    NAME: ClassVar[str] = "ASK"

    budget_bytes: int
    wait_seconds: int

    def values(self) -> list[Encodable]:
        return [self.budget_bytes, self.wait_seconds]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        budget_bytes, wait_seconds = fields.exactly(values, 2)
        return cls(
            fields.integer(budget_bytes, BUNDLE_BYTES_FILE_MAX), fields.integer(wait_seconds, ASK_WAIT_SECONDS_MAX)
        )


@dataclass(frozen=True, slots=True)
class ColumnFrame(FrameForm):
    """Parts of one tag of consecutive entries, the first at index `start`; None where there is none to send."""

    KIND: ClassVar[int] = 15
    NAME: ClassVar[str] = "COLUMN"

    origin_hash: bytes
    tag: str
    start: int
    parts: tuple[bytes | None, ...]

    def values(self) -> list[Encodable]:
        return [self.origin_hash, self.tag, self.start, self.parts]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        origin_hash, tag, start, parts = fields.exactly(values, 4)
        return cls(
            fields.hash_bytes(origin_hash),
            fields.known_tag(tag),
            fields.integer(start, INDEX_MAX),
            fields.column(parts),
        )


@dataclass(frozen=True, slots=True)
class Reads(FrameForm):
    """In a sync request: kinds that not every node reads and the sender does, so that the answer may have them."""

    KIND: ClassVar[int] = 16
    NAME: ClassVar[str] = "READS"

    kinds: tuple[int, ...]

    def values(self) -> list[Encodable]:
        return [self.kinds]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        (kinds,) = fields.exactly(values, 1)
        return cls(tuple(fields.integer(kind, KIND_MAX) for kind in fields.bounded_list(kinds, READS_MAX)))


Frame = (
    Head | Ident | CheckpointFrame | PackageFrame | PartFrame | Heads | Fork | Sizes | Want | Inclusion | Erased
    | More | End | Ask | ColumnFrame | Reads
)  # fmt: skip
FRAMES: tuple[type[Frame], ...] = get_args(Frame)
