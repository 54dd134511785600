"""A node that was restored gets its own words back from its peers, tells them to its log, and goes on as the same."""

from __future__ import annotations

import shutil
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from aidmesh_node.application import need_care, needs, pledges
from aidmesh_node.application.retelling import current
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.recovery import Recovery
from aidmesh_node.views import changes
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views.pages import BadCursor
from tests.support.federation import Group, Mesh
from tests.support.misfortune import World, roll_back, snapshot
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    state,
)


async def test_what_was_shared_after_the_backup_comes_back_and_is_said_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=3, unshared=2)
        before = said(world.bob, world.alice, world.circle)
        await mesh.settle()
        standing = world.alice.federation.standing()
        assert (standing["standing"], standing["signing"]) == ("active", True)
        assert said(world.bob, world.alice, world.circle) == before, "nothing is said a second time"
        back = [event for event in made(world.alice, Need.Posted) if event.role == "recovered"]
        assert [event.item for event in back] == ["Lanterns"] * 3
        ended = await ended_of(world.alice)
        assert (ended.how, ended.statements, ended.lost) == ("recovered", 3, 2)

        subject = await world.share_more("Ropes")
        await mesh.settle()
        assert subject in await on_board(world.bob), "and it carries on under the same identity"
        world.signatures.check()
        await check_all_agree(mesh)


async def test_what_came_back_goes_on_under_the_name_it_had(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=1)
        (subject,) = set(await on_board(world.bob)) - {world.subject}
        await mesh.settle()
        (lanterns,) = [event for event in made(world.alice, Need.Posted) if event.role == "recovered"]
        promised = await pledge(world.bob, subject, 2)
        await mesh.settle()
        await world.alice.do(pledges.accept_pledge, heard(world.bob, world.circle, promised))
        await mesh.settle()
        assert (await state(world.bob, promised)).phase == "committed"
        assert (await need_totals(world.alice, lanterns.originator_id))[0] == 2
        await world.alice.do(needs.withdraw_need, lanterns.originator_id)
        await mesh.settle()
        assert subject not in await on_board(world.bob)
        world.signatures.check()
        await check_all_agree(mesh)


async def test_both_sides_of_a_pledge_are_told_again_in_a_possible_order(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        theirs = await share(world.bob, await post_need(world.bob, 4), world.circle)
        await mesh.settle()
        await mesh.stop("alice")
        world.keep("alice")
        await world.start()
        # After the backup: both give to each other, and each word answers one of the other side.
        received = await pledge(world.bob, world.subject, 3)
        given = await pledge(world.alice, theirs, 4, await post_offer(world.alice, 9))
        await mesh.settle()
        await world.alice.do(pledges.accept_pledge, heard(world.bob, world.circle, received))
        await world.bob.do(pledges.accept_pledge, at_bob := heard(world.alice, world.circle, given))
        await mesh.settle()
        await world.bob.do(pledges.hand_over, received)
        await world.alice.do(pledges.hand_over, given)
        await mesh.settle()
        await world.alice.do(pledges.receive_pledge, heard(world.bob, world.circle, received))
        await mesh.settle()
        before, told = await state(world.bob, received), said(world.bob, world.alice, world.circle)

        await destroy_and_restore(world)
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active"
        assert await state(world.alice, heard(world.bob, world.circle, received)) == before
        assert await need_totals(world.alice, world.need) == (0, 3, 7)
        assert said(world.bob, world.alice, world.circle) == told, "nothing is said a second time"
        await world.bob.do(pledges.receive_pledge, at_bob)
        world.signatures.check()
        await mesh.settle()
        for group in mesh.groups.values():
            assert group.node.verify().ok


async def test_an_acceptance_that_came_after_the_backup_is_made_firm_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        theirs = await share(world.bob, await post_need(world.bob, 4), world.circle)
        await mesh.settle()
        given = await pledge(world.alice, theirs, 4, await post_offer(world.alice, 9))
        await mesh.settle()
        await mesh.stop("alice")
        world.keep("alice")
        await world.start()
        await world.share_more()
        await mesh.settle()
        at_bob = heard(world.alice, world.circle, given)
        await mesh.stop("alice")
        await world.bob.do(pledges.accept_pledge, at_bob)
        world.restore("alice")
        await world.start()
        await mesh.settle()
        assert (await state(world.alice, given)).phase == "committed"
        world.signatures.check()
        await check_all_agree(mesh)


async def test_people_work_on_meanwhile_and_are_asked_where_both_said_something(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        world.keep("alice")
        await world.start()
        promised = await pledge(world.bob, world.subject, 3)
        await mesh.settle()
        await world.alice.do(need_care.amend_need, world.need, Decimal(12))
        await mesh.settle()
        await destroy_and_restore(world)
        world.cut()
        await world.alice.do(needs.withdraw_need, world.need)
        subject = await world.share_more("Ropes")
        world.heal()
        await mesh.settle()
        recovery = await recovery_of(world.alice)
        assert [(task.kind, task.thing) for task in recovery.tasks] == [("changed_twice", world.need.hex)]
        board = await on_board(world.bob)
        assert subject in board and world.subject not in board, "what they recorded meanwhile has left now"
        assert (await state(world.bob, promised)).phase == "declined"
        world.signatures.check()
        await check_all_agree(mesh)


async def test_what_was_taken_back_after_the_backup_is_not_shown_again(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        world.keep("alice")
        await world.start()
        await world.alice.do(needs.unshare_need, world.need, world.circle)
        await mesh.settle()
        await destroy_and_restore(world)
        await mesh.settle()
        assert world.subject not in await on_board(world.bob)
        share_state = (await world.alice.node.writer.run(lambda work: work.get(Need, world.need).shares)).value
        assert not share_state[world.circle.hex()].live
        await check_all_agree(mesh)


async def test_a_snapshot_that_appended_meanwhile_makes_room_for_what_was_signed(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await snapshot(world)
        lost = await world.share_more()
        await mesh.settle()
        await roll_back(world)
        world.cut()
        meanwhile = await world.share_more("Ropes")
        await mesh.settle()
        world.heal()
        await mesh.settle()
        board = await on_board(world.bob)
        assert lost in board and meanwhile in board
        assert [entry.type for entry, _ in said(world.bob, world.alice, world.circle)] == [
            "circle.opened", "need.shared", "need.shared", "need.shared"
        ]  # fmt: skip
        world.signatures.check()
        await check_all_agree(mesh)


async def test_a_crash_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=3)
        (link,) = world.alice.federation.links.active()
        recovery = world.alice.federation.replication.recovery
        await recovery.ask(link, partial(world.alice.federation.replication._ask_own, link))
        assert world.alice.federation.standing()["standing"] == "recovering"
        await world.restart()
        assert "are being read" in str(world.alice.federation.standing()["standing_reason"])
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active"
        assert len([event for event in made(world.alice, Need.Posted) if event.role == "recovered"]) == 3
        assert len(made(world.alice, Recovery.Began)) == 1
        await check_all_agree(mesh)


async def test_both_were_restored_and_help_each_other(tmp_path: Path) -> None:
    """SPEC §16.3a: bob has lost his mark, alice a day's work; neither waits for the other to be in order first."""
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=2)
        await mesh.stop("bob")
        shutil.rmtree(tmp_path / "bob-state")
        world.bob = await mesh.start("bob")
        for group in (world.alice, world.bob):
            assert group.federation.standing()["standing"] == "recovering"
        await mesh.settle()
        for group in (world.alice, world.bob):
            assert group.federation.standing()["standing"] == "active"
        assert len(await on_board(world.bob)) == 3
        world.signatures.check()
        await check_all_agree(mesh)


async def an_old_backup_came_back(mesh: Mesh, *, shared: int, unshared: int = 0) -> World:
    """Alice's home is that of before so many things were recorded; her node runs, and has heard nobody yet."""
    world = await World.begin(mesh)
    await mesh.stop("alice")
    world.keep("alice")
    await world.start()
    await mesh.settle()
    for _ in range(unshared):
        await post_need(world.alice, 1, "Candles")
    for _ in range(shared):
        await world.share_more()
    await mesh.settle()
    await destroy_and_restore(world)
    return world


async def destroy_and_restore(world: World) -> None:
    await world.mesh.stop("alice")
    world.restore("alice")
    await world.start()
    assert world.alice.federation.standing()["standing"] == "recovering"


async def recovery_of(group: Group) -> Recovery:
    found = (await group.node.writer.run(lambda work: current(work, group.node.gid))).value
    assert found is not None
    return found


async def ended_of(group: Group) -> Recovery:
    recovery = await recovery_of(group)
    assert recovery.is_over
    return recovery


async def test_live_pages_and_cursors_of_the_lost_log_begin_anew(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await world.share_more()
        await mesh.stop("alice")
        world.keep("alice")
        await world.start()
        await world.share_more()
        await mesh.settle()
        page = await world.alice.see(needs_view.list_page, limit=1)
        place = (await world.alice.see(changes.since, None, 10)).end
        await mesh.stop("alice")
        world.restore("alice")
        await world.start()
        told = await world.alice.see(changes.since, place, 10)
        assert (told.lost, told.changes) == ("other_history", []), "told to read anew, never passed over"
        with pytest.raises(BadCursor):
            await world.alice.see(needs_view.list_page, limit=1, cursor=page["cursor"])
        await mesh.settle()
        page = await world.alice.see(needs_view.list_page, limit=1)
        seen = [page["items"][0]["id"]]
        while page["cursor"] is not None:
            page = await world.alice.see(needs_view.list_page, limit=1, cursor=page["cursor"])
            seen += [item["id"] for item in page["items"]]
        assert len(seen) == len(set(seen)) == 3
