"""Making a fork proof of what this node holds: two notes, and of its entries the path between their sizes (SPEC §9.4).

Reads rows and decides nothing; what it returns has been judged, and convicts.
"""

from __future__ import annotations

from aidmesh_node.application.ports import FeedHead, FeedReads
from aidmesh_node.federation.tree_reading import hashes_of, root_at
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint
from aidmesh_protocol.entry import FACTS
from aidmesh_protocol.fork_proof import ForkProof, KeyRow, convict, prove
from aidmesh_protocol.identity import identity_origin
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.merkle import consistency_path, consistency_roots


def find_fork(feeds: FeedReads, head: FeedHead, key: VerifyKey, shown: VerifiedCheckpoint) -> ForkProof | None:
    """The proof that `shown`, or a claim we keep, contradicts what else we hold of this feed; None when nothing does,
    or when what would show it is not here."""
    keys = inception_of(feeds, head.owner)
    held, claimed = (
        open_checkpoint(note, head.origin, key) if note else None for note in (head.checkpoint, head.claimed)
    )
    for one, other in ((shown, held), (shown, claimed), (claimed, held)):
        if keys is None or one is None or other is None:
            continue
        if one.size == other.size and one.root != other.root:
            return prove(keys, one, other)
        if other is held and 0 < one.size < held.size and root_at(feeds, head, one.size) != one.root:
            return prove(keys, one, held, consistency_path(one.size, held.size, hashes_of(feeds, head.feed)))
    return None


def fork_by_path(
    feeds: FeedReads, head: FeedHead, key: VerifyKey, larger: VerifiedCheckpoint, path: list[bytes]
) -> ForkProof | None:
    """The proof that a larger checkpoint, of which we have a path from what we hold signed, is of another history."""
    keys = inception_of(feeds, head.owner)
    if keys is None or head.checkpoint is None:
        return None
    held = open_checkpoint(head.checkpoint, head.origin, key)
    if consistency_roots(held.size, larger.size, path) == (held.root, larger.root):
        return None
    return prove(keys, held, larger, path)


def inception_of(feeds: FeedReads, gid: str) -> tuple[KeyRow, ...] | None:
    """The entry and facts part that lead from the group id to its key; None for a group we do not know."""
    head = feeds.head(identity_origin(gid))
    part = feeds.part(head.feed, 0, FACTS) if head is not None and head.size else None
    if head is None or part is None:
        return None
    return ((feeds.entries(head.feed, 0, 1)[0], part),)


def alike(feeds: FeedReads, proof: ForkProof) -> int:
    """How many entries both histories are known to begin with: those complete subtrees of the larger one, as the path
    names them, that are the ones we hold. 0 when nothing here tells."""
    convicted = convict(proof)
    head, size = feeds.head(convicted.origin), convicted.smaller.size
    if head is None or not proof.path or root_at(feeds, head, size) != convicted.smaller.root:
        return 0
    hashes, known, start = hashes_of(feeds, head.feed), 0, 0
    for level, hashed in _peaks(size, convicted.larger.size, proof.path):
        if hashes(level, start >> level) != hashed:
            break
        start += 1 << level
        known = start
    return known


def _peaks(size1: int, size2: int, path: tuple[bytes, ...]) -> list[tuple[int, bytes]]:
    """(level, hash) of the complete subtrees that the first `size1` entries split into, largest first, as a path from
    there to `size2` names them: its left-most node, and the siblings on the left."""
    at, last, level = size1 - 1, size2 - 1, 0
    while at & 1:
        at, last, level = at >> 1, last >> 1, level + 1
    peaks = [(level, path[0])]
    for hashed in path[1:]:
        if at & 1 or at == last:
            while not at & 1:
                at, last, level = at >> 1, last >> 1, level + 1
            peaks.append((level, hashed))
        at, last, level = at >> 1, last >> 1, level + 1
    return peaks[::-1]
