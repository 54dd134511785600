"""Alice's group asks, bob's group gives: the main job from end to end, on two real nodes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from uuid import UUID

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.application.pledges import OfferPledge, SharedNeed
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views import pledges as pledges_view
from aidmesh_node.views import shared_needs
from aidmesh_node.views.board import board
from tests.support.federation import Group, Mesh

CONSENT = Consent("by_phone", "v1", "en")


async def test_a_need_is_posted_shared_pledged_handed_over_and_received(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)

        need_id = alice.node.entropy.uuid()
        asked = PostNeed("bedding", Quantity(Decimal(20), "item"), item="Blankets", private={"name": "Ana"})
        await alice.do(needs.post_need, need_id, alice.node.entropy.uuid(), asked)
        await alice.do(needs.share_need, need_id, circle, CONSENT)
        await mesh.settle()

        shown = await bob.see(board)
        (seen,) = shown["needs"]
        assert (seen["item"], seen["quantity"], seen["open"], seen["group_name"]) == ("Blankets", "20", "20", "alice")

        offer_id = bob.node.entropy.uuid()
        stock = PostOffer("bedding", Quantity(Decimal(50), "item"), "item", item="Blankets")
        await bob.do(offers.post_offer, offer_id, bob.node.entropy.uuid(), stock)
        pledge_id = bob.node.entropy.uuid()
        promise = OfferPledge(await shared(bob, seen["id"]), Decimal(15), offer_id)
        await bob.do(pledges.offer_pledge, pledge_id, promise)
        await mesh.settle()

        listed = await alice.see(pledges_view.list_page)
        (heard,) = listed["items"]
        assert (heard["role"], heard["phase"], heard["offered"]) == ("home", "offered", "15")
        heard_id = UUID(heard["id"])
        await alice.do(pledges.accept_pledge, heard_id)
        await mesh.settle()

        mine = await bob.see(pledges_view.get, pledge_id.hex)
        assert mine["phase"] == "committed", "bob's node commits by itself while the hold stands"
        await bob.do(pledges.hand_over, pledge_id)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard_id)
        await mesh.settle()

        need = await alice.see(needs_view.get, need_id.hex)
        assert (need["received"], need["reserved"], need["open"]) == ("15", "0", "5")
        assert (await bob.see(pledges_view.get, pledge_id.hex))["phase"] == "received"
        assert (await bob.see(board))["needs"][0]["open"] == "5"
        assert alice.node.verify().ok and bob.node.verify().ok


async def shared(group: Group, subject: str) -> SharedNeed:
    seen = await group.see(shared_needs.standing, subject)
    entry = seen["shared"]
    return SharedNeed(
        UUID(subject), seen["circle"], seen["owner"], seen["unit"], f"{entry['origin_hash']}:{entry['index']}"
    )
