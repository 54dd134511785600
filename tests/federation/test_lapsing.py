"""Promises nobody answers are let go of by each node's own clock; what was answered or is firm stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from aidmesh_node.application import lapsing, offers, pledges
from aidmesh_node.domain.act import NODE
from aidmesh_node.domain.pledge import Pledge
from tests.support.federation import Mesh
from tests.support.pairs import Pair, lapse
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    offer_totals,
    pledge,
    post_need,
    post_offer,
    state,
)


async def test_what_was_answered_or_made_firm_does_not_lapse(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        declined = await pledge(pair.bob, pair.subject, 1, pair.stock)
        await mesh.settle()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await pair.alice.do(pledges.decline_pledge, heard(pair.bob, pair.circle, declined), "timing")
        await mesh.settle()
        mesh.clock.time += timedelta(days=100)
        assert (await lapse(pair.bob), await lapse(pair.alice)) == (1, 0), (
            "bob is asked whether his stock is still there"
        )
        assert (await state(pair.bob, pair.pledge)).phase == "committed"
        await check_all_agree(mesh)


async def test_an_offer_that_was_revised_or_countered_waits_anew(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        mesh.clock.time += timedelta(days=10)
        await pair.bob.do(pledges.revise_pledge, pair.pledge, Decimal(4))
        await mesh.settle()
        mesh.clock.time += timedelta(days=10)
        assert await lapse(pair.bob) == 0
        await pair.alice.do(pledges.counter_pledge, pair.heard, Decimal(2))
        await mesh.settle()
        await pair.bob.do(offers.confirm_offer, pair.stock)
        mesh.clock.time += timedelta(days=10)
        assert await lapse(pair.bob) == 0
        mesh.clock.time += timedelta(days=5)
        assert await lapse(pair.bob) == 1, "a counter-proposal nobody takes up does not hold goods for ever either"
        await check_all_agree(mesh)


async def test_an_acceptance_that_is_never_made_firm_is_released_by_the_home(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        await mesh.stop("bob")
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        mesh.clock.time += timedelta(days=lapsing.UNANSWERED_DAYS_MAX, minutes=1)
        assert await lapse(pair.alice) == 1
        assert await need_totals(pair.alice, pair.need) == (0, 0, 10)
        (released,) = made(pair.alice, Pledge.Released)
        assert (released.reason, released.role) == ("unanswered", NODE)

        bob = await mesh.start("bob")
        await mesh.settle()
        assert (await state(bob, pair.pledge)).phase == "released"
        assert await offer_totals(bob, pair.stock) == (0, 0, 0), "what bob's node made firm meanwhile is void"
        await check_all_agree(mesh)


async def test_a_commitment_that_crosses_the_release_of_an_unanswered_acceptance_is_void(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await pair.alice.federation.publisher.publish()
        (link,) = pair.bob.federation.links.active()
        await pair.bob.federation.replication.pull(link, 0)
        assert (await state(pair.bob, pair.pledge)).phase == "committed"
        pair.part()
        mesh.clock.time += timedelta(days=lapsing.UNANSWERED_DAYS_MAX, minutes=1)
        assert await lapse(pair.alice) == 1
        pair.heal()
        await mesh.settle()
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 0), "the hold is free again"
        assert await need_totals(pair.alice, pair.need) == (0, 0, 10)
        await check_all_agree(mesh)


async def test_the_running_node_lets_offers_lapse_by_itself(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        need, stock = await post_need(alice, 5), await post_offer(alice, 5)
        pledge_id = alice.node.entropy.uuid()
        promise = pledges.OfferPledge(need, Decimal(3), stock)
        await alice.do(pledges.offer_pledge, pledge_id, promise)
        await asyncio.to_thread(alice.node.views.catch_up)
        mesh.clock.time += timedelta(days=lapsing.UNANSWERED_DAYS_MAX)
        alice.federation.start()
        async with asyncio.timeout(20):
            # The driven clock's sleeps pass at once; what is waited for is the writer's thread.
            while (await state(alice, pledge_id)).phase != "withdrawn":  # noqa: ASYNC110
                await asyncio.sleep(0)
        await alice.federation.stop()
        assert await offer_totals(alice, stock) == (0, 0, 0)
        await check_all_agree(mesh)


async def test_a_clock_that_jumps_lets_nothing_lapse(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        assert await lapse(pair.bob) == 0
        for jump in (timedelta(days=400), timedelta(days=-410), timedelta(days=60)):
            mesh.clock.jump(jump)
            assert await lapse(pair.bob) == 0, jump
            assert pair.bob.node.clock_trust.words
        assert (await state(pair.bob, pair.pledge)).phase == "offered"
