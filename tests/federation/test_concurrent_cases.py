"""The concurrent cases of two groups (domain.md D.3, cases 1 to 6 and 8): what each did offline meets when lines heal.

Alice's group is the need's home, bob's and eve's groups give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import lapsing, needs, pledges
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.domain.act import NODE
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import pledges as pledges_view
from tests.support.faults import BadNetwork
from tests.support.federation import Group, Mesh
from tests.support.pairs import Pair, lapse
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    share,
    state,
)


async def test_case_1_home_accepts_while_giver_withdraws(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        pair.part()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await pair.bob.do(pledges.withdraw_pledge, pair.pledge)
        await mesh.settle()
        assert await need_totals(pair.alice, pair.need) == (6, 0, 4), "alice still counts on it"
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 0), "bob holds nothing any more"

        pair.heal()
        await mesh.settle()
        assert await need_totals(pair.alice, pair.need) == (0, 0, 10), "the withdrawal wins"
        for group, pledge_id in ((pair.alice, pair.heard), (pair.bob, pair.pledge)):
            assert (await state(group, pledge_id)).phase == "withdrawn"
        assert not made(pair.bob, Pledge.Committed)
        await check_all_agree(mesh)


async def test_case_2_home_withdraws_the_need_while_giver_offers(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        pair.part()
        await pair.alice.do(needs.withdraw_need, pair.need)
        await mesh.settle()
        assert await offer_totals(pair.bob, pair.stock) == (6, 0, 0)

        pair.heal()
        await mesh.settle()
        mine = await pair.bob.see(pledges_view.get, pair.pledge.hex)
        assert (mine["phase"], mine["reason"]) == ("declined", "need_closed")
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 0)
        assert pair.subject not in await on_board(pair.bob)
        await check_all_agree(mesh)


async def test_case_3_two_groups_fill_the_last_ten_units_at_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh, amount=8)
        eve = await mesh.found("eve")
        other = await mesh.pair(pair.alice, eve)
        for_eve = await share(pair.alice, pair.need, other)
        await mesh.settle()
        mesh.network.cut = {pair.alice.endpoint}
        stock = await post_offer(eve, 20)
        hers = [await pledge(eve, for_eve, amount, stock) for amount in (8, 5)]
        mesh.network.cut = set()
        await mesh.settle()

        await pair.alice.do(pledges.accept_pledge, pair.heard)
        first, second = (heard(eve, other, each) for each in hers)
        with pytest.raises(Refused) as refused:
            await pair.alice.do(pledges.accept_pledge, first, Decimal(8))
        assert refused.value.reason == "already_covered", "alice's node alone decides on her need"
        await pair.alice.do(pledges.accept_pledge, first)
        with pytest.raises(Refused) as refused:
            await pair.alice.do(pledges.accept_pledge, second)
        assert refused.value.reason == "already_covered"
        await pair.alice.do(pledges.decline_pledge, second, "already_covered")
        await mesh.settle()

        assert await need_totals(pair.alice, pair.need) == (10, 0, 0)
        assert [(await state(eve, each)).phase for each in hers] == ["committed", "declined"]
        assert (await state(eve, hers[0])).committed == 2, "the second group fills what is left"
        assert await offer_totals(eve, stock) == (0, 2, 0)
        assert await offer_totals(pair.bob, pair.stock) == (0, 8, 0)
        await check_all_agree(mesh)


async def test_case_4_giver_hands_over_while_home_releases(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await mesh.settle()
        pair.part()
        await pair.bob.do(pledges.hand_over, pair.pledge)
        await pair.alice.do(pledges.release_pledge, pair.heard, "found_elsewhere")
        await mesh.settle()
        assert await need_totals(pair.alice, pair.need) == (0, 0, 10)

        pair.heal()
        await mesh.settle()
        assert (await state(pair.alice, pair.heard)).in_transit == 6, "what left bob's hands is on its way"
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 6), "and is not on his shelf any more"
        await pair.alice.do(pledges.receive_pledge, pair.heard)
        await mesh.settle()
        assert await need_totals(pair.alice, pair.need) == (0, 6, 4), "the receipt counts"
        assert (await state(pair.bob, pair.pledge)).phase == "received"
        await check_all_agree(mesh)


@pytest.mark.parametrize(("declared", "confirmed"), [(6, 4), (4, 6)])
async def test_case_5_receipt_and_hand_over_differ(tmp_path: Path, declared: int, confirmed: int) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await mesh.settle()
        pair.part()
        await pair.bob.do(pledges.hand_over, pair.pledge, Decimal(declared))
        await pair.alice.do(pledges.receive_pledge, pair.heard, Decimal(confirmed))
        pair.heal()
        await mesh.settle()

        for group, pledge_id in ((pair.alice, pair.heard), (pair.bob, pair.pledge)):
            seen = await group.see(pledges_view.get, pledge_id.hex)
            assert (seen["handed"], seen["received"]) == (str(declared), str(confirmed))
            assert seen["discrepancy"], "a note, and no accusation"
            assert seen["phase"] == ("partly_received" if confirmed < 6 else "received")
        assert await need_totals(pair.alice, pair.need) == (6 - confirmed, confirmed, 4)
        assert await offer_totals(pair.bob, pair.stock) == (0, 6 - max(declared, confirmed), max(declared, confirmed))
        await check_all_agree(mesh)


async def test_case_6_home_lost_offers_lapse(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.stop("alice")
        mesh.clock.time += timedelta(days=lapsing.UNANSWERED_DAYS_MAX)
        assert await lapse(pair.bob) == 0, "not a moment too early"
        assert await offer_totals(pair.bob, pair.stock) == (6, 0, 0)
        mesh.clock.time += timedelta(minutes=1)
        assert await lapse(pair.bob) == 1
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 0), "no ghost holds"
        mine = await pair.bob.see(pledges_view.get, pair.pledge.hex)
        assert (mine["phase"], mine["reason"]) == ("withdrawn", "lapsed")
        (withdrawn,) = made(pair.bob, Pledge.Withdrawn)
        assert (withdrawn.role, withdrawn.actor) == (NODE, None)
        assert await lapse(pair.bob) == 0, "once"

        alice = await mesh.start("alice")
        await mesh.settle()
        assert (await state(alice, pair.heard)).phase == "withdrawn"
        await check_all_agree(mesh)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(busy_story(tmp_path_factory.mktemp("undisturbed"), None))


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(8))
async def test_case_8_duplicates_and_reordering_change_nothing(
    tmp_path: Path, undisturbed: dict[str, Any], seed: int
) -> None:
    network = BadNetwork(seed)
    assert await busy_story(tmp_path, network) == undisturbed
    assert len(network.happened) >= 5, f"the network behaved too well: {network.happened}"


async def busy_story(
    folder: Path, faults: BadNetwork | None, then: Callable[[Mesh], Awaitable[None]] | None = None
) -> dict[str, Any]:
    """Needs and pledges in both directions, each step taken as soon as the other side could know of it; at the end of
    all `then`."""
    async with Mesh(folder) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        mesh.network.faults = faults
        known = [await post_need(group, amount) for group, amount in ((alice, 10), (bob, 7), (alice, 4))]
        subjects = [await share(group, need, circle) for group, need in zip((alice, bob, alice), known, strict=True)]
        await until(mesh, lambda: _all_shown((bob, alice, bob), subjects))
        stocks = [await post_offer(bob, 12), await post_offer(alice, 9)]
        wanted = [
            (bob, alice, subjects[0], 6, stocks[0]),
            (bob, alice, subjects[0], 3, stocks[0]),
            (alice, bob, subjects[1], 5, stocks[1]),
            (bob, alice, subjects[2], 2, None),
            (alice, bob, subjects[1], 4, stocks[1]),
        ]
        offered = [
            (giver, home, await pledge(giver, subject, amount, stock)) for giver, home, subject, amount, stock in wanted
        ]
        both = [(giver, pledge_id, home, heard(giver, circle, pledge_id)) for giver, home, pledge_id in offered]
        for _, _, home, heard_id in both:
            await until(mesh, lambda home=home, heard_id=heard_id: _is(home, heard_id, "offered"))  # type: ignore[misc]

        await alice.do(pledges.accept_pledge, both[0][3], Decimal(5))
        await alice.do(pledges.counter_pledge, both[1][3], Decimal(2))
        await bob.do(pledges.accept_pledge, both[2][3])
        await alice.do(pledges.decline_pledge, both[3][3], "timing")
        await bob.do(pledges.accept_pledge, both[4][3])
        await until(mesh, lambda: _is(bob, both[0][1], "committed"))
        await until(mesh, lambda: _is(bob, both[1][1], "countered"))
        await until(mesh, lambda: _is(alice, both[2][1], "committed"))
        await until(mesh, lambda: _is(alice, both[4][1], "committed"))

        await bob.do(pledges.revise_pledge, both[1][1], Decimal(2))
        await bob.do(pledges.hand_over, both[0][1], Decimal(2))
        await bob.do(pledges.hand_over, both[0][1], Decimal(3), "left_as_agreed")
        await alice.do(pledges.fail_hand_over, both[2][1], "not_home")
        await alice.do(pledges.hand_over, both[2][1])
        await alice.do(pledges.withdraw_pledge, both[4][1])
        await until(mesh, lambda: _on_its_way(alice, both[0][3], 5))
        await until(mesh, lambda: _on_its_way(bob, both[2][3], 5))

        await alice.do(pledges.receive_pledge, both[0][3])
        await bob.do(pledges.receive_pledge, both[2][3], Decimal(4))
        await alice.do(needs.unshare_need, known[2], circle)
        await alice.do(needs.close_need, known[0], "partly_met")
        for _ in range(10):
            await mesh.round()
        mesh.network.faults = None
        await check_all_agree(mesh)
        if then is not None:
            await then(mesh)
            await check_all_agree(mesh)
        return {
            "pledges": [(await state(giver, mine), await state(home, theirs)) for giver, mine, home, theirs in both],
            "needs": [await need_totals(group, need) for group, need in zip((alice, bob, alice), known, strict=True)],
            "offers": [await offer_totals(bob, stocks[0]), await offer_totals(alice, stocks[1])],
            "boards": [await _board(alice), await _board(bob)],
            "logs": [_told(alice), _told(bob)],
        }


async def until(mesh: Mesh, holds: Callable[[], Awaitable[bool]]) -> None:
    """Let rounds pass until it holds."""
    for _ in range(100):
        if await holds():
            return
        await mesh.round()
    raise AssertionError("it never came to hold")


async def _all_shown(groups: tuple[Group, ...], subjects: list[str]) -> bool:
    boards = [await on_board(group) for group in groups]
    return all(subject in board for subject, board in zip(subjects, boards, strict=True))


async def _is(group: Group, pledge_id: UUID, phase: str) -> bool:
    try:
        return (await state(group, pledge_id)).phase == phase
    except NotFound:
        return False


async def _on_its_way(group: Group, pledge_id: UUID, amount: int) -> bool:
    return (await state(group, pledge_id)).in_transit == amount


async def _board(group: Group) -> list[tuple[Any, ...]]:
    shown = (await on_board(group)).values()
    return sorted((need["ours"], need["quantity"], need["received"], need["reserved"], need["state"]) for need in shown)


def _told(group: Group) -> dict[str, int]:
    """How often each kind of pledge event was recorded: what arrives twice is recorded once."""
    counts: dict[str, int] = {}
    for event in made(group, Pledge.Event):
        counts[type(event).__name__] = counts.get(type(event).__name__, 0) + 1
    return counts
