"""A fork: a group has signed two histories of one feed, and there is proof. A person decides what to make of it.

The proof is kept for ever, whatever is decided; nothing of a peer's can undo it.
"""

from __future__ import annotations

from typing import Self
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.refused import Refused, one_of

EXPLAINED, DISTRUSTED = "explained", "distrusted"
RESOLUTIONS = (EXPLAINED, DISTRUSTED)
"""Explained: we talked, it was an accident (a restored backup, a copied disk), and its next generation may be followed.
Distrusted: nothing more of it is followed."""


class Fork(Recorded):
    """One per forked feed `origin` of group `gid`; the id is the first half of the origin's hash.

    `smaller` and `larger` are the sizes of the two checkpoints, `alike` how many entries both histories are known to
    begin with, `proof` the fork file (hex), `peer` who showed it to us (None: we found it ourselves).
    """

    TOPIC = "fork"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "fork:created"

    class Proven(Created):
        TOPIC = "fork:proven"
        origin: str
        gid: str
        smaller: int
        larger: int
        alike: int
        proof: str
        peer: str | None

    class Resolved(Event):
        TOPIC = "fork:resolved"
        how: str

        def apply(self, aggregate: Fork) -> None:
            aggregate.how = self.how

    def __init__(
        self, origin: str, gid: str, smaller: int, larger: int, alike: int, proof: str, peer: str | None
    ) -> None:
        self.origin = origin
        self.gid = gid
        self.smaller = smaller
        self.larger = larger
        self.alike = alike
        self.proof = proof
        self.peer = peer
        self.how: str | None = None

    @classmethod
    def prove(
        cls,
        by: Act,
        id: UUID,
        *,
        origin: str,
        gid: str,
        smaller: int,
        larger: int,
        alike: int,
        proof: bytes,
        peer: str | None,
    ) -> Self:
        """There is proof, and the caller has checked it."""
        return cls._begin(
            cls.Proven, id, by, origin=origin, gid=gid, smaller=smaller, larger=larger, alike=alike,
            proof=proof.hex(), peer=peer,
        )  # fmt: skip

    def resolve(self, by: Act, how: str) -> None:
        """What our people make of it. They may think again: the last word counts."""
        one_of("way to resolve a fork", how, RESOLUTIONS)
        if how == self.how:
            raise Refused(
                "already_resolved", f"This fork is resolved already, as {how}.", "If you think otherwise now, say so."
            )
        self._record(self.Resolved, by, how=how)
