"""Whatever one home and two givers do, in any order of arrival, nobody promises more than there is."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import ZERO
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import by, kilos
from tests.domain.groups import Group, Said, offering, tell_each_other_everything, wanting

DAY = 24 * 60
KILOS = st.decimals(min_value="0.001", max_value=1000, places=3)


class Promises(RuleBasedStateMachine):
    """Alice's group needs rice and has some itself; Bob's and Carol's groups have some."""

    pledges = Bundle("pledges")

    @initialize(wanted=KILOS, own=KILOS, bobs=KILOS, carols=KILOS)
    def begin(self, wanted: Decimal, own: Decimal, bobs: Decimal, carols: Decimal) -> None:
        self.alice = wanting("alice", kilos(str(wanted)))
        self.alice.own_offer = offering("alice", kilos(str(own))).offer
        self.givers = [self.alice, offering("bob", kilos(str(bobs))), offering("carol", kilos(str(carols)))]
        self.surplus: dict[UUID, Decimal] = {}
        self.heard: dict[UUID, list[tuple[Group, Group, Said]]] = {}
        self.giver_of: dict[UUID, Group] = {}

    @rule(target=pledges, giver=st.integers(0, 2), quantity=KILOS)
    def promise(self, giver: int, quantity: Decimal) -> object:
        left = self.givers[giver].offer.available
        assert left is not None
        if quantity > left:
            with pytest.raises(Refused, match="left"):
                self.givers[giver].promise(self.alice, kilos(str(quantity)))
            return multiple()
        pledge = self.givers[giver].promise(self.alice, kilos(str(quantity)))
        self.giver_of[pledge] = self.givers[giver]
        return pledge

    @rule(pledge=pledges, count=st.integers(1, 4))
    def alice_hears(self, pledge: UUID, count: int) -> None:
        self._deliver(self.giver_of[pledge], self.alice, pledge, count)

    @rule(pledge=pledges, count=st.integers(1, 4))
    def the_giver_hears(self, pledge: UUID, count: int) -> None:
        self._deliver(self.alice, self.giver_of[pledge], pledge, count)

    @rule(pledge=pledges, which=st.integers(0, 9))
    def something_arrives_again(self, pledge: UUID, which: int) -> None:
        if self.heard.get(pledge):
            speaker, listener, event = self.heard[pledge][which % len(self.heard[pledge])]
            version = listener.pledges[pledge].version
            listener.hear_again(speaker, pledge, event)
            assert listener.pledges[pledge].version == version

    @rule(pledge=pledges, quantity=KILOS)
    def revise(self, pledge: UUID, quantity: Decimal) -> None:
        self._giver_does(pledge, lambda it: it.revise(by(), quantity))

    @rule(pledge=pledges)
    def commit(self, pledge: UUID) -> None:
        self._giver_does(pledge, lambda it: it.commit(by()))

    @rule(pledge=pledges)
    def withdraw(self, pledge: UUID) -> None:
        self._giver_does(pledge, lambda it: it.withdraw(by()))

    @rule(pledge=pledges, quantity=KILOS, all_of_it=st.booleans())
    def hand_over(self, pledge: UUID, quantity: Decimal, all_of_it: bool) -> None:
        state = self._state(self.giver_of[pledge], pledge)
        rest = state.committed - state.handed
        self._giver_does(pledge, lambda it: it.hand_over(by(), rest if all_of_it and rest > 0 else quantity))

    @rule(pledge=pledges, quantity=KILOS)
    def counter(self, pledge: UUID, quantity: Decimal) -> None:
        self._alice_does(pledge, lambda it: it.counter(by(), quantity))

    @rule(pledge=pledges)
    def decline(self, pledge: UUID) -> None:
        self._alice_does(pledge, lambda it: it.decline(by(), "timing"))

    @rule(pledge=pledges, quantity=KILOS, all_of_it=st.booleans())
    def accept(self, pledge: UUID, quantity: Decimal, all_of_it: bool) -> None:
        self._alice_does(pledge, lambda it: it.accept(by(), None if all_of_it else quantity))

    @rule(pledge=pledges)
    def release(self, pledge: UUID) -> None:
        self._alice_does(pledge, lambda it: it.release(by(), "changed_plan"))

    @rule(pledge=pledges, quantity=KILOS, all_of_it=st.booleans())
    def receive(self, pledge: UUID, quantity: Decimal, all_of_it: bool) -> None:
        before = self._state(self.alice, pledge)
        rest = before.live_remainder + before.presumed
        arrived = rest if all_of_it and rest > 0 else quantity
        if self._alice_does(pledge, lambda it: it.receive(by(), arrived)):
            self.surplus[pledge] = self.surplus.get(pledge, ZERO) + max(ZERO, arrived - rest)

    @rule(pledge=pledges)
    def presume(self, pledge: UUID) -> None:
        self._alice_does(pledge, ask_twice_and_presume)

    @rule(pledge=pledges, quantity=KILOS, nothing=st.booleans())
    def correct_the_hand_over(self, pledge: UUID, quantity: Decimal, nothing: bool) -> None:
        self._giver_does(pledge, lambda it: it.correct(by(), "giver", ZERO if nothing else quantity))

    @rule(pledge=pledges, quantity=KILOS, nothing=st.booleans())
    def correct_the_receipt(self, pledge: UUID, quantity: Decimal, nothing: bool) -> None:
        before, total = self._state(self.alice, pledge), ZERO if nothing else quantity
        if self._alice_does(pledge, lambda it: it.correct(by(), "home", total)):
            surplus = self.surplus.get(pledge, ZERO)
            more = total - before.received
            unexpected = max(ZERO, more - before.presumed - before.live_remainder)
            self.surplus[pledge] = surplus + unexpected if more > 0 else max(ZERO, surplus + more)

    @rule(pledge=pledges)
    def leave_it_at_that(self, pledge: UUID) -> None:
        self._giver_does(pledge, lambda it: it.leave_discrepancy(by(), "giver"))
        self._alice_does(pledge, lambda it: it.leave_discrepancy(by(), "home"))

    @rule(pledge=pledges)
    def miss(self, pledge: UUID) -> None:
        self._alice_does(pledge, lambda it: it.miss_hand_over(by(), "carrier_did_not_come"))

    @rule(pledge=pledges)
    def everything_arrives(self, pledge: UUID) -> None:
        giver = self.giver_of[pledge]
        if giver is not self.alice:
            tell_each_other_everything(self.alice, giver, pledge)
            assert self._state(self.alice, pledge) == self._state(giver, pledge)

    @invariant()
    def no_need_is_over_promised(self) -> None:
        need = self.alice.need
        states = [pledge.state for pledge in self.alice.pledges.values()]
        assert need.reserved == sum((state.live_remainder for state in states), ZERO)
        assert need.received == sum((state.received for state in states), ZERO)
        assert need.presumed == sum((state.presumed for state in states), ZERO)
        assert need.arrived + need.reserved <= need.quantity + sum(self.surplus.values(), ZERO)
        assert need.open_pledges == {it.id for it in self.alice.pledges.values() if it.state.coverage.open}

    @invariant()
    def no_offer_is_over_promised(self) -> None:
        for giver in self.givers:
            offer = giver.offer
            books = [it.state.booking for it in giver.pledges.values() if it.role != "home"]
            assert offer.held == sum((book.held for book in books), ZERO)
            assert offer.committed == sum((book.committed for book in books), ZERO)
            assert offer.drawn == sum((book.drawn for book in books), ZERO)
            assert offer.quantity is not None
            assert offer.held + offer.committed + offer.drawn <= offer.quantity

    @invariant()
    def offered_covers_accepted_covers_committed(self) -> None:
        for group in self.givers:
            for pledge in group.pledges.values():
                state = pledge.state
                assert state.committed <= state.home.accepted
                assert state.accepted <= state.offered

    def _deliver(self, speaker: Group, listener: Group, pledge: UUID, count: int) -> None:
        for _ in range(count):
            if speaker is not listener and speaker.said.get(pledge):
                self.heard.setdefault(pledge, []).append((speaker, listener, speaker.said[pledge][0]))
                listener.hear(speaker, pledge)

    def _giver_does(self, pledge: UUID, do: object) -> bool:
        return self._does(self.giver_of[pledge], pledge, do)

    def _alice_does(self, pledge: UUID, do: object) -> bool:
        return pledge in self.alice.pledges and self._does(self.alice, pledge, do)

    def _does(self, group: Group, pledge: UUID, do: object) -> bool:
        assert callable(do)
        with suppress(Refused):
            group.act(group.pledges[pledge], do)
            return True
        return False

    def _state(self, group: Group, pledge: UUID) -> PledgeState:
        return group.pledges[pledge].state if pledge in group.pledges else PledgeState()


def ask_twice_and_presume(pledge: Pledge) -> None:
    """A week in which nobody answered."""
    if not pledge.asked:
        for days in (1, 2):
            pledge.ask_receipt(by(minutes=days * DAY))
    pledge.presume_receipt(by(minutes=8 * DAY))


TestPromises = Promises.TestCase
TestPromises.settings = settings(max_examples=100, stateful_step_count=40)


def test_the_machine_reaches_the_end_of_a_promise() -> None:
    """One walk by hand through the machine's own rules: it can get as far as a receipt."""
    walk = Promises()
    walk.begin(Decimal(10), Decimal(1), Decimal(20), Decimal(3))
    pledge = walk.promise(1, Decimal("7.5"))
    assert isinstance(pledge, UUID)
    walk.alice_hears(pledge, 1)
    walk.accept(pledge, Decimal(1), True)
    walk.everything_arrives(pledge)
    walk.hand_over(pledge, Decimal(1), True)
    walk.receive(pledge, Decimal(1), True)
    walk.everything_arrives(pledge)
    received: Pledge = walk.alice.pledges[pledge]
    assert received.state.phase == "received"
    assert walk.alice.need.received == Decimal("7.5")
