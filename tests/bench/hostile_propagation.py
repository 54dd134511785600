"""From acknowledged at A to visible on B's board, with and without three hostile peers attached to both.

`python tests/bench/hostile_propagation.py [COUNT]` prints one JSON line. One hostile peer never answers, one drips 10
bytes every 20 ms, one sends 32 MiB of noise. Here: the p99 with them stays within 2 x that without them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from aidmesh_protocol.paths import PAIR  # noqa: E402
from tests.bench.load import percentile  # noqa: E402
from tests.bench.propagation import CONSENT, GIVE_UP_SECONDS, Line  # noqa: E402
from tests.support import hostile_server  # noqa: E402
from tests.support.hostile_server import HostileServer, serving  # noqa: E402
from tests.support.processes import NodeProcess, new_node, pair  # noqa: E402

COUNT = 200
WARM_UP = 20
BEHAVIOURS = (hostile_server.never_answers, hostile_server.drips, hostile_server.noise)


def measure(count: int) -> dict[str, object]:
    with hostile_peers() as servers:
        alone, beside = run(count, []), run(count, servers)
        visits = {server.group.name: server.visits for server in servers if server.group is not None}
    return {
        "bench": "hostile_propagation",
        "p50_ms": ms(beside, 0.5),
        "p99_ms": ms(beside, 0.99),
        "p50_alone_ms": ms(alone, 0.5),
        "p99_alone_ms": ms(alone, 0.99),
        "p99_times_alone": round(percentile(beside, 0.99) / percentile(alone, 0.99), 2),
        "visits": visits,
        "count": count,
    }


def run(count: int, servers: list[HostileServer]) -> list[float]:
    """Delays in seconds between two new nodes, each with these hostile peers."""
    with tempfile.TemporaryDirectory() as folder:
        alice, bob = new_node(Path(folder), "alice"), new_node(Path(folder), "bob")
        try:
            pair(alice, bob)
            for server in servers:
                attach(alice, server)
                attach(bob, server)
            (link,) = [peer for peer in alice.ask("GET", "/api/v1/peers")["items"] if peer["name"] == "bob"]
            there, here = Line(alice), Line(bob)
            return [one(there, here, link["gid"], number) for number in range(count + WARM_UP)][WARM_UP:]
        finally:
            alice.stop()
            bob.stop()


def one(there: Line, here: Line, peer: str, number: int) -> float:
    """Post and share at A; from the share's acknowledgement until B's board shows this item."""
    item = f"Blankets {number}"
    asked = {"category": "bedding", "item": item, "quantity": "5", "unit": "item"}
    need = there.ask("POST", "/api/v1/needs", asked)
    there.ask("POST", f"/api/v1/needs/{need['id']}/share", {"consent": CONSENT, "peer": peer})
    acknowledged = time.perf_counter()
    while not here.ask("GET", f"/api/v1/board?item=Blankets%20{number}")["needs"]:
        if time.perf_counter() - acknowledged > GIVE_UP_SECONDS:
            raise RuntimeError(f"{item} did not become visible within {GIVE_UP_SECONDS} s")
    return time.perf_counter() - acknowledged


def attach(node: NodeProcess, server: HostileServer) -> None:
    """Pair a hostile group with a node, through the doors that everybody uses."""
    assert server.group is not None
    invitation = node.ask("POST", "/api/v1/peers/invitations", {})["invitation"]

    def post(body: bytes) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(node.url + PAIR, body, method="POST")) as answer:
            return bytes(answer.read())

    async def ask(body: bytes) -> bytes:
        return await asyncio.to_thread(post, body)

    words = asyncio.run(server.group.redeem(invitation, ask))
    told = node.ask("POST", f"/api/v1/peers/{server.group.gid}/confirm", {"words": " ".join(words)})
    assert told["state"] == "active", told


@contextmanager
def hostile_peers() -> Iterator[list[HostileServer]]:
    """The three of them, served by a thread of this process."""
    servers: list[HostileServer] = []
    ready = threading.Event()
    ended: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for behave in BEHAVIOURS:
                servers.append(await stack.enter_async_context(serving(behave, behave.__name__)))
            ended.append((asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await ended[0][1].wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield servers
    finally:
        loop, event = ended[0]
        loop.call_soon_threadsafe(event.set)


def ms(delays: list[float], share: float) -> float:
    return round(percentile(delays, share) * 1000, 2)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)))
