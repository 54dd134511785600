"""Three groups: two givers fill one need of alice's, each in its own circle with her, at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol.statements import NeedUpdated
from tests.support.federation import Mesh
from tests.support.stories import (
    check_all_agree,
    heard,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    state,
)


async def test_two_givers_fill_one_need_together(tmp_path: Path) -> None:
    """Partial cover by two groups at once: sums never pass the need, and saying too much is refused with a reason."""
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        eve = await mesh.found("eve")
        other = await mesh.pair(alice, eve)
        need = await post_need(alice, 10)
        for_bob, for_eve = await share(alice, need, circle), await share(alice, need, other)
        await mesh.settle()
        mesh.network.cut = {alice.endpoint}
        shelf, pantry = await post_offer(bob, 7), await post_offer(eve, 7)
        his, hers = await pledge(bob, for_bob, 6, shelf), await pledge(eve, for_eve, 7, pantry)
        mesh.network.cut = set()
        await mesh.settle()
        his_heard, hers_heard = heard(bob, circle, his), heard(eve, other, hers)

        await alice.do(pledges.accept_pledge, his_heard)
        with pytest.raises(Refused) as refused:
            await alice.do(pledges.accept_pledge, hers_heard, (await state(eve, hers)).offered)
        assert (refused.value.reason, refused.value.hint) == ("already_covered", "Accept at most 4 item.")
        assert "lacks 4 item, not 7" in refused.value.detail
        await alice.do(pledges.accept_pledge, hers_heard)
        await mesh.settle()
        assert await need_totals(alice, need) == (10, 0, 0)
        for group, subject in ((bob, for_bob), (eve, for_eve)):
            assert (await on_board(group))[subject]["open"] == "0", "both see that it is covered"
        assert (await offer_totals(bob, shelf), await offer_totals(eve, pantry)) == ((0, 6, 0), (0, 4, 0))

        await bob.do(pledges.hand_over, his)
        await eve.do(pledges.withdraw_pledge, hers)
        await mesh.settle()
        assert await need_totals(alice, need) == (6, 0, 4), "what one takes back is open again"
        second = await pledge(eve, for_eve, 4, pantry)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(eve, other, second))
        await alice.do(pledges.receive_pledge, his_heard)
        await mesh.settle()
        await eve.do(pledges.hand_over, second)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(eve, other, second))
        await mesh.settle()
        seen: Any = await alice.see(needs_view.get, need.hex)
        assert (seen["received"], seen["open"], seen["fulfilment"]) == ("10", "0", "full")
        updates = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedUpdated)]
        for update in updates:
            assert int(update.reserved) + int(update.received) <= 10
        await check_all_agree(mesh)
