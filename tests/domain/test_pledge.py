"""A pledge inside one group, and what each side may do when: refusals in words people understand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.pledge_words import FAILURES, OUTCOMES
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from tests.domain.acts import CIRCLE, MORNING, amount, amounts, by, heard, items, kilos, new_id
from tests.domain.groups import accept, hand_over, offering, receive, release, replayed, wanting

Step = Callable[[Pledge], None]


def ours(quantity: Quantity | None = None) -> Pledge:
    return Pledge.offer(new_id(), by(), role=LOCAL, need_id=new_id(), quantity=quantity or items(6))


def as_giver() -> Pledge:
    return Pledge.offer(new_id(), by(), role=GIVER, need_id=new_id(), quantity=items(6), circle=CIRCLE, peer="alice")


def as_home() -> Pledge:
    return Pledge.offer(new_id(), heard(), role=HOME, need_id=new_id(), quantity=items(6), circle=CIRCLE, peer="bob")


def test_inside_one_group_accepting_makes_it_firm() -> None:
    group = wanting("alice", items(10))
    group.own_offer = offering("alice", items(8)).offer
    pledge = group.promise(group, items(8))
    assert (group.offer.held, group.need.reserved) == amounts(8, 0)
    group.act(group.pledges[pledge], accept(amount(5)))
    assert group.pledges[pledge].state.phase == "committed"
    assert (group.offer.held, group.offer.committed, group.need.reserved) == amounts(0, 5, 5)
    group.act(group.pledges[pledge], hand_over(amount(5)))
    group.act(group.pledges[pledge], receive(amount(5)))
    assert (group.offer.drawn, group.need.received, group.need.acceptable) == amounts(5, 5, 5)
    assert group.pledges[pledge].state.ended
    assert group.said == {}


def test_inside_one_group_too_much_is_refused_as_a_whole() -> None:
    group = wanting("alice", items(3))
    pledge = group.promise(group, items(8))
    with pytest.raises(Refused, match="still lacks 3 item"):
        group.act(group.pledges[pledge], accept())
    assert group.pledges[pledge].state.phase == "offered"
    assert (group.need.reserved, group.need.acceptable) == amounts(0, 3)


def test_a_local_pledge_can_be_declined_released_and_revised() -> None:
    declined, released, revised = ours(), ours(), ours()
    declined.decline(by(), "not_suitable")
    released.accept(by())
    released.release(by(), "found_elsewhere")
    revised.counter(by(), amount(4))
    revised.revise(by(), amount(4))
    revised.accept(by())
    assert [it.state.phase for it in (declined, released, revised)] == ["declined", "released", "committed"]
    assert (declined.reason, released.reason) == ("not_suitable", "found_elsewhere")


def test_every_word_of_a_hand_over_is_kept() -> None:
    pledge = ours(items(20))
    pledge.accept(by())
    for outcome in OUTCOMES:
        pledge.hand_over(by(), amount(1), outcome)
    for reason in FAILURES:
        pledge.fail_hand_over(by(), reason)
    assert pledge.state.handed == len(OUTCOMES)
    assert pledge.state.giver.attempts == len(OUTCOMES) + len(FAILURES)
    assert {event.outcome for event in pledge.collect_events() if isinstance(event, Pledge.HandedOver)} == set(OUTCOMES)


def accepted() -> Pledge:
    pledge = ours()
    pledge.accept(by())
    return pledge


def handed() -> Pledge:
    pledge = accepted()
    pledge.hand_over(by(), amount(6))
    return pledge


def received() -> Pledge:
    pledge = handed()
    pledge.receive(by(), amount(6))
    return pledge


def let_go() -> Pledge:
    pledge = accepted()
    release(pledge)
    return pledge


def taken_back() -> Pledge:
    pledge = ours()
    pledge.withdraw(by())
    return pledge


def refused_offer() -> Pledge:
    pledge = ours()
    pledge.decline(by(), "timing")
    return pledge


def countered() -> Pledge:
    pledge = ours()
    pledge.counter(by(), amount(2))
    return pledge


def accepted_from_afar() -> Pledge:
    pledge = as_giver()
    pledge.accept(heard(), amount(4), 1, 1)
    return pledge


def arrived_undeclared() -> Pledge:
    pledge = accepted()
    pledge.receive(by(), amount(2))
    return pledge


@pytest.mark.parametrize(
    ("begin", "step", "reason"),
    [
        (ours, lambda it: it.revise(by(), amount(6)), "nothing_changed"),
        (accepted, lambda it: it.revise(by(), amount(5)), "already_accepted"),
        (taken_back, lambda it: it.revise(by(), amount(5)), "withdrawn"),
        (accepted_from_afar, lambda it: it.revise(by(), amount(5)), "already_accepted"),
        (as_giver, lambda it: it.commit(by()), "not_accepted"),
        (accepted_from_afar, lambda it: it.commit(by(), amount(5)), "more_than_accepted"),
        (accepted_from_afar, lambda it: it.commit(by(), acceptance=2), "not_accepted"),
        (accepted, lambda it: it.commit(by()), "already_committed"),
        (taken_back, lambda it: it.withdraw(by()), "withdrawn"),
        (let_go, lambda it: it.withdraw(by()), "released"),
        (refused_offer, lambda it: it.withdraw(by()), "declined"),
        (handed, lambda it: it.withdraw(by()), "handed_over"),
        (arrived_undeclared, lambda it: it.withdraw(by()), "hand_over_first"),
        (ours, lambda it: it.withdraw(by(), "bored"), "unknown_reason_to_withdraw"),
        (ours, lambda it: it.hand_over(by(), amount(1)), "not_committed"),
        (accepted, lambda it: it.hand_over(by(), amount(0)), "bad_quantity"),
        (accepted, lambda it: it.hand_over(by(), amount("0.5")), "bad_quantity"),
        (accepted, lambda it: it.hand_over(by(), amount(1), "thrown"), "unknown_outcome"),
        (ours, lambda it: it.fail_hand_over(by(), "not_home"), "not_committed"),
        (accepted, lambda it: it.fail_hand_over(by(), "monday"), "unknown_reason"),
        (ours, lambda it: it.counter(by(), amount(6)), "nothing_changed"),
        (countered, lambda it: it.counter(by(), amount(3)), "already_countered"),
        (accepted, lambda it: it.counter(by(), amount(3)), "already_accepted"),
        (accepted, lambda it: it.decline(by(), "timing"), "already_accepted"),
        (refused_offer, lambda it: it.decline(by(), "timing"), "declined"),
        (ours, lambda it: it.decline(by(), "ugly"), "unknown_reason_to_decline"),
        (ours, lambda it: it.decline(by(), "timing", revision=2), "revised"),
        (ours, lambda it: it.accept(by(), amount(7)), "more_than_offered"),
        (ours, lambda it: it.accept(by(), revision=3), "revised"),
        (accepted, lambda it: it.accept(by()), "already_accepted"),
        (taken_back, lambda it: it.accept(by()), "withdrawn"),
        (ours, release, "not_accepted"),
        (let_go, release, "already_released"),
        (received, release, "nothing_left"),
        (accepted, lambda it: it.release(by(), "other", acceptance=9), "not_accepted"),
        (accepted, lambda it: it.release(by(), "moon"), "unknown_reason_to_release"),
        (ours, lambda it: it.receive(by(), amount(1)), "not_accepted"),
        (accepted, lambda it: it.receive(by(), amount(1), "eaten"), "unknown_condition"),
        (as_giver, lambda it: it.accept(by()), "not_yours"),
        (as_giver, lambda it: it.receive(by(), amount(1)), "not_yours"),
        (as_home, lambda it: it.withdraw(by()), "not_yours"),
        (as_home, lambda it: it.hand_over(by(), amount(1)), "not_yours"),
    ],
)
def test_what_cannot_be_done_now_is_refused_and_changes_nothing(
    begin: Callable[[], Pledge], step: Step, reason: str
) -> None:
    pledge = begin()
    version, state = pledge.version, pledge.state
    with pytest.raises(Refused) as refused:
        step(pledge)
    assert refused.value.reason == reason
    assert refused.value.detail.endswith((".", "“"))
    assert (pledge.version, pledge.state) == (version, state)


def test_a_release_does_not_hide_what_was_handed_over() -> None:
    pledge = let_go()
    pledge.hand_over(by(), amount(6))
    pledge.receive(by(), amount(6))
    assert (pledge.state.phase, pledge.state.ended) == ("received", True)


def test_goods_in_transit_can_be_given_up_by_the_home() -> None:
    pledge = handed()
    pledge.receive(by(), amount(2))
    pledge.release(by(), "unanswered")
    assert pledge.state.ended
    assert pledge.state.in_transit == 4
    assert pledge.state.discrepancy


def test_more_may_be_handed_over_than_was_promised() -> None:
    pledge = accepted()
    pledge.hand_over(by(), amount(7))
    assert pledge.state.booking.drawn == 7


def test_a_part_of_an_acceptance_may_be_made_firm() -> None:
    pledge = accepted_from_afar()
    pledge.commit(by("node"), amount(3))
    assert (pledge.state.committed, pledge.state.booking.total) == amounts(3, 3)


def test_kilos_have_parts() -> None:
    pledge = ours(kilos("7.5"))
    pledge.accept(by(), amount("2.25"))
    assert pledge.state.committed == amount("2.25")


def test_a_pledge_is_the_same_after_it_was_stored_and_read() -> None:
    for begin in (as_home, received, let_go, taken_back, refused_offer, countered, accepted_from_afar):
        pledge = begin()
        events = list(pledge.collect_events())
        assert replayed(events).state == pledge.state
        assert replayed(events) == pledge


def test_the_words_of_an_offer() -> None:
    window = Window(MORNING, None)
    pledge = Pledge.offer(new_id(), by(), role=LOCAL, need_id=new_id(), quantity=items(1), how="pick_up", window=window)
    assert (pledge.how, pledge.window, pledge.unit) == ("pick_up", window, "item")
    with pytest.raises(Refused) as refused:
        Pledge.offer(new_id(), by(), role=LOCAL, need_id=new_id(), quantity=items(1), how="catapult")
    assert refused.value.reason == "unknown_way_of_handing_over"
    with pytest.raises(Refused):
        Pledge.offer(new_id(), by(), role="middleman", need_id=new_id(), quantity=items(1))


def test_a_pledge_that_could_not_be_is_our_own_bug() -> None:
    for role, act, peer in ((HOME, by(), "bob"), (GIVER, heard(), "alice"), (GIVER, by(), None), (LOCAL, by(), "x")):
        with pytest.raises(ValueError):
            Pledge.offer(
                new_id(), act, role=role, need_id=new_id(), quantity=items(1), circle=peer and CIRCLE, peer=peer
            )
    with pytest.raises(ValueError):
        as_giver().accept(heard())
