"""Alice's group needs blankets, Bob's and Carol's have some; what they say crosses on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.pledge_fold import Booking
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import amount, amounts, by, heard, items
from tests.domain.groups import (
    Group,
    Said,
    accept,
    commit,
    decline,
    hand_over,
    offering,
    receive,
    release,
    tell_each_other_everything,
    wanting,
    withdraw,
)

Step = Callable[[Pledge], None]


@pytest.fixture
def alice() -> Group:
    return wanting("alice", items(10))


@pytest.fixture
def bob() -> Group:
    return offering("bob", items(20))


def test_five_actions_from_promise_to_receipt(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept(amount(5)))
    tell_each_other_everything(alice, bob, pledge)
    assert alice.need.acceptable == 5
    assert (bob.offer.held, bob.offer.committed, bob.offer.available) == amounts(0, 5, 15)
    bob.act(bob.pledges[pledge], hand_over(amount(5)))
    assert (bob.offer.committed, bob.offer.drawn) == amounts(0, 5)
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state.in_transit == 5
    alice.act(alice.pledges[pledge], receive(amount(5)))
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state == bob.pledges[pledge].state
    assert alice.pledges[pledge].state.phase == "received"
    assert (alice.need.received, alice.need.reserved) == amounts(5, 0)
    assert alice.need.fulfilment == "partial"
    assert alice.need.open_pledges == bob.offer.open_pledges == set()


def test_a_counter_proposal_is_answered_with_a_revision(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(15))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], lambda it: it.counter(by(), amount(8)))
    bob.hear_all(alice, pledge)
    assert bob.pledges[pledge].state.phase == "countered"
    bob.act(bob.pledges[pledge], lambda it: it.revise(by(), amount(8)))
    assert bob.offer.held == 8
    alice.hear_all(bob, pledge)
    assert alice.pledges[pledge].state.phase == "offered"
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state.phase == bob.pledges[pledge].state.phase == "committed"


def test_an_acceptance_of_an_older_revision_counts_for_nothing(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    bob.act(bob.pledges[pledge], lambda it: it.revise(by(), amount(3)))
    alice.act(alice.pledges[pledge], accept())
    assert alice.need.reserved == 6
    bob.hear_all(alice, pledge)
    with pytest.raises(Refused) as refused:
        bob.act(bob.pledges[pledge], commit)
    assert refused.value.reason == "not_accepted"
    alice.hear_all(bob, pledge)
    assert alice.need.reserved == 0
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state.committed == alice.need.reserved == 3


def test_case_1_home_accepts_while_giver_withdraws(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    bob.act(bob.pledges[pledge], withdraw)
    assert alice.need.reserved == 6
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state == bob.pledges[pledge].state
    assert alice.pledges[pledge].state.phase == "withdrawn"
    assert alice.need.reserved == 0
    assert alice.need.acceptable == 10
    assert bob.offer.available == 20


def test_case_2_need_withdrawn_while_giver_offers(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.need.withdraw(by())
    alice.hear_all(bob, pledge)
    with pytest.raises(Refused) as refused:
        alice.act(alice.pledges[pledge], accept())
    assert refused.value.reason == "need_closed"
    assert pledge in alice.need.open_pledges
    alice.act(alice.pledges[pledge], decline("need_closed"))
    assert alice.need.open_pledges == set()
    tell_each_other_everything(alice, bob, pledge)
    assert bob.pledges[pledge].state.phase == "declined"
    assert bob.pledges[pledge].reason == "need_closed"
    assert bob.offer.available == 20


def test_case_3_two_groups_fill_the_last_units(alice: Group, bob: Group) -> None:
    carol = offering("carol", items(20))
    from_bob, from_carol = bob.promise(alice, items(7)), carol.promise(alice, items(7))
    alice.hear_all(bob, from_bob)
    alice.hear_all(carol, from_carol)
    alice.act(alice.pledges[from_bob], accept())
    with pytest.raises(Refused) as refused:
        alice.act(alice.pledges[from_carol], accept())
    assert refused.value.reason == "already_covered"
    assert "3 item" in refused.value.hint
    alice.act(alice.pledges[from_carol], accept(amount(3)))
    tell_each_other_everything(alice, bob, from_bob)
    tell_each_other_everything(alice, carol, from_carol)
    assert (alice.need.reserved, alice.need.acceptable) == amounts(10, 0)
    assert (bob.offer.committed, carol.offer.committed, carol.offer.held) == amounts(7, 3, 0)
    late = bob.promise(alice, items(1))
    alice.hear_all(bob, late)
    alice.act(alice.pledges[late], decline("already_covered"))
    bob.hear_all(alice, late)
    assert bob.offer.available == 13


def test_case_4_hand_over_crosses_release(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    alice.act(alice.pledges[pledge], release)
    bob.act(bob.pledges[pledge], hand_over(amount(6)))
    assert alice.need.acceptable == 10
    tell_each_other_everything(alice, bob, pledge)
    assert alice.pledges[pledge].state == bob.pledges[pledge].state
    assert alice.pledges[pledge].state.phase == "handed_over"
    assert alice.pledges[pledge].state.in_transit == 6
    assert alice.need.reserved == 0
    alice.act(alice.pledges[pledge], receive(amount(6)))
    tell_each_other_everything(alice, bob, pledge)
    assert alice.need.received == 6
    assert bob.pledges[pledge].state.phase == "received"
    assert bob.pledges[pledge].state.ended
    assert (bob.offer.drawn, bob.offer.committed) == amounts(6, 0)


def test_case_4_what_arrives_beyond_the_need_is_surplus(alice: Group, bob: Group) -> None:
    carol = offering("carol", items(10))
    from_bob, from_carol = bob.promise(alice, items(10)), carol.promise(alice, items(10))
    alice.hear_all(bob, from_bob)
    alice.hear_all(carol, from_carol)
    alice.act(alice.pledges[from_bob], accept())
    tell_each_other_everything(alice, bob, from_bob)
    alice.act(alice.pledges[from_bob], release)
    alice.act(alice.pledges[from_carol], accept())
    bob.act(bob.pledges[from_bob], hand_over(amount(10)))
    tell_each_other_everything(alice, bob, from_bob)
    alice.act(alice.pledges[from_bob], receive(amount(10)))
    assert (alice.need.received, alice.need.reserved, alice.need.acceptable) == amounts(10, 10, 0)
    assert alice.need.coverage == "over"


def test_case_5_receipt_and_hand_over_differ(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    bob.act(bob.pledges[pledge], hand_over(amount(6)))
    alice.act(alice.pledges[pledge], receive(amount(4)))
    tell_each_other_everything(alice, bob, pledge)
    for group in (alice, bob):
        state = group.pledges[pledge].state
        assert (state.phase, state.discrepancy, state.in_transit) == ("partly_received", True, amount(2))
    assert (alice.need.received, alice.need.reserved) == amounts(4, 2)
    alice.act(alice.pledges[pledge], receive(amount(2)))
    tell_each_other_everything(alice, bob, pledge)
    assert not bob.pledges[pledge].state.discrepancy
    assert bob.pledges[pledge].state.phase == "received"


def test_case_5_more_arrives_than_was_declared(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    bob.act(bob.pledges[pledge], hand_over(amount(4)))
    alice.act(alice.pledges[pledge], receive(amount(5)))
    tell_each_other_everything(alice, bob, pledge)
    state = bob.pledges[pledge].state
    assert (state.phase, state.discrepancy, state.live_remainder) == ("partly_received", True, amount(1))
    assert state.booking == Booking(committed=amount(1), drawn=amount(5))


def test_case_6_home_lost_offers_lapse(alice: Group, bob: Group) -> None:
    offered, accepted = bob.promise(alice, items(6)), bob.promise(alice, items(4))
    alice.hear_all(bob, accepted)
    alice.act(alice.pledges[accepted], accept())
    for pledge in (offered, accepted):
        bob.act(bob.pledges[pledge], lambda it: it.withdraw(by("node"), "lapsed"))
    assert bob.offer.available == 20
    assert bob.offer.open_pledges == set()
    tell_each_other_everything(alice, bob, accepted)
    tell_each_other_everything(alice, bob, offered)
    assert alice.need.open_pledges == set()
    assert alice.need.acceptable == 10
    assert alice.pledges[offered].reason == "lapsed"


def test_case_8_the_same_statement_twice_records_nothing(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    said_by_bob, said_by_alice = [alice.next_from(bob, pledge)], list[Said]()
    alice.hear(bob, pledge)
    alice.act(alice.pledges[pledge], lambda it: it.counter(by(), amount(5)))
    said_by_alice.append(bob.next_from(alice, pledge))
    bob.hear(alice, pledge)
    steps: list[Step] = [lambda it: it.revise(by(), amount(5)), commit, hand_over(amount(2)), withdraw]
    for step in steps:
        if step is commit:
            alice.act(alice.pledges[pledge], accept())
            said_by_alice.append(bob.next_from(alice, pledge))
            bob.hear(alice, pledge)
        bob.act(bob.pledges[pledge], step)
        said_by_bob.append(alice.next_from(bob, pledge))
        alice.hear(bob, pledge)
    alice.act(alice.pledges[pledge], receive(amount(2)))
    said_by_alice.append(bob.next_from(alice, pledge))
    bob.hear(alice, pledge)
    versions = alice.pledges[pledge].version, bob.pledges[pledge].version, alice.need.version, bob.offer.version
    for event in [*said_by_bob, *reversed(said_by_bob)]:
        alice.hear_again(bob, pledge, event)
    for event in [*said_by_alice, *reversed(said_by_alice)]:
        bob.hear_again(alice, pledge, event)
    assert versions == (
        alice.pledges[pledge].version,
        bob.pledges[pledge].version,
        alice.need.version,
        bob.offer.version,
    )
    assert alice.pledges[pledge].state == bob.pledges[pledge].state


def test_a_withdrawal_keeps_what_is_already_on_its_way(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    tell_each_other_everything(alice, bob, pledge)
    bob.act(bob.pledges[pledge], hand_over(amount(2)))
    bob.act(bob.pledges[pledge], withdraw)
    tell_each_other_everything(alice, bob, pledge)
    assert (alice.need.reserved, alice.need.acceptable) == amounts(2, 8)
    assert (bob.offer.drawn, bob.offer.available) == amounts(2, 18)
    alice.act(alice.pledges[pledge], receive(amount(2)))
    assert alice.pledges[pledge].state.phase == "received"


def test_a_commitment_to_a_released_acceptance_is_void(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], accept())
    alice.act(alice.pledges[pledge], release)
    bob.hear(alice, pledge)
    bob.act(bob.pledges[pledge], commit)
    assert bob.offer.committed == 6
    tell_each_other_everything(alice, bob, pledge)
    assert (bob.offer.committed, bob.offer.available, alice.need.reserved) == amounts(0, 20, 0)
    assert bob.pledges[pledge].state.phase == "released"


IMPOSSIBLE_AT_HOME: dict[str, Step] = {
    "a commitment nobody accepted": lambda it: it.commit(heard(), amount(1), 1),
    "revision five after revision one": lambda it: it.revise(heard(), amount(1), 5),
    "a hand-over without a commitment": lambda it: it.hand_over(heard(), amount(1), number=1),
    "a revision of nothing": lambda it: it.revise(heard(), amount(0), 2),
    "a fraction of a blanket": lambda it: it.revise(heard(), amount("1.5"), 2),
    "an acceptance by the giver": lambda it: it.accept(heard(), amount(1), 1, 1),
    "a receipt by the giver": lambda it: it.receive(heard(), amount(1), number=1),
}


@pytest.mark.parametrize("say", IMPOSSIBLE_AT_HOME.values(), ids=IMPOSSIBLE_AT_HOME.keys())
def test_the_home_calls_impossible_statements_illegal(alice: Group, bob: Group, say: Step) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    version, state = alice.pledges[pledge].version, alice.pledges[pledge].state
    with pytest.raises(Refused) as refused:
        say(alice.pledges[pledge])
    assert refused.value.reason == "illegal"
    assert (alice.pledges[pledge].version, alice.pledges[pledge].state) == (version, state)


IMPOSSIBLE_AT_GIVER: dict[str, Step] = {
    "an acceptance of more than was offered": lambda it: it.accept(heard(), amount(7), 1, 1),
    "an acceptance of a revision we never made": lambda it: it.accept(heard(), amount(1), 2, 1),
    "a second acceptance before the first": lambda it: it.accept(heard(), amount(1), 1, 2),
    "a counter-proposal to a revision we never made": lambda it: it.counter(heard(), amount(1), 3),
    "a refusal of a revision we never made": lambda it: it.decline(heard(), "other", 2),
    "a release of what was never accepted": lambda it: it.release(heard(), "other", 1),
    "a receipt without an acceptance": lambda it: it.receive(heard(), amount(1), number=1),
    "a commitment by the home": lambda it: it.commit(heard(), amount(1), 1),
    "a withdrawal by the home": lambda it: it.withdraw(heard()),
}


@pytest.mark.parametrize("say", IMPOSSIBLE_AT_GIVER.values(), ids=IMPOSSIBLE_AT_GIVER.keys())
def test_the_giver_calls_impossible_statements_illegal(alice: Group, bob: Group, say: Step) -> None:
    pledge = bob.promise(alice, items(6))
    version, state = bob.pledges[pledge].version, bob.pledges[pledge].state
    with pytest.raises(Refused) as refused:
        say(bob.pledges[pledge])
    assert refused.value.reason == "illegal"
    assert (bob.pledges[pledge].version, bob.pledges[pledge].state) == (version, state)


def test_an_acceptance_and_a_refusal_of_one_revision_contradict(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    alice.hear_all(bob, pledge)
    alice.act(alice.pledges[pledge], decline("timing"))
    bob.hear_all(alice, pledge)
    with pytest.raises(Refused) as refused:
        bob.pledges[pledge].accept(heard(), amount(6), 1, 1)
    assert refused.value.reason == "illegal"


def test_words_of_a_newer_node_still_count(alice: Group, bob: Group) -> None:
    pledge = bob.promise(alice, items(6))
    bob.pledges[pledge].decline(heard(), "because_the_moon_is_full", 1)
    assert (bob.pledges[pledge].state.phase, bob.pledges[pledge].reason) == ("declined", "other")
