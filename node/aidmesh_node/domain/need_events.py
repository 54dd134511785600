"""What can happen to a need, each fact once and for ever: topics never change, old events load as they were written.

Only facts and how they change the aggregate; what may happen, `need.py` decides. `Need` names every one of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.ending import Warned
from aidmesh_node.domain.erasing import forget_words
from aidmesh_node.domain.sharing import ACKNOWLEDGED, ENDED, REVOKED, SHARED, ShareState
from aidmesh_node.domain.window import Window

if TYPE_CHECKING:
    from aidmesh_node.domain.need import Need

OPEN, CLOSED = "open", "closed"

REACHED = "reached"


class Event(event.Event):
    pass


class Created(Event, event.Created):
    TOPIC = "need:created"


class Posted(Created):
    TOPIC = "need:posted"
    person: UUID | None
    category: str
    item: str | None
    quantity: Decimal
    unit: str
    urgency: str
    window_start: datetime | None
    window_end: datetime | None
    area: str | None
    language: str | None


class EmergencyAdviceAcknowledged(Event):
    """Whoever saved it as an emergency had read out whom to call; `number` is the one they were told."""

    TOPIC = "need:emergency-advice-acknowledged"
    number: str


class Shared(Event):
    TOPIC = "need:shared"
    circle: str
    level: str
    consent_given: str
    consent_text_version: str
    consent_language: str | None
    person_knows: bool | None

    def apply(self, aggregate: Need) -> None:
        aggregate.shares[self.circle] = ShareState(SHARED, self.timestamp, self.level)
        aggregate.emergency_circles.discard(self.circle)


class SharedInEmergency(Shared):
    """Shown to one more circle because of the emergency, with a consent to just that; ends with the emergency."""

    TOPIC = "need:shared-in-emergency"

    def apply(self, aggregate: Need) -> None:
        super().apply(aggregate)
        aggregate.emergency_circles.add(self.circle)


class Unshared(Event):
    TOPIC = "need:unshared"
    circle: str

    def apply(self, aggregate: Need) -> None:
        aggregate.shares[self.circle] = replace(aggregate.shares[self.circle], state=REVOKED, since=self.timestamp)


class UnshareAcknowledged(Event):
    TOPIC = "need:unshare-acknowledged"
    circle: str

    def apply(self, aggregate: Need) -> None:
        known = aggregate.shares[self.circle]
        aggregate.shares[self.circle] = replace(known, state=ACKNOWLEDGED, since=self.timestamp)


class CoverageChanged(Event):
    TOPIC = "need:coverage-changed"
    pledge_id: UUID
    pledge_open: bool
    reserved: Decimal
    received: Decimal

    def apply(self, aggregate: Need) -> None:
        aggregate.reserved = self.reserved
        aggregate.received = self.received
        if self.pledge_open:
            aggregate.open_pledges.add(self.pledge_id)
        else:
            aggregate.open_pledges.discard(self.pledge_id)


class ReceiptsPresumed(CoverageChanged):
    """As CoverageChanged, where what is presumed to have arrived changed as well."""

    TOPIC = "need:receipts-presumed"
    presumed: Decimal

    def apply(self, aggregate: Need) -> None:
        super().apply(aggregate)
        aggregate.presumed = self.presumed


class Amended(Event):
    TOPIC = "need:amended"
    quantity: Decimal

    def apply(self, aggregate: Need) -> None:
        aggregate.quantity = self.quantity


class UrgencyChanged(Event):
    TOPIC = "need:urgency-changed"
    urgency: str
    reason: str

    def apply(self, aggregate: Need) -> None:
        aggregate.urgency = self.urgency


class Reviewed(Event):
    """Somebody looked at it and left it as it is, to be looked at again at `next_at` (None: after the usual time)."""

    TOPIC = "need:reviewed"
    next_at: datetime | None


class ContactAttempted(Event):
    TOPIC = "need:contact-attempted"
    outcome: str

    def apply(self, aggregate: Need) -> None:
        aggregate.unanswered = 0 if self.outcome == REACHED else aggregate.unanswered + 1


class ExpiryWarned(Event):
    """The node has said that the need is about to end. `witnessed`: how long the node had run by then, in seconds."""

    TOPIC = "need:expiry-warned"
    witnessed: int

    def apply(self, aggregate: Need) -> None:
        aggregate.warned = Warned(self.timestamp, self.witnessed)


class ExpiryExtended(Event):
    TOPIC = "need:expiry-extended"
    until: datetime

    def apply(self, aggregate: Need) -> None:
        aggregate.window = Window(aggregate.window.start, self.until)
        aggregate.warned = None


class Withdrawn(Event):
    TOPIC = "need:withdrawn"

    def apply(self, aggregate: Need) -> None:
        _close(aggregate, "withdrawn_by_person", self.timestamp)


class Closed(Event):
    TOPIC = "need:closed"
    reason: str

    def apply(self, aggregate: Need) -> None:
        _close(aggregate, self.reason, self.timestamp)


class Expired(Closed):
    TOPIC = "need:expired"


class MarkedDuplicate(Closed):
    TOPIC = "need:marked-duplicate"
    of: UUID


class Referred(Closed):
    """`to` is another group or service, as a coordinator named it, never a person."""

    TOPIC = "need:referred"
    to: str
    consent_given: str
    consent_text_version: str
    consent_language: str | None
    person_knows: bool | None


class FoundOutOfScope(Closed):
    """Not ours to help with; whom it is for was told where else to turn."""

    TOPIC = "need:found-out-of-scope"
    to: str | None


class GivenUpReaching(Closed):
    TOPIC = "need:given-up-reaching"
    attempts: int


class Reopened(Event):
    """Open again, and shared with nobody: other groups have heard that it was closed, and for them that is final."""

    TOPIC = "need:reopened"

    def apply(self, aggregate: Need) -> None:
        aggregate.state = OPEN
        aggregate.closed_reason = aggregate.closed_at = aggregate.warned = None
        aggregate.unanswered = 0
        aggregate.reopened_at_versions.append(self.originator_version)
        aggregate.emergency_circles.clear()
        for circle, share in aggregate.shares.items():
            if share.live:
                aggregate.shares[circle] = replace(share, state=ENDED, since=self.timestamp)


class Erased(Event):
    """What people typed is erased here, in every earlier event too, and from whatever was shared."""

    TOPIC = "need:erased"

    def apply(self, aggregate: Need) -> None:
        forget_words(aggregate)


def _close(aggregate: Need, reason: str, at: datetime) -> None:
    aggregate.state = CLOSED
    aggregate.closed_reason = reason
    aggregate.closed_at = at
    aggregate.closed_to.append(frozenset(circle for circle, share in aggregate.shares.items() if share.live))
