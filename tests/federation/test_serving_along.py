"""What a command lets leave is appended in the command's own transaction, and is on its way before anybody asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import needs
from aidmesh_node.application.mark import MarkConflict
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.federation.publisher import LOAD_EVENTS
from aidmesh_protocol.identity import origin_hash
from tests.support.federation import Mesh
from tests.support.misfortune import World
from tests.support.stories import check_all_agree, on_board, post_need, share


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[World]:
    """Alice's node runs by itself; bob's asks when it is told to."""
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        world.alice.federation.start()
        # The task that publishes looks through everything once, at its start.
        await until(lambda: world.alice.federation.publisher._decided == world.alice.node.writer.position)
        yield world
        await world.alice.federation.stop()
        world.signatures.check()
        await check_all_agree(mesh)


async def posted(world: World, item: str) -> UUID:
    """A need, and what came along with it is over."""
    need = await post_need(world.alice, 3, item)
    await until(lambda: not world.alice.federation._along)
    return need


async def until(is_so: Any) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0)


def rows(world: World) -> int:
    def size(reading: Any) -> int:
        return int(reading.feeds.head(world.origin).size)

    return world.alice.node.readers.run_now(size)


async def test_when_the_command_is_acknowledged_its_entry_is_durable(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        need, before, commits = await posted(world, "Ropes"), rows(world), list[int]()
        world.alice.node.writer.on_commit(commits.append)  # type: ignore[attr-defined]
        subject = await share(world.alice, need, world.circle)
        assert rows(world) == before + 1
        assert len(commits) == 1, "in one transaction"
        await until(lambda: world.signed_size() == before + 1)
        await world.pull(world.bob)
        assert subject in await on_board(world.bob)


@pytest.mark.parametrize("disk", ["quick", "slow"])
async def test_a_quick_disk_has_moved_the_mark_when_the_command_is_acknowledged(tmp_path: Path, disk: str) -> None:
    async with running(tmp_path) as world:
        publisher, before = world.alice.federation.publisher, rows(world)
        need = await posted(world, "Ropes")
        publisher._mover.seconds = before_it = 0.0 if disk == "quick" else 1000.0
        publisher._mover.mark = Watched(publisher._mover.mark, threads := list[str]())
        await share(world.alice, need, world.circle)
        if disk == "quick":
            assert marked(world) == before + 1
        await until(lambda: world.signed_size() == before + 1)
        assert threads == ["aidmesh-writer" if disk == "quick" else "aidmesh-mark_0"]
        assert publisher._mover.seconds != before_it, "measured anew"


async def test_a_refused_command_lets_nothing_leave_and_the_next_one_does(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        need, before = await posted(world, "Ropes"), rows(world)

        def dies_late(work: Any, by: Any) -> dict[str, object]:
            needs.unshare_need(work, by, world.need, world.circle)
            raise Refused("no", "No.", "")

        with pytest.raises(Refused):
            await world.alice.do(dies_late)
        await until(lambda: not world.alice.federation._along)
        assert rows(world) == before
        await share(world.alice, need, world.circle)
        assert rows(world) == before + 1


async def test_under_load_one_decision_serves_many_commands(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        need, before = await posted(world, "Ropes"), rows(world)
        publisher = world.alice.federation.publisher
        publisher._round_events, publisher._round_at = LOAD_EVENTS + 1, float("inf")
        assert not publisher.goes_along
        await share(world.alice, need, world.circle)
        assert rows(world) == before, "left to the next round"
        publisher._round_at = float("-inf")
        await until(lambda: world.signed_size() == before + 1)


class Watched:
    """The real mark file, and which thread moved it."""

    def __init__(self, mark: Any, threads: list[str]) -> None:
        self._mark, self._threads = mark, threads
        self.read = mark.read

    def swap(self, *values: Any) -> None:
        self._threads.append(threading.current_thread().name)
        self._mark.swap(*values)


def marked(world: World) -> int:
    marks = world.alice.federation.publisher._mover.mark.read()
    assert marks is not None
    return marks[origin_hash(world.origin).hex()].size


class Trouble:
    """The real mark file; the next swap fails."""

    def __init__(self, mark: Any, error: Exception) -> None:
        self._mark, self._errors = mark, [error]

    def swap(self, *values: Any) -> None:
        if self._errors:
            raise self._errors.pop()
        self._mark.swap(*values)


@pytest.mark.parametrize("swap_seconds", [0.0, 1.0], ids=["quick disk", "slow disk"])
async def test_a_mark_that_could_not_be_moved_is_tried_again_by_itself(tmp_path: Path, swap_seconds: float) -> None:
    async with running(tmp_path) as world:
        publisher, before = world.alice.federation.publisher, rows(world)
        need = await posted(world, "Ropes")
        publisher._mover.seconds = swap_seconds
        publisher._mover.mark = Trouble(publisher._mover.mark, Unavailable("mark", "The disk is full.", "Make room."))  # type: ignore[assignment]
        subject = await share(world.alice, need, world.circle)
        await until(lambda: world.signed_size() == before + 1)
        assert publisher._mover.mark._errors == [], "it did fail"  # type: ignore[attr-defined]
        await world.pull(world.bob)
        assert subject in await on_board(world.bob)
        assert world.alice.federation.recovering == ""


@pytest.mark.parametrize("swap_seconds", [0.0, 1.0], ids=["quick disk", "slow disk"])
async def test_another_copy_that_moved_the_mark_stops_the_signing(tmp_path: Path, swap_seconds: float) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        world.alice.federation.start()
        publisher, before = world.alice.federation.publisher, rows(world)
        await until(lambda: publisher._decided == world.alice.node.writer.position)
        publisher._mover.seconds = swap_seconds
        publisher._mover.mark = Trouble(publisher._mover.mark, MarkConflict("it was moved"))  # type: ignore[assignment]
        await share(world.alice, await posted(world, "Ropes"), world.circle)
        await until(lambda: not world.alice.federation._along)
        assert "another copy of this node" in world.alice.federation.recovering
        assert (rows(world), world.signed_size()) == (before + 1, before)
        world.signatures.check()
