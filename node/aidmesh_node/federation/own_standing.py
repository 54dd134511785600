"""One of our own feeds while the node runs: how it stands, what its mark says, what peers may see of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from aidmesh_node.application import own_feeds
from aidmesh_node.application.generations import generation_of
from aidmesh_node.application.mark import MarkValue
from aidmesh_node.application.ports import FeedHead, Reading
from aidmesh_node.domain import own_feed
from aidmesh_node.federation.tree_reading import root_at
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint
from aidmesh_protocol.keys import VerifyKey


@dataclass(slots=True)
class OwnFeed:
    """`fresh`: we may go on from our rows; `served`: what peers may see; `confirmed`: the
    circles whose other members have shown, since it is recovering, that they know of nothing beyond our rows."""

    head: FeedHead
    mark: MarkValue | None
    standing: str
    reason: str
    fresh: bool
    served: VerifiedCheckpoint | None
    in_order: bool = False
    """Whether mark and rows agreed when the node started: then what is beyond the mark cannot have been signed."""
    confirmed: set[bytes] = field(default_factory=set)

    def recover(self, reason: str) -> None:
        """It is not to be signed until its entries are back."""
        self.standing, self.reason = own_feed.RECOVERING, reason
        self.fresh = False
        self.confirmed.clear()

    def hears(self, live: Collection[bytes] | None) -> bool:
        """Whether the peer that speaks is one that this feed is for."""
        return live is not None and (self.head.circle is None or self.head.circle in live)

    def serves(self, size: int, root: bytes) -> bool:
        """Whether exactly this is what peers may see."""
        return self.served is not None and (self.served.size, self.served.root) == (size, root)

    def is_marked(self, value: MarkValue) -> bool:
        """Whether the mark says this already; how far the log had come may differ."""
        return self.mark is not None and self.mark[:3] == value[:3]


def mark_of(head: FeedHead, root: bytes, log: int) -> MarkValue:
    """What the mark has to say before this is signed."""
    return MarkValue(head.size, root.hex(), head.generation, log)


def judged(value: MarkValue | None) -> own_feed.Mark | None:
    """The mark as the rules of `own_feed` take it."""
    return None if value is None else own_feed.Mark(value.size, bytes.fromhex(value.root), value.generation)


def stand_at_start(
    reading: Reading, gid: str, key: VerifyKey, left: dict[str, MarkValue], *, has_mark: bool
) -> list[OwnFeed]:
    """Every feed of ours that is here, compared with the mark. What the mark knows besides is `left` in there, but for
    what an operator has given up."""
    known = []
    for head in reading.feeds.heads(owner=gid):
        value = left.pop(head.origin_hash.hex(), None)
        standing, reason = own_feed.standing(
            judged(value),
            rows_size=head.size,
            root_at=partial(root_at, reading.feeds, head),
            generation=head.generation,
            ever_signed=head.checkpoint is not None,
            has_mark=has_mark,
        )
        in_order = standing != own_feed.RECOVERING
        if head.claimed_size > head.size:
            standing = own_feed.RECOVERING
            reason = f"{head.claimed_size} entries were signed, {head.size} are here"
        elif reading.position_of(own_feeds.unread_of(head.feed)):
            standing, reason = own_feed.RECOVERING, "entries of this group have come back and are being read"
        now = reading.position_of(generation_of(head.circle)) if head.circle else 0
        if head.circle and head.generation < now:
            standing, reason = own_feed.CLOSED, ""
        served = open_checkpoint(head.checkpoint, head.origin, key) if head.checkpoint else None
        fresh = own_feed.fresh_at_start(known_at_start=True)
        known.append(OwnFeed(head, value, standing, reason, fresh, served, in_order))
    for name in [name for name in left if reading.position_of(own_feeds.given_up(name))]:
        del left[name]
    return known
