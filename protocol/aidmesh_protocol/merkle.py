"""RFC 6962 Merkle tree: hashes, the append-only frontier, proofs and their verification (SPEC §6).

Holds no leaves and reads nothing: stored hashes come in through callables. Never says who signed a root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import FEED_ENTRIES_MAX, HASH_BYTES, PROOF_HASHES_MAX, TILE_HEIGHT

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962 §2.1)."""

Hashes: TypeAlias = Callable[[int, int], bytes]
"""(level, index) -> hash of the complete subtree over leaves [index << level, (index + 1) << level)."""
Node: TypeAlias = tuple[int, int, bytes]
"""(level, index, hash) of a complete subtree, to be stored under level and index."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf's bytes, which are those of an entry as received (SPEC §6.1a)."""
    return sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two child hashes."""
    return sha256(NODE_PREFIX + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The compact range of a tree from its first leaf: all that appending needs, at most 54 hashes.

    `peaks` are the roots of the complete subtrees the size splits into, one per set bit of it, largest first.
    """

    size: int
    peaks: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= FEED_ENTRIES_MAX or len(self.peaks) != self.size.bit_count():
            raise ValueError("a frontier has one peak per set bit of its size")

    @classmethod
    def empty(cls) -> Frontier:
        """Return the frontier of the tree without leaves."""
        return cls(0, ())

    def root(self) -> bytes:
        """Return the 32-byte root of the tree."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT

    def extend(self, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
        """Append leaf hashes; return the new frontier and the subtrees completed, of level >= TILE_HEIGHT.

        Nodes come level by level, in the order of their index. Raises ValueError past FEED_ENTRIES_MAX.
        """
        row = list(leaf_hashes)
        size = self.size + len(row)
        pending = list(self.peaks)
        peaks: list[bytes] = []
        completed: list[Node] = []
        for level in range(size.bit_length()):
            first = self.size >> level
            if level >= TILE_HEIGHT:
                completed.extend((level, index, hashed) for index, hashed in enumerate(row, first))
            if first & 1:
                row.insert(0, pending.pop())
            if len(row) & 1:
                peaks.append(row.pop())
            row = _parents(row)
        return Frontier(size, tuple(reversed(peaks))), completed

    def encode(self) -> bytes:
        """Return canonical bytes for storage: [size, peaks joined]."""
        return canonical.encode([self.size, b"".join(self.peaks)])

    @classmethod
    def decode(cls, data: bytes) -> Frontier:
        """Inverse of `encode`; raises ProtocolError "malformed" or "too_large"."""
        match canonical.decode(data):
            case [int(size), bytes(joined)] if type(size) is int and 0 <= size <= FEED_ENTRIES_MAX:
                if len(joined) == HASH_BYTES * size.bit_count():
                    starts = range(0, len(joined), HASH_BYTES)
                    return cls(size, tuple(joined[start : start + HASH_BYTES] for start in starts))
        raise ProtocolError("malformed", "not a frontier")


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """Return the path from leaf `index` to the root of the tree of `size` leaves (RFC 6962 §2.1.1).

    The leaf's sibling comes first. Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, stop, path = 0, size, []
    while stop - start > 1:
        middle = _split(start, stop)
        if index < middle:
            path.append(_range_hash(middle, stop, hashes))
            stop = middle
        else:
            path.append(_range_hash(start, middle, hashes))
            start = middle
    path.reverse()
    return path


def consistency_proof(size1: int, size2: int, hashes: Hashes) -> list[bytes]:
    """Return the proof that the tree of `size1` leaves is a prefix of the tree of `size2` (RFC 6962 §2.1.2).

    Empty when the sizes are equal. Raises ValueError unless 0 < size1 <= size2: size 0 needs no proof.
    """
    if not 0 < size1 <= size2:
        raise ValueError(f"no consistency proof from size {size1} to {size2}")
    start, stop, path = 0, size2, []
    while size1 != stop:
        middle = _split(start, stop)
        if size1 <= middle:
            path.append(_range_hash(middle, stop, hashes))
            stop = middle
        else:
            path.append(_range_hash(start, middle, hashes))
            start = middle
    # The verifier holds the root of the old tree: when that is a whole left subtree it is not sent.
    if start:
        path.append(_range_hash(start, stop, hashes))
    path.reverse()
    return path


def subtree_reader(
    leaf_hashes: Callable[[int, int], Sequence[bytes]], node: Callable[[int, int], bytes | None]
) -> Hashes:
    """Return a `Hashes` over stored leaf hashes [start, stop) and stored nodes (level >= TILE_HEIGHT).

    A node not stored (None) is computed from its children. Raises ValueError when a leaf hash is missing.
    """

    def read(level: int, index: int) -> bytes:
        if level >= TILE_HEIGHT:
            stored = node(level, index)
            if stored is not None:
                return stored
        if level > TILE_HEIGHT:
            return node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))
        start, stop = index << level, (index + 1) << level
        row = list(leaf_hashes(start, stop))
        if len(row) != stop - start:
            raise ValueError(f"leaf hashes {start} to {stop} are not all stored")
        while len(row) > 1:
            row = _parents(row)
        return row[0]

    return read


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Pass when `proof` shows leaf hash `leaf` at `index` under `root` of `size` leaves (RFC 9162 §2.1.3.2).

    Raises ProtocolError("proof_invalid") (SPEC §6.2a).
    """
    if not 0 <= index < size:
        raise _invalid(f"no leaf {index} in a tree of {size}")
    if len(leaf) != HASH_BYTES:
        raise _invalid(f"a leaf hash has {HASH_BYTES} bytes")
    _require_hashes(proof)
    position, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _invalid("the inclusion proof is too long")
        if position & 1 or position == last:
            reached = node_hash(sibling, reached)
            position, last = _skip_lone(position, last)
        else:
            reached = node_hash(reached, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or reached != root:
        raise _invalid("the inclusion proof does not lead to the root")


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Pass when `proof` shows (`size1`, `root1`) to be a prefix of (`size2`, `root2`) (RFC 9162 §2.1.4.2).

    Raises ProtocolError("proof_invalid"), from size 0 too: every tree extends the empty one, so callers
    decide that case before they come here.
    """
    if not 0 < size1 <= size2:  # SPEC §6.3a
        raise _invalid(f"no consistency from size {size1} to {size2}")
    _require_hashes(proof)
    if size1 == size2:
        if proof or root1 != root2:
            raise _invalid("two trees of one size are consistent only when equal, without a proof")
        return
    # The old tree of a power of two is one whole subtree: its root starts the path and is not sent.
    path = [root1, *proof] if size1.bit_count() == 1 else list(proof)
    if consistency_roots(size1, size2, path) != (root1, root2):
        raise _invalid("the consistency proof does not lead to both roots")


def consistency_roots(size1: int, size2: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots at `size1` and `size2` of the one tree that `path` is from.

    The path is that of RFC 6962 §2.1.2 with its left-most node always there, also where the old tree is one whole
    subtree. It is of a tree only when the second root is that tree's. Raises ProtocolError("proof_invalid").
    """
    if not 0 < size1 < size2:
        raise _invalid(f"no path from size {size1} to {size2}")
    _require_hashes(path)
    if not path:
        raise _invalid("the consistency proof is empty")
    position, last = _skip_right(size1 - 1, size2 - 1)
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _invalid("the consistency proof is too long")
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            position, last = _skip_lone(position, last)
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise _invalid("the consistency proof is too short")
    return first, second


def consistency_path(size1: int, size2: int, hashes: Hashes) -> list[bytes]:
    """Return what `consistency_roots` reads: as `consistency_proof`, with the left-most node always there.

    Raises ValueError unless 0 < size1 < size2.
    """
    if size1 == size2:
        raise ValueError(f"no path from size {size1} to itself")
    proof = consistency_proof(size1, size2, hashes)
    return [hashes(size1.bit_length() - 1, 0), *proof] if size1.bit_count() == 1 else proof


def inclusion_to_consistency(index: int, leaf: bytes, proof: Sequence[bytes]) -> list[bytes]:
    """Return the path from size `index + 1` that the inclusion proof of its last leaf holds (for `consistency_roots`).

    Whoever can show one entry under a root shows with it the root of all entries up to that one.
    """
    reached, used = leaf, 0
    while index & 1 and used < len(proof):
        reached, index, used = node_hash(proof[used], reached), index >> 1, used + 1
    return [reached, *proof[used:]]


def _parents(row: Sequence[bytes]) -> list[bytes]:
    """Return the hashes one level up; `row` has an even length."""
    pairs = iter(row)
    return [sha256(NODE_PREFIX + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, largest first: the smallest two join first (RFC 6962 §2.1)."""
    reached = peaks[-1]
    for peak in reversed(peaks[:-1]):
        reached = node_hash(peak, reached)
    return reached


def _split(start: int, stop: int) -> int:
    """Return where the tree over [start, stop) splits: after the largest power of two below its length."""
    return start + (1 << (stop - start - 1).bit_length() - 1)


def _range_hash(start: int, stop: int, hashes: Hashes) -> bytes:
    """Return the root over leaves [start, stop), a subtree of the whole."""
    peaks = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        peaks.append(hashes(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _skip_lone(position: int, last: int) -> tuple[int, int]:
    """Climb from a node without siblings, which joined its left neighbour, to where it is a right child."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _skip_right(position: int, last: int) -> tuple[int, int]:
    """Climb while the node is a right child: up to the root of the old tree's last complete subtree."""
    while position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _require_hashes(proof: Sequence[bytes]) -> None:
    if len(proof) > PROOF_HASHES_MAX or any(len(hashed) != HASH_BYTES for hashed in proof):
        raise _invalid(f"a proof is at most {PROOF_HASHES_MAX} hashes of {HASH_BYTES} bytes")


def _invalid(detail: str) -> ProtocolError:
    return ProtocolError("proof_invalid", detail)
