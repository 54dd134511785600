"""What of a feed was seen signed: the newest note, whether its entries have arrived or not."""

from __future__ import annotations

from aidmesh_node.application.ports import FeedHead


def newest_note(head: FeedHead) -> bytes | None:
    """The newest checkpoint seen of a feed: what counts is what its owner signed, not what has arrived."""
    return head.claimed if head.claimed_size > head.signed_size else head.checkpoint
