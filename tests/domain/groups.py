"""Groups that help each other, without a network: each has needs and offers, and hears the others one by one.

Settles needs and offers as the application does. What a group says waits in order until it is delivered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from eventsourcing.domain import CanMutateAggregate

from aidmesh_node.domain import pledge_events
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from tests.domain.acts import CIRCLE, by, heard, new_id

Said = CanMutateAggregate[UUID]


@dataclass
class Group:
    """One group: its own need and offer where it has them, its pledges, and what it has said but nobody
    heard.
    """

    name: str
    own_need: Need | None = None
    own_offer: Offer | None = None
    pledges: dict[UUID, Pledge] = field(default_factory=dict)
    said: dict[UUID, deque[Said]] = field(default_factory=dict)
    _histories: dict[UUID, list[Said]] = field(default_factory=dict)

    @property
    def need(self) -> Need:
        assert self.own_need is not None
        return self.own_need

    @property
    def offer(self) -> Offer:
        assert self.own_offer is not None
        return self.own_offer

    def act(self, pledge: Pledge, do: Callable[[Pledge], None], *, told: bool = False) -> None:
        """Do something with a pledge and settle need and offer in the same step; all of it or nothing.

        A refusal leaves the pledge as it was: the stored events are read again, as the writer would.
        """
        events = list(self._history(pledge))
        before = pledge.state
        act = heard() if told else by()
        try:
            do(pledge)
            if self.own_need is not None and pledge.role != GIVER:
                self.need.cover(act, pledge.id, before.coverage, pledge.state.coverage)
            if self.own_offer is not None and pledge.role != HOME:
                self.offer.book(act, pledge.id, before.booking, pledge.state.booking)
        except Refused:
            self.pledges[pledge.id] = replayed(events)
            raise
        new = pledge.collect_events()
        self._histories[pledge.id] = [*events, *new]
        if not told and pledge.role != LOCAL:
            told_of = [event for event in new if not isinstance(event, Pledge.ReceiptAsked)]
            self.said.setdefault(pledge.id, deque()).extend(told_of)

    def _history(self, pledge: Pledge) -> list[Said]:
        return self._histories.get(pledge.id, [])

    def promise(self, home: Group, quantity: Quantity) -> UUID:
        """Offer from our stock towards the home's need. The home has not heard of it yet."""
        role = LOCAL if home is self else GIVER
        pledge = Pledge.offer(
            new_id(),
            by(),
            role=role,
            need_id=home.need.id,
            offer_id=None if self.own_offer is None else self.own_offer.id,
            quantity=quantity,
            circle=None if home is self else CIRCLE,
            peer=None if home is self else home.name,
        )
        self._begin(pledge, told=False)
        return pledge.id

    def _begin(self, pledge: Pledge, *, told: bool) -> None:
        act = heard() if told else by()
        nothing = PledgeState()
        if self.own_offer is not None and pledge.role != HOME:
            self.offer.book(act, pledge.id, nothing.booking, pledge.state.booking)
        if self.own_need is not None and pledge.role != GIVER:
            self.need.cover(act, pledge.id, nothing.coverage, pledge.state.coverage)
        self.pledges[pledge.id] = pledge
        self._histories[pledge.id] = list(pledge.collect_events())
        if not told and pledge.role != LOCAL:
            self.said[pledge.id] = deque(self._histories[pledge.id])

    def hear(self, speaker: Group, pledge_id: UUID) -> None:
        """The next thing `speaker` has said about this pledge arrives."""
        self.hear_again(speaker, pledge_id, self.next_from(speaker, pledge_id))
        speaker.said[pledge_id].popleft()

    def hear_all(self, speaker: Group, pledge_id: UUID) -> None:
        while speaker.said.get(pledge_id):
            self.hear(speaker, pledge_id)

    def next_from(self, speaker: Group, pledge_id: UUID) -> Said:
        return speaker.said[pledge_id][0]

    def hear_again(self, speaker: Group, pledge_id: UUID, event: Said) -> None:
        """One statement, whether or not it was heard before."""
        if isinstance(event, Pledge.Offered):
            if pledge_id not in self.pledges:
                self._begin(taken_up(pledge_id, speaker, event), told=True)
            return
        self.act(self.pledges[pledge_id], lambda pledge: repeat(pledge, event), told=True)


def taken_up(pledge_id: UUID, speaker: Group, event: pledge_events.Offered) -> Pledge:
    return Pledge.offer(
        pledge_id,
        heard(),
        role=HOME,
        need_id=event.need_id,
        quantity=Quantity(event.quantity, event.unit),
        circle=event.circle,
        peer=speaker.name,
        how=event.how,
    )


def repeat(pledge: Pledge, event: Said) -> None:
    """Record what the other side said, from its own event."""
    match event:
        case Pledge.Revised():
            pledge.revise(heard(), event.quantity, event.revision)
        case Pledge.Committed():
            pledge.commit(heard(), event.quantity, event.acceptance)
        case Pledge.Withdrawn():
            pledge.withdraw(heard(), event.reason)
        case Pledge.HandedOver():
            pledge.hand_over(heard(), event.quantity, event.outcome, event.number)
        case Pledge.HandOverFailed():
            pledge.fail_hand_over(heard(), event.reason, event.number)
        case Pledge.Countered():
            pledge.counter(heard(), event.quantity, event.revision)
        case Pledge.Declined():
            pledge.decline(heard(), event.reason, event.revision)
        case Pledge.Accepted():
            pledge.accept(heard(), event.quantity, event.revision, event.acceptance)
        case Pledge.Released():
            pledge.release(heard(), event.reason, event.acceptance)
        case Pledge.Received():
            pledge.receive(heard(), event.quantity, event.condition, event.number)
        case Pledge.TimeProposed():
            window = Window(event.window_start, event.window_end)
            pledge.propose_time(heard(), event.side, window, event.revision)
        case Pledge.HandOverMissed():
            pledge.miss_hand_over(heard(), event.reason, event.number)
        case Pledge.HandOverCorrected():
            pledge.correct(heard(), GIVER, event.quantity, event.number)
        case Pledge.ReceiptCorrected():
            pledge.correct(heard(), HOME, event.quantity, event.number)
        case Pledge.ReceiptPresumed():
            pledge.presume_receipt(heard(), event.quantity, event.corrections, event.number)
        case Pledge.DiscrepancyLeft():
            pledge.leave_discrepancy(heard(), event.side, (event.handed, event.received))
        case Pledge.ReceiptAsked():
            raise TypeError("whom a group asked it does not tell")
        case _:
            raise TypeError(f"{type(event).__qualname__} is not said across groups")


def replayed(events: list[Said]) -> Pledge:
    """The pledge as its stored events make it."""
    pledge: Pledge | None = None
    for event in events:
        pledge = event.mutate(pledge)
    assert isinstance(pledge, Pledge)
    return pledge


def wanting(name: str, quantity: Quantity) -> Group:
    """A group with a need."""
    need = Need.post(new_id(), by(), person=None, category="bedding", item="Blanket", quantity=quantity)
    return Group(name, own_need=need)


def offering(name: str, quantity: Quantity) -> Group:
    """A group with stock."""
    offer = Offer.post(new_id(), by(), person=None, category="bedding", item="Blanket", quantity=quantity)
    return Group(name, own_offer=offer)


def accept(number: Decimal | None = None) -> Callable[[Pledge], None]:
    return lambda pledge: pledge.accept(by(), number)


def commit(pledge: Pledge) -> None:
    pledge.commit(by())


def withdraw(pledge: Pledge) -> None:
    pledge.withdraw(by())


def hand_over(number: Decimal) -> Callable[[Pledge], None]:
    return lambda pledge: pledge.hand_over(by(), number)


def receive(number: Decimal) -> Callable[[Pledge], None]:
    return lambda pledge: pledge.receive(by(), number)


def release(pledge: Pledge) -> None:
    pledge.release(by(), "changed_plan")


def decline(reason: str) -> Callable[[Pledge], None]:
    return lambda pledge: pledge.decline(by(), reason)


def tell_each_other_everything(home: Group, giver: Group, pledge_id: UUID) -> None:
    """Deliver until nothing is left; the giver's node commits by itself to a live acceptance."""
    while home.said.get(pledge_id) or giver.said.get(pledge_id):
        home.hear_all(giver, pledge_id)
        giver.hear_all(home, pledge_id)
        with suppress(Refused):
            giver.act(giver.pledges[pledge_id], commit)
