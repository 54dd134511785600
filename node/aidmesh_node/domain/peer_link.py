"""Our link with one other group: invited, pending, active, suspended, severed. Secrets are never kept here.

Active means: our person confirmed the four words, theirs did too (their signature on the terms says so), and
both signatures are on the same terms. Bytes are kept as lower-case hex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self
from uuid import NAMESPACE_URL, UUID, uuid5

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.group import endpoint_list, group_name
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.sharing import check_circle

INVITED, PENDING, ACTIVE, SUSPENDED, SEVERED = "invited", "pending", "active", "suspended", "severed"


class PeerLink(Recorded):
    """One per peer `gid`; the id follows from the gid (`id_of`)."""

    TOPIC = "peer-link"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "peer-link:created"

    class Invited(Created):
        TOPIC = "peer-link:invited"
        gid: str
        endpoints: list[str]

    class Pending(Event):
        TOPIC = "peer-link:pending"
        name: str
        endpoints: list[str]
        words: list[str]
        our_nonce: str
        their_nonce: str
        terms: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.state = PENDING
            aggregate.name = self.name
            aggregate.endpoints = tuple(self.endpoints)
            aggregate.words = tuple(self.words)
            aggregate.our_nonce = self.our_nonce
            aggregate.their_nonce = self.their_nonce
            aggregate.terms = self.terms
            aggregate.our_signature = None
            aggregate.their_signature = None
            aggregate.reason = None

    class Confirmed(Event):
        TOPIC = "peer-link:confirmed"
        signature: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.our_signature = self.signature

    class Signed(Event):
        TOPIC = "peer-link:signed"
        signature: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.their_signature = self.signature

    class Activated(Event):
        TOPIC = "peer-link:activated"
        circle: str
        terms: str
        signatures: dict[str, str]

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.state = ACTIVE
            aggregate.circle = self.circle

    class Described(Event):
        TOPIC = "peer-link:described"
        name: str
        endpoints: list[str]

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.name = self.name
            aggregate.endpoints = tuple(self.endpoints)

    class RevocationAcknowledged(Event):
        TOPIC = "peer-link:revocation-acknowledged"
        circle: str
        subject: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.acknowledged.add(self.cause)

    class ErasureAcknowledged(Event):
        TOPIC = "peer-link:erasure-acknowledged"
        circle: str
        subject: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.acknowledged.add(self.cause)

    class Suspended(Event):
        TOPIC = "peer-link:suspended"
        reason: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.state = SUSPENDED
            aggregate.reason = self.reason

    class Resumed(Event):
        TOPIC = "peer-link:resumed"

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.state = ACTIVE
            aggregate.reason = None

    class Severed(Event):
        TOPIC = "peer-link:severed"
        reason: str

        def apply(self, aggregate: PeerLink) -> None:
            aggregate.state = SEVERED
            aggregate.reason = self.reason

    def __init__(self, gid: str, endpoints: list[str]) -> None:
        self.gid = gid
        self.endpoints = tuple(endpoints)
        self.state = INVITED
        self.name: str | None = None
        self.words: tuple[str, ...] = ()
        self.our_nonce: str | None = None
        self.their_nonce: str | None = None
        self.terms: str | None = None
        self.our_signature: str | None = None
        self.their_signature: str | None = None
        self.circle: str | None = None
        self.reason: str | None = None
        self.acknowledged: set[str | None] = set()

    @staticmethod
    def id_of(gid: str) -> UUID:
        """The aggregate id of our link with the group of this gid."""
        return uuid5(NAMESPACE_URL, "aidmesh:peer:" + gid)

    @classmethod
    def invite(cls, by: Act, *, gid: str, endpoints: Sequence[str] = ()) -> Self:
        """We hold an invitation of theirs, or they have redeemed one of ours."""
        return cls._begin(cls.Invited, cls.id_of(gid), by, gid=gid, endpoints=endpoint_list(endpoints))

    @property
    def is_active(self) -> bool:
        return self.state == ACTIVE

    @property
    def is_confirmed(self) -> bool:
        """Our person has said that the four words are the same."""
        return self.our_signature is not None

    def meet(
        self,
        by: Act,
        *,
        name: str,
        endpoints: Sequence[str],
        words: Sequence[str],
        our_nonce: str,
        their_nonce: str,
        terms: str,
    ) -> None:
        """Nonces are exchanged: both screens show `words`, and the terms to be signed are fixed.

        Meeting again before the link is active starts over, and nothing confirmed before counts.
        """
        if self.state in (ACTIVE, SUSPENDED):
            raise Refused(
                "already_linked",
                "Your group is already linked with this group.",
                "To begin anew, end the link first.",
            )
        self._record(
            self.Pending,
            by,
            name=group_name(name),
            endpoints=endpoint_list(endpoints),
            words=list(words),
            our_nonce=our_nonce,
            their_nonce=their_nonce,
            terms=terms,
        )

    def confirm(self, by: Act, *, words: Sequence[str], signature: str) -> None:
        """Our person compared the four words; our signature on the terms. A second confirmation records
        nothing.
        """
        self._check_pending()
        if tuple(words) != self.words:
            raise Refused(
                "words_differ",
                "These are not the four words of this link.",
                "Read them to each other. If they really differ, somebody may be in between: stop here.",
            )
        if self.our_signature is None:
            self._record(self.Confirmed, by, signature=signature)

    def sign(self, by: Act, *, signature: str) -> None:
        """Their signature on the same terms, verified by the caller. The same again records nothing."""
        if self.their_signature == signature:
            return
        self._check_pending()
        self._record(self.Signed, by, signature=signature)

    def activate(self, by: Act, *, circle: str, our_gid: str) -> None:
        """Both signatures are there: the terms are in force and make the circle (64 hex digits)."""
        self._check_pending()
        if self.our_signature is None or self.their_signature is None:
            whose = "Your group has" if self.our_signature is None else "The other group has"
            raise Refused("not_confirmed", f"{whose} not confirmed the four words yet.", "Compare the words together.")
        signatures = {our_gid: self.our_signature, self.gid: self.their_signature}
        self._record(self.Activated, by, circle=check_circle(circle), terms=self.terms, signatures=signatures)

    def describe(self, by: Act, *, name: str, endpoints: Sequence[str]) -> None:
        """What their identity feed now says of them. No event when it is the same."""
        new_name, new_endpoints = group_name(name), endpoint_list(endpoints)
        if (new_name, tuple(new_endpoints)) != (self.name, self.endpoints):
            self._record(self.Described, by, name=new_name, endpoints=new_endpoints)

    def acknowledge_revocation(self, by: Act, *, circle: str, subject: str) -> None:
        """We have stopped showing `subject` (32 hex digits), which they took back by the statement that is
        the act's `cause`. Our own act, so that publication tells them; heard once more, it records nothing.
        """
        if by.cause is None or by.cause not in self.acknowledged:
            self._record(self.RevocationAcknowledged, by, circle=check_circle(circle), subject=subject)

    def acknowledge_erasure(self, by: Act, *, circle: str, subject: str) -> None:
        """We have deleted what they erased of `subject` (32 hex digits) by the statement that is the act's `cause`. Our
        own act, so that publication tells them; heard once more, it records nothing.
        """
        if by.cause is None or by.cause not in self.acknowledged:
            self._record(self.ErasureAcknowledged, by, circle=check_circle(circle), subject=subject)

    def suspend(self, by: Act, reason: str) -> None:
        """Pause the link: nothing new is exchanged, what was promised stands, it can be resumed."""
        if self.state != ACTIVE:
            raise Refused("not_active", "This link is not active, so it cannot be suspended.")
        self._record(self.Suspended, by, reason=reason)

    def resume(self, by: Act) -> None:
        """End a suspension."""
        if self.state != SUSPENDED:
            raise Refused("not_suspended", "This link is not suspended.")
        self._record(self.Resumed, by)

    def sever(self, by: Act, reason: str) -> None:
        """End the link for good. Meeting again makes a new one, with a new circle."""
        if self.state == SEVERED:
            raise Refused("severed", "This link has already ended.")
        self._record(self.Severed, by, reason=reason)

    def _check_pending(self) -> None:
        if self.state != PENDING:
            raise Refused(
                "not_pending",
                "No pairing with this group is under way.",
                "Start with an invitation: aidmesh peer invite.",
            )
