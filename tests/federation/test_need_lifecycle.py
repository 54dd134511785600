"""What other groups see of a need that is reopened, becomes more urgent, or is amended; and who sees an emergency."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import need_care, needs, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol.entry import VIEW
from aidmesh_protocol.identity import circle_origin
from aidmesh_protocol.statements import NeedClosed, NeedShared, NeedUpdated
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    CONSENT,
    a_shared_need,
    check_all_agree,
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

ADVICE = EmergencyAdvice("112")
LATER = timedelta(hours=20)
WIDE = Consent("by_phone", "emergency-v1", "en")


async def post_emergency(group: Group) -> UUID:
    need_id = group.node.entropy.uuid()
    asked = PostNeed("medicine", Quantity(Decimal(1), "item"), item="Insulin", urgency="emergency", advice=ADVICE)
    await group.do(needs.post_need, need_id, group.node.entropy.uuid(), asked)
    return need_id


def kinds(reader: Group, owner: Group, circle: bytes) -> list[str]:
    return [type(what).__name__ for _, what in said(reader, owner, circle)]


async def test_a_reopened_need_is_shared_with_nobody_until_it_is_shared_anew(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        promised = await pledge(bob, subject, 5)
        await mesh.settle()
        await alice.do(needs.close_need, need, "no_longer_wanted")
        await mesh.settle()
        await alice.do(need_care.reopen_need, need)
        await mesh.settle()
        assert not await on_board(bob)
        mine: Any = await alice.see(needs_view.get, need.hex)
        assert (mine["state"], mine["shared_with"], mine["closed_reason"]) == ("open", [], None)
        assert mine["next_action_at"]

        await alice.do(needs.share_need, need, circle, CONSENT)
        await mesh.settle()
        (again,) = await on_board(bob)
        assert again != subject, "closed is final: the same need has another name now"
        old: Any = await bob.see(needs_view.get, subject)
        assert (old["state"], old["closed_reason"]) == ("closed", "no_longer_wanted")
        fresh = await pledge(bob, again, 7)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, fresh))
        with pytest.raises(Refused):
            await alice.do(pledges.accept_pledge, heard(bob, circle, promised))
        await mesh.settle()
        await alice.do(needs.close_need, need, "done_by_others")
        await mesh.settle()
        assert not await on_board(bob)
        await check_all_agree(mesh)


@pytest.mark.parametrize("shared_anew", [False, True])
async def test_one_reopened_before_anybody_heard_that_it_closed_is_closed_for_them_all_the_same(
    tmp_path: Path, shared_anew: bool
) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        await alice.do(needs.close_need, need, "met")
        await alice.do(need_care.reopen_need, need)
        if shared_anew:
            await alice.do(needs.share_need, need, circle, CONSENT)
        await mesh.settle()
        board = await on_board(bob)
        assert subject not in board and len(board) == int(shared_anew)
        (closed,) = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedClosed)]
        assert closed.reason == "met"
        await check_all_agree(mesh)


async def test_what_was_never_told_before_it_was_reopened_is_not_told_afterwards(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20)
        await share(alice, need, circle)
        await alice.do(needs.withdraw_need, need)
        await alice.do(need_care.reopen_need, need)
        await mesh.settle()
        assert kinds(bob, alice, circle) == ["CircleOpened"]
        await check_all_agree(mesh)


async def test_a_new_urgency_is_told_with_the_totals_and_the_old_view_is_served_no_more(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        promised = await pledge(bob, subject, 6, await post_offer(bob, 8))
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, promised))
        await mesh.settle()
        await bob.do(pledges.hand_over, promised, Decimal(4))
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(bob, circle, promised), Decimal(4))
        await alice.do(need_care.change_urgency, need, "high", "worse", None)
        await mesh.settle()
        told = (await on_board(bob))[subject]
        assert (told["urgency"], told["received"], told["reserved"], told["open"]) == ("high", "4", "2", "14")
        shared = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedShared)]
        assert len(shared) == 2

        def served(reading: Any) -> list[int]:
            head = reading.feeds.head(circle_origin(alice.node.gid, circle))
            return [row.entry_index for row in reading.feeds.parts(head.feed, 0, head.size) if row.tag == VIEW]

        assert len(alice.node.readers.run_now(served)) == 1
        await alice.do(needs.unshare_need, need, circle)
        await mesh.settle()
        assert alice.node.readers.run_now(served) == []
        assert not await on_board(bob)
        await check_all_agree(mesh)


async def test_an_amended_need_is_told(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        await alice.do(need_care.amend_need, need, Decimal(12))
        await mesh.settle()
        assert (await on_board(bob))[subject]["open"] == "12"
        assert isinstance(said(bob, alice, circle)[-1][1], NeedUpdated)
        await check_all_agree(mesh)


async def test_an_emergency_goes_to_all_groups_with_a_consent_to_that_and_back_when_it_is_over(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, carol = await mesh.found("alice"), await mesh.found("bob"), await mesh.found("carol")
        with_bob, with_carol = await mesh.pair(alice, bob), await mesh.pair(alice, carol)
        need = await post_need(alice, 20)
        await share(alice, need, with_bob)
        await mesh.settle()
        with pytest.raises(Refused) as no:
            await alice.do(need_care.share_wider, need, [with_bob, with_carol], WIDE)
        assert no.value.reason == "no_emergency"
        await alice.do(need_care.change_urgency, need, "emergency", "worse", ADVICE)
        by = alice.act("member", actor=alice.node.entropy.uuid())
        with pytest.raises(Refused) as no:
            await alice.node.commit(lambda work: need_care.share_wider(work, by, need, [with_carol], WIDE))
        assert no.value.reason == "not_allowed"
        await mesh.settle()
        assert await on_board(bob) and not await on_board(carol), "being an emergency alone widens nothing"

        told = await alice.do(need_care.share_wider, need, [with_bob, with_carol], WIDE)
        assert told.body["circles"] == [with_carol.hex()]
        with pytest.raises(Refused) as no:
            await alice.do(need_care.share_wider, need, [with_bob, with_carol], WIDE)
        assert no.value.reason == "already_shared"
        await mesh.settle()
        (shown,) = (await on_board(carol)).values()
        assert shown["urgency"] == "emergency"
        (recorded,) = made(alice, Need.SharedInEmergency)
        assert (recorded.consent_given, recorded.consent_text_version) == ("by_phone", "emergency-v1")

        await alice.do(need_care.change_urgency, need, "normal", "better", None)
        await mesh.settle()
        assert await on_board(bob) and not await on_board(carol)
        await check_all_agree(mesh)


async def test_emergencies_come_first_in_every_list_ours_and_theirs(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        ours = await post_emergency(bob)
        await share(alice, await post_emergency(alice), circle)
        await share(alice, await post_need(alice, 5, "Soap"), circle)
        for item in ("Rice", "Tents", "Lamps"):
            mesh.clock.time += LATER
            await post_need(bob, 3, item)
        await mesh.settle()

        async def listed(**wanted: Any) -> list[str]:
            items, cursor = [], None
            while True:
                page: Any = await bob.see(needs_view.list_page, limit=2, cursor=cursor, **wanted)
                items += [need["item"] for need in page["items"]]
                if (cursor := page["cursor"]) is None:
                    return items

        assert await listed() == ["Insulin", "Insulin", "Lamps", "Tents", "Rice", "Soap"]
        assert (await listed(ours=False))[0] == "Insulin"
        assert [need["urgency"] for need in (await on_board(bob)).values()][:2] == ["emergency"] * 2
        due: Any = await bob.see(needs_view.untouched_page, mesh.clock.time + 3 * LATER)
        assert [need["item"] for need in due["items"]] == ["Insulin", "Rice", "Tents", "Lamps"]
        await bob.do(needs.close_need, ours, "met")
        assert await listed(ours=True) == ["Lamps", "Tents", "Rice", "Insulin"], "over, it is one of many"
        await bob.do(need_care.reopen_need, ours)
        assert (await listed(ours=True))[0] == "Insulin"
        await check_all_agree(mesh)
