"""The Merkle tree as RFC 6962 §2.1 defines it: recursive, slow and plain, to compare the real one with."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(index, leaves)."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(index, leaves[:split]), tree_root(leaves[split:])]
    return [*inclusion_path(index - split, leaves[split:]), tree_root(leaves[:split])]


def consistency_path(size1: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(size1, leaves)."""
    return _subproof(size1, leaves, True)


def _subproof(size1: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    if size1 == len(leaves):
        return [] if known else [tree_root(leaves)]
    split = _split(len(leaves))
    if size1 <= split:
        return [*_subproof(size1, leaves[:split], known), tree_root(leaves[split:])]
    return [*_subproof(size1 - split, leaves[split:], False), tree_root(leaves[:split])]


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
