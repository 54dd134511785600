"""Peers on real sockets that never answer, drip, flood, redirect or cheat: each is given up, and only it.

The bounds are those of the product, shortened through their parameters; a loop's own deadline guards every wait.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, web

from aidmesh_node import main
from aidmesh_node.clock import SystemClock
from aidmesh_node.domain.act import Act
from aidmesh_node.federation import http_client
from aidmesh_node.federation.http_client import HttpPeerClient, Patience
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_node.http.app import build_runner
from aidmesh_protocol.bundle import FrameReader
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.paths import SYNC
from tests.support import hostile_server as hostile
from tests.support.federation import Group
from tests.support.hostile_server import MIB, HostileServer, serving
from tests.support.processes import free_port
from tests.support.stories import on_board, post_need, share

BRIEF = Patience(
    connect_seconds=0.2,
    answer_seconds=0.3,
    silence_seconds=0.3,
    grace_seconds=0.3,
    bytes_max=4 * MIB,
)
GIVE_UP_SECONDS = 3.0
"""Far beyond every bound of BRIEF: a test that gets here has found a peer that is not given up."""

MEMORY_BYTES_MAX = 32 * MIB

GIVEN_UP: dict[hostile.Behaviour, type[Exception] | None] = {
    hostile.never_answers: Unreachable,
    hostile.drips: Unreachable,
    hostile.drips_its_head: Unreachable,
    hostile.floods_its_head: Unreachable,
    hostile.noise: Unreachable,
    hostile.noise_that_begins_well: Unreachable,
    hostile.redirects: PeerRefused,
    hostile.gzip_bomb_as_transfer: None,
    hostile.chunk_of_any_length: Unreachable,
    hostile.negative_chunk: Unreachable,
    hostile.chunk_extension: None,
    hostile.no_last_chunk: Unreachable,
    hostile.shorter_than_it_says: Unreachable,
    hostile.not_http: Unreachable,
    hostile.endless_problem: PeerRefused,
    hostile.dripping_problem: Unreachable,
    hostile.hangs_up: Unreachable,
}
"""How a visit ends when every piece is taken; None: read to the end, as it was sent."""


@asynccontextmanager
async def client(patience: Patience = BRIEF) -> AsyncIterator[HttpPeerClient]:
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        yield HttpPeerClient(session, SystemClock(), patience)


async def visit(visitor: HttpPeerClient, server: HostileServer, reader: FrameReader | None = None) -> int:
    """Read all of an answer, as raw bytes unless there is a reader of frames; how many there were."""
    total = 0
    async with visitor.stream(server.url, SYNC, {}, b"x", wait_seconds=0) as pieces:
        async for piece in pieces:
            total += len(piece)
            if reader is not None:
                list(reader.feed(piece))
    return total


@pytest.mark.parametrize("behave", GIVEN_UP, ids=lambda behave: behave.__name__)
async def test_each_is_given_up_by_its_bound_and_leaves_nothing(behave: hostile.Behaviour) -> None:
    expected, before = GIVEN_UP[behave], peak_bytes()
    async with serving(behave) as server, client() as visitor:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            if expected is None:
                await visit(visitor, server)
            else:
                with pytest.raises(expected):
                    await visit(visitor, server)
            await server.left.wait()
        assert (server.visits, server.here) == (1, 0), "one visit, and its connection is closed"
    assert peak_bytes() - before < MEMORY_BYTES_MAX


async def test_what_is_packed_stays_packed() -> None:
    """Nothing of an answer is unpacked before its frames say how large it may get."""
    async with serving(hostile.gzip_bomb) as server, client() as visitor:
        assert await visit(visitor, server) < 100_000, "64 MiB of zeros, as they were sent"


async def test_noise_ends_at_its_first_bytes() -> None:
    """32 MiB are offered; what is no bundle is not read on."""
    async with serving(hostile.noise) as server, client() as visitor:
        reader = FrameReader()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            with pytest.raises(ProtocolError):
                await visit(visitor, server, reader)
            await server.left.wait()


async def test_a_million_chunks_cost_no_more_than_their_bytes() -> None:
    async with serving(hostile.chunks_of_one_byte) as server, client() as visitor:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            assert await visit(visitor, server) == 200_000


@pytest.mark.parametrize(
    "behave",
    [hostile.never_answers, hostile.drips, hostile.drips_its_head, hostile.noise, hostile.floods_its_head],
    ids=lambda behave: behave.__name__,
)
async def test_small_answers_have_bounds_too(behave: hostile.Behaviour) -> None:
    """Wakes and pairing."""
    async with serving(behave) as server, client() as visitor:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            with pytest.raises(Unreachable):
                await visitor.post(server.url, SYNC, {}, b"x", bytes_max=4096)
            await server.left.wait()


async def test_a_redirect_is_not_followed() -> None:
    """SPEC §11a."""
    async with serving(hostile.hangs_up) as target:

        async def redirects(writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 307 Go\r\nLocation: {target.url}{SYNC}\r\nContent-Length: 0\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()

        async with serving(redirects) as server, client() as visitor:
            with pytest.raises(PeerRefused) as caught:
                await visit(visitor, server)
        async with serving(redirects) as server, client() as visitor:
            with pytest.raises(PeerRefused):
                await visitor.post(server.url, SYNC, {}, b"x", bytes_max=100)
        assert caught.value.code == "307"
        assert target.visits == 0


async def test_twenty_at_once_hold_up_nobody_else() -> None:
    """The slots of those who were given up are free: an honest answer arrives while twenty others dawdle."""

    async def answers(writer: asyncio.StreamWriter) -> None:
        writer.write(hostile.OK + b"Content-Length: 3\r\n\r\nyes")
        await writer.drain()

    async with AsyncExitStack() as stack:
        visitor = await stack.enter_async_context(client())
        slow = [await stack.enter_async_context(serving(hostile.never_answers)) for _ in range(20)]
        good = await stack.enter_async_context(serving(answers))
        dawdling = [asyncio.ensure_future(visit(visitor, server)) for server in slow]
        async with asyncio.timeout(GIVE_UP_SECONDS):
            assert await visit(visitor, good) == 3
            assert not any(each.done() for each in dawdling)
            ended = await asyncio.gather(*dawdling, return_exceptions=True)
            assert {type(each) for each in ended} == {Unreachable}
            assert await visit(visitor, good) == 3


def test_the_bounds_of_the_product_are_those_that_were_measured() -> None:
    """A peer that drips 10 bytes every 20 ms is below the least rate; the slowest honest line, 1,000 B/s, above."""
    patience = http_client.PATIENCE
    assert 10 / 0.02 < patience.bytes_per_second_min < 1000
    assert patience.bytes_max == BUNDLE_BYTES_ONLINE_MAX
    assert max(patience.connect_seconds, patience.answer_seconds, patience.silence_seconds) <= 15


async def test_needs_go_on_arriving_while_three_hostile_peers_are_attached(tmp_path: Path) -> None:
    """Alice and bob on real sockets, each with a peer that never answers, one that drips and one that sends noise."""
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(real_node(tmp_path, "alice"))
        bob = await stack.enter_async_context(real_node(tmp_path, "bob"))
        await alice.pair_with(bob)
        servers = []
        for behave in (hostile.never_answers, hostile.drips, hostile.noise):
            server = await stack.enter_async_context(serving(behave, behave.__name__))
            servers.append(server)
            for node in (alice, bob):
                await node.pair_with_hostile(server)
        async with asyncio.timeout(20):
            for number in range(20):
                link = alice.group.federation.links.get(bob.group.node.gid)
                assert link is not None and link.circle is not None
                item = f"Blankets {number}"
                await share(alice.group, await post_need(alice.group, 5, item), link.circle)
                while item not in {need["item"] for need in (await on_board(bob.group)).values()}:
                    pass  # looking takes its time: bob's other tasks run meanwhile
        for server in servers:
            assert 0 < server.visits < 60, "each is asked, and not again and again"
        assert alice.group.node.verify().ok and bob.group.node.verify().ok


@dataclass(slots=True)
class RealNode:
    """A node that listens on a port and follows its peers by itself."""

    group: Group

    async def pair_with(self, guest: RealNode) -> None:
        host = self.group.federation
        met = await guest.group.federation.accept(operator(guest), str(host.invite(None)["invitation"]))
        words = met["words"]
        assert isinstance(words, list)
        await host.confirm(operator(self), guest.group.node.gid, words)
        await guest.group.federation.confirm(operator(guest), self.group.node.gid, words)

    async def pair_with_hostile(self, server: HostileServer) -> None:
        assert server.group is not None
        host = self.group.federation
        words = await server.group.redeem(str(host.invite(None)["invitation"]), host.pair)
        await host.confirm(operator(self), server.group.gid, words)
        link = host.links.get(server.group.gid)
        assert link is not None and link.state == "active"


def operator(node: RealNode) -> Act:
    return node.group.act("operator")


@asynccontextmanager
async def real_node(folder: Path, name: str) -> AsyncIterator[RealNode]:
    """Founded, open, listening and following."""
    port = free_port()
    made = main.init(folder / name, name, f"127.0.0.1:{port}", state_dir=folder / f"{name}-state")
    async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        second = Patience(connect_seconds=1, answer_seconds=1, silence_seconds=1, grace_seconds=1)
        brief = HttpPeerClient(session, SystemClock(), second)
        async with main.open_node(made.home, client=brief) as running:
            runner = build_runner(running.node)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            running.federation.start()
            try:
                yield RealNode(Group(running.node, running.federation, made.home, f"http://127.0.0.1:{port}"))
            finally:
                await running.federation.stop()
                await runner.cleanup()


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
