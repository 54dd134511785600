"""Everything that happened to an offer, as our log keeps it. Topics and fields never change."""

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
    from aidmesh_node.domain.offer import Offer

OPEN, CLOSED = "open", "closed"


class Event(event.Event):
    pass


class Created(Event, event.Created):
    TOPIC = "offer:created"


class Posted(Created):
    TOPIC = "offer:posted"
    person: UUID | None
    category: str
    item: str | None
    quantity: Decimal | None
    unit: str
    window_start: datetime | None
    window_end: datetime | None
    area: str | None
    mode: str


class Shared(Event):
    TOPIC = "offer:shared"
    circle: str

    def apply(self, aggregate: Offer) -> None:
        aggregate.shares[self.circle] = ShareState(SHARED, self.timestamp)


class Unshared(Event):
    TOPIC = "offer:unshared"
    circle: str

    def apply(self, aggregate: Offer) -> None:
        aggregate.shares[self.circle] = ShareState(REVOKED, self.timestamp)


class UnshareAcknowledged(Event):
    TOPIC = "offer:unshare-acknowledged"
    circle: str

    def apply(self, aggregate: Offer) -> None:
        aggregate.shares[self.circle] = ShareState(ACKNOWLEDGED, self.timestamp)


class BookingChanged(Event):
    TOPIC = "offer:booking-changed"
    pledge_id: UUID
    pledge_open: bool
    held: Decimal
    committed: Decimal
    drawn: Decimal

    def apply(self, aggregate: Offer) -> None:
        aggregate.held = self.held
        aggregate.committed = self.committed
        aggregate.drawn = self.drawn
        if self.pledge_open:
            aggregate.open_pledges.add(self.pledge_id)
        else:
            aggregate.open_pledges.discard(self.pledge_id)


class Withdrawn(Event):
    TOPIC = "offer:withdrawn"

    def apply(self, aggregate: Offer) -> None:
        _close(aggregate, "withdrawn", self.timestamp)


class Closed(Event):
    TOPIC = "offer:closed"
    reason: str

    def apply(self, aggregate: Offer) -> None:
        _close(aggregate, self.reason, self.timestamp)


class StillAvailableAsked(Event):
    """The node asks whether it is still there: nobody has said so for a while."""

    TOPIC = "offer:still-available-asked"

    def apply(self, aggregate: Offer) -> None:
        aggregate.asked_at = self.timestamp


class StillAvailableConfirmed(Event):
    TOPIC = "offer:still-available-confirmed"

    def apply(self, aggregate: Offer) -> None:
        aggregate.confirmed_at, aggregate.asked_at = self.timestamp, None


class ExpiryWarned(Event):
    """It ends soon. `witnessed`: how many seconds the node had run by then."""

    TOPIC = "offer:expiry-warned"
    witnessed: int

    def apply(self, aggregate: Offer) -> None:
        aggregate.warned = Warned(self.timestamp, self.witnessed)


class ExpiryExtended(Event):
    TOPIC = "offer:expiry-extended"
    until: datetime

    def apply(self, aggregate: Offer) -> None:
        aggregate.window = Window(aggregate.window.start, self.until)
        aggregate.warned = None
        aggregate.confirmed_at, aggregate.asked_at = self.timestamp, None


class Reopened(Event):
    """On offer again, and shown to nobody: other groups have heard that it was closed, and for them that is final."""

    TOPIC = "offer:reopened"
    until: datetime | None

    def apply(self, aggregate: Offer) -> None:
        aggregate.state = OPEN
        aggregate.closed_reason = aggregate.closed_at = aggregate.warned = None
        aggregate.window = Window(aggregate.window.start, self.until)
        aggregate.confirmed_at, aggregate.asked_at = self.timestamp, None
        aggregate.reopened_at_versions.append(self.originator_version)
        for circle, share in aggregate.shares.items():
            if share.live:
                aggregate.shares[circle] = replace(share, state=ENDED, since=self.timestamp)


class Erased(Event):
    """What people typed is erased here, in every earlier event too, and from whatever was shared."""

    TOPIC = "offer:erased"

    def apply(self, aggregate: Offer) -> None:
        forget_words(aggregate)


def _close(aggregate: Offer, reason: str, at: datetime) -> None:
    aggregate.state = CLOSED
    aggregate.closed_reason = reason
    aggregate.closed_at = at
    aggregate.closed_to.append(frozenset(circle for circle, share in aggregate.shares.items() if share.live))
