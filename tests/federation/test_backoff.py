"""Peers that fail are tried less and less; one that speaks to us is tried at once, unless it has refused us."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_node.federation.replication import WOKEN_SECONDS_MIN, Replication
from tests.support.federation import DrivenClock, Mesh

GIVE_UP_SECONDS = 10.0
"""Of the loop's own time, which here is not the nodes'."""

AWAY_FOR_LONG = 12
"""Failures after which the next try is minutes away."""


@dataclass(slots=True)
class SpeaksWhileTheLineBreaks:
    """Every question to `gid` is lost; while the first one is under way, it asks something itself."""

    asking: Replication
    gid: str
    failures: list[int] = field(default_factory=list)
    """So far, at each try."""
    twice: asyncio.Event = field(default_factory=asyncio.Event)

    def repeats_request(self) -> bool:
        return False

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        self.failures.append(self.asking.contact(self.gid).failures)
        if len(self.failures) == 1:
            self.asking.is_there(self.gid)
        else:
            self.twice.set()
        raise Unreachable("the line broke")


async def test_a_peer_that_was_away_is_tried_as_soon_as_it_speaks(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        replication = alice.federation.replication
        contact = replication.contact(bob.node.gid)
        replication._failed("bob", contact, Unreachable("bob does not answer"))

        (link,) = bob.federation.links.active()
        await bob.federation.replication.pull(link, 0)

        assert contact.woken.is_set()


async def test_a_peer_that_speaks_while_a_try_fails_is_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by `aidmesh demo --kills`: it had just started, was not heard of again, and waited for minutes."""
    async with Mesh(tmp_path) as mesh:
        mesh.clocks["alice"] = clock = DrivenClock()
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        replication, sleep = alice.federation.replication, clock.sleep

        async def only_short(seconds: float) -> None:
            await (sleep(seconds) if seconds <= WOKEN_SECONDS_MIN else asyncio.Event().wait())

        monkeypatch.setattr(clock, "sleep", only_short)
        replication.contact(bob.node.gid).failures = AWAY_FOR_LONG
        mesh.network.faults = line = SpeaksWhileTheLineBreaks(replication, bob.node.gid)
        following = asyncio.create_task(replication.follow(bob.node.gid))
        async with asyncio.timeout(GIVE_UP_SECONDS):
            await line.twice.wait()
        following.cancel()
        await asyncio.wait([following])
        assert line.failures == [AWAY_FOR_LONG, 0], "and the backoff begins anew"


async def test_two_nodes_that_refuse_each_other_do_not_wake_each_other(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        replication = alice.federation.replication
        contact = replication.contact(bob.node.gid)
        contact.woken.clear()
        replication._failed("bob", contact, PeerRefused("recovering", "this node was restored"))

        (link,) = bob.federation.links.active()
        await bob.federation.replication.pull(link, 0)

        assert not contact.woken.is_set()
        assert contact.backoff_seconds > 0
