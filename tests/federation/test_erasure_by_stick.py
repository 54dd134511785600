"""Erasing between groups that have no line: asked for, done and confirmed by files; an old file brings nothing back."""

from __future__ import annotations

from pathlib import Path

from aidmesh_node.application import erasing
from aidmesh_node.domain.need import Need
from tests.support.carrying import pack, read
from tests.support.erasing import AREA, ITEM, a_need_in_words, ledger, quiet
from tests.support.federation import Mesh
from tests.support.stories import check_all_agree, on_board, two_groups
from tests.support.taint import files, tainted


async def test_erased_confirmed_and_never_brought_back_by_files(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint, bob.endpoint}
        need, subject = await a_need_in_words(alice, circle)
        await alice.federation.publisher.publish()
        (file,), (old,) = await pack(alice, circle), await pack(alice, circle)
        await read(bob, file)
        assert (await on_board(bob))[subject]["item"] == ITEM

        await alice.do(erasing.erase, Need, need)
        await alice.federation.publisher.publish()
        (asked,) = await ledger(alice)
        (to_bob,) = asked["groups"]
        assert to_bob["had_it"] is not None, "it went into a file for them"
        assert to_bob["confirmed"] is None
        await read(bob, (await pack(alice, circle))[0])
        await bob.federation.publisher.publish()
        await read(alice, (await pack(bob, circle))[0])
        (asked,) = await ledger(alice)
        assert asked["groups"][0]["confirmed"] is not None

        told = await read(bob, old)
        assert told["refused"] == [], "its carrier may not have heard yet: no fault"
        await quiet(alice, bob)
        assert tainted([ITEM, AREA], files(tmp_path / "alice", tmp_path / "bob")) == []
        assert subject not in await on_board(bob)
        mesh.network.cut = set()
        await check_all_agree(mesh)


async def test_a_file_from_before_brings_nothing_to_whoever_heard_online(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await alice.federation.publisher.publish()
        (old,) = await pack(alice, circle)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        told = await read(bob, old)
        assert (told["new"], told["refused"]) == (0, [])
        await quiet(alice, bob)
        assert tainted([ITEM, AREA], files(tmp_path / "bob")) == []
        await check_all_agree(mesh)
