"""Feeds that were begun anew: which of a peer's generations is followed (SPEC §16.4)."""

from __future__ import annotations

from aidmesh_node.application.ports import FeedReads
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.origin import Origin

GENERATIONS_MAX = 64
"""How often one group may begin its feed for one circle anew: each is a disk that was lost."""


def begins_anew(feeds: FeedReads, origin: Origin) -> bool:
    """Whether this feed takes the place of those we hold. One that its owner has gone on from is not begun any more.

    Raises ProtocolError stale_generation or quota."""
    held = feeds.heads(owner=origin.gid, circle=origin.circle)
    if any(head.generation == origin.generation for head in held):
        return False
    if any(head.generation > origin.generation for head in held):
        raise ProtocolError("stale_generation", "a checkpoint of a feed that goes on in a later generation")
    if len(held) > GENERATIONS_MAX:
        raise ProtocolError("quota", f"a feed that was begun anew more than {GENERATIONS_MAX} times")
    return origin.generation > 0
