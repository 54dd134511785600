"""A clock that is wrong: the node says so in words, and nobody loses their way in, their answer or their invitation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aidmesh_node.application import forgetting
from aidmesh_node.application.clock_trust import LOOK_SECONDS
from aidmesh_node.application.forgetting import KEPT_SECONDS, Forgetting
from tests.support.federation import DrivenClock

from .conftest import BLANKETS, Group, opened

DAY = timedelta(days=1)
POWER_CUT = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)
JUMPS = [400 * DAY, -10 * DAY]


@dataclass(slots=True)
class Here:
    """A group, and the clock of its machine."""

    group: Group
    clock: DrivenClock

    async def lives(self, time: timedelta) -> None:
        """So much time passes, in which the node runs."""
        for _ in range(int(time.total_seconds()) // LOOK_SECONDS + 1):
            await self.clock.sleep(LOOK_SECONDS)
            await self.group.node.clock_trust.look()

    async def words(self) -> str:
        """What `status` says about the clock, "" when nothing is wrong."""
        said = (await self.group.get("operator", "/status")).body["clock"]
        assert said["trusted"] == (not said["words"])
        return str(said["words"])

    async def forgets(self) -> int:
        return await Forgetting(self.group.node.writer, self.group.node.clock_trust).keep()


@asynccontextmanager
async def here(folder: Path, now: datetime | None = None) -> AsyncIterator[Here]:
    clock = DrivenClock() if now is None else DrivenClock(now)
    async with opened(folder, clock=clock) as group:
        yield Here(group, clock)


async def test_a_node_that_starts_in_1970_serves_says_so_and_goes_on_when_the_clock_is_set(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with here(tmp_path, POWER_CUT) as at:
        await asyncio.to_thread(at.group.node.views.catch_up)
        assert (await at.group.ask(None, "GET", "/readyz")).status == 200
        assert "1970-01-01" in await at.words() and "Set it" in await at.words()
        await at.group.joins("member", "member")
        need = await at.group.need("member")
        at.clock.jump(datetime(2026, 11, 22, tzinfo=UTC) - POWER_CUT)
        assert "went" in await at.words(), "what was right before it cannot know"
        assert (await at.group.post("member", f"/needs/{need}/withdraw")).body["state"] == "closed"
        shown = await at.group.get("member", f"/needs/{need}")
        assert (shown.status, shown.body["state"]) == (200, "closed"), "the newest version, not the newest date"
        await at.lives(1.1 * DAY)
        assert await at.words() == ""
        wrong, believed = [record.message for record in caplog.records if "clock" in record.message]
        assert "1970-01-01" in wrong and "believed again" in believed, "the log says it once each"


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_is_said_and_locks_nobody_out(tmp_path: Path, jump: timedelta) -> None:
    async with here(tmp_path) as at:
        await at.group.joins("member", "member")
        assert await at.words() == ""
        at.clock.jump(jump)
        for who in ("operator", "member"):
            assert (await at.group.get(who, "/needs")).status == 200, who
        words = await at.words()
        assert f"{abs(jump.days)} days {'ahead' if jump > 0 * DAY else 'back'}" in words and "set it" in words
        at.clock.jump(-jump)
        assert await at.words() == "", "it is right again"
        assert (await at.group.get("member", "/needs")).status == 200


@pytest.mark.parametrize("jump", JUMPS)
async def test_an_invitation_is_not_too_old_by_a_clock_that_jumped(tmp_path: Path, jump: timedelta) -> None:
    async with here(tmp_path) as at:
        invited = (await at.group.post("operator", "/members", {"name": "Rosa", "role": "member"})).body["invitation"]
        await at.words()
        at.clock.jump(jump)
        joined = await at.group.post(None, "/join", {"invitation": invited})
        assert joined.status == 201, joined.text
        again = await at.group.post(None, "/join", {"invitation": invited})
        assert again.code == "already_joined", "once, whatever the clock says"


async def test_an_invitation_whose_week_has_passed_is_too_old(tmp_path: Path) -> None:
    async with here(tmp_path) as at:
        invited = (await at.group.post("operator", "/members", {"name": "Rosa", "role": "member"})).body["invitation"]
        at.clock.time += 7.1 * DAY
        refused = await at.group.post(None, "/join", {"invitation": invited})
        assert (refused.status, refused.code) == (409, "expired")


@pytest.mark.parametrize("jump", [*JUMPS, 2 * DAY, -2 * DAY])
async def test_a_kept_answer_outlives_every_jump_and_is_forgotten_after_a_day_lived_through(
    tmp_path: Path, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here(tmp_path) as at:
        await at.group.post("operator", "/needs", BLANKETS, Idempotency_Key="another")
        posted = await at.group.post("operator", "/needs", BLANKETS, Idempotency_Key="k")
        for by in (jump, -jump):
            at.clock.jump(by)
            assert await at.forgets() == 0
            again = await at.group.post("operator", "/needs", BLANKETS, Idempotency_Key="k")
            assert (again.id, again.headers["Idempotent-Replay"]) == (posted.id, "true")
        await at.lives(timedelta(seconds=KEPT_SECONDS) - timedelta(hours=1))
        assert await at.forgets() == 0
        await at.lives(timedelta(hours=2))
        monkeypatch.setattr(forgetting, "ROWS_MAX", 1)
        assert await at.forgets() == 2, "all of them, however few at a time"
        anew = await at.group.post("operator", "/needs", BLANKETS, Idempotency_Key="k")
        assert anew.id != posted.id


async def test_time_in_which_the_node_was_off_makes_no_answer_old(tmp_path: Path) -> None:
    clock = DrivenClock()
    async with opened(tmp_path, clock=clock) as group:
        posted = await group.post("operator", "/needs", BLANKETS, Idempotency_Key="k")
    clock.time += 60 * DAY
    async with opened(tmp_path, clock=clock) as group:
        assert await Forgetting(group.node.writer, group.node.clock_trust).keep() == 0
        again = await group.post("operator", "/needs", BLANKETS, Idempotency_Key="k")
        assert again.id == posted.id
