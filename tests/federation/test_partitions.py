"""Lines that fail, in every way lines fail (reliability.md B): when they heal, everybody holds the same, each once."""

from __future__ import annotations

import asyncio
import random
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from aidmesh_node.federation.peer_client import Unreachable
from aidmesh_node.federation.replication import BACKOFF_SECONDS_MAX
from aidmesh_protocol.bundle import Frame, Sizes, decode_bundle
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from tests.support.federation import Group, Mesh
from tests.support.lies import items
from tests.support.lines import Disturbance, check_all_hold_the_same, held, ring, set_line, write_something
from tests.support.raw_peer import bundle, head, town
from tests.support.stories import check_all_agree, on_board, post_need, share, two_groups

FOLLOWED_SECONDS = 3600


@pytest.mark.parametrize("seed", range(3))
async def test_b01_random_partitions_of_a_ring_heal(tmp_path: Path, seed: int) -> None:
    await partitions(tmp_path, seed, groups=3, steps=30)


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 150))
async def test_b01_at_length(tmp_path: Path, seed: int) -> None:
    await partitions(tmp_path, seed, groups=3 + seed % 3, steps=60)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_b12_fifty_groups(tmp_path: Path) -> None:
    await partitions(tmp_path, 12, groups=50, steps=200)


async def partitions(folder: Path, seed: int, *, groups: int, steps: int) -> None:
    """Each step a line breaks or heals, somebody writes, and those who can speak do."""
    chance = random.Random(seed)
    async with Mesh(folder, seed) as mesh:
        lines = await ring(mesh, groups)
        for step in range(steps):
            set_line(mesh, chance.choice(lines), up=chance.random() < 0.3, ways=chance.choice((1, 2, 2)))
            await write_something(chance.choice(lines), chance, step)
            await mesh.round()
        assert any(mesh.network.failed.values()), "lines were really broken"
        mesh.network.cut_lines.clear()
        healed = mesh.clock.time
        await check_all_agree(mesh)
        check_all_hold_the_same(lines)
        assert (mesh.clock.time - healed).total_seconds() <= 60


async def test_b02_ten_groups_lose_their_lines_one_by_one_and_get_them_back_in_any_order(tmp_path: Path) -> None:
    chance = random.Random(2)
    async with Mesh(tmp_path) as mesh:
        lines = await ring(mesh, 10)
        for up in (False, True):
            for number, line in enumerate(chance.sample(lines, len(lines))):
                set_line(mesh, line, up=up)
                await write_something(chance.choice(lines), chance, number)
                await mesh.round()
        assert not mesh.network.cut_lines
        await check_all_agree(mesh)
        check_all_hold_the_same(lines)


async def test_b03_a_line_that_works_one_way_serves_that_way_and_keeps_nobody_busy(tmp_path: Path) -> None:
    """Bob reaches alice, alice does not reach bob."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        set_line(mesh, (alice, bob, circle), up=False, ways=1)
        for group in (alice, bob):
            await share(group, await post_need(group, 4, f"Of {group.node.name}"), circle)
        await mesh.settle()
        assert await items_of(bob) == ["Of alice", "Of bob"]
        assert await items_of(alice) == ["Of alice"]

        clock = mesh.clock
        asked, begun = dict(mesh.network.asked), clock.time
        following = asyncio.create_task(alice.federation.replication.follow(bob.node.gid))
        async with asyncio.timeout(20):
            await clock.until(begun + timedelta(seconds=FOLLOWED_SECONDS))
        following.cancel()
        await asyncio.wait([following])
        line = (alice.endpoint, bob.endpoint)
        tries = mesh.network.asked[line] - asked.get(line, 0)
        assert 0 < tries < FOLLOWED_SECONDS / BACKOFF_SECONDS_MAX * 4, "minutes between tries, not a busy loop"

        set_line(mesh, (alice, bob, circle), up=True, ways=1)
        await check_all_agree(mesh)
        check_all_hold_the_same([(alice, bob, circle)])


async def test_b04_answers_lost_a_thousand_times(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.faults = line = Disturbance(4, loses=1)
        (link,) = bob.federation.links.active()
        for number in range(10):
            await share(alice, await post_need(alice, 1, f"Need {number}"), circle)
            await alice.federation.publisher.publish()
            for _ in range(100):
                with pytest.raises(Unreachable):
                    await bob.federation.replication.pull(link, 0)
        assert line.happened == 1000 and await on_board(bob) == {}
        mesh.network.faults = None
        await check_all_agree(mesh)
        check_all_hold_the_same([(alice, bob, circle)])
        assert await items_of(bob) == [f"Need {n}" for n in range(10)]


async def test_b05_seven_of_ten_questions_arrive_twice(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.faults = line = Disturbance(5, repeats=0.7)
        for number in range(40):
            await write_something((alice, bob, circle), line.random, number)
            await mesh.round()
        assert line.happened > 40
        await check_all_agree(mesh)
        check_all_hold_the_same([(alice, bob, circle)])
        assert await items_of(alice) == await items_of(bob) == sorted(f"Thing {n}" for n in range(40)), "each once"


async def test_b08_a_line_that_breaks_all_the_time_is_resumed_and_never_begun_anew(tmp_path: Path) -> None:
    """1,000 needs over a line that lets a third of a package through at a time, or a few packages at best."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.need(f"Need {number}") for number in range(1000)))
        chance, reached, tries, carried = random.Random(8), 0, 0, 0
        whole = sum(map(len, bundle(*x.feed.frames())))
        while reached < 1000:
            pieces = bundle(*x.feed.frames(reached))
            data = b"".join(pieces)[: chance.randrange(whole // 12, whole // 2)]
            tries, carried = tries + 1, carried + len(data)
            whole_now = len(data) == sum(map(len, pieces))
            with nullcontext() if whole_now else pytest.raises(ProtocolError, match="interrupted"):
                await x.sends(here.alice, data)
            now = await head(here.alice, x.feed.origin)
            assert now is not None and now.size >= reached, "what was there stays there"
            reached = now.size
            await x.shows(here.alice)
            asked = decode_bundle(x.asked[-1].body, bytes_max=BUNDLE_BYTES_ONLINE_MAX)
            assert sizes_of(asked)[x.feed.hash] == reached, "and is not asked for again"
        assert tries < 60 and carried < 6 * whole
        assert len(await items(here.alice)) == 1000


async def test_b09_of_changed_bytes_nothing_is_accepted_and_all_arrives_later(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.faults = line = Disturbance(9, spoils=0.3)
        for number in range(40):
            await write_something((alice, bob, circle), line.random, number)
            await mesh.round()
            for owner, reader in ((alice, bob), (bob, alice)):
                mine = held(owner, owner, circle)
                assert set(held(reader, owner, circle)) <= set(mine), "whatever is held is what was signed"
        assert line.happened > 10
        mesh.network.faults = None
        await mesh.settle()
        check_all_hold_the_same([(alice, bob, circle)])
        assert await items_of(alice) == await items_of(bob) == sorted(f"Thing {n}" for n in range(40))
        for group in (alice, bob):
            assert group.node.verify().ok


async def test_b17_sizes_from_elsewhere_skip_nothing(tmp_path: Path) -> None:
    """A peer that says it holds more than there is, other entries, or another feed, and then asks honestly."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        for amount in (1, 2, 3):
            await share(here.alice, await post_need(here.alice, amount), x.circle)
        await here.alice.federation.publisher.publish()
        honest = await x.asks(here.alice)
        (feed,) = {frame.package.origin_hash for frame in honest if frame.NAME == "PACKAGE"}  # type: ignore[union-attr]
        for sizes in ((feed, 2**53, bytes(32)), (feed, 2, bytes(32)), (x.draw(32), 1, bytes(32))):
            await x.asks(here.alice, Sizes((sizes,)))
            again = await x.asks(here.alice)
            assert [frame.NAME for frame in again] == [frame.NAME for frame in honest]
        assert await here.good_news()


async def items_of(group: Group) -> list[str]:
    """What is needed, as the members of this group see it: their own needs and their peers'."""
    return sorted(need["item"] for need in (await on_board(group)).values())


def sizes_of(frames: list[Frame]) -> dict[bytes, int]:
    return {hashed: size for frame in frames if isinstance(frame, Sizes) for hashed, size, _ in frame.feeds}
