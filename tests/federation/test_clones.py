"""Two of one: a process or a home that was copied while it ran draws its own ids and salts (reliability.md K07)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from aidmesh_node.application.ports import FeedHead, PartRow, Reading
from aidmesh_node.entropy import Entropy
from tests.support.federation import Mesh
from tests.support.misfortune import World, clone_of
from tests.support.stories import post_need, share


class RandomMesh(Mesh):
    """Its nodes draw from the operating system, as in life."""

    def _entropy(self) -> Entropy:
        return Entropy()


def test_k07_two_copies_of_one_process_draw_different_ids_and_salts() -> None:
    """What is in memory is the same in both, wherever the copy was made; nothing that was drawn ahead is in it."""
    entropy = Entropy()
    for drawn in range(600):
        twin = copy.copy(entropy)
        assert entropy.uuid() != twin.uuid()
        assert entropy.bytes(16) != twin.bytes(16)
        assert entropy.secret_text() != twin.secret_text()
        assert set(entropy.uuids(3)).isdisjoint(twin.uuids(3)), drawn


def _last_parts(head: FeedHead, reading: Reading) -> Sequence[PartRow]:
    return reading.feeds.parts(head.feed, head.size - 1, head.size)


async def test_k07_two_copies_of_one_home_say_different_bytes(tmp_path: Path) -> None:
    """The same need, shared by both: no part has the same key, so equal contents cannot be told from different ones."""
    folder = tmp_path / "mesh"
    folder.mkdir()
    async with RandomMesh(folder) as mesh:
        world = await World.begin(mesh)
        await mesh.stop("alice")
        clone_of(folder)
        parts: list[set[bytes]] = []
        for home in ("alice", "clone"):
            group = await mesh.start("alice", folder / home)
            need = await post_need(group, 7, "Ropes")
            await share(group, need, world.circle)
            await mesh.settle()
            head = group.node.readers.run_now(lambda reading: reading.feeds.head(world.origin))
            assert head is not None
            rows = group.node.readers.run_now(partial(_last_parts, head))
            parts.append({row.part for row in rows} | {need.bytes})
            await mesh.stop("alice")
        assert len(parts[0]) == len(parts[1]) == 3
        assert parts[0].isdisjoint(parts[1])
