"""Something a group can give. Keeps totals only: held, committed and drawn never pass the capacity."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.category import category_id
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.label import label
from aidmesh_node.domain.pledge_fold import Booking
from aidmesh_node.domain.pledge_rules import room_in_offer
from aidmesh_node.domain.quantity import ZERO, Quantity, amount_text
from aidmesh_node.domain.refused import Refused, one_of
from aidmesh_node.domain.sharing import (
    ACKNOWLEDGED,
    REVOKED,
    SHARED,
    ShareState,
    check_circle,
    check_not_shared,
    check_shared,
)
from aidmesh_node.domain.units import unit_code
from aidmesh_node.domain.window import ANY_TIME, Window

MODES = ("give", "lend", "swap")
CLOSE_REASONS = ("exhausted", "expired")
OPEN, CLOSED = "open", "closed"


class Offer(Recorded):
    """`quantity` is the capacity in `unit`, None for an inexhaustible offer. `person` is a vault id."""

    TOPIC = "offer"

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
            aggregate.state = CLOSED
            aggregate.closed_reason = "withdrawn"

    class Closed(Event):
        TOPIC = "offer:closed"
        reason: str

        def apply(self, aggregate: Offer) -> None:
            aggregate.state = CLOSED
            aggregate.closed_reason = self.reason

    def __init__(
        self,
        person: UUID | None,
        category: str,
        item: str | None,
        quantity: Decimal | None,
        unit: str,
        window_start: datetime | None,
        window_end: datetime | None,
        area: str | None,
        mode: str,
    ) -> None:
        self.person = person
        self.category = category
        self.item = item
        self.quantity = quantity
        self.unit = unit
        self.window = Window(window_start, window_end)
        self.area = area
        self.mode = mode
        self.held = ZERO
        self.committed = ZERO
        self.drawn = ZERO
        self.state = OPEN
        self.closed_reason: str | None = None
        self.shares: dict[str, ShareState] = {}
        self.open_pledges: set[UUID] = set()

    @classmethod
    def post(
        cls,
        offer_id: UUID,
        by: Act,
        *,
        person: UUID | None,
        category: str,
        quantity: Quantity | None,
        unit: str | None = None,
        item: str | None = None,
        window: Window = ANY_TIME,
        area: str | None = None,
        mode: str = "give",
    ) -> Self:
        """A new open offer. Without a quantity it is inexhaustible and `unit` says what is counted."""
        counted_in = unit_code(unit) if unit is not None else None
        if quantity is not None:
            if counted_in not in (None, quantity.unit):
                raise Refused("unit_differs", f"The offer counts in both {counted_in} and {quantity.unit}.", "Use one.")
            counted_in = quantity.unit
        if counted_in is None:
            raise Refused("unknown_unit", "The offer does not say what is counted.", "Give a unit such as item or kg.")
        return cls._begin(
            cls.Posted,
            offer_id,
            by,
            person=person,
            category=category_id(category),
            item=label("item", item),
            quantity=None if quantity is None else quantity.amount,
            unit=counted_in,
            window_start=window.start,
            window_end=window.end,
            area=label("area", area),
            mode=one_of("mode", mode, MODES),
        )

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def available(self) -> Decimal | None:
        """How much more may be promised; None when inexhaustible; 0 once closed."""
        if not self.is_open:
            return ZERO
        if self.quantity is None:
            return None
        return self.quantity - self.held - self.committed - self.drawn

    def share(self, by: Act, circle: str) -> None:
        """Let the view of this offer go to one circle (64 hex digits)."""
        self._check_open()
        check_not_shared(self.shares, check_circle(circle))
        self._record(self.Shared, by, circle=circle)

    def unshare(self, by: Act, circle: str) -> None:
        """Take the share back. Views stop at once; the peers' acknowledgement is awaited."""
        check_shared(self.shares, circle)
        self._record(self.Unshared, by, circle=circle)

    def acknowledge_unshare(self, by: Act, circle: str) -> None:
        """A peer has stopped showing it. A repeated or unexpected acknowledgement records nothing."""
        if circle in self.shares and self.shares[circle].unacknowledged:
            self._record(self.UnshareAcknowledged, by, circle=circle)

    def check_pledge(self, unit: str) -> None:
        """Refuse unless a pledge in `unit` may be made from this offer now."""
        self._check_open()
        if unit != self.unit:
            raise Refused(
                "unit_differs",
                f"This offer counts in {self.unit}, the pledge in {unit}.",
                f"Choose an offer that counts in {unit}.",
            )

    def book(self, by: Act, pledge_id: UUID, before: Booking, after: Booking) -> None:
        """Move the totals by what one pledge's booking changed. No event when nothing changed.

        Our own acts may not take more than is there, nor promise from a closed offer. What a peer said only
        frees or draws what was promised already, and is never refused.
        """
        if before == after:
            return
        booked = self.held + self.committed + self.drawn
        more, room = room_in_offer(self.quantity, booked, before, after)
        if more > 0 and not by.heard:
            if after.held > before.held:
                self._check_open()
            if room is not None and more > room:
                raise Refused(
                    "not_enough_left",
                    f"This offer has {amount_text(room)} {self.unit} left, not {amount_text(more)}.",
                    f"Use at most {amount_text(room)} {self.unit}." if room else "Choose another offer.",
                )
        self._record(
            self.BookingChanged,
            by,
            pledge_id=pledge_id,
            pledge_open=after.held > 0 or after.committed > 0,
            held=self.held + after.held - before.held,
            committed=self.committed + after.committed - before.committed,
            drawn=self.drawn + after.drawn - before.drawn,
        )

    def withdraw(self, by: Act) -> None:
        """No longer on offer. The caller withdraws pledges that are not committed; firm ones still stand."""
        self._check_open()
        self._record(self.Withdrawn, by)

    def close(self, by: Act, reason: str = "exhausted") -> None:
        """Close an offer of which nothing is left, or whose time is over. What was promised still stands."""
        self._check_open()
        one_of("reason to close", reason, CLOSE_REASONS)
        if reason == "exhausted" and (self.quantity is None or self.drawn + self.committed < self.quantity):
            raise Refused("not_exhausted", "There is still something left of this offer.", "Withdraw it instead.")
        self._record(self.Closed, by, reason=reason)

    def _check_open(self) -> None:
        if not self.is_open:
            raise Refused("offer_closed", "This offer is closed.", "Choose another offer, or post a new one.")
