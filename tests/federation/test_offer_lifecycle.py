"""Offers that lie for a while: asked about, warned of, ended, reopened; never taken away in silence."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import offers, pledges
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.application.pledges import OfferPledge
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from aidmesh_node.views import offers as views
from aidmesh_node.views.board import board
from tests.support.federation import Group, Mesh
from tests.support.pairs import Pair
from tests.support.stories import check_all_agree, made, two_groups
from tests.support.stories import shown as need_shown
from tests.support.time_passing import keep, live


async def post(mesh: Mesh, group: Group, category: str = "bedding", hours: float | None = None) -> UUID:
    """Ten of something, for so many hours from now."""
    offer_id = group.node.entropy.uuid()
    window = Window(None, None if hours is None else mesh.clock.now() + timedelta(hours=hours))
    stock = PostOffer(category, Quantity.parse("10", "item"), "item", item="Blankets", window=window)
    await group.do(offers.post_offer, offer_id, group.node.entropy.uuid(), stock)
    return offer_id


async def shown(group: Group, offer_id: UUID) -> dict[str, Any]:
    offer = await group.see(views.get, offer_id.hex)
    assert offer is not None
    return dict(offer)


async def theirs(group: Group) -> list[dict[str, Any]]:
    """The offers of others on this group's board."""
    seen: Any = await group.see(board)
    return [offer for offer in seen["offers"] if not offer["ours"]]


async def test_somebody_is_asked_and_nothing_is_taken_away(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        blankets, bread = await post(mesh, alice), await post(mesh, alice, "food")
        await keep(alice)
        mesh.clock.time += timedelta(days=3)
        assert await keep(alice) == 1, "food is asked about after three days"
        assert ((await shown(alice, bread))["stale"], (await shown(alice, blankets))["stale"]) == (True, False)
        assert await keep(alice) == 0, "once is enough"
        assert (await shown(alice, bread))["next"] == (
            "Is it still there? Nobody has said so since 2026-11-22: confirm it, or withdraw it."
        )
        await alice.do(offers.confirm_offer, bread)
        assert ((await shown(alice, bread))["stale"], (await shown(alice, bread))["next"]) == (False, "")
        for _ in range(14):
            mesh.clock.time += timedelta(days=2)
            await keep(alice)
        for offer in (blankets, bread):
            seen = await shown(alice, offer)
            assert (seen["state"], seen["stale"], seen["available"]) == ("open", True, "10"), "asked, not withdrawn"


async def test_an_offer_ends_two_days_after_somebody_was_warned(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        offer = await post(mesh, alice, hours=72)
        await alice.do(offers.share_offer, offer, circle)
        assert await live(mesh, alice, 23) == 0
        assert await live(mesh, alice, 2) == 1, "warned, two days before"
        seen = await shown(alice, offer)
        assert seen["ends_soon"] and seen["next"].startswith("It ends on 2026-11-25: extend it")
        assert await live(mesh, alice, 46) == 0
        await mesh.settle()
        assert len(await theirs(bob)) == 1
        assert await live(mesh, alice, 3) == 1
        seen = await shown(alice, offer)
        assert (seen["state"], seen["closed_reason"], seen["available"]) == ("closed", "expired", "0")
        assert seen["next"] == "It is closed. If it is there after all, reopen it until 2026-12-25."
        await mesh.settle()
        assert await theirs(bob) == []
        await check_all_agree(mesh)


async def test_a_warning_nobody_could_see_does_not_count(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        offer = await post(mesh, alice, hours=50)
        assert await live(mesh, alice, 3) == 1
        await mesh.stop("alice")
        mesh.clock.time += timedelta(days=2)
        alice = await mesh.start("alice")
        assert await keep(alice) == 0, "its time is over, but the node was off while it should have warned"
        assert (await shown(alice, offer))["state"] == "open"
        assert await live(mesh, alice, 47) == 0
        assert await live(mesh, alice, 2) == 1
        assert (await shown(alice, offer))["closed_reason"] == "expired"


async def test_an_end_that_is_put_off_is_shown_to_others(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        offer = await post(mesh, alice, hours=24)
        await alice.do(offers.share_offer, offer, circle)
        assert await live(mesh, alice, 1) == 1
        later = mesh.clock.now().replace(second=0) + timedelta(days=20)
        await alice.do(offers.extend_offer, offer, later)
        await mesh.settle()
        (seen,) = await theirs(bob)
        assert seen["until"] == (await shown(alice, offer))["until"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
        assert not (await shown(alice, offer))["ends_soon"]
        assert await live(mesh, alice, 50) == 0
        await check_all_agree(mesh)


async def test_what_is_promised_from_it_keeps_it_open(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        stock = pair.stock
        with pytest.raises(Refused, match="has no end"):
            await pair.bob.do(offers.extend_offer, stock, mesh.clock.now() + timedelta(days=1))
        await pair.bob.do(pledges.withdraw_pledge, pair.pledge)
        await pair.bob.do(offers.withdraw_offer, stock)
        await pair.bob.do(offers.reopen_offer, stock, mesh.clock.now() + timedelta(hours=3))
        promised = pair.bob.node.entropy.uuid()
        await mesh.settle()
        promise = OfferPledge(await need_shown(pair.bob, pair.subject), Decimal(2), stock)
        await pair.bob.do(pledges.offer_pledge, promised, promise)
        assert await live(mesh, pair.bob, 60) == 0, "not even warned: somebody counts on it"
        await pair.bob.do(pledges.withdraw_pledge, promised)
        assert await live(mesh, pair.bob, 1) == 1
        assert await live(mesh, pair.bob, 49) == 1
        assert (await shown(pair.bob, stock))["closed_reason"] == "expired"
        await check_all_agree(mesh)


async def test_reopened_it_is_new_to_others(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        offer = await post(mesh, alice)
        await alice.do(offers.share_offer, offer, circle)
        await mesh.settle()
        (before,) = await theirs(bob)
        for round in range(2):
            await alice.do(offers.close_offer, offer, "superseded")
            if round == 0:
                await mesh.settle()
                assert (await shown_to(bob, before["id"]))["closed_reason"] == "withdrawn"
            await alice.do(offers.reopen_offer, offer)
            assert (await shown(alice, offer))["shared_with"] == []
            await mesh.settle()
            assert await theirs(bob) == []
            await alice.do(offers.share_offer, offer, circle)
            await mesh.settle()
            (after,) = await theirs(bob)
            assert after["id"] != before["id"] and after["available"] == "10"
            before = after
        await check_all_agree(mesh)


async def shown_to(group: Group, subject: str) -> dict[str, Any]:
    seen = await group.see(views.get, subject)
    assert seen is not None
    return dict(seen)


async def test_closed_and_reopened_while_nobody_could_hear(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await pair.bob.do(offers.share_offer, pair.stock, pair.circle)
        await mesh.settle()
        (before,) = await theirs(pair.alice)
        pair.part()
        await pair.bob.do(offers.withdraw_offer, pair.stock)
        await pair.bob.do(offers.reopen_offer, pair.stock)
        await pair.bob.do(offers.share_offer, pair.stock, pair.circle)
        pair.heal()
        await mesh.settle()
        (after,) = await theirs(pair.alice)
        assert after["id"] != before["id"] and after["available"] == "8"
        assert (await shown_to(pair.alice, before["id"]))["state"] == "closed"
        await check_all_agree(mesh)


async def test_a_clock_that_jumps_asks_and_ends_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        offer = await post(mesh, alice, hours=500)
        await live(mesh, alice, 1)
        mesh.clock.jump(timedelta(days=400))
        assert await keep(alice) == 0
        assert (await shown(alice, offer))["state"] == "open"
        assert made(alice, Offer.ExpiryWarned) == made(alice, Offer.StillAvailableAsked) == []
