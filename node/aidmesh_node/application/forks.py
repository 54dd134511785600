"""Forks of feeds: keeping the proof and stopping the feed, in one transaction; and what people decide about it.

Only a proof that holds gets here, and only of a feed this node holds: strangers' quarrels would fill the disk.
"""

from __future__ import annotations

from uuid import UUID

from aidmesh_node.application.ports import FeedHead, Work
from aidmesh_node.application.rights import require
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.fork import Fork
from aidmesh_protocol.fork_file import encode_fork_file
from aidmesh_protocol.fork_proof import ForkProof, convict
from aidmesh_protocol.origin import origin_hash

FORK_DETECTED = "fork_detected"
"""The code a forked feed is frozen with."""


def keep_fork(work: Work, by: Act, gid: str, proof: ForkProof, alike: int, peer: str | None) -> Fork | None:
    """The fork, once durable, that the feed is stopped for; None when it is known already, or of a feed we do not hold.

    `gid` is ours: our own feed is not frozen, since its rows stay what they are; signing it ends (SPEC §16).
    Raises ProtocolError for a proof that does not hold.
    """
    convicted = convict(proof)
    head, id = work.feeds.head(convicted.origin), UUID(bytes=convicted.fork_id)
    if head is None or work.find(Fork, id) is not None:
        return None
    fork = Fork.prove(
        by,
        id,
        origin=convicted.origin,
        gid=convicted.gid,
        smaller=convicted.smaller.size,
        larger=convicted.larger.size,
        alike=alike,
        proof=encode_fork_file(proof),
        peer=peer,
    )
    work.commit(fork)
    if head.owner != gid:
        work.feeds.freeze(head.feed, FORK_DETECTED)
    return fork


def resolve_fork(work: Work, by: Act, fork_id: UUID, how: str) -> dict[str, object]:
    """Say what our people make of a fork. Raises Refused, NotFound."""
    require(by, "operator", "resolve a fork")
    fork = work.get(Fork, fork_id)
    fork.resolve(by, how)
    work.commit(fork)
    return {"id": fork.id.hex, "version": fork.version, "origin": fork.origin, "resolution": fork.how}


def fork_id_of(head: FeedHead) -> UUID:
    """The id under which a fork of this feed is kept."""
    return UUID(bytes=origin_hash(head.origin)[:16])
