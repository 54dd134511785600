"""What is known to exist is held by nobody who can be reached: an operator goes on without it, in new feeds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.domain.recovery import Recovery
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.identity import circle_origin
from tests.federation.test_recovery import an_old_backup_came_back, ended_of
from tests.support.federation import Group, Mesh
from tests.support.misfortune import World, clone_of
from tests.support.stories import check_all_agree, heard, made, on_board, pledge, post_need, said, share, state


async def test_alone_an_operator_goes_on_and_peers_follow(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=3)
        lost = set(await on_board(world.bob)) - {world.subject}
        world.cut()
        await mesh.settle()
        await begin_anew(world.alice)
        standing = world.alice.federation.standing()
        assert (standing["standing"], standing["signing"]) == ("active", True)
        ended = await ended_of(world.alice)
        assert ended.how == "begun_anew"
        assert "3 statements to bob are not here" in ended.tasks[0].words
        fresh = await world.share_more("Ropes")

        world.heal()
        await mesh.settle()
        board = await on_board(world.bob)
        assert fresh in board and world.subject in board, "what is open is said again"
        assert lost.isdisjoint(board), "what the group has lost is shown no more"
        assert len(said(world.bob, world.alice, world.circle)) == 5, "and what was said before stays readable"
        promised = await pledge(world.bob, world.subject, 2)
        await mesh.settle()
        await world.alice.do(pledges.accept_pledge, heard(world.bob, world.circle, promised))
        await mesh.settle()
        assert (await state(world.bob, promised)).phase == "committed"
        world.signatures.check()
        await check_all_agree(mesh)

        await world.restart()
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active", "and it stays so"
        await world.share_more("Candles")
        await check_all_agree(mesh)
        world.signatures.check()


async def test_what_was_not_signed_yet_is_said_in_the_new_feed_and_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        theirs = await share(world.bob, await post_need(world.bob, 4), world.circle)
        await mesh.settle()
        await mesh.stop("alice")
        shutil.rmtree(tmp_path / "alice-state")
        await world.start()
        world.cut()
        given = await pledge(world.alice, theirs, 4)
        await begin_anew(world.alice)
        world.heal()
        await mesh.settle()
        assert (await state(world.bob, heard(world.alice, world.circle, given))).phase == "offered"
        world.signatures.check()
        await check_all_agree(mesh)


async def test_an_older_backup_than_the_new_feed_finds_it_and_goes_on_there(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await an_old_backup_came_back(mesh, shared=1)
        world.cut()
        await begin_anew(world.alice)
        world.heal()
        subject = await world.share_more("Ropes")
        await mesh.settle()
        await mesh.stop("alice")
        world.restore("alice")
        await world.start()
        assert world.alice.federation.standing()["standing"] == "recovering"
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active"
        assert subject in await on_board(world.bob)
        later = await world.share_more("Candles")
        await mesh.settle()
        assert later in await on_board(world.bob)
        world.signatures.check()


async def test_a_home_from_before_the_pairing_goes_on_without_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        await mesh.stop("alice")
        kept = tmp_path.parent / f"{tmp_path.name}-old"
        shutil.copytree(alice.home, kept)
        alice, bob = await mesh.start("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        await mesh.stop("alice")
        shutil.rmtree(alice.home)
        shutil.copytree(kept, alice.home)
        alice = await mesh.start("alice")
        await mesh.settle()
        assert alice.federation.standing()["standing"] == "recovering"
        await begin_anew(alice)
        assert alice.federation.standing()["standing"] == "active"
        await mesh.stop("alice")
        assert (await mesh.start("alice")).federation.standing()["standing"] == "active", "decided once"


async def test_a_clone_that_begins_anew_takes_over_and_the_other_finds_out(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        clone_of(tmp_path)
        shutil.rmtree(tmp_path / "clone-state")
        alice = await world.start()
        await mesh.settle()
        await world.share_more()
        await mesh.settle()
        clone = world.signatures.watch(await mesh.start("clone"))
        assert clone.federation.standing()["standing"] == "recovering"
        await begin_anew(clone)
        await world.pull(world.bob)  # one address: now it leads to the clone
        begun = clone.federation.publisher.origin_to(world.circle)
        assert begun != circle_origin(alice.node.gid, world.circle)
        mesh.network.nodes[alice.endpoint] = alice.federation
        del mesh.groups["clone"]
        await mesh.settle()
        assert f"not in this home ({begun})" in made(alice, Recovery.Began)[0].reason
        world.signatures.check()
        await mesh._open.pop("clone").aclose()


async def test_who_lacks_nothing_has_nothing_to_decide(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        with pytest.raises(Refused, match="lacks nothing"):
            await begin_anew(world.alice)


async def begin_anew(group: Group) -> None:
    await group.federation.replication.recovery.override(group.act("operator"))
