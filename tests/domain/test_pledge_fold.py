"""The fold: any interleaving of what both sides said, with duplicates, gives one and the same state."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.domain import pledge_rules
from aidmesh_node.domain.pledge_fold import (
    PHASES,
    REVISIONS_MAX,
    Booking,
    Coverage,
    GiverSide,
    HomeSide,
    PledgeState,
)
from aidmesh_node.domain.quantity import ZERO
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import amount

Said = tuple[str, tuple[int | Decimal, ...]]
AMOUNTS = st.integers(1, 6).map(Decimal)


def say_giver(side: GiverSide, said: Said) -> GiverSide:
    step: Callable[..., GiverSide] = getattr(side, said[0])
    return step(*said[1])


def say_home(side: HomeSide, said: Said) -> HomeSide:
    step: Callable[..., HomeSide] = getattr(side, said[0])
    return step(*said[1])


def ask(guard: Callable[..., object], *args: object) -> bool:
    try:
        guard(*args)
    except Refused:
        return False
    return True


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Said], list[Said]]:
    """What a giver and a home really said, each hearing the other late: two ordered logs."""
    giver: list[Said] = [("offer", (draw(AMOUNTS),))]
    home: list[Said] = []
    heard_by_home, heard_by_giver = 1, 0
    for _ in range(draw(st.integers(0, 14))):
        heard_by_home = draw(st.integers(heard_by_home, len(giver)))
        heard_by_giver = draw(st.integers(heard_by_giver, len(home)))
        quantity = draw(AMOUNTS)
        if draw(st.booleans()):
            view = fold(giver, home[:heard_by_giver])
            choices: list[Said] = []
            if ask(pledge_rules.may_revise, view, quantity):
                choices.append(("revise", (view.giver.revision + 1, quantity)))
            if ask(pledge_rules.may_commit, view, None, quantity):
                choices.append(("commit", (view.home.acceptance, quantity)))
            if ask(pledge_rules.may_withdraw, view):
                choices.append(("withdraw", ()))
            if ask(pledge_rules.may_hand_over, view):
                choices.append(("hand_over", (view.giver.attempts + 1, quantity)))
                choices.append(("fail_hand_over", (view.giver.attempts + 1,)))
            giver += [draw(st.sampled_from(choices))] if choices else []
        else:
            view = fold(giver[:heard_by_home], home)
            live = view.giver.revision
            choices = []
            if ask(pledge_rules.may_counter, view, live, quantity):
                choices.append(("counter", (live, quantity)))
            if ask(pledge_rules.may_decline, view, live):
                choices.append(("decline", (live,)))
            if ask(pledge_rules.may_accept, view, live, quantity):
                choices += [("accept", (view.home.acceptance + 1, live, quantity))] * 2
            if ask(pledge_rules.may_release, view, None):
                choices.append(("release", (view.home.acceptance,)))
            if ask(pledge_rules.may_receive, view):
                choices.append(("receive", (view.home.receipts + 1, quantity)))
            home += [draw(st.sampled_from(choices))] if choices else []
    return giver, home


def fold(giver: list[Said], home: list[Said]) -> PledgeState:
    giver_side, home_side = GiverSide(), HomeSide()
    for said in giver:
        giver_side = say_giver(giver_side, said)
    for said in home:
        home_side = say_home(home_side, said)
    return PledgeState(giver_side, home_side)


@given(conversations(), st.randoms(use_true_random=False))
def test_any_interleaving_with_duplicates_gives_the_same_state(
    said: tuple[list[Said], list[Said]], chance: Random
) -> None:
    giver, home = said
    state, at_giver, at_home = PledgeState(), 0, 0
    while at_giver < len(giver) or at_home < len(home):
        which = chance.choice(["giver", "home", "giver again", "home again"])
        if which == "giver" and at_giver < len(giver):
            state = PledgeState(say_giver(state.giver, giver[at_giver]), state.home)
            at_giver += 1
        elif which == "home" and at_home < len(home):
            state = PledgeState(state.giver, say_home(state.home, home[at_home]))
            at_home += 1
        elif which == "giver again" and at_giver:
            assert say_giver(state.giver, chance.choice(giver[:at_giver])) == state.giver
        elif which == "home again" and at_home:
            assert say_home(state.home, chance.choice(home[:at_home])) == state.home
    assert state == fold(giver, home)


@given(conversations())
def test_what_an_honest_side_says_is_never_illegal_at_the_other(said: tuple[list[Said], list[Said]]) -> None:
    """Both sides' logs are complete here: everything that crossed has crossed in the worst way."""
    giver, home = said
    whole = fold(giver, home)
    for what, values in giver:
        if what == "commit" and whole.home.word in ("accepted", "released"):
            pledge_rules.heard_commit(whole, int(values[0]), Decimal(values[1]))
    for what, values in home:
        if what in ("counter", "decline"):
            pledge_rules.heard_answer(whole, int(values[0]))
        if what == "accept":
            pledge_rules.heard_answer(whole, int(values[1]), Decimal(values[2]))


@given(conversations())
def test_the_quantities_of_any_state_make_sense(said: tuple[list[Said], list[Said]]) -> None:
    state = fold(*said)
    assert state.phase in PHASES
    assert state.offered >= state.accepted >= ZERO
    assert state.giver.committed <= max(state.home.accepted, ZERO) or not state.giver.commitment
    booking, coverage = state.booking, state.coverage
    assert min(booking.held, booking.committed, booking.drawn, coverage.reserved, coverage.received) >= 0
    assert booking.total <= max(state.offered, state.handed)
    assert coverage.open == (state.awaiting_answer or state.live_remainder > 0)


OFFERED = GiverSide().offer(amount(5))
ACCEPTED = HomeSide().accept(1, 1, amount(4))
COMMITTED = OFFERED.commit(1, amount(3))


@pytest.mark.parametrize(
    ("giver", "home", "phase", "booking", "reserved"),
    [
        (GiverSide(), HomeSide(), "none", Booking(), 0),
        (OFFERED, HomeSide(), "offered", Booking(held=amount(5)), 0),
        (OFFERED, HomeSide().counter(1, amount(2)), "countered", Booking(held=amount(5)), 0),
        (OFFERED, HomeSide().decline(1), "declined", Booking(), 0),
        (OFFERED, ACCEPTED, "accepted", Booking(held=amount(5)), 4),
        (COMMITTED, ACCEPTED, "committed", Booking(committed=amount(3)), 3),
        (COMMITTED, ACCEPTED.release(1), "released", Booking(), 0),
        (COMMITTED.withdraw(), ACCEPTED, "withdrawn", Booking(), 0),
        (OFFERED.withdraw(), ACCEPTED, "withdrawn", Booking(), 0),
        (COMMITTED.fail_hand_over(1), ACCEPTED, "committed", Booking(committed=amount(3)), 3),
        (
            COMMITTED.hand_over(1, amount(2)),
            ACCEPTED,
            "handed_over",
            Booking(committed=amount(1), drawn=amount(2)),
            3,
        ),
        (COMMITTED.hand_over(1, amount(2)).withdraw(), ACCEPTED, "handed_over", Booking(drawn=amount(2)), 2),
        (COMMITTED.hand_over(1, amount(4)), ACCEPTED, "handed_over", Booking(drawn=amount(4)), 3),
        (
            COMMITTED,
            ACCEPTED.receive(1, amount(1)),
            "partly_received",
            Booking(committed=amount(2), drawn=amount(1)),
            2,
        ),
        (COMMITTED, ACCEPTED.receive(1, amount(3)), "received", Booking(drawn=amount(3)), 0),
        (COMMITTED, ACCEPTED.receive(1, amount(1)).release(1), "received", Booking(drawn=amount(1)), 0),
        (COMMITTED, ACCEPTED.release(1).receive(1, amount(1)), "received", Booking(), 0),
        (OFFERED.revise(2, amount(2)), ACCEPTED, "offered", Booking(held=amount(2)), 0),
        (OFFERED.revise(2, amount(2)), HomeSide().decline(1), "offered", Booking(held=amount(2)), 0),
        (COMMITTED, HomeSide(), "offered", Booking(committed=amount(3)), 0),
    ],
)
def test_what_a_state_means(giver: GiverSide, home: HomeSide, phase: str, booking: Booking, reserved: int) -> None:
    state = PledgeState(giver, home)
    assert state.phase == phase
    assert state.booking == booking
    assert state.live_remainder == state.coverage.reserved == reserved
    assert state.ended == (not state.coverage.open and not booking.held and not booking.committed)


@pytest.mark.parametrize(
    "say",
    [
        lambda: GiverSide().revise(1, amount(1)),
        lambda: OFFERED.revise(3, amount(1)),
        lambda: COMMITTED.revise(2, amount(1)),
        lambda: OFFERED.withdraw().revise(2, amount(1)),
        lambda: GiverSide().commit(1, amount(1)),
        lambda: OFFERED.commit(1, amount(6)),
        lambda: OFFERED.withdraw().commit(1, amount(1)),
        lambda: COMMITTED.commit(2, amount(1)),
        lambda: GiverSide().withdraw(),
        lambda: OFFERED.hand_over(1, amount(1)),
        lambda: COMMITTED.hand_over(2, amount(1)),
        lambda: COMMITTED.fail_hand_over(2),
        lambda: HomeSide().accept(2, 1, amount(1)),
        lambda: HomeSide().decline(1).accept(1, 1, amount(1)),
        lambda: ACCEPTED.accept(2, 1, amount(1)),
        lambda: ACCEPTED.decline(1),
        lambda: HomeSide().release(1),
        lambda: HomeSide().release(0),
        lambda: ACCEPTED.receive(2, amount(1)),
        lambda: HomeSide().receive(1, amount(1)),
    ],
)
def test_a_sequence_no_honest_side_could_produce_is_illegal(say: Callable[[], object]) -> None:
    with pytest.raises(Refused) as refused:
        say()
    assert refused.value.reason == "illegal"


def test_haggling_has_an_end() -> None:
    side = OFFERED
    for revision in range(2, REVISIONS_MAX + 1):
        side = side.revise(revision, amount(revision))
    with pytest.raises(Refused):
        side.revise(REVISIONS_MAX + 1, amount(1))
    with pytest.raises(Refused) as refused:
        pledge_rules.may_revise(PledgeState(side), amount(1))
    assert refused.value.reason == "too_many_revisions"


def test_coverage_and_booking_of_nothing_are_nothing() -> None:
    assert PledgeState().coverage == Coverage()
    assert PledgeState().booking == Booking()
    assert PledgeState().ended
