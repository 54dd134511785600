"""Something a person asks for. Keeps totals only; what each pledge is worth, the pledges know.

Four dimensions stay apart: lifecycle (`state`), coverage and fulfilment (derived), sharing (`shares`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.category import category_id
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.label import label, language_tag
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.pledge_rules import room_in_need
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
from aidmesh_node.domain.window import ANY_TIME, Window

URGENCIES = ("low", "normal", "high", "emergency")
CLOSE_REASONS = (
    "met",
    "partly_met",
    "withdrawn_by_person",
    "no_longer_wanted",
    "expired",
    "done_by_others",
    "duplicate",
    "referred",
    "out_of_scope",
    "unreachable",
    "entered_in_error",
)
OPEN, CLOSED = "open", "closed"


class Need(Recorded):
    """`quantity`, `reserved` (the live remainders) and `received` are in `unit`; `person` is a vault id."""

    TOPIC = "need"

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

    class Unshared(Event):
        TOPIC = "need:unshared"
        circle: str

        def apply(self, aggregate: Need) -> None:
            aggregate.shares[self.circle] = ShareState(REVOKED, self.timestamp, aggregate.shares[self.circle].level)

    class UnshareAcknowledged(Event):
        TOPIC = "need:unshare-acknowledged"
        circle: str

        def apply(self, aggregate: Need) -> None:
            level = aggregate.shares[self.circle].level
            aggregate.shares[self.circle] = ShareState(ACKNOWLEDGED, self.timestamp, level)

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

    class Withdrawn(Event):
        TOPIC = "need:withdrawn"

        def apply(self, aggregate: Need) -> None:
            aggregate.state = CLOSED
            aggregate.closed_reason = "withdrawn_by_person"

    class Closed(Event):
        TOPIC = "need:closed"
        reason: str

        def apply(self, aggregate: Need) -> None:
            aggregate.state = CLOSED
            aggregate.closed_reason = self.reason

    def __init__(
        self,
        person: UUID | None,
        category: str,
        item: str | None,
        quantity: Decimal,
        unit: str,
        urgency: str,
        window_start: datetime | None,
        window_end: datetime | None,
        area: str | None,
        language: str | None,
    ) -> None:
        self.person = person
        self.category = category
        self.item = item
        self.quantity = quantity
        self.unit = unit
        self.urgency = urgency
        self.window = Window(window_start, window_end)
        self.area = area
        self.language = language
        self.reserved = ZERO
        self.received = ZERO
        self.presumed = ZERO
        self.state = OPEN
        self.closed_reason: str | None = None
        self.shares: dict[str, ShareState] = {}
        self.open_pledges: set[UUID] = set()

    @classmethod
    def post(
        cls,
        need_id: UUID,
        by: Act,
        *,
        person: UUID | None,
        category: str,
        quantity: Quantity,
        item: str | None = None,
        urgency: str = "normal",
        window: Window = ANY_TIME,
        area: str | None = None,
        language: str | None = None,
    ) -> Self:
        """A new open need. `item` and `area` may be shown to other groups and hold no personal details."""
        return cls._begin(
            cls.Posted,
            need_id,
            by,
            person=person,
            category=category_id(category),
            item=label("item", item),
            quantity=quantity.amount,
            unit=quantity.unit,
            urgency=one_of("urgency", urgency, URGENCIES),
            window_start=window.start,
            window_end=window.end,
            area=label("area", area),
            language=language_tag(language),
        )

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def acceptable(self) -> Decimal:
        """How much more may be accepted: quantity - received or presumed - reserved, never below 0."""
        return max(ZERO, self.quantity - self.arrived - self.reserved)

    @property
    def arrived(self) -> Decimal:
        """Received, or presumed to be: what counts wherever somebody asks what is still wanted."""
        return self.received + self.presumed

    @property
    def coverage(self) -> str:
        """none, partial, full or over: how much of the need is received, presumed to be, or counted on."""
        return _share_of(self.arrived + self.reserved, self.quantity)

    @property
    def fulfilment(self) -> str:
        """none, partial, full or over: how much of the need is confirmed as received. A person closes it, never
        arithmetic.
        """
        return _share_of(self.received, self.quantity)

    def share(self, by: Act, circle: str, consent: Consent, level: str = "L1") -> None:
        """Let the view of `level` go to one circle (64 hex digits), with the person's recorded consent."""
        self._check_open()
        consent.check_level(level)
        check_not_shared(self.shares, check_circle(circle))
        self._record(
            self.Shared,
            by,
            circle=circle,
            level=level,
            consent_given=consent.given,
            consent_text_version=consent.text_version,
            consent_language=consent.language,
            person_knows=consent.person_knows,
        )

    def unshare(self, by: Act, circle: str) -> None:
        """Take the share back. Views stop at once; the peers' acknowledgement is awaited."""
        check_shared(self.shares, circle)
        self._record(self.Unshared, by, circle=circle)

    def acknowledge_unshare(self, by: Act, circle: str) -> None:
        """A peer has stopped showing it. A repeated or unexpected acknowledgement records nothing."""
        if circle in self.shares and self.shares[circle].unacknowledged:
            self._record(self.UnshareAcknowledged, by, circle=circle)

    def check_pledge(self, unit: str) -> None:
        """Refuse unless a pledge in `unit` may be made towards this need now."""
        self._check_open()
        if unit != self.unit:
            raise Refused(
                "unit_differs",
                f"This need counts in {self.unit}, the pledge in {unit}.",
                f"Pledge an amount in {self.unit}.",
            )

    def cover(self, by: Act, pledge_id: UUID, before: Coverage, after: Coverage) -> None:
        """Move the totals by what one pledge's coverage changed. No event when nothing changed.

        Our own acts may not promise more than is still acceptable, nor anything for a closed need. What a
        peer said, and what was received, always counts.
        """
        if before == after and after.open == (pledge_id in self.open_pledges):
            return
        more, room = room_in_need(self.quantity, self.reserved, self.arrived, before, after)
        if more > 0 and not by.heard:
            self._check_open()
            if more > room:
                raise Refused(
                    "already_covered",
                    f"This need still lacks {amount_text(room)} {self.unit}, not {amount_text(more)}.",
                    f"Accept at most {amount_text(room)} {self.unit}." if room else "Decline with thanks.",
                )
        totals: dict[str, object] = {
            "pledge_id": pledge_id,
            "pledge_open": after.open,
            "reserved": self.reserved + after.reserved - before.reserved,
            "received": self.received + after.received - before.received,
        }
        if before.presumed == after.presumed:
            self._record(self.CoverageChanged, by, **totals)
        else:
            presumed = self.presumed + after.presumed - before.presumed
            self._record(self.ReceiptsPresumed, by, **totals, presumed=presumed)

    def withdraw(self, by: Act) -> None:
        """The person no longer asks. The caller lets go of `open_pledges` with thanks."""
        self._check_open()
        self._record(self.Withdrawn, by)

    def close(self, by: Act, reason: str) -> None:
        """Close with one of CLOSE_REASONS. The caller declines or releases `open_pledges`."""
        self._check_open()
        self._record(self.Closed, by, reason=one_of("reason to close", reason, CLOSE_REASONS))

    def _check_open(self) -> None:
        if not self.is_open:
            raise Refused("need_closed", "This need is closed.", "Post a new need if help is wanted again.")


def _share_of(part: Decimal, whole: Decimal) -> str:
    if part == 0:
        return "none"
    if part < whole:
        return "partial"
    return "full" if part == whole else "over"
