"""Needs end by themselves only after a warning that could be seen; what somebody counts on, and a wrong clock, stay."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from aidmesh_node.application import need_care, needs, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.domain.act import NODE
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views import pledges as pledges_view
from aidmesh_node.views.times import time_text
from aidmesh_protocol.statements import NeedClosed
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    on_board,
    pledge,
    post_offer,
    said,
    share,
    two_groups,
)
from tests.support.time_passing import keep, live


async def post(group: Group, until: datetime | None, amount: int = 20) -> UUID:
    need_id = group.node.entropy.uuid()
    asked = PostNeed("bedding", Quantity(Decimal(amount), "item"), item="Blankets", window=Window(None, until))
    await group.do(needs.post_need, need_id, group.node.entropy.uuid(), asked)
    return need_id


async def seen(group: Group, need: UUID) -> dict[str, Any]:
    found: dict[str, Any] = await group.see(needs_view.get, need.hex)
    return found


async def test_a_need_is_warned_of_and_ends_and_the_other_group_hears_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post(alice, mesh.clock.time + timedelta(hours=50))
        subject = await share(alice, need, circle)
        await mesh.settle()
        promised = await pledge(bob, subject, 6, await post_offer(bob, 8))
        await mesh.settle()
        assert await live(mesh, alice, 1) == 0, "too early for a warning"
        assert await live(mesh, alice, 2) == 1
        assert await keep(alice) == 0, "one warning is enough"
        warned = await seen(alice, need)
        assert "extend it or close it" in warned["next_action"]
        assert warned["next_action_at"] <= time_text(mesh.clock.time), "and it is at the head of what waits"
        assert await live(mesh, alice, 47) == 0
        assert (await seen(alice, need))["state"] == "open"
        assert await live(mesh, alice, 2) == 1
        (expired,) = made(alice, Need.Expired)
        assert (expired.role, (await seen(alice, need))["closed_reason"]) == (NODE, "expired")
        await mesh.settle()
        assert subject not in await on_board(bob)
        (closed,) = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedClosed)]
        assert closed.reason == "expired"
        mine: Any = await bob.see(pledges_view.get, promised.hex)
        assert (mine["phase"], mine["reason"]) == ("declined", "need_closed"), "politely, and the goods are free again"
        await check_all_agree(mesh)


async def test_what_was_accepted_keeps_it_open_and_what_never_ends_stays(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, endless = await post(alice, mesh.clock.time + timedelta(hours=1)), await post(alice, None)
        subject = await share(alice, need, circle)
        await mesh.settle()
        promised = await pledge(bob, subject, 6)
        await mesh.settle()
        assert await keep(alice) == 1
        await alice.do(pledges.accept_pledge, heard(bob, circle, promised))
        await mesh.settle()
        assert await live(mesh, alice, 60) == 0
        assert (await seen(alice, need))["state"] == "open"
        await bob.do(pledges.withdraw_pledge, promised)
        await mesh.settle()
        assert await keep(alice) == 1, "nothing is promised any more, and the warning has stood all the time"
        assert (await seen(alice, need))["closed_reason"] == "expired"
        left = await seen(alice, endless)
        assert left["state"] == "open" and left["next_action"] and left["next_action_at"] < time_text(mesh.clock.time)
        await check_all_agree(mesh)


async def test_extending_it_takes_the_warning_back_and_others_see_the_new_end(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post(alice, mesh.clock.time + timedelta(hours=1))
        subject = await share(alice, need, circle)
        await mesh.settle()
        assert await keep(alice) == 1
        until = mesh.clock.time.replace(second=0) + timedelta(days=9)
        await alice.do(need_care.extend_need, need, until)
        await mesh.settle()
        assert (await on_board(bob))[subject]["until"] == f"{until:%Y-%m-%dT%H:%M}:00Z"
        assert await live(mesh, alice, 60) == 0
        assert (await seen(alice, need))["state"] == "open"
        await check_all_agree(mesh)


async def test_a_clock_that_jumps_ends_nothing_and_neither_does_a_start_in_1970(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        soon = [await post(alice, mesh.clock.time + timedelta(days=days)) for days in (1, 3, 30, 200)]
        assert await keep(alice) == 1, "the first is warned of"
        for jump in (timedelta(days=400), timedelta(days=-410), timedelta(days=10)):
            mesh.clock.jump(jump)
            assert await live(mesh, alice, 2) == 0, jump
        assert not made(alice, Need.Expired) and len(made(alice, Need.ExpiryWarned)) == 1

        await mesh.stop("alice")
        today = mesh.clock.time
        mesh.clock.jump(datetime(1970, 1, 1, tzinfo=UTC) - today)
        alice = await mesh.start("alice")
        assert await live(mesh, alice, 60) == 0
        assert "1970" in alice.node.clock_trust.words
        assert [(await seen(alice, need))["state"] for need in soon] == ["open"] * 4


async def test_a_clock_that_stays_400_days_ahead_warns_of_everything_first(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        needs_posted = [await post(alice, mesh.clock.time + timedelta(days=days)) for days in (1, 30, 200)]
        assert await keep(alice) == 1
        mesh.clock.jump(timedelta(days=400))
        assert await live(mesh, alice, 23) == 0, "not believed yet"
        assert await live(mesh, alice, 2) == 2, "believed after a day, and now each has been warned of"
        assert await live(mesh, alice, 22) == 0
        assert await live(mesh, alice, 26) == 3
        assert [(await seen(alice, need))["closed_reason"] for need in needs_posted] == ["expired"] * 3


async def test_time_in_which_the_node_was_off_is_no_warning(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        need = await post(alice, mesh.clock.time + timedelta(hours=1))
        assert await keep(alice) == 1
        await mesh.stop("alice")
        mesh.clock.time += timedelta(hours=60)
        alice = await mesh.start("alice")
        assert await live(mesh, alice, 1) == 0, "nobody could see the warning"
        assert await live(mesh, alice, 46) == 0
        assert await live(mesh, alice, 2) == 1
        assert (await seen(alice, need))["closed_reason"] == "expired"


async def test_looking_twice_at_once_does_each_thing_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        for _ in range(10):
            await post(alice, mesh.clock.time + timedelta(hours=1))
        assert sum(await asyncio.gather(*(keep(alice) for _ in range(5)))) == 10
        assert len(made(alice, Need.ExpiryWarned)) == 10
        await live(mesh, alice, 47)
        await mesh.clock.sleep(3700)
        assert sum(await asyncio.gather(*(keep(alice) for _ in range(5)))) <= 10
        await live(mesh, alice, 1)
        assert len(made(alice, Need.Expired)) == 10
        await check_all_agree(mesh)
