"""A clock that jumps ends nothing: what counts is the time a node has lived through, and that the two agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aidmesh_node.application.clock_trust import EARLIEST, KEEP_SECONDS, LOOK_SECONDS, SETTLE_SECONDS, ClockTrust
from tests.support.federation import Group, Mesh
from tests.support.time_passing import STEP_SECONDS

HOUR = timedelta(hours=1)


async def live(mesh: Mesh, trust: ClockTrust, seconds: int) -> None:
    """So much time passes while the node runs and looks."""
    for _ in range(-(-seconds // STEP_SECONDS)):
        await mesh.clock.sleep(STEP_SECONDS)
        await trust.look()


def doubts(trust: ClockTrust) -> str:
    """Why it is not believed, "" when it is."""
    assert trust.trusted == (trust.words == "")
    return trust.words


async def looked(mesh: Mesh, name: str = "alice") -> tuple[Group, ClockTrust]:
    alice = await mesh.found(name)
    await alice.node.clock_trust.look()
    return alice, alice.node.clock_trust


async def test_a_steady_clock_is_believed_and_what_was_lived_through_outlives_a_restart(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        trust = alice.node.clock_trust
        assert not trust.trusted and trust.words == "", "nobody has looked yet"
        await trust.look()
        assert (doubts(trust), trust.witnessed) == ("", 0)
        await live(mesh, trust, 6 * 3600)
        assert 6 * 3600 <= trust.witnessed <= 6 * 3600 + 60
        await mesh.stop("alice")
        mesh.clock.time += timedelta(hours=70)
        alice = await mesh.start("alice")
        await alice.node.clock_trust.look()
        assert alice.node.clock_trust.trusted, "a weekend off is no jump"
        witnessed = alice.node.clock_trust.witnessed
        assert trust.witnessed - KEEP_SECONDS <= witnessed <= trust.witnessed, "what nobody could see does not count"


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=4), timedelta(days=-10), -2 * HOUR])
async def test_a_jump_while_running_is_said_in_words_and_settles_in_a_day(tmp_path: Path, jump: timedelta) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, trust = await looked(mesh)
        before = trust.witnessed
        mesh.clock.jump(jump)
        await trust.look()
        assert doubts(trust)
        assert trust.witnessed - before < 10
        assert ("ahead" if jump > timedelta() else "back") in doubts(trust) and "24 h" in doubts(trust)
        await live(mesh, trust, SETTLE_SECONDS // 2)
        assert "12 h" in doubts(trust)

        await mesh.stop("alice")
        alice = await mesh.start("alice")
        trust = alice.node.clock_trust
        await trust.look()
        assert "12 h" in doubts(trust), "a restart does not make it believed"
        await live(mesh, trust, SETTLE_SECONDS // 2 + 2 * KEEP_SECONDS)
        assert not doubts(trust), "perhaps the clock is right; nobody has to do anything"


async def test_it_is_logged_once_and_not_every_minute(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Mesh(tmp_path) as mesh:
        _, trust = await looked(mesh)
        await live(mesh, trust, 3600)
        mesh.clock.jump(timedelta(days=400))
        await live(mesh, trust, 3600)
        mesh.clock.jump(timedelta(days=-400))
        await live(mesh, trust, 3600)
        said = [record.getMessage() for record in caplog.records if record.name.endswith("clock_trust")]
        went, believed = said
        assert "went 400 days ahead" in went and "believed again." in believed


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-10)])
async def test_a_clock_that_is_set_right_again_is_believed_at_once(tmp_path: Path, jump: timedelta) -> None:
    async with Mesh(tmp_path) as mesh:
        _, trust = await looked(mesh)
        mesh.clock.jump(jump)
        await live(mesh, trust, 3600)
        assert doubts(trust)
        mesh.clock.jump(-jump)
        await trust.look()
        assert not doubts(trust)


async def test_small_steps_and_sleep_are_no_jumps(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        _, trust = await looked(mesh)
        for step in (timedelta(minutes=-50), timedelta(hours=8), timedelta(hours=8), timedelta(hours=60)):
            mesh.clock.jump(step)  # the lid of a laptop is closed: its monotonic clock stands still
            await trust.look()
            assert not doubts(trust), step
        assert trust.witnessed < 10
        mesh.clock.time += timedelta(hours=9)  # the process was stopped: nobody saw anything for nine hours
        await trust.look()
        assert not doubts(trust)
        assert trust.witnessed <= 2 * LOOK_SECONDS + 10


async def test_a_start_in_1970_is_never_believed_and_spoils_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        _, trust = await looked(mesh)
        await live(mesh, trust, 3600)
        await mesh.stop("alice")
        today = mesh.clock.time
        mesh.clock.jump(datetime(1970, 1, 1, 0, 5, tzinfo=UTC) - today)
        alice = await mesh.start("alice")
        trust = alice.node.clock_trust
        await trust.look()
        assert "1970-01-01" in doubts(trust) and "Set it" in doubts(trust)
        await live(mesh, trust, SETTLE_SECONDS + 3600)
        assert doubts(trust), "however long it runs"
        assert mesh.clock.time < EARLIEST
        mesh.clock.jump(today - mesh.clock.time + timedelta(days=3))
        await trust.look()
        assert not doubts(trust), "the time that was found again goes on where it was lost"


async def test_a_first_start_in_1970_waits_a_day_after_the_clock_is_set(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        today = mesh.clock.time
        mesh.clock.jump(datetime(1970, 1, 1, 0, 5, tzinfo=UTC) - today)
        _, trust = await looked(mesh)
        assert doubts(trust)
        mesh.clock.jump(today - mesh.clock.time)
        await trust.look()
        assert "ahead" in doubts(trust)
        await live(mesh, trust, SETTLE_SECONDS + 600)
        assert not doubts(trust)


async def test_a_node_that_was_off_for_long_waits_a_day(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        await looked(mesh)
        await mesh.stop("alice")
        mesh.clock.time += timedelta(days=20)
        alice = await mesh.start("alice")
        trust = alice.node.clock_trust
        await trust.look()
        assert "20 days ahead" in doubts(trust)
        await live(mesh, trust, SETTLE_SECONDS + 600)
        assert not doubts(trust)
