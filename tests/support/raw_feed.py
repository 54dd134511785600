"""A feed in the hand of its owner: any entry, checkpoint and package can be made of it, true or false."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aidmesh_protocol import checkpoint
from aidmesh_protocol.bundle import CheckpointFrame, Frame, PackageFrame, PartFrame
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.entry import FACTS, Ref, SealedEntry
from aidmesh_protocol.feed import Package, package_stop
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.merkle import EMPTY_ROOT, Frontier, consistency_proof, leaf_hash, subtree_reader
from aidmesh_protocol.origin import origin_hash


@dataclass(slots=True)
class RawFeed:
    """A feed in the hand of its owner: any entry can be appended, any checkpoint and package made of it."""

    origin: str
    key: SigningKey
    sealed: list[SealedEntry] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    _frontiers: dict[int, Frontier] = field(default_factory=lambda: {0: Frontier.empty()})
    _nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def hash(self) -> bytes:
        return origin_hash(self.origin)

    @property
    def size(self) -> int:
        return len(self.sealed)

    def append(self, *sealed: SealedEntry | bytes) -> int:
        """Append entries (bare bytes: without parts). Returns the index of the last."""
        for each in sealed:
            whole = each if isinstance(each, SealedEntry) else SealedEntry(each, ())
            self.sealed.append(whole)
            self.leaves.append(leaf_hash(whole.entry))
        return self.size - 1

    def ref(self, index: int) -> Ref:
        return Ref(self.hash, index, self.leaves[index])

    def frontier(self, size: int) -> Frontier:
        known = max(each for each in self._frontiers if each <= size)
        grown, nodes = self._frontiers[known].extend(self.leaves[known:size])
        self._nodes.update({(level, index): hashed for level, index, hashed in nodes})
        self._frontiers[size] = grown
        return grown

    def root(self, size: int | None = None) -> bytes:
        return self.frontier(self.size if size is None else size).root()

    def note(self, size: int | None = None, *, root: bytes | None = None, key: SigningKey | None = None) -> bytes:
        """A signed checkpoint, of the truth unless told otherwise."""
        size = self.size if size is None else size
        root = root or (self.root(size) if size else EMPTY_ROOT)
        return checkpoint.sign(Checkpoint(self.origin, size, root), key or self.key).note

    def proof(self, stop: int, size: int) -> tuple[bytes, ...]:
        self.frontier(size)
        reader = subtree_reader(lambda a, b: self.leaves[a:b], lambda level, index: self._nodes.get((level, index)))
        return tuple(consistency_proof(stop, size, reader)) if stop < size else ()

    def package(self, start: int, stop: int | None = None, size: int | None = None) -> Package:
        """Entries [start, stop) with their proof to `size`; the whole rest unless told otherwise."""
        size = self.size if size is None else size
        stop = package_stop(start, size) if stop is None else stop
        entries = tuple(each.entry for each in self.sealed[start:stop])
        return Package(self.hash, start, entries, self.proof(stop, size))

    def part(self, index: int, tag: str = FACTS) -> PartFrame:
        return PartFrame(self.hash, index, tag, dict(self.sealed[index].parts)[tag])

    def frames(
        self, start: int = 0, size: int | None = None, *, without: Iterable[tuple[int, str]] = ()
    ) -> list[Frame]:
        """What an honest node would send from `start` on, but for the parts named in `without`."""
        size, left = self.size if size is None else size, set(without)
        frames: list[Frame] = [CheckpointFrame(self.note(size))]
        while start < size:
            stop = package_stop(start, size)
            frames.append(PackageFrame(self.package(start, stop, size)))
            for index in range(start, stop):
                frames += [self.part(index, tag) for tag, _ in self.sealed[index].parts if (index, tag) not in left]
            start = stop
        return frames
