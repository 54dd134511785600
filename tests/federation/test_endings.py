"""Needs and offers that end while pledges are open: both sides let go, and what left a shelf still counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.views import pledges as pledges_view
from aidmesh_protocol.statements import NeedClosed
from tests.support.federation import Mesh
from tests.support.stories import (
    a_shared_need,
    check_all_agree,
    heard,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_offer,
    said,
    state,
)


@pytest.mark.parametrize("how", ["close", "withdraw"])
async def test_a_need_that_ends_lets_go_of_its_pledges_at_both_sides(tmp_path: Path, how: str) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        stock = await post_offer(bob, 20)
        offered, firm, handed, arrived = [await pledge(bob, subject, amount, stock) for amount in (4, 5, 6, 2)]
        await mesh.settle()
        for each in (firm, handed, arrived):
            await alice.do(pledges.accept_pledge, heard(bob, circle, each))
        await mesh.settle()
        await bob.do(pledges.hand_over, handed)
        await bob.do(pledges.hand_over, arrived)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(bob, circle, arrived))

        if how == "close":
            await alice.do(needs.close_need, need, "done_by_others")
        else:
            await alice.do(needs.withdraw_need, need)
        assert await need_totals(alice, need) == (0, 2, 18)
        await mesh.settle()
        phases = [(await state(bob, each)).phase for each in (offered, firm, handed, arrived)]
        assert phases == ["declined", "released", "handed_over", "received"]
        assert (await bob.see(pledges_view.get, offered.hex))["reason"] == "need_closed"
        assert await offer_totals(bob, stock) == (0, 0, 8), "only what left the shelf is gone"
        assert subject not in await on_board(bob)
        (closed,) = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedClosed)]
        assert closed.reason == {"close": "done_by_others", "withdraw": "withdrawn_by_person"}[how]

        await alice.do(pledges.receive_pledge, heard(bob, circle, handed))
        await mesh.settle()
        assert await need_totals(alice, need) == (0, 8, 12), "what was on its way still counts"
        await check_all_agree(mesh)


async def test_an_offer_that_is_withdrawn_takes_back_only_what_is_not_firm(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, _, subject = await a_shared_need(mesh)
        stock = await post_offer(bob, 20)
        offered, firm = [await pledge(bob, subject, amount, stock) for amount in (4, 5)]
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, firm))
        await mesh.settle()
        await bob.do(offers.withdraw_offer, stock)
        await mesh.settle()
        assert [(await state(alice, heard(bob, circle, each))).phase for each in (offered, firm)] == [
            "withdrawn",
            "committed",
        ]
        assert await offer_totals(bob, stock) == (0, 5, 0)
        await check_all_agree(mesh)


async def test_a_pledge_towards_a_need_taken_back_meanwhile_is_declined(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        mesh.network.cut = {bob.endpoint}
        await alice.do(needs.unshare_need, need, circle)
        stock = await post_offer(bob, 20)
        promised = await pledge(bob, subject, 7, stock)
        await mesh.settle()
        mesh.network.cut = set()
        await mesh.settle()
        mine: Any = await bob.see(pledges_view.get, promised.hex)
        assert (mine["phase"], mine["reason"]) == ("declined", "share_revoked")
        assert await offer_totals(bob, stock) == (0, 0, 0)
        assert await need_totals(alice, need) == (0, 0, 20)
        await check_all_agree(mesh)
