"""Feeds that were begun anew: which of a peer's generations is followed (SPEC §16.4)."""

from __future__ import annotations

from aidmesh_node.application.forks import FORK_DETECTED, fork_id_of
from aidmesh_node.application.ports import FeedHead, Reading
from aidmesh_node.domain.fork import EXPLAINED, Fork
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.origin import Origin

GENERATIONS_MAX = 64
"""How often one group may begin its feed for one circle anew: each is a disk that was lost."""


def begins_anew(reading: Reading, origin: Origin, note: bytes) -> bool:
    """Whether this feed, shown by `note`, takes the place of those we hold. One that its owner has gone on from is not
    begun any more.

    Raises ProtocolError stale_generation or quota, and fork_detected for one that follows a fork of which our people
    have not said that it is explained (SPEC §9.6)."""
    held = reading.feeds.heads(owner=origin.gid, circle=origin.circle)
    if any(head.generation == origin.generation for head in held):
        return False
    if any(head.generation > origin.generation for head in held):
        raise ProtocolError("stale_generation", "a checkpoint of a feed that goes on in a later generation")
    if len(held) > GENERATIONS_MAX:
        raise ProtocolError("quota", f"a feed that was begun anew more than {GENERATIONS_MAX} times")
    if any(head.frozen == FORK_DETECTED and _waits_for_people(reading, head) for head in held):
        raise ProtocolError(
            FORK_DETECTED,
            "a feed begun anew after a fork: it is followed once an operator resolves that as explained",
            (note,),
        )
    return origin.generation > 0


def _waits_for_people(reading: Reading, head: FeedHead) -> bool:
    """Whether a fork of this feed is proven, and the last word of our people about it is not that it is explained."""
    known = reading.events.stream(fork_id_of(head))
    return bool(known) and not (isinstance(known[-1], Fork.Resolved) and known[-1].how == EXPLAINED)
