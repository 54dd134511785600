"""A node that is killed while a page follows it: whoever comes back is told of what they missed, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession

from tests.support.following import following
from tests.support.processes import NodeProcess, new_node, start

BLANKETS = {"category": "bedding", "item": "Blanket", "quantity": "3", "unit": "item"}
CLIENTS = 4


class Page:
    """A page that follows the operator's node whatever happens to it."""

    def __init__(self) -> None:
        self.last_id = ""
        self.heard: list[str] = []
        self.told: list[str] = []

    async def follow(self, session: ClientSession, node: NodeProcess, is_enough: Callable[[], bool]) -> None:
        """Until it has heard enough, or the line breaks."""
        try:
            async with following(session, node.url, node.token, self.last_id) as follower:
                while not is_enough() and (one := await follower.next()) is not None:
                    self.last_id = one.id
                    self.heard.append(one.event)
                    if one.event == "change":
                        self.told.append(one.data["id"])
        except (ClientError, OSError):
            pass


def holds(page: Page, wanted: set[str]) -> bool:
    return wanted <= set(page.told)


class Posting:
    """Clients that post needs until the node dies; `enough` is set once so many are acknowledged."""

    def __init__(self, until: int) -> None:
        self.acknowledged: list[str] = []
        self.enough = asyncio.Event()
        self._until = until

    async def go_on(self, session: ClientSession, node: NodeProcess) -> None:
        headers = {"Authorization": f"Bearer {node.token}"}
        try:
            while True:
                async with session.post(f"{node.url}/api/v1/needs", json=BLANKETS, headers=headers) as answer:
                    assert answer.status == 201
                    self.acknowledged.append((await answer.json())["id"])
                if len(self.acknowledged) >= self._until:
                    self.enough.set()
        except (ClientError, OSError):
            self.enough.set()


async def outlive(folder: Path, kills: int, seed: int) -> None:
    draw, page = random.Random(seed), Page()
    node = new_node(folder, "north")
    async with ClientSession() as session:
        try:
            await page.follow(session, node, lambda: page.heard == ["ready"])
            for _ in range(kills):
                posting = Posting(until=draw.randint(1, 150))
                going_on = [asyncio.ensure_future(posting.go_on(session, node)) for _ in range(CLIENTS)]
                following_on = asyncio.ensure_future(page.follow(session, node, lambda: False))
                await posting.enough.wait()
                node.process.kill()
                node.process.wait()
                await asyncio.gather(following_on, *going_on)
                node = await asyncio.to_thread(start, node.home)
                kept = set(posting.acknowledged)
                async with asyncio.timeout(30):
                    await page.follow(session, node, partial(holds, page, kept))
                assert holds(page, kept), "what was acknowledged is told"
        finally:
            node.stop()
    assert len(page.told) == len(set(page.told)), "nothing is told twice"
    assert "reset" not in page.heard, "the process died, not the machine: every place is still known"


@pytest.mark.faults
async def test_a_page_outlives_its_node(tmp_path: Path) -> None:
    await outlive(tmp_path, kills=1, seed=1)


@pytest.mark.crash
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2, 4))
async def test_a_page_outlives_many_kills(tmp_path: Path, seed: int) -> None:
    await outlive(tmp_path, kills=10, seed=seed)
