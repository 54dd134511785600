"""The pledge's promises hold in every reachable state, and the search finds every fault that is planted in
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from aidmesh_node.domain.pledge_fold import Booking, Coverage, PledgeState
from aidmesh_node.domain.quantity import ZERO
from tests.models.pledge_model import EVERY_PART, Bounds, PledgeGraph, Rules, Violation, at_home
from tests.models.pledge_search import Search

ONE = Bounds(
    quantities=(1, 2),
    revisions=1,
    counters=False,
    partial=frozenset({"accept"}),
    attempts=1,
    receipts=1,
    most=2,
)
UP_TO_THREE = replace(ONE, quantities=(1, 2, 3), most=3)
ARRIVALS = replace(ONE, partial=frozenset({"accept", "receive"}))
DEPARTURES = replace(ONE, partial=frozenset({"accept", "commit", "hand_over"}))
REVISED = replace(ONE, revisions=2, partial=frozenset())

PRESUMED = replace(ARRIVALS, presumptions=1)
CORRECTED = replace(ONE, partial=frozenset(), presumptions=1, corrections=1)

STOCKS = [(1,), (2,), (3,), (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
"""One giver with two pledges from one stock, or two givers with a stock each."""


def test_one_pledge_in_parts_always_agrees_and_can_end() -> None:
    graph = PledgeGraph(Bounds(revisions=1, counters=False, attempts=2, receipts=2)).build()
    assert graph.states_that_cannot_end() == []
    assert len(graph.states) > 25_000
    assert sum(graph.ended) > 100


def test_one_pledge_haggled_over_always_agrees_and_can_end() -> None:
    graph = PledgeGraph(Bounds(quantities=(1, 2), most=2, attempts=1, receipts=1)).build()
    assert graph.states_that_cannot_end() == []
    assert len(graph.states) > 15_000
    assert sum(graph.ended) > 100


@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        (Bounds(quantities=(1, 2), most=2, revisions=1, counters=False, presumptions=2), 5_000),
        (CORRECTED, 2_000),
    ],
    ids=["presumed in parts", "presumed and corrected"],
)
def test_one_pledge_presumed_and_set_right_always_agrees_and_can_end(bounds: Bounds, states: int) -> None:
    graph = PledgeGraph(bounds).build()
    assert graph.states_that_cannot_end() == []
    assert len(graph.states) > states
    presumed = [at_home(state) for state in graph.states if at_home(state).presumed]
    assert {state.phase for state in presumed} >= {"presumed", "partly_received"}


@pytest.mark.parametrize("need", [1, 2, 3])
def test_two_pledges_up_to_three_never_over_promise(need: int) -> None:
    """SPEC §15.1a."""
    graph = PledgeGraph(UP_TO_THREE).build()
    assert graph.states_that_cannot_end() == []
    assert sum(Search(graph, need, stocks).run() for stocks in STOCKS) > 100_000


@pytest.mark.parametrize(
    ("bounds", "states"), [(ARRIVALS, 150_000), (DEPARTURES, 100_000), (REVISED, 250_000)], ids=str
)
def test_two_pledges_from_one_stock_never_over_promise(bounds: Bounds, states: int) -> None:
    """SPEC §15.1b."""
    graph = PledgeGraph(bounds).build()
    assert graph.states_that_cannot_end() == []
    assert Search(graph, 2, (2,)).run() > states


@pytest.mark.parametrize(
    ("bounds", "need", "states"),
    [(PRESUMED, 2, 190_000), (replace(CORRECTED, quantities=(1,), most=1), 1, 100_000)],
    ids=["presumed", "corrected"],
)
def test_what_is_presumed_or_set_right_is_never_promised_twice(bounds: Bounds, need: int, states: int) -> None:
    assert Search(PledgeGraph(bounds).build(), need, (need,)).run() > states


@pytest.mark.soak
@pytest.mark.parametrize(
    ("bounds", "stocks", "states"),
    [(CORRECTED, (2,), 2_500_000), (replace(CORRECTED, presumptions=0), (2, 2), 480_000)],
    ids=["one giver", "two givers"],
)
def test_two_pledges_presumed_and_set_right_never_over_promise(
    bounds: Bounds, stocks: tuple[int, ...], states: int
) -> None:
    assert Search(PledgeGraph(bounds).build(), 2, stocks).run() > states


@pytest.mark.soak
@pytest.mark.parametrize("stocks", [(2,), (2, 2)])
@pytest.mark.parametrize(
    "bounds", [replace(ONE, partial=EVERY_PART), replace(REVISED, partial=frozenset({"accept"}))], ids=str
)
def test_two_pledges_in_parts_never_over_promise(bounds: Bounds, stocks: tuple[int, ...]) -> None:
    assert Search(PledgeGraph(bounds).build(), 2, stocks).run() > 600_000


def test_both_pledges_of_a_pair_are_really_explored() -> None:
    """Full coverage by both givers is among the states searched: the model is not trivially safe."""
    graph = PledgeGraph(UP_TO_THREE).build()
    best = max(Decimal(cover.received) for cover in graph.cover)
    assert best == 3
    assert {state.home_heard.word for state in graph.states} == {"", "declined", "accepted", "released"}


def only_firm_is_reserved(state: PledgeState) -> Coverage:
    return replace(state.coverage, reserved=state.live_remainder if state.giver.commitment else ZERO)


def presumed_counts_for_nothing(state: PledgeState) -> Coverage:
    return replace(state.coverage, presumed=ZERO)


def presumed_hides_the_receipt(state: PledgeState) -> Coverage:
    return replace(state.coverage, received=ZERO if state.home.presumptions else state.received)


def acceptance_frees_the_hold(state: PledgeState) -> Booking:
    return Booking() if state.acceptance_live and not state.giver.commitment else state.booking


def hand_over_frees_the_stock(state: PledgeState) -> Booking:
    return replace(state.booking, drawn=ZERO)


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        (Rules(firm=lambda state: state.accepted), "never made firm"),
        (Rules(guards_need=False), "the need is over-promised"),
        (Rules(guards_offer=False), "the stock is over-promised"),
        (Rules(coverage=only_firm_is_reserved), "the need is over-promised"),
        (Rules(booking=acceptance_frees_the_hold), "the stock is over-promised"),
        (Rules(booking=hand_over_frees_the_stock), "the stock is over-promised"),
    ],
    ids=[
        "two steps instead of three",
        "no guard at the home",
        "no guard at the giver",
        "accepted but not committed counts for nothing",
        "acceptance frees the giver's hold",
        "what was handed over can be promised again",
    ],
)
def test_a_planted_fault_is_found(rules: Rules, broken: str) -> None:
    with pytest.raises(Violation, match=broken):
        Search(PledgeGraph(ARRIVALS, rules).build(), 2, (2,)).run()


@pytest.mark.parametrize("coverage", [presumed_counts_for_nothing, presumed_hides_the_receipt])
def test_a_fault_planted_in_presumptions_is_found(coverage: Callable[[PledgeState], Coverage]) -> None:
    with pytest.raises(Violation, match="the need is over-promised"):
        Search(PledgeGraph(PRESUMED, Rules(coverage=coverage)).build(), 2, (2, 2)).run()
