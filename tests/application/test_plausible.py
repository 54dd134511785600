"""Slips of the keyboard are asked back; surpluses that happen are facts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from aidmesh_node.application import needs, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.pledges import OfferPledge
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from tests.support.federation import Group, Mesh


async def firm_pledge(alice: Group) -> UUID:
    need_id, pledge_id = alice.node.entropy.uuid(), alice.node.entropy.uuid()
    await alice.do(needs.post_need, need_id, alice.node.entropy.uuid(), PostNeed("food", Quantity(Decimal(8), "kg")))
    await alice.do(pledges.offer_pledge, pledge_id, OfferPledge(need_id, Decimal(8)))
    await alice.do(pledges.accept_pledge, pledge_id)
    return pledge_id


async def test_a_little_more_than_promised_counts(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        pledge_id = await firm_pledge(alice)
        await alice.do(pledges.hand_over, pledge_id, Decimal(10))
        reply = await alice.do(pledges.receive_pledge, pledge_id)
        assert reply.body["phase"] == "received"


@pytest.mark.parametrize("amount", [Decimal(81), Decimal(999)])
async def test_many_times_more_is_asked_back(tmp_path: Path, amount: Decimal) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        pledge_id = await firm_pledge(alice)
        for deed in (pledges.hand_over, pledges.receive_pledge):
            with pytest.raises(Refused) as refused:
                await alice.do(deed, pledge_id, amount)
            assert refused.value.reason == "far_more_than_promised"


async def test_sharing_tells_exactly_what_others_read(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need_id = alice.node.entropy.uuid()
        asked = PostNeed("food", Quantity(Decimal(8), "kg"), item="Rice", area="North", private={"name": "Ana"})
        await alice.do(needs.post_need, need_id, alice.node.entropy.uuid(), asked)
        reply = await alice.do(needs.share_need, need_id, circle, Consent("self", "v1", "en"))
        assert reply.body["leaves"] == {
            "category": "food", "item": "Rice", "quantity": "8", "unit": "kg", "area": "North", "urgency": "normal",
        }  # fmt: skip
