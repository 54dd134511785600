"""The gossip in one answer of one peer: HEADS once, a few FORKs, and INCLUSIONs that were asked for."""

from __future__ import annotations

from collections.abc import Mapping

from aidmesh_node.federation.feed_arriving import FeedArriving
from aidmesh_node.federation.gossip import Gossip
from aidmesh_protocol.bundle import Fork, Heads, Inclusion
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import EXCHANGE_FORKS_MAX

CONTRADICTING = ("root_mismatch", "proof_invalid")
"""What entries are refused with that may be of another history than ours: the peer is asked how it begins."""


class GossipHeard:
    """`hear` takes frames; what it says of each is whether it told anything that was to be told."""

    def __init__(self, gossip: Gossip, peer: str) -> None:
        self._gossip = gossip
        self._peer = peer
        self._heads_left = 1
        self._forks_left = EXCHANGE_FORKS_MAX

    async def hear(self, frame: Heads | Fork | Inclusion, feeds: Mapping[bytes, FeedArriving]) -> bool:
        """False for a frame too many, or one nobody asked for. Raises ProtocolError for one that does not hold."""
        match frame:
            case Heads() if self._heads_left:
                self._heads_left -= 1
                await self._gossip.hear_notes(self._peer, frame.notes)
            case Fork() if self._forks_left:
                self._forks_left -= 1
                await self._gossip.hear_fork(self._peer, frame.proof)
            case Inclusion() if (feed := feeds.get(frame.origin_hash)) is not None:
                return await self._gossip.hear_inclusion(self._peer, frame, feed.offered)
            case _:
                return False
        return True

    async def hear_own(self, note: bytes) -> None:
        """A checkpoint of ours, as the peer has seen it: perhaps another copy of us has signed it."""
        await self._gossip.hear_notes(self._peer, (note,))

    async def refused(self, error: ProtocolError, feed: FeedArriving | None) -> None:
        """Something was refused, of this feed: perhaps there are two histories of it."""
        if error.code == "fork_detected":
            await self._gossip.hear_conflict(error.evidence)
        elif feed is not None and error.code in CONTRADICTING:
            self._gossip.doubt(self._peer, feed.head)
