"""A feed as its owner writes it: real entries, a key, and checkpoints and packages of any size."""

from __future__ import annotations

from hashlib import sha256

from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint, sign
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.feed import Package, TrustedFeed
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.merkle import Frontier, leaf_hash
from aidmesh_protocol.origin import identity_origin, origin_hash
from tests.support.merkle_reference import consistency_path, tree_root


class WrittenFeed:
    """`count` entries of one origin; the same `name` always writes the same bytes."""

    def __init__(self, name: str, count: int, *, shared: WrittenFeed | None = None, common: int = 0) -> None:
        """With `shared`, a fork: the key, the origin and the first `common` entries are those of `shared`."""
        self.key: SigningKey = shared.key if shared else SigningKey.from_seed(sha256(name.encode()).digest())
        self.origin: str = shared.origin if shared else identity_origin(name[0] * 32)
        kept = shared.entries[:common] if shared else ()
        self.entries: tuple[bytes, ...] = (*kept, *(_entry(name, index) for index in range(common, count)))
        self.leaves = [leaf_hash(entry) for entry in self.entries]

    def checkpoint(self, size: int) -> VerifiedCheckpoint:
        """The owner's checkpoint over the first `size` entries."""
        return sign(Checkpoint(self.origin, size, tree_root(self.leaves[:size])), self.key)

    def package(self, start: int, stop: int, size: int) -> Package:
        """Entries [start, stop) with the proof to the checkpoint at `size`."""
        proof = tuple(consistency_path(stop, self.leaves[:size])) if stop < size else ()
        return Package(origin_hash(self.origin), start, self.entries[start:stop], proof)

    def trusted(self, known: int = 0, checkpoint_size: int | None = None) -> TrustedFeed:
        """What a holder of the first `known` entries has, with its newest checkpoint at `checkpoint_size`."""
        frontier, _ = Frontier.empty().extend(self.leaves[:known])
        newest = None if checkpoint_size is None else self.checkpoint(checkpoint_size)
        return TrustedFeed(self.origin, self.key.verify_key, frontier, newest)


def _entry(name: str, index: int) -> bytes:
    ids = sha256(f"{name} {index}".encode()).digest()
    return Entry("need.share_revoked", 1, ids[:16], ids[16:], 500_000 + index, ()).encode()
