"""What leaves a node, to whom, and how it is taken back. Alice's group asks; bob's and eve's groups may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views.board import board
from aidmesh_protocol import statements
from aidmesh_protocol.bundle import PartFrame, Want
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.statements import NeedShared, NeedView
from tests.support.asking import asks, pull
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    CONSENT,
    a_shared_need,
    check_all_agree,
    crossed,
    heard,
    made,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    two_groups,
)

PRIVATE = {"name": "Zenobia Quill", "phone": "+999 555 0142", "address": "7 Heron Row", "note": "insulin in the fridge"}


async def test_nothing_leaves_before_it_is_shared(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        await post_need(alice, 20, "Blankets", **PRIVATE)
        await post_offer(alice, 5, "Lanterns")
        await mesh.settle()
        assert [type(what) for _, what in said(bob, alice, circle)] == [statements.CircleOpened]
        assert not await on_board(bob)
        sent = crossed(mesh)
        for word in ("Blankets", "Lanterns", "North", *PRIVATE.values()):
            assert word.encode() not in sent
        await check_all_agree(mesh)


async def test_sharing_needs_consent_and_a_coordinator(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        with pytest.raises(Refused) as refused:
            await alice.do(needs.share_need, need, circle, Consent("proxy", "v1"))
        assert refused.value.reason == "no_consent"
        by = alice.act("member", actor=alice.node.entropy.uuid())
        with pytest.raises(Refused) as refused:
            await alice.node.commit(lambda work: needs.share_need(work, by, need, circle, CONSENT))
        assert refused.value.reason == "not_allowed"
        await mesh.settle()
        assert len(said(bob, alice, circle)) == 1

        await alice.do(needs.share_need, need, circle, Consent("proxy", "v2", "pt", person_knows=False))
        (shared,) = made(alice, Need.Shared)
        recorded = (shared.consent_given, shared.consent_text_version, shared.consent_language, shared.person_knows)
        assert recorded == ("proxy", "v2", "pt", False)
        await check_all_agree(mesh)


async def test_what_leaves_is_the_redacted_view_and_nothing_else(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Blankets", **PRIVATE)
        subject = await share(alice, need, circle)
        await mesh.settle()
        stock = await post_offer(bob, 20)
        promised = await pledge(bob, subject, 20, stock)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, promised))
        await mesh.settle()
        await bob.do(pledges.hand_over, promised)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(bob, circle, promised))
        await mesh.settle()

        entry, shared = said(bob, alice, circle)[1]
        view = NeedView("bedding", "Blankets", "normal", None, None, "North")
        assert shared == NeedShared("20", "item", "20", view)
        assert entry.subject_id.hex() == subject
        sent = crossed(mesh)
        assert b"Blankets" in sent, "what is searched below is really all that crossed"
        (posted,) = made(alice, Need.Posted)
        (held,) = made(bob, Offer.Posted)
        ids = [need, posted.person, posted.act_id, stock, held.person, promised, heard(bob, circle, promised)]
        canaries = [word.encode() for word in PRIVATE.values()]
        canaries += [form for id in ids for form in (id.bytes, id.hex.encode(), str(id).encode())]
        for canary in canaries:
            assert canary not in sent
        # The vault has it, so the search looked for what is really there.
        opened = alice.node.readers.run_now(lambda r: r.vault.open(posted.person, need))
        assert opened == PRIVATE
        await check_all_agree(mesh)


async def test_a_share_taken_back_is_gone_at_once_and_acknowledged(tmp_path: Path) -> None:
    """SPEC §15.3a."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        assert subject in await on_board(bob)

        await alice.do(needs.unshare_need, need, circle)
        assert await shared_with(alice, need) == [("revoked", False)]
        await alice.federation.publisher.publish()
        await pull(bob)
        assert subject not in await on_board(bob), "gone with the next pull"
        assert await shared_with(alice, need) == [("revoked", False)]
        await mesh.settle()
        assert await shared_with(alice, need) == [("revoked", True)]
        (acknowledged,) = made(alice, Need.UnshareAcknowledged)
        assert acknowledged.heard

        again = await share(alice, need, circle)
        await mesh.settle()
        assert again == subject and subject in await on_board(bob), "it may be shared again"
        await check_all_agree(mesh)


async def test_what_was_taken_back_is_not_described_to_a_peer_that_comes_later(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Wheelchair")
        mesh.network.cut = {bob.endpoint}
        subject = await share(alice, need, circle)
        await mesh.settle()
        await alice.do(needs.unshare_need, need, circle)
        await mesh.settle()
        assert view_parts(alice, alice, circle) == [], "nobody is served it any more"

        mesh.network.cut = set()
        mesh.network.captured.clear()
        await mesh.settle()
        assert b"Wheelchair" not in crossed(mesh)
        (shared,) = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedShared)]
        assert (shared.quantity, shared.view) == ("20", None), "the facts are there, so that all fold alike"
        assert subject not in await on_board(bob)
        assert await shared_with(alice, need) == [("revoked", True)]
        # Asking for the very part does not help.
        hashed = origin_hash(circle_origin(alice.node.gid, circle))
        index = [type(what) for _, what in said(alice, alice, circle)].index(NeedShared)
        answer = await asks(bob, alice, Want(parts=((hashed, index, VIEW), (hashed, index, FACTS))))
        assert b"Wheelchair" not in repr(answer).encode()
        assert {frame.tag for frame in answer if isinstance(frame, PartFrame)} == {FACTS}
        await check_all_agree(mesh)


async def test_a_share_taken_back_before_it_was_published_never_leaves(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Wheelchair")
        await share(alice, need, circle)
        await alice.do(needs.unshare_need, need, circle)
        stock = await post_offer(alice, 3, "Lanterns")
        await alice.do(offers.share_offer, stock, circle)
        await alice.do(offers.unshare_offer, stock, circle)
        closed = await post_need(alice, 2, "Cradle")
        await share(alice, closed, circle)
        await alice.do(needs.close_need, closed, "met")
        await mesh.settle()
        for group in (alice, bob):
            assert len(said(group, alice, circle)) == 1, "only the opening of the circle"
        for word in (b"Wheelchair", b"Lanterns", b"Cradle"):
            assert word not in crossed(mesh)
        await check_all_agree(mesh)


async def test_sharing_anew_before_publication_leaves_no_old_view_behind(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Wheelchair")
        mesh.network.cut = {bob.endpoint}
        await share(alice, need, circle)
        await alice.do(needs.unshare_need, need, circle)
        await share(alice, need, circle)
        await mesh.settle()
        assert len(view_parts(alice, alice, circle)) == 1, "one description at most is served"
        await alice.do(needs.unshare_need, need, circle)
        await mesh.settle()
        assert view_parts(alice, alice, circle) == []
        mesh.network.cut = set()
        mesh.network.captured.clear()
        await mesh.settle()
        assert b"Wheelchair" not in crossed(mesh)
        await check_all_agree(mesh)


async def test_an_offer_is_shared_and_taken_back_alike(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        stock = await post_offer(alice, 30, "Lanterns")
        await alice.do(offers.share_offer, stock, circle)
        await mesh.settle()
        shown: Any = await bob.see(offers_board)
        assert [(offer["item"], offer["available"]) for offer in shown] == [("Lanterns", "30")]
        await alice.do(offers.unshare_offer, stock, circle)
        await mesh.settle()
        assert await bob.see(offers_board) == []
        assert view_parts(alice, alice, circle) == []
        assert made(alice, Offer.UnshareAcknowledged)
        await check_all_agree(mesh)


async def test_an_ended_agreement_stops_what_was_not_yet_published(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Wheelchair")
        await share(alice, need, circle)
        by = alice.act("operator")

        def suspend(work: Any) -> None:
            link = work.get(PeerLink, PeerLink.id_of(bob.node.gid))
            link.suspend(by, "a pause")
            work.commit(link)

        await alice.node.writer.run(suspend)
        await alice.federation.links.refresh()
        await mesh.settle()
        assert len(said(alice, alice, circle)) == 1
        assert b"Wheelchair" not in crossed(mesh)
        await check_all_agree(mesh)


async def shared_with(group: Group, need: UUID) -> list[tuple[str, bool]]:
    """(state, acknowledged) of each share of a need, as its page shows them."""
    seen: Any = await group.see(needs_view.get, need.hex)
    return [(each["state"], each["acknowledged"]) for each in seen["shared_with"]]


def view_parts(reader: Group, owner: Group, circle: bytes) -> list[int]:
    """Indexes of the views that `reader` would serve of a feed."""

    def read(reading: Any) -> list[int]:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        return [row.entry_index for row in reading.feeds.parts(head.feed, 0, head.size) if row.tag == VIEW]

    return reader.node.readers.run_now(read)


def offers_board(connection: Any) -> list[dict[str, Any]]:
    return [offer for offer in board(connection)["offers"] if not offer["ours"]]
