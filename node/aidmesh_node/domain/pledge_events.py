"""Everything that was said or done about a pledge, as our log keeps it. Topics and fields never change.

An event of the giver's words moves the giver's side of the fold, one of the home's words the home's; the rest is what
our own group noted beside it. Who may say what when is decided before, in pledge.py.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.window import Window

if TYPE_CHECKING:
    from aidmesh_node.domain.pledge import Pledge


class Event(event.Event):
    pass


class Created(Event, event.Created):
    TOPIC = "pledge:created"


class Offered(Created):
    TOPIC = "pledge:offered"
    side: str
    circle: str | None
    peer: str | None
    need_id: UUID
    offer_id: UUID | None
    quantity: Decimal
    unit: str
    how: str
    window_start: datetime | None
    window_end: datetime | None


class Revised(Event):
    TOPIC = "pledge:revised"
    revision: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.revise(self.revision, self.quantity))
        aggregate.proposed = None


class Committed(Event):
    TOPIC = "pledge:committed"
    acceptance: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.commit(self.acceptance, self.quantity))


class Withdrawn(Event):
    TOPIC = "pledge:withdrawn"
    reason: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.withdraw(), self.reason)


class HandedOver(Event):
    TOPIC = "pledge:handed-over"
    number: int
    quantity: Decimal
    outcome: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.hand_over(self.number, self.quantity))
        aggregate.handed_over(self.outcome, self.timestamp)


class HandOverFailed(Event):
    TOPIC = "pledge:hand-over-failed"
    number: int
    reason: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.fail_hand_over(self.number))
        aggregate.not_handed_over(self.reason)


class Countered(Event):
    TOPIC = "pledge:countered"
    revision: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.home_said(aggregate.state.home.counter(self.revision, self.quantity))


class Declined(Event):
    TOPIC = "pledge:declined"
    revision: int
    reason: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.home_said(aggregate.state.home.decline(self.revision), self.reason)


class Accepted(Event):
    TOPIC = "pledge:accepted"
    acceptance: int
    revision: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        home = aggregate.state.home
        aggregate.home_said(home.accept(self.acceptance, self.revision, self.quantity))


class Released(Event):
    TOPIC = "pledge:released"
    acceptance: int
    reason: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.home_said(aggregate.state.home.release(self.acceptance), self.reason)


class Received(Event):
    TOPIC = "pledge:received"
    number: int
    quantity: Decimal
    condition: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.home_said(aggregate.state.home.receive(self.number, self.quantity))


class TimeProposed(Event):
    """`side` (giver, home) would have the hand-over then: the giver with its revision, the home with its counter."""

    TOPIC = "pledge:time-proposed"
    side: str
    revision: int
    window_start: datetime | None
    window_end: datetime | None

    def apply(self, aggregate: Pledge) -> None:
        aggregate.time_proposed(self.side, Window(self.window_start, self.window_end))


class HandOverMissed(Event):
    """The home says that a hand-over did not come about."""

    TOPIC = "pledge:hand-over-missed"
    number: int
    reason: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.missed = self.number
        aggregate.not_handed_over(self.reason)


class HandOverCorrected(Event):
    TOPIC = "pledge:hand-over-corrected"
    number: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.giver_said(aggregate.state.giver.correct_hand_over(self.number, self.quantity))


class ReceiptCorrected(Event):
    TOPIC = "pledge:receipt-corrected"
    number: int
    quantity: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.home_said(aggregate.state.home.correct_receipt(self.number, self.quantity))


class ReceiptAsked(Event):
    """Somebody of ours asked whether it arrived, and got no answer yet. Our own note: never said to others."""

    TOPIC = "pledge:receipt-asked"
    how: str

    def apply(self, aggregate: Pledge) -> None:
        aggregate.asked += (self.timestamp,)


class ReceiptPresumed(Event):
    """All in all so much is presumed to have arrived; `corrections`: how often the giver's figure was corrected."""

    TOPIC = "pledge:receipt-presumed"
    number: int
    quantity: Decimal
    corrections: int

    def apply(self, aggregate: Pledge) -> None:
        home = aggregate.state.home
        aggregate.home_said(home.presume(self.number, self.quantity, self.corrections))


class DiscrepancyLeft(Event):
    """`side` (giver, home) leaves it at these two figures, though they differ."""

    TOPIC = "pledge:discrepancy-left"
    side: str
    handed: Decimal
    received: Decimal

    def apply(self, aggregate: Pledge) -> None:
        aggregate.left[self.side] = (self.handed, self.received)
