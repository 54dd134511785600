"""Much that comes at once: it is shown in parts, and our own people never wait for it."""

from __future__ import annotations

import asyncio

import pytest

from aidmesh_node.views import changes, projector
from aidmesh_node.views.foreign_feeds import ENTRIES_STEP
from aidmesh_protocol.statements import NeedShared, NeedUpdated, NeedView
from tests.views.house import ALICE, LONG, House, follow, subject

SHARED = NeedShared("100", "item", "100", NeedView("bedding", "Blankets", "high", None, None, None))


def shown(house: House) -> tuple[int, int]:
    """Needs of ours, and of others, that the views hold."""
    counts = "SELECT (SELECT count(*) FROM needs), (SELECT count(*) FROM shared_needs)"
    found: tuple[int, int] = house.views.read(lambda it: it.execute(counts).fetchone())
    return found


async def test_a_feed_that_arrives_in_bulk_keeps_nobody_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "BULK_LOOK_SECONDS", 10 * LONG)
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.say(subject(0), SHARED)
    follow(house)
    assert await house.views.wait(house.home.writer.position, LONG)

    await asyncio.to_thread(feed.append, [feed.sealed(subject(number), SHARED) for number in range(1, 1_401)])
    for _ in "ab":  # our own need wakes the projector; the first may have been shown with the feed's first part
        await asyncio.to_thread(house.need)
        assert await house.views.wait(house.home.writer.position, LONG), "what is ours shows at once"
    async with asyncio.timeout(LONG):
        while shown(house)[1] < 1_401:  # noqa: ASYNC110
            await asyncio.sleep(0)


def test_what_is_ours_does_not_wait_for_all_that_others_said(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.append([feed.sealed(subject(number), SHARED) for number in range(3 * ENTRIES_STEP)])
    house.need()
    seen: list[tuple[int, int]] = []
    house.views.follow(lambda: seen.append(shown(house)))
    house.views.catch_up()
    assert seen == [(1, ENTRIES_STEP), (1, 3 * ENTRIES_STEP)]


async def test_what_came_in_bulk_is_shown_when_no_more_comes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "BULK_LOOKS_MAX", 10**9)
    house.link(ALICE, "Alice's group")
    follow(house)
    assert await house.views.wait(house.home.writer.position, LONG)
    feed = house.feed(ALICE)
    await asyncio.to_thread(feed.append, [feed.sealed(subject(number), SHARED) for number in range(3_000)])
    async with asyncio.timeout(LONG):
        while shown(house)[1] < 3_000:  # noqa: ASYNC110
            await asyncio.sleep(0)


def test_what_changed_twice_in_one_go_is_told_once(house: House) -> None:
    house.link(ALICE, "Alice's group")
    place = house.ask(changes.since, None, 1).end
    feed = house.feed(ALICE)
    others = [feed.sealed(subject(number), SHARED) for number in range(1, ENTRIES_STEP + 1)]
    feed.append([feed.sealed(subject(0), SHARED), *others, feed.sealed(subject(0), NeedUpdated("100", "1", "2"))])
    told = house.ask(changes.since, place, 2 * ENTRIES_STEP).changes
    assert len(told) == 1 + len(others)
    assert [change.version for change in told if change.id == subject(0).hex()] == [2]
