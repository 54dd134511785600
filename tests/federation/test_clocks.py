"""Groups whose machines have the wrong time: they still pair, help each other, and say what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.federation.pairing import EXPIRY_HOURS_DEFAULT
from aidmesh_protocol.errors import ProtocolError
from tests.support.clocks import WrongClock
from tests.support.federation import START, Mesh
from tests.support.lies import refused
from tests.support.pairs import Pair, lapse
from tests.support.raw_peer import send, town
from tests.support.stories import check_all_agree, need_totals, offer_totals, state

DAY = timedelta(days=1)
POWER_CUT = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)
APART = [DAY, -DAY, 400 * DAY, POWER_CUT - START]


@pytest.mark.parametrize("ahead", APART, ids=["a day ahead", "a day behind", "a year ahead", "in 1970"])
async def test_groups_whose_clocks_are_apart_help_each_other_from_invitation_to_receipt(
    tmp_path: Path, ahead: timedelta
) -> None:
    async with Mesh(tmp_path) as mesh:
        mesh.clocks["bob"] = WrongClock(mesh.clock, ahead)
        pair = await Pair.meet(mesh)
        await mesh.settle()
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        await mesh.settle()
        assert (await state(pair.bob, pair.pledge)).phase == "committed"
        await pair.bob.do(pledges.hand_over, pair.pledge, None, "handed")
        await mesh.settle()
        await pair.alice.do(pledges.receive_pledge, pair.heard, None)
        await mesh.settle()
        assert (await lapse(pair.alice), await lapse(pair.bob)) == (0, 0)
        assert await need_totals(pair.alice, pair.need) == (0, 6, 4)
        await check_all_agree(mesh)
        seen_by = {
            name: group.federation.health(group.federation.links.all()[0].gid)["clock_ahead_seconds"]
            for name, group in mesh.groups.items()
        }
        assert seen_by["alice"] == pytest.approx(ahead.total_seconds(), abs=30), "each says how far they are apart"
        assert seen_by["bob"] == pytest.approx(-ahead.total_seconds(), abs=30)


@pytest.mark.parametrize("ahead", [DAY, -DAY])
async def test_a_wake_reaches_a_group_whose_clock_is_apart(tmp_path: Path, ahead: timedelta) -> None:
    async with Mesh(tmp_path) as mesh:
        mesh.clocks["bob"] = WrongClock(mesh.clock, ahead)
        pair = await Pair.meet(mesh)
        for waker, woken in ((pair.alice, pair.bob), (pair.bob, pair.alice)):
            (link,) = waker.federation.links.active()
            contact = woken.federation.replication.contact(waker.node.gid)
            contact.woken.clear()
            await waker.federation.replication.send_wake(link)
            assert contact.woken.is_set()


async def test_an_invitation_ends_when_its_hours_have_passed_whatever_its_makers_clock_says(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        clock = mesh.clocks["carol"] = WrongClock(mesh.clock, POWER_CUT - START)
        carol = await mesh.found("carol")
        early = str(carol.federation.invite(1)["invitation"])
        clock.set_to(mesh.clock.now())
        assert (await alice.federation.accept(alice.act("operator"), early))["state"] == "pending", "it is not too old"
        for jump in (400 * DAY, -410 * DAY):
            open_still = str(carol.federation.invite(1)["invitation"])
            clock.ahead += jump
            carol.federation.invite(1)
            assert (await bob.federation.accept(bob.act("operator"), open_still))["state"] == "pending", jump
        late = str(carol.federation.invite(1)["invitation"])
        mesh.clock.time += timedelta(hours=1, minutes=1)
        with pytest.raises(Refused, match="too old"):
            await bob.federation.accept(bob.act("operator"), late)


async def test_a_guest_whose_clock_is_wrong_asks_before_it_calls_an_invitation_too_old(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        mesh.clocks["bob"] = WrongClock(mesh.clock, 400 * DAY)
        bob = await mesh.found("bob")
        mesh.network.cut = {alice.endpoint}
        invitation = str(alice.federation.invite(EXPIRY_HOURS_DEFAULT)["invitation"])
        with pytest.raises(Refused, match="by this machine's clock") as old:
            await bob.federation.accept(bob.act("operator"), invitation)
        assert old.value.reason == "expired"
        mesh.clocks["bob"].set_to(mesh.clock.now())  # type: ignore[attr-defined]
        with pytest.raises(Unavailable):
            await bob.federation.accept(bob.act("operator"), invitation)
        mesh.network.cut = set()
        assert (await bob.federation.accept(bob.act("operator"), invitation))["state"] == "pending"


async def test_a13_a_node_that_started_with_a_dead_clock_takes_nothing_from_before_when_it_is_set(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        captured = x.request(here.alice)
        await send(here.alice, captured)
        await here.mesh.stop("alice")
        clock = here.mesh.clocks["alice"] = WrongClock(here.mesh.clock, POWER_CUT - here.mesh.clock.now())
        here.alice = await here.mesh.start("alice")
        await refused(here.alice, captured, "clock_skew")
        clock.set_to(here.mesh.clock.now())
        await refused(here.alice, captured, "clock_skew")
        with pytest.raises(ProtocolError, match="clock"):
            here.alice.federation.auth.verify(captured)
        here.mesh.clock.time += timedelta(seconds=5)
        await send(here.alice, x.request(here.alice))


async def test_what_is_done_while_the_clock_jumps_keeps_its_order(tmp_path: Path) -> None:
    """The newest version says how it stands, not the newest date."""
    async with Mesh(tmp_path) as mesh:
        pair = await Pair.meet(mesh)
        await mesh.settle()
        mesh.clock.jump(400 * DAY)
        await pair.alice.do(pledges.accept_pledge, pair.heard)
        mesh.clock.jump(-810 * DAY)
        await mesh.settle()
        await pair.bob.do(pledges.hand_over, pair.pledge, None, "handed")
        mesh.clock.jump(410 * DAY)
        await mesh.settle()
        await pair.alice.do(pledges.receive_pledge, pair.heard, None)
        await mesh.settle()
        assert await offer_totals(pair.bob, pair.stock) == (0, 0, 6)
        assert await need_totals(pair.alice, pair.need) == (0, 6, 4)
        await check_all_agree(mesh)
