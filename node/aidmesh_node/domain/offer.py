"""Something a group can give. Keeps totals only: held, committed and drawn never pass the capacity."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID, uuid5

from aidmesh_node.domain import offer_events, offer_time
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.category import category_id
from aidmesh_node.domain.ending import Warned, has_run_out, needs_warning
from aidmesh_node.domain.erasing import Erasable
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.label import label
from aidmesh_node.domain.offer_events import OPEN
from aidmesh_node.domain.pledge_fold import Booking
from aidmesh_node.domain.pledge_rules import room_in_offer
from aidmesh_node.domain.quantity import ZERO, Quantity, amount_text
from aidmesh_node.domain.refused import Refused, one_of
from aidmesh_node.domain.sharing import (
    ShareState,
    check_circle,
    check_not_shared,
    check_shared,
)
from aidmesh_node.domain.units import unit_code
from aidmesh_node.domain.window import ANY_TIME, Window

MODES = ("give", "lend", "swap")
CLOSED_BY_PEOPLE = ("exhausted", "superseded")
"""Why somebody closes an offer; it is also withdrawn, or expires."""


class Offer(Erasable, Recorded):
    """`quantity` is the capacity in `unit`, None for an inexhaustible offer. `person` is a vault id."""

    TOPIC = "offer"

    Event = offer_events.Event
    Created = offer_events.Created
    Posted = offer_events.Posted
    Shared = offer_events.Shared
    Unshared = offer_events.Unshared
    UnshareAcknowledged = offer_events.UnshareAcknowledged
    BookingChanged = offer_events.BookingChanged
    Withdrawn = offer_events.Withdrawn
    Closed = offer_events.Closed
    StillAvailableAsked = offer_events.StillAvailableAsked
    StillAvailableConfirmed = offer_events.StillAvailableConfirmed
    ExpiryWarned = offer_events.ExpiryWarned
    ExpiryExtended = offer_events.ExpiryExtended
    Reopened = offer_events.Reopened
    Erased = offer_events.Erased

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
        self.closed_at: datetime | None = None
        self.shares: dict[str, ShareState] = {}
        self.open_pledges: set[UUID] = set()
        self.confirmed_at: datetime = self.created_on
        self.asked_at: datetime | None = None
        self.warned: Warned | None = None
        self.reopened_at_versions: list[int] = []
        self.closed_to: list[frozenset[str]] = []

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
        self.check_not_erased()
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
            if room is not None and more > room:  # SPEC §15.1b
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
        """Close an offer of which nothing is left, or that another takes the place of. What was promised stands."""
        self._check_open()
        one_of("reason to close", reason, CLOSED_BY_PEOPLE)
        if reason == "exhausted" and (self.quantity is None or self.drawn + self.committed < self.quantity):
            raise Refused("not_exhausted", "There is still something left of this offer.", "Withdraw it instead.")
        self._record(self.Closed, by, reason=reason)

    def ask_still_available(self, by: Act) -> bool:
        """Ask whether it is still there, once it is time to. Nothing ends because nobody answers."""
        if not self.is_open or self.asked_at is not None or by.at < self.asks_at:
            return False
        self._record(self.StillAvailableAsked, by)
        return True

    @property
    def asks_at(self) -> datetime:
        """When somebody is to be asked again whether it is still there."""
        return offer_time.asks_at(self.category, self.confirmed_at)

    def confirm_available(self, by: Act) -> None:
        """Somebody says that it is still there. Said again at once, it has been said."""
        self._check_open()
        if self.asked_at is not None or not offer_time.just_said(by.at, self.confirmed_at):
            self._record(self.StillAvailableConfirmed, by)

    def warn_of_expiry(self, by: Act, witnessed: int) -> bool:
        """Warn that it ends soon, once it is time to. `witnessed`: how many seconds the node has run."""
        end = self._ends_by_itself
        if end is None or not needs_warning(by.at, end, self.warned):
            return False
        self._record(self.ExpiryWarned, by, witnessed=witnessed)
        return True

    def expire(self, by: Act, witnessed: int) -> bool:
        """Close it if its time is over, it was warned of, and nothing promised from it is outstanding."""
        end = self._ends_by_itself
        if end is None or not has_run_out(by.at, witnessed, end, self.warned):
            return False
        self._record(self.Closed, by, reason="expired")
        return True

    def extend(self, by: Act, until: datetime) -> None:
        """It is there for longer than was said."""
        self._check_open()
        offer_time.check_extension(by.at, self.window.end, until)
        self._record(self.ExpiryExtended, by, until=until)

    def reopen(self, by: Act, until: datetime | None = None) -> None:
        """On offer again, until `until` if given, else as long as before. Shown to nobody, whoever knew of it."""
        if self.is_open:
            raise Refused("not_closed", "This offer is open.", "Confirm it to say that it is still there.")
        offer_time.check_reopening(by.at, self.closed_at, self.window.end, until)
        if self.quantity is not None and self.held + self.committed + self.drawn >= self.quantity:
            raise Refused("nothing_left", "Nothing is left of this offer.", "Post a new offer of what there is now.")
        self._record(self.Reopened, by, until=self.window.end if until is None else until)

    def name_at(self, version: int) -> UUID:
        """The id that other groups' names for this offer are made of. For them a closed offer is closed for good, so
        one that was reopened goes by another; `version` is that of the event to be told.
        """
        times = self._reopened_by(version)
        return uuid5(self.id, f"reopened {times}") if times else self.id

    def is_of_now(self, version: int) -> bool:
        """Whether an event of this version is of the offer as it stands, not from before it was reopened."""
        return self._reopened_by(version) == len(self.reopened_at_versions)

    def circles_at_closing(self, version: int) -> frozenset[str]:
        """Those it was shared with when the event of this version closed it."""
        return self.closed_to[self._reopened_by(version)]

    def _reopened_by(self, version: int) -> int:
        return sum(1 for at in self.reopened_at_versions if at <= version)

    @property
    def _ends_by_itself(self) -> datetime | None:
        """When it does; None while something is promised from it."""
        return self.window.end if self.is_open and not self.open_pledges else None

    def _check_open(self) -> None:
        if not self.is_open:
            raise Refused("offer_closed", "This offer is closed.", "Choose another offer, or post a new one.")
