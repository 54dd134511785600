"""What leaves a node, to whom, and how it is taken back. Alice's group asks; bob's and eve's groups may see."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.refused import Refused
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views import pledges as pledges_view
from aidmesh_node.views.board import board
from aidmesh_protocol import paths, statements
from aidmesh_protocol.bundle import Ask, CheckpointFrame, PartFrame, Sizes, Want, decode_bundle, encode_bundle
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.request_signing import sign_request
from aidmesh_protocol.statements import NeedClosed, NeedShared, NeedUpdated, NeedView
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    CONSENT,
    check_all_agree,
    crossed,
    heard,
    made,
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

PRIVATE = {"name": "Zenobia Quill", "phone": "+999 555 0142", "address": "7 Heron Row", "note": "insulin in the fridge"}


async def two_groups(mesh: Mesh) -> tuple[Group, Group, bytes]:
    alice, bob = await mesh.found("alice"), await mesh.found("bob")
    return alice, bob, await mesh.pair(alice, bob)


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
        opened = alice.node.readers.run_now(lambda r: r.vault.open(posted.person, need))  # type: ignore[attr-defined]
        assert opened == PRIVATE
        await check_all_agree(mesh)


async def test_a_share_taken_back_is_gone_at_once_and_acknowledged(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await mesh.settle()
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


@pytest.mark.parametrize("how", ["close", "withdraw"])
async def test_a_need_that_ends_lets_go_of_its_pledges_at_both_sides(tmp_path: Path, how: str) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await mesh.settle()
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
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await mesh.settle()
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
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        subject = await share(alice, need, circle)
        await mesh.settle()
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


async def test_two_circles_know_the_same_need_by_different_ids(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        other = await mesh.pair(alice, eve)
        need = await post_need(alice, 20)
        subjects = {await share(alice, need, each) for each in (circle, other)}
        assert len(subjects) == 2
        await mesh.settle()
        for_bob, for_eve = said(bob, alice, circle), said(eve, alice, other)
        names = [{entry.statement_id for entry, _ in told} | {entry.subject_id for entry, _ in told}
                 for told in (for_bob, for_eve)]  # fmt: skip
        assert not names[0] & names[1]
        assert for_bob[1][1] == for_eve[1][1], "what they are told is the same"
        commitments = [{part.commitment for entry, _ in told for part in entry.parts} for told in (for_bob, for_eve)]
        assert not commitments[0] & commitments[1], "and salted, so that it cannot be compared"
        await check_all_agree(mesh)


async def test_a_third_group_sees_nothing_of_another_circle(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        await mesh.pair(alice, eve)
        need = await post_need(alice, 20, "Wheelchair")
        subject = await share(alice, need, circle)
        await mesh.settle()
        await pledge(bob, subject, 5)
        await mesh.settle()
        secrets = [origin_hash(circle_origin(group.node.gid, circle)) for group in (alice, bob)]

        mesh.network.captured.clear()
        await pull(eve)
        sent = crossed(mesh)
        for hidden in (*secrets, circle, circle.hex().encode(), b"Wheelchair", bytes.fromhex(subject)):
            assert hidden not in sent
        assert bob.node.gid.encode() not in sent, "not even whom alice's group knows"

        # Even knowing the names, she gets nothing by asking for them.
        wanted = Want(
            parts=tuple((hashed, index, tag) for hashed in secrets for index in range(3) for tag in (FACTS, VIEW)),
            entries=tuple((hashed, index) for hashed in secrets for index in range(3)),
        )
        sizes = Sizes(tuple((hashed, 0, sha256(b"").digest()) for hashed in secrets))
        answer = await asks(eve, alice, wanted, sizes)
        assert not any(hidden in repr(frame).encode() for frame in answer for hidden in map(_as_repr, secrets))
        checkpoints = [frame.note for frame in answer if isinstance(frame, CheckpointFrame)]
        assert not any(circle.hex().encode() in note for note in checkpoints)
        heads = eve.node.readers.run_now(lambda reading: reading.feeds.heads())  # type: ignore[attr-defined]
        assert {head.owner for head in heads} == {eve.node.gid, alice.node.gid}
        assert not any(head.circle == circle for head in heads)
        await check_all_agree(mesh)


async def pull(group: Group) -> None:
    """This group asks each of its peers once."""
    for link in group.federation.links.active():
        await group.federation.replication.pull(link, 0)


async def asks(asker: Group, asked: Group, *frames: Any) -> list[Any]:
    """A well-signed sync request that says what its sender likes, and the frames of the answer."""
    body = b"".join(encode_bundle([Ask(BUNDLE_BYTES_ONLINE_MAX, 0), *frames]))
    headers = sign_request(
        method="POST",
        path=paths.SYNC,
        query="",
        body_sha256=sha256(body).digest(),
        key=load_keys(Home(asker.home).keys).signing,
        gid=asker.node.gid,
        destination_gid=asked.node.gid,
        created=int(asker.node.clock.now().timestamp()),
        nonce=asker.node.entropy.secret_text(18),
    )
    request = PeerRequest("POST", paths.SYNC, "", tuple(headers.items()), body)
    pieces = [piece async for piece in asked.federation.sync(request)]
    return list(decode_bundle(b"".join(pieces), bytes_max=BUNDLE_BYTES_ONLINE_MAX))


async def shared_with(group: Group, need: UUID) -> list[tuple[str, bool]]:
    """(state, acknowledged) of each share of a need, as its page shows them."""
    seen: Any = await group.see(needs_view.get, need.hex)
    return [(each["state"], each["acknowledged"]) for each in seen["shared_with"]]


def view_parts(reader: Group, owner: Group, circle: bytes) -> list[int]:
    """Indexes of the views that `reader` would serve of a feed."""

    def read(reading: Any) -> list[int]:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        return [row.entry_index for row in reading.feeds.parts(head.feed, 0, head.size) if row.tag == VIEW]

    return reader.node.readers.run_now(read)  # type: ignore[attr-defined, no-any-return]


def offers_board(connection: Any) -> list[dict[str, Any]]:
    return [offer for offer in board(connection)["offers"] if not offer["ours"]]


def _as_repr(value: bytes) -> bytes:
    return repr(value).encode()

