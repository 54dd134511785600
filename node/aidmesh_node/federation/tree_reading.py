"""Reading a stored feed as a Merkle tree: roots at earlier sizes and proofs, from leaf hashes and stored nodes."""

from __future__ import annotations

from aidmesh_node.application.ports import FeedHead, FeedReads
from aidmesh_protocol.bundle import FeedSize
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.merkle import Frontier, Hashes, consistency_proof, inclusion_proof, subtree_reader


def hashes_of(feeds: FeedReads, feed: int) -> Hashes:
    """The hash of any complete subtree of a stored feed."""
    return subtree_reader(
        lambda start, stop: feeds.leaves(feed, start, stop), lambda level, index: feeds.node(feed, level, index)
    )


def root_at(feeds: FeedReads, head: FeedHead, size: int) -> bytes | None:
    """The root over the first `size` entries (32 bytes), or None when we do not hold so many."""
    if size > head.size:
        return None
    hashes = hashes_of(feeds, head.feed)
    peaks, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(hashes(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(peaks)).root()


def check_no_fork(feeds: FeedReads, head: FeedHead, newest: VerifiedCheckpoint, shown: VerifiedCheckpoint) -> None:
    """Hold a checkpoint of no more entries than ours against our entries, which `newest` signs.

    Raises ProtocolError("fork_detected") when it signs others, with both notes as evidence.
    """
    if root_at(feeds, head, shown.size) not in (None, shown.root):
        raise ProtocolError(
            "fork_detected",
            f"the feed's owner signed other entries than the first {shown.size} of this feed",
            (newest.note, shown.note),
        )


def proof_to(feeds: FeedReads, feed: int, stop: int, size: int) -> tuple[bytes, ...]:
    """The consistency proof from the first `stop` entries to the first `size`."""
    return tuple(consistency_proof(stop, size, hashes_of(feeds, feed)))


def proof_of(feeds: FeedReads, feed: int, index: int, size: int) -> tuple[bytes, ...]:
    """The inclusion proof of one entry under the root of the first `size`."""
    return tuple(inclusion_proof(index, size, hashes_of(feeds, feed)))


def size_of(head: FeedHead) -> FeedSize:
    """What we hold of one feed, as SIZES says it."""
    return head.origin_hash, head.size, Frontier.decode(head.frontier).root()
