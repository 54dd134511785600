"""A node restored to before an erasure gets its own words back from its peers, and still knows who was asked."""

from __future__ import annotations

import shutil
from pathlib import Path

from aidmesh_node.application import erasing
from aidmesh_node.domain.need import Need
from tests.support.erasing import AREA, ITEM, a_need_in_words, ledger, quiet
from tests.support.federation import Mesh
from tests.support.stories import two_groups
from tests.support.taint import files, tainted


async def test_what_was_erased_since_the_backup_stays_erased_and_asked_for(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, _, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await mesh.stop("alice")
        shutil.copytree(tmp_path / "alice", tmp_path / "december")
        alice = await mesh.start("alice")
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        await mesh.stop("alice")
        shutil.rmtree(tmp_path / "alice")
        shutil.move(tmp_path / "december", tmp_path / "alice")
        alice = await mesh.start("alice")
        await mesh.settle()
        await quiet(alice)
        assert [asked["kind"] for asked in await ledger(alice)] == ["need"]
        assert tainted([ITEM, AREA], files(tmp_path / "alice")) == []
        assert alice.node.verify().ok
