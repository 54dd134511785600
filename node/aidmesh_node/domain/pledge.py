"""A promise of something particular towards a need. Our log of what both sides said; the fold says what it
means.

Role "giver": our stock, their need. "home": our need, their stock. "local": both ours, and accepting makes it
firm. An act with `heard=True` records the other side's statement: never refused for being late, only for
being impossible (reason "illegal"), and one that was already heard records nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeVar
from uuid import UUID

from aidmesh_node.domain import arrival_rules, pledge_events, pledge_rules
from aidmesh_node.domain.act import RECOVERED, Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.pledge_fold import GiverSide, HomeSide, PledgeState
from aidmesh_node.domain.pledge_words import (
    CONDITIONS,
    DECLINE_REASONS,
    FAILURES,
    HOWS,
    OUTCOMES,
    RELEASE_REASONS,
    WITHDRAW_REASONS,
    word_of,
)
from aidmesh_node.domain.quantity import Quantity, check_amount
from aidmesh_node.domain.refused import Refused, illegal, one_of
from aidmesh_node.domain.window import ANY_TIME, Window

GIVER, HOME, LOCAL = "giver", "home", "local"

_T = TypeVar("_T")


class Pledge(Recorded):
    """`state` is the fold of both sides. `need_id` is our Need (home, local) or, as giver, the subject id of
    the peer's need in that circle; `offer_id` likewise our Offer (giver, local) or the subject id of the
    peer's.
    """

    TOPIC = "pledge"

    Event = pledge_events.Event
    Created = pledge_events.Created
    Offered = pledge_events.Offered
    Revised = pledge_events.Revised
    Committed = pledge_events.Committed
    Withdrawn = pledge_events.Withdrawn
    HandedOver = pledge_events.HandedOver
    HandOverFailed = pledge_events.HandOverFailed
    Countered = pledge_events.Countered
    Declined = pledge_events.Declined
    Accepted = pledge_events.Accepted
    Released = pledge_events.Released
    Received = pledge_events.Received
    TimeProposed = pledge_events.TimeProposed
    HandOverMissed = pledge_events.HandOverMissed
    HandOverCorrected = pledge_events.HandOverCorrected
    ReceiptCorrected = pledge_events.ReceiptCorrected
    ReceiptAsked = pledge_events.ReceiptAsked
    ReceiptPresumed = pledge_events.ReceiptPresumed
    DiscrepancyLeft = pledge_events.DiscrepancyLeft

    def __init__(
        self,
        side: str,
        circle: str | None,
        peer: str | None,
        need_id: UUID,
        offer_id: UUID | None,
        quantity: Decimal,
        unit: str,
        how: str,
        window_start: datetime | None,
        window_end: datetime | None,
    ) -> None:
        self.role = side
        self.circle = circle
        self.peer = peer
        self.need_id = need_id
        self.offer_id = offer_id
        self.unit = unit
        self.how = how
        self.window = Window(window_start, window_end)
        self.state = PledgeState(GiverSide().offer(quantity))
        self.reason: str | None = None
        self.proposed: Window | None = None
        self.outcome: str | None = None
        self.failure: str | None = None
        self.failures = 0
        self.missed = 0
        self.handed_at: datetime | None = None
        self.asked: tuple[datetime, ...] = ()
        self.left: dict[str, tuple[Decimal, Decimal]] = {}

    @classmethod
    def offer(
        cls,
        pledge_id: UUID,
        by: Act,
        *,
        role: str,
        need_id: UUID,
        quantity: Quantity,
        offer_id: UUID | None = None,
        circle: str | None = None,
        peer: str | None = None,
        how: str = "deliver",
        window: Window = ANY_TIME,
    ) -> Self:
        """A new pledge, offered. Across groups `circle` (hex) and `peer` (gid of the other side) are given.

        The caller has checked that need and unit fit (`Need.check_pledge`) and books the offer.
        """
        _check_role(by, role, circle, peer)
        return cls._begin(
            cls.Offered,
            pledge_id,
            by,
            side=role,
            circle=circle,
            peer=peer,
            need_id=need_id,
            offer_id=offer_id,
            quantity=quantity.amount,
            unit=quantity.unit,
            how=word_of(by, "way of handing over", how, HOWS, "deliver"),
            window_start=window.start,
            window_end=window.end,
        )

    # The giver's statements.

    def revise(self, by: Act, quantity: Decimal, revision: int | None = None, window: Window = ANY_TIME) -> None:
        """Change the quantity offered, and the time if a `window` is given, before acceptance. A heard revision has
        its number, and says the time by itself."""
        self._check_speaker(by, GIVER)
        amount, timed = self._amount(by, quantity), window not in (ANY_TIME, self.window)
        number = _stated(revision) if by.heard else pledge_rules.may_revise(self.state, amount, timed)
        if self.state.giver.revise(number, amount) is not self.state.giver:
            self._record(self.Revised, by, revision=number, quantity=amount)
        if timed:
            self.propose_time(by, GIVER, window)

    def commit(self, by: Act, quantity: Decimal | None = None, acceptance: int | None = None) -> None:
        """Make the live acceptance firm, wholly unless `quantity` says less. A heard one has both values."""
        self._check_speaker(by, GIVER)
        amount = None if quantity is None else self._amount(by, quantity)
        if by.heard:
            answered, firm = _stated(acceptance), _stated(amount)
        else:
            answered, firm = pledge_rules.may_commit(self.state, acceptance, amount)
        if self.state.giver.commit(answered, firm) is self.state.giver:
            return
        if by.heard:
            pledge_rules.heard_commit(self.state, answered, firm)
        self._record(self.Committed, by, acceptance=answered, quantity=firm)

    def withdraw(self, by: Act, reason: str = "none") -> None:
        """Take back whatever has not been handed over. Needs no reason."""
        self._check_speaker(by, GIVER)
        word = word_of(by, "reason to withdraw", reason, WITHDRAW_REASONS, "none")
        if not by.heard:
            pledge_rules.may_withdraw(self.state)
        if self.state.giver.withdraw() is not self.state.giver:
            self._record(self.Withdrawn, by, reason=word)

    def hand_over(self, by: Act, quantity: Decimal, outcome: str = "handed", number: int | None = None) -> None:
        """Declare what was handed over: a physical fact that counts even if a release crossed it."""
        self._check_speaker(by, GIVER)
        amount = self._amount(by, quantity)
        word = word_of(by, "outcome", outcome, OUTCOMES, "handed")
        attempt = _stated(number) if by.heard else pledge_rules.may_hand_over(self.state)
        if self.state.giver.hand_over(attempt, amount) is not self.state.giver:
            self._record(self.HandedOver, by, number=attempt, quantity=amount, outcome=word)

    def fail_hand_over(self, by: Act, reason: str, number: int | None = None) -> None:
        """Record an attempt that did not work out. Changes no quantity and blames nobody."""
        self._check_speaker(by, GIVER)
        word = word_of(by, "reason", reason, FAILURES, "other")
        attempt = _stated(number) if by.heard else pledge_rules.may_hand_over(self.state)
        if self.state.giver.fail_hand_over(attempt) is not self.state.giver:
            self._record(self.HandOverFailed, by, number=attempt, reason=word)

    # The home's statements.

    def counter(self, by: Act, quantity: Decimal, revision: int | None = None, window: Window = ANY_TIME) -> None:
        """Propose another quantity, another time, or both; the giver answers with a revision, or not."""
        self._check_speaker(by, HOME)
        amount, timed = self._amount(by, quantity), window not in (ANY_TIME, self.window)
        answered = _stated(revision) if by.heard else pledge_rules.may_counter(self.state, revision, amount, timed)
        self._answer(by, self.state.home.counter(answered, amount), answered, None, self.Countered, quantity=amount)
        if timed:
            self.propose_time(by, HOME, window)

    def decline(self, by: Act, reason: str = "other", revision: int | None = None) -> None:
        """Say no, before acceptance."""
        self._check_speaker(by, HOME)
        word = word_of(by, "reason to decline", reason, DECLINE_REASONS, "other")
        answered = _stated(revision) if by.heard else pledge_rules.may_decline(self.state, revision)
        self._answer(by, self.state.home.decline(answered), answered, None, self.Declined, reason=word)

    def accept(
        self,
        by: Act,
        quantity: Decimal | None = None,
        revision: int | None = None,
        acceptance: int | None = None,
    ) -> None:
        """Accept the live revision, wholly unless `quantity` says less. A heard one has all three values.

        Inside one group accepting makes the pledge firm at once: two events, one transaction.
        """
        self._check_speaker(by, HOME)
        amount = None if quantity is None else self._amount(by, quantity)
        if by.heard:
            number, answered, accepted = _stated(acceptance), _stated(revision), _stated(amount)
        else:
            number, answered, accepted = pledge_rules.may_accept(self.state, revision, amount)
        after = self.state.home.accept(number, answered, accepted)
        self._answer(by, after, answered, accepted, self.Accepted, acceptance=number, quantity=accepted)
        if self.role == LOCAL:
            self.commit(by)

    def release(self, by: Act, reason: str = "other", acceptance: int | None = None) -> None:
        """Give an acceptance back: what has not been received is no longer expected."""
        self._check_speaker(by, HOME)
        word = word_of(by, "reason to release", reason, RELEASE_REASONS, "other")
        number = _stated(acceptance) if by.heard else pledge_rules.may_release(self.state, acceptance)
        if self.state.home.release(number) is not self.state.home:
            self._record(self.Released, by, acceptance=number, reason=word)

    def receive(self, by: Act, quantity: Decimal, condition: str = "good", number: int | None = None) -> None:
        """Confirm what arrived, zero if nothing did: a physical fact that always counts, even without or against a
        hand-over. It replaces whatever was presumed."""
        self._check_speaker(by, HOME)
        amount = self._amount(by, quantity, zero=True)
        word = word_of(by, "condition", condition, CONDITIONS, "other")
        receipt = _stated(number) if by.heard else pledge_rules.may_receive(self.state)
        if self.state.home.receive(receipt, amount) is not self.state.home:
            self._record(self.Received, by, number=receipt, quantity=amount, condition=word)

    def ask_receipt(self, by: Act, how: str = "other") -> None:
        """Record that somebody of ours asked whether it arrived, and got no answer yet."""
        self._check_speaker(by, HOME)
        arrival_rules.may_ask(self.state, self.asked, by.at)
        self._record(self.ReceiptAsked, by, how=one_of("way of asking", how, arrival_rules.ASKED_BY))

    def presume_receipt(
        self, by: Act, quantity: Decimal | None = None, corrections: int = 0, number: int | None = None
    ) -> None:
        """Presume that what is still expected and was handed over has arrived. A heard one has all values."""
        self._check_speaker(by, HOME)
        if by.heard:
            presumption, amount, known = _stated(number), self._amount(by, _stated(quantity)), corrections
        else:
            presumption, amount, known = arrival_rules.may_presume(self.state, self.handed_at, self.asked, by.at)
        if self.state.home.presume(presumption, amount, known) is self.state.home:
            return
        if by.heard:
            arrival_rules.heard_presume(self.state, amount, known)
        self._record(self.ReceiptPresumed, by, number=presumption, quantity=amount, corrections=known)

    def miss_hand_over(self, by: Act, reason: str, number: int | None = None) -> None:
        """The home says that a hand-over did not come about. Changes no quantity and blames nobody."""
        self._check_speaker(by, HOME)
        word = word_of(by, "reason", reason, FAILURES, "other")
        if not by.heard:
            pledge_rules.may_hand_over(self.state)
        missed = _stated(number) if by.heard else self.missed + 1
        if missed <= self.missed:
            return
        if missed != self.missed + 1 or not self.state.giver.commitment:
            raise illegal(f"They missed hand-over {missed} of a pledge after hand-over {self.missed}, or before any.")
        self._record(self.HandOverMissed, by, number=missed, reason=word)

    # What either side may say: `side` is whose word it is.

    def propose_time(self, by: Act, side: str, window: Window, revision: int | None = None) -> None:
        """When the hand-over could be: with the giver's revision, or with the home's counter-proposal."""
        self._check_speaker(by, side)
        about = _stated(revision) if by.heard else self.state.giver.revision
        if about > self.state.giver.revision:
            raise illegal(f"They named a time for revision {about} of a pledge, which was never made.")
        if about == self.state.giver.revision and window != (self.window if side == GIVER else self.proposed):
            self._record(
                self.TimeProposed, by, side=side, revision=about, window_start=window.start, window_end=window.end
            )

    def correct(self, by: Act, side: str, quantity: Decimal, number: int | None = None) -> None:
        """Set right what `side` has declared handed over or confirmed as received: so much, all in all."""
        self._check_speaker(by, side)
        amount, state = self._amount(by, quantity, zero=True), self.state
        if side == GIVER:
            which = _stated(number) if by.heard else arrival_rules.may_correct_hand_over(state, amount)
            if state.giver.correct_hand_over(which, amount) is not state.giver:
                self._record(self.HandOverCorrected, by, number=which, quantity=amount)
        else:
            which = _stated(number) if by.heard else arrival_rules.may_correct_receipt(state, amount)
            if state.home.correct_receipt(which, amount) is not state.home:
                self._record(self.ReceiptCorrected, by, number=which, quantity=amount)

    def leave_discrepancy(self, by: Act, side: str, figures: tuple[Decimal, Decimal] | None = None) -> None:
        """Leave it at what was handed over and what was received, though they differ; heard: these `figures`."""
        self._check_speaker(by, side)
        handed, received = _stated(figures) if by.heard else arrival_rules.may_leave(self.state)
        if self.left.get(side) != (handed, received):
            self._record(self.DiscrepancyLeft, by, side=side, handed=handed, received=received)

    def _answer(
        self,
        by: Act,
        after: HomeSide,
        revision: int,
        accepted: Decimal | None,
        event_class: type[pledge_events.Event],
        **fields: object,
    ) -> None:
        if after is self.state.home:
            return
        if by.heard:
            pledge_rules.heard_answer(self.state, revision, accepted)
        self._record(event_class, by, revision=revision, **fields)

    def giver_said(self, after: GiverSide, reason: str | None = None) -> None:
        self.state = replace(self.state, giver=after)
        self.reason = reason or self.reason

    def home_said(self, after: HomeSide, reason: str | None = None) -> None:
        self.state = replace(self.state, home=after)
        self.reason = reason or self.reason

    def time_proposed(self, side: str, window: Window) -> None:
        if side == GIVER:
            self.window = window
        else:
            self.proposed = window

    def handed_over(self, outcome: str, at: datetime) -> None:
        self.outcome, self.handed_at = outcome, at
        self.failure, self.asked = None, ()

    def not_handed_over(self, reason: str) -> None:
        self.failure = reason
        self.failures += 1

    def _amount(self, by: Act, quantity: Decimal, *, zero: bool = False) -> Decimal:
        try:
            return check_amount(quantity, self.unit, zero=zero)
        except Refused as refused:
            raise (illegal(refused.detail) if by.heard else refused) from None

    def _check_speaker(self, by: Act, side: str) -> None:
        if by.role == RECOVERED:
            return  # our own words, which came back
        if by.heard:
            if self.role != (HOME if side == GIVER else GIVER):
                raise illegal("The other group said something about a pledge that only our group can say.")
        elif self.role not in (side, LOCAL):
            whose = "the group that gives" if side == GIVER else "the group whose need it is"
            raise Refused("not_yours", f"Only {whose} can do this.", "Ask them to do it on their node.")


def _check_role(by: Act, role: str, circle: str | None, peer: str | None) -> None:
    if role not in (GIVER, HOME, LOCAL):
        one_of("side of a pledge", role, (GIVER, HOME, LOCAL))
    across = circle is not None and peer is not None
    heard = by.heard and by.role != RECOVERED
    if heard != (role == HOME) or across != (role != LOCAL):
        raise ValueError(f"a {role} pledge with circle={circle!r}, peer={peer!r}, heard={by.heard}")


def _stated(value: _T | None) -> _T:
    """A value that every heard statement of this kind has; its absence is our bug, not the peer's."""
    if value is None:
        raise ValueError("a heard statement lacks one of its values")
    return value
