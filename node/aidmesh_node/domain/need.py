"""Something a person asks for. Keeps totals only; what each pledge is worth, the pledges know.

Four dimensions stay apart: lifecycle (`state`), coverage and fulfilment (derived), sharing (`shares`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self
from uuid import UUID, uuid5

from aidmesh_node.domain import need_events, need_time
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.category import category_id
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.ending import NOTICE, Warned, has_run_out, needs_warning
from aidmesh_node.domain.erasing import Erasable
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.label import label, language_tag
from aidmesh_node.domain.need_closing import CLOSE_REASONS, JUST_CLOSED, Closing, check_closing
from aidmesh_node.domain.need_events import CLOSED, OPEN, REACHED
from aidmesh_node.domain.need_time import EMERGENCY
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.pledge_rules import room_in_need
from aidmesh_node.domain.quantity import ZERO, Quantity, amount_text, share_of
from aidmesh_node.domain.refused import Refused, one_of
from aidmesh_node.domain.sharing import ShareState, check_circle, check_not_shared, check_shared
from aidmesh_node.domain.window import ANY_TIME, Window

__all__ = ["CLOSED", "CLOSE_REASONS", "OPEN", "Need"]

URGENCIES = ("low", "normal", "high", EMERGENCY)
URGENCY_REASONS = ("worse", "better", "more_known", "mistaken")
CONTACT_OUTCOMES = (REACHED, "no_answer", "message_left", "wrong_contact")


class Need(Erasable, Recorded):
    """`quantity`, `reserved` (the live remainders) and `received` are in `unit`; `person` is a vault id."""

    TOPIC = "need"

    Event = need_events.Event
    Created = need_events.Created
    Posted = need_events.Posted
    EmergencyAdviceAcknowledged = need_events.EmergencyAdviceAcknowledged
    Shared = need_events.Shared
    SharedInEmergency = need_events.SharedInEmergency
    Unshared = need_events.Unshared
    UnshareAcknowledged = need_events.UnshareAcknowledged
    CoverageChanged = need_events.CoverageChanged
    ReceiptsPresumed = need_events.ReceiptsPresumed
    Amended = need_events.Amended
    UrgencyChanged = need_events.UrgencyChanged
    Reviewed = need_events.Reviewed
    ContactAttempted = need_events.ContactAttempted
    ExpiryWarned = need_events.ExpiryWarned
    ExpiryExtended = need_events.ExpiryExtended
    Withdrawn = need_events.Withdrawn
    Closed = need_events.Closed
    Expired = need_events.Expired
    MarkedDuplicate = need_events.MarkedDuplicate
    Referred = need_events.Referred
    FoundOutOfScope = need_events.FoundOutOfScope
    GivenUpReaching = need_events.GivenUpReaching
    Reopened = need_events.Reopened
    Erased = need_events.Erased

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
        self.closed_at: datetime | None = None
        self.shares: dict[str, ShareState] = {}
        self.emergency_circles: set[str] = set()
        self.open_pledges: set[UUID] = set()
        self.unanswered = 0
        self.warned: Warned | None = None
        self.reopened_at_versions: list[int] = []
        self.closed_to: list[frozenset[str]] = []

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
        advice: EmergencyAdvice | None = None,
    ) -> Self:
        """A new open need. `item` and `area` may be shown to other groups and hold no personal details.

        An emergency needs the `advice` that was read out before.
        """
        need = cls._begin(
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
        need._acknowledge(by, advice)
        return need

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
        return share_of(self.arrived + self.reserved, self.quantity)

    @property
    def fulfilment(self) -> str:
        """none, partial, full or over: how much of the need is confirmed as received. A person closes it, never
        arithmetic.
        """
        return share_of(self.received, self.quantity)

    @property
    def is_emergency(self) -> bool:
        return self.urgency == EMERGENCY

    def name_at(self, version: int) -> UUID:
        """The id that other groups' names for this need are made of. For them a closed need is closed for good, so
        one that was reopened goes by another; `version` is that of the event to be told.
        """
        reopened = self._reopened_by(version)
        return uuid5(self.id, f"reopened {reopened}") if reopened else self.id

    def is_of_now(self, version: int) -> bool:
        """Whether an event of this version is of the need as it stands, not from before it was reopened."""
        return self._reopened_by(version) == len(self.reopened_at_versions)

    def circles_at_closing(self, version: int) -> frozenset[str]:
        """Those it was shared with when the event of this version closed it."""
        return self.closed_to[self._reopened_by(version)]

    def share(
        self, by: Act, circle: str, consent: Consent, level: str = "L1", *, because_of_emergency: bool = False
    ) -> None:
        """Let the view of `level` go to one circle (64 hex digits), with the person's recorded consent.

        `because_of_emergency`: the consent is to just that, and the share ends when the emergency does.
        """
        self._check_open()
        consent.check_level(level)
        self.check_not_erased()
        check_not_shared(self.shares, check_circle(circle))
        if because_of_emergency and not self.is_emergency:
            raise Refused(
                "no_emergency",
                "Only an emergency is shared beyond the groups it is shared with one by one.",
                "Share it with each group by itself, or change its urgency first.",
            )
        self._record(
            self.SharedInEmergency if because_of_emergency else self.Shared,
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

        Our own acts may not promise more than is still acceptable (SPEC §15.1a), nor anything for a closed need. What a
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

    def amend(self, by: Act, quantity: Decimal) -> None:
        """Ask for more or less, never for less than has arrived and is promised."""
        self._check_open()
        amount = Quantity(quantity, self.unit).amount
        bound = self.arrived + self.reserved
        if amount == self.quantity:
            raise Refused(
                "nothing_changed",
                f"This need already says {amount_text(amount)} {self.unit}.",
                "Say how much is wanted instead.",
            )
        if amount < bound:
            raise Refused(
                "already_promised",
                f"{amount_text(bound)} {self.unit} have arrived or are promised, so it cannot be less.",
                "Release what is promised first, with thanks.",
            )
        self._record(self.Amended, by, quantity=amount)

    def change_urgency(self, by: Act, urgency: str, reason: str, advice: EmergencyAdvice | None = None) -> None:
        """Say that it is more or less urgent, and why; all clocks begin anew. When an emergency is over, what was
        shared because of it is taken back.
        """
        self._check_open()
        one_of("urgency", urgency, URGENCIES)
        one_of("reason for another urgency", reason, URGENCY_REASONS)
        if urgency == self.urgency:
            raise Refused(
                "nothing_changed", f"The urgency of this need already is {urgency}.", "Say what it is instead."
            )
        over = sorted(self.emergency_circles) if self.is_emergency else []
        self._record(self.UrgencyChanged, by, urgency=urgency, reason=reason)
        self._acknowledge(by, advice)
        for circle in over:
            if self.shares[circle].live:
                self.unshare(by, circle)

    def review(self, by: Act, next_at: datetime | None = None) -> None:
        """Somebody looked at it; it is looked at again at `next_at`, or after the usual time."""
        self._check_open()
        if next_at is not None:
            need_time.check_next_look(self.urgency, by.at, next_at)
        self._record(self.Reviewed, by, next_at=next_at)

    def record_contact(self, by: Act, outcome: str) -> None:
        """Somebody tried to reach whom it is for. However often in vain, that closes nothing."""
        self._check_open()
        self._record(self.ContactAttempted, by, outcome=one_of("outcome of a call", outcome, CONTACT_OUTCOMES))

    def extend(self, by: Act, until: datetime) -> None:
        """It is still wanted, until then."""
        self._check_open()
        need_time.check_extension(by.at, self.window.end, until)
        self._record(self.ExpiryExtended, by, until=until)

    def warn_of_expiry(self, by: Act, witnessed: int, notice: timedelta = NOTICE) -> bool:
        """Say that it is about to end, if it is time to. False when there is nothing to say."""
        end = self._ends_by_itself
        if end is None or not needs_warning(by.at, end, self.warned, notice):
            return False
        self._record(self.ExpiryWarned, by, witnessed=witnessed)
        return True

    def expire(self, by: Act, witnessed: int, notice: timedelta = NOTICE) -> bool:
        """End it, if its time is over, nothing is promised any more, and it was warned of for all of `notice`."""
        end = self._ends_by_itself
        if end is None or not has_run_out(by.at, witnessed, end, self.warned, notice):
            return False
        self._record(self.Expired, by, reason="expired")
        return True

    def withdraw(self, by: Act) -> None:
        """The person no longer asks. The caller lets go of `open_pledges` with thanks."""
        self._check_open()
        self._record(self.Withdrawn, by)

    def close(self, by: Act, reason: str, said: Closing = JUST_CLOSED) -> None:
        """Close with one of CLOSE_REASONS and what goes with it. The caller declines or releases `open_pledges`."""
        self._check_open()
        said = check_closing(
            reason, said, self.id, unanswered=self.unanswered, arrived=self.arrived, reserved=self.reserved
        )
        match reason:
            case "duplicate":
                self._record(self.MarkedDuplicate, by, reason=reason, of=said.of)
            case "referred":
                assert said.consent is not None  # checked above
                self._record(
                    self.Referred,
                    by,
                    reason=reason,
                    to=said.to,
                    consent_given=said.consent.given,
                    consent_text_version=said.consent.text_version,
                    consent_language=said.consent.language,
                    person_knows=said.consent.person_knows,
                )
            case "out_of_scope":
                self._record(self.FoundOutOfScope, by, reason=reason, to=said.to)
            case "unreachable":
                self._record(self.GivenUpReaching, by, reason=reason, attempts=self.unanswered)
            case _:
                self._record(self.Closed, by, reason=reason)

    def close_as_imported(self, by: Act, reason: str) -> None:
        """It was closed before it came here, in another tool, which knows why."""
        self._check_open()
        self._record(self.Closed, by, reason=one_of("reason to close", reason, CLOSE_REASONS))

    def reopen(self, by: Act) -> None:
        """It is wanted after all. Shared with nobody, whoever knew of it before."""
        need_time.check_reopening(by.at, self.closed_at)
        self._record(self.Reopened, by)

    def _reopened_by(self, version: int) -> int:
        return sum(1 for at in self.reopened_at_versions if at <= version)

    @property
    def _ends_by_itself(self) -> datetime | None:
        """When it does; None while something is promised, and for what threatens a life."""
        if not self.is_open or self.reserved > ZERO or self.is_emergency:
            return None
        return self.window.end

    def _acknowledge(self, by: Act, advice: EmergencyAdvice | None) -> None:
        if not self.is_emergency:
            return
        if advice is None:
            EmergencyAdvice().check_acknowledged(False)
        else:
            self._record(self.EmergencyAdviceAcknowledged, by, number=advice.number)

    def _check_open(self) -> None:
        if not self.is_open:
            raise Refused("need_closed", "This need is closed.", "Reopen it, or post a new need, if help is wanted.")
