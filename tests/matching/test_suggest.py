"""Suggestions cover as much as both sides allow, never more, and say the same for the same board."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.matching.suggest import URGENCY_ORDER, OpenNeed, OpenOffer, Suggestion, folded, suggest

DAY = datetime(2026, 11, 22, tzinfo=UTC)
ITEMS = ("Blankets", "blankets ", "BLANKETS", "Rice", "Açaí", "Ac\u0327ai\u0301")
AMOUNTS = st.integers(0, 50_000).map(lambda thousandths: Decimal(thousandths) / 1000)
AREAS = st.sampled_from([None, "", "North", "north", "South"])
DAYS = st.none() | st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
UNITS = st.sampled_from(["item", "kg"])


def need(
    number: int,
    amount: int = 10,
    *,
    item: str | None = "Blankets",
    unit: str = "item",
    urgency: str = "normal",
    until: datetime | None = None,
    area: str | None = None,
) -> OpenNeed:
    return OpenNeed(UUID(int=number), item, "bedding", unit, Decimal(amount), urgency, until, area)


def offer(
    number: int,
    amount: int | None = 10,
    *,
    item: str | None = "Blankets",
    unit: str = "item",
    until: datetime | None = None,
    area: str | None = None,
) -> OpenOffer:
    available = None if amount is None else Decimal(amount)
    return OpenOffer(UUID(int=number), item, unit, available, until, area)


def pairs(suggestions: list[Suggestion]) -> list[tuple[int, int, int]]:
    return [(found.need_id.int, found.offer_id.int, int(found.amount)) for found in suggestions]


@st.composite
def boards(draw: st.DrawFn) -> tuple[list[OpenNeed], list[OpenOffer]]:
    items = st.none() | st.sampled_from(ITEMS)
    urgency = st.sampled_from(URGENCY_ORDER)
    needs = [
        OpenNeed(
            UUID(int=at),
            draw(items),
            "other",
            draw(UNITS),
            draw(AMOUNTS),
            draw(urgency),
            draw(DAYS),
            draw(AREAS),
        )
        for at in range(draw(st.integers(0, 8)))
    ]
    offers = [
        OpenOffer(UUID(int=at), draw(items), draw(UNITS), draw(st.none() | AMOUNTS), draw(DAYS), draw(AREAS))
        for at in range(100, 100 + draw(st.integers(0, 8)))
    ]
    return needs, offers


@given(boards())
def test_nobody_gets_or_gives_more_than_there_is(board: tuple[list[OpenNeed], list[OpenOffer]]) -> None:
    needs, offers = board
    got: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    gave: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    by_need, by_offer = {n.id: n for n in needs}, {o.id: o for o in offers}
    found = suggest(needs, offers)
    assert len({(one.need_id, one.offer_id) for one in found}) == len(found)
    for one in found:
        wanted, given_away = by_need[one.need_id], by_offer[one.offer_id]
        assert one.amount > 0
        assert wanted.unit == given_away.unit
        assert wanted.item is not None
        assert given_away.item is not None
        assert folded(wanted.item) == folded(given_away.item)
        assert one.reasons
        got[one.need_id] += one.amount
        gave[one.offer_id] += one.amount
    assert all(amount <= by_need[at].amount_open for at, amount in got.items())
    assert all(amount <= (by_offer[at].available or Decimal("Infinity")) for at, amount in gave.items())


@given(boards())
def test_as_much_is_covered_as_both_sides_allow(board: tuple[list[OpenNeed], list[OpenOffer]]) -> None:
    needs, offers = board
    wanted: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    offered: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    covered: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for n in needs:
        if n.item:
            wanted[folded(n.item), n.unit] += n.amount_open
    for o in offers:
        if o.item:
            offered[folded(o.item), o.unit] += Decimal("Infinity") if o.available is None else o.available
    kinds = {n.id: (folded(n.item or ""), n.unit) for n in needs}
    for one in suggest(needs, offers):
        covered[kinds[one.need_id]] += one.amount
    for kind in {*wanted, *offered}:
        assert covered[kind] == min(wanted[kind], offered[kind])


@given(boards(), st.randoms(use_true_random=False))
def test_the_order_in_which_the_board_is_read_does_not_matter(
    board: tuple[list[OpenNeed], list[OpenOffer]], random: Random
) -> None:
    needs, offers = board
    before = suggest(needs, offers)
    shuffled_needs, shuffled_offers = list(needs), list(offers)
    random.shuffle(shuffled_needs)
    random.shuffle(shuffled_offers)
    assert suggest(shuffled_needs, shuffled_offers) == before


def test_the_most_urgent_need_is_served_first_then_the_soonest() -> None:
    needs = [
        need(1, urgency="low"),
        need(2, urgency="emergency"),
        need(3, until=DAY + timedelta(days=9)),
        need(4, until=DAY),
        need(5, urgency="high"),
    ]
    assert pairs(suggest(needs, [offer(100, 45)])) == [
        (2, 100, 10),
        (5, 100, 10),
        (4, 100, 10),
        (3, 100, 10),
        (1, 100, 5),
    ]


def test_a_need_takes_from_its_own_area_then_what_ends_soonest_then_the_largest() -> None:
    offers = [
        offer(100, 5),
        offer(101, 7),
        offer(102, 1, until=DAY + timedelta(days=1)),
        offer(103, 1, until=DAY),
        offer(104, 1, area=" NORTH "),
        offer(105, None, until=DAY + timedelta(days=2)),
    ]
    assert pairs(suggest([need(1, 20, area="North")], offers[:5])) == [
        (1, 104, 1),
        (1, 103, 1),
        (1, 102, 1),
        (1, 101, 7),
        (1, 100, 5),
    ]
    assert pairs(suggest([need(1, 20), need(2, 20)], offers)) == [
        (1, 103, 1),
        (1, 102, 1),
        (1, 105, 18),
        (2, 105, 20),
    ]


def test_what_went_to_a_neighbour_is_not_promised_again() -> None:
    needs = [need(1, 10, area="North", urgency="high"), need(2, 10)]
    offers = [offer(100, 6, area="North"), offer(101, 8)]
    assert pairs(suggest(needs, offers)) == [(1, 100, 6), (1, 101, 4), (2, 101, 4)]


def test_other_items_units_and_things_without_a_name_are_left_to_people() -> None:
    needs = [need(1, item="Rice", unit="kg"), need(2, item=None)]
    offers = [offer(100), offer(101, item="Rice", unit="item"), offer(102, item=None)]
    assert suggest(needs, offers) == []


def test_the_reasons_are_words_for_a_person() -> None:
    [found] = suggest([need(1, 12, urgency="high", area="North")], [offer(100, 10, area="north", until=DAY)])
    assert found.reasons == (
        "same item: Blankets",
        "same unit: item",
        "same area: North",
        "urgent: high",
        "the offer ends on 2026-11-22",
        "2 item would stay open",
    )


def test_a_board_of_ten_thousand_on_each_side() -> None:
    needs = [need(at, 1 + at % 7, area=("North", "South", None)[at % 3]) for at in range(10_000)]
    offers = [offer(at, 1 + at % 5, area=("North", None)[at % 2]) for at in range(20_000, 30_000)]
    found = suggest(needs, offers)
    assert sum(one.amount for one in found) == sum(one.available or 0 for one in offers)
    # Each step either covers a need or empties an offer: a quadratic walk would show here as a timeout.
    assert len(found) <= 20_000
