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

from aidmesh_node.domain import event, pledge_rules
from aidmesh_node.domain.act import Act
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
            aggregate._giver_said(aggregate.state.giver.revise(self.revision, self.quantity))

    class Committed(Event):
        TOPIC = "pledge:committed"
        acceptance: int
        quantity: Decimal

        def apply(self, aggregate: Pledge) -> None:
            aggregate._giver_said(aggregate.state.giver.commit(self.acceptance, self.quantity))

    class Withdrawn(Event):
        TOPIC = "pledge:withdrawn"
        reason: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._giver_said(aggregate.state.giver.withdraw(), self.reason)

    class HandedOver(Event):
        TOPIC = "pledge:handed-over"
        number: int
        quantity: Decimal
        outcome: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._giver_said(aggregate.state.giver.hand_over(self.number, self.quantity))

    class HandOverFailed(Event):
        TOPIC = "pledge:hand-over-failed"
        number: int
        reason: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._giver_said(aggregate.state.giver.fail_hand_over(self.number))

    class Countered(Event):
        TOPIC = "pledge:countered"
        revision: int
        quantity: Decimal

        def apply(self, aggregate: Pledge) -> None:
            aggregate._home_said(aggregate.state.home.counter(self.revision, self.quantity))

    class Declined(Event):
        TOPIC = "pledge:declined"
        revision: int
        reason: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._home_said(aggregate.state.home.decline(self.revision), self.reason)

    class Accepted(Event):
        TOPIC = "pledge:accepted"
        acceptance: int
        revision: int
        quantity: Decimal

        def apply(self, aggregate: Pledge) -> None:
            home = aggregate.state.home
            aggregate._home_said(home.accept(self.acceptance, self.revision, self.quantity))

    class Released(Event):
        TOPIC = "pledge:released"
        acceptance: int
        reason: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._home_said(aggregate.state.home.release(self.acceptance), self.reason)

    class Received(Event):
        TOPIC = "pledge:received"
        number: int
        quantity: Decimal
        condition: str

        def apply(self, aggregate: Pledge) -> None:
            aggregate._home_said(aggregate.state.home.receive(self.number, self.quantity))

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

    def revise(self, by: Act, quantity: Decimal, revision: int | None = None) -> None:
        """Change the quantity offered, before acceptance. A heard revision has its number."""
        self._check_speaker(by, GIVER)
        amount = self._amount(by, quantity)
        number = _stated(revision) if by.heard else pledge_rules.may_revise(self.state, amount)
        if self.state.giver.revise(number, amount) is not self.state.giver:
            self._record(self.Revised, by, revision=number, quantity=amount)

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

    def counter(self, by: Act, quantity: Decimal, revision: int | None = None) -> None:
        """Propose another quantity; the giver answers with a revision, or not."""
        self._check_speaker(by, HOME)
        amount = self._amount(by, quantity)
        answered = _stated(revision) if by.heard else pledge_rules.may_counter(self.state, revision, amount)
        self._answer(by, self.state.home.counter(answered, amount), answered, None, self.Countered, quantity=amount)

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
        """Confirm what arrived: a physical fact that always counts, even without or against a hand-over."""
        self._check_speaker(by, HOME)
        amount = self._amount(by, quantity)
        word = word_of(by, "condition", condition, CONDITIONS, "other")
        receipt = _stated(number) if by.heard else pledge_rules.may_receive(self.state)
        if self.state.home.receive(receipt, amount) is not self.state.home:
            self._record(self.Received, by, number=receipt, quantity=amount, condition=word)

    def _answer(
        self,
        by: Act,
        after: HomeSide,
        revision: int,
        accepted: Decimal | None,
        event_class: type[Event],
        **fields: object,
    ) -> None:
        if after is self.state.home:
            return
        if by.heard:
            pledge_rules.heard_answer(self.state, revision, accepted)
        self._record(event_class, by, revision=revision, **fields)

    def _giver_said(self, after: GiverSide, reason: str | None = None) -> None:
        self.state = replace(self.state, giver=after)
        self.reason = reason or self.reason

    def _home_said(self, after: HomeSide, reason: str | None = None) -> None:
        self.state = replace(self.state, home=after)
        self.reason = reason or self.reason

    def _amount(self, by: Act, quantity: Decimal) -> Decimal:
        try:
            return check_amount(quantity, self.unit)
        except Refused as refused:
            raise (illegal(refused.detail) if by.heard else refused) from None

    def _check_speaker(self, by: Act, side: str) -> None:
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
    if by.heard != (role == HOME) or across != (role != LOCAL):
        raise ValueError(f"a {role} pledge with circle={circle!r}, peer={peer!r}, heard={by.heard}")


def _stated(value: _T | None) -> _T:
    """A value that every heard statement of this kind has; its absence is our bug, not the peer's."""
    if value is None:
        raise ValueError("a heard statement lacks one of its values")
    return value
