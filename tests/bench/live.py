"""Changes told to many pages: how soon each is told of one, and what so many pages cost those who post.

`python tests/bench/live.py [SECONDS_SCALE]` prints one JSON line: milliseconds from the answer of a command to the
change on a page, over all pages; and commands a second with nobody following, and with everybody.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from aiohttp import ClientSession, TCPConnector  # noqa: E402

from tests.bench.append import need  # noqa: E402
from tests.bench.load import percentile, post, post_all  # noqa: E402
from tests.support.following import Follower, following  # noqa: E402
from tests.support.processes import NodeProcess, new_node  # noqa: E402

PAGES = 50
PAGES_PER_MEMBER = 8
SINGLE_CHANGES = 200
COMMANDS = 4_000


def joined(node: NodeProcess, count: int) -> list[str]:
    """Tokens of so many new members."""
    tokens = []
    for number in range(count):
        invited = node.ask("POST", "/api/v1/members", {"name": f"Member {number}", "role": "member"})
        tokens.append(node.ask("POST", "/api/v1/join", {"invitation": invited["invitation"]})["token"])
    return tokens


async def arrival(page: Follower) -> float:
    (_,) = await page.changes(1)
    return time.perf_counter()


async def measure(scale: float) -> dict[str, object]:
    commands = int(COMMANDS * scale)
    with tempfile.TemporaryDirectory() as folder:
        node = await asyncio.to_thread(new_node, Path(folder), "bench")
        port = int(node.url.rsplit(":", 1)[1])
        requests = post("/api/v1/needs", need, commands, node.token)
        tokens = await asyncio.to_thread(joined, node, -(-PAGES // PAGES_PER_MEMBER))
        try:
            alone = await post_all(port, 32, requests)
            times: list[float] = []
            async with ClientSession(connector=TCPConnector(limit=0)) as session, AsyncExitStack() as stack:
                pages = [
                    await stack.enter_async_context(following(session, node.url, tokens[at // PAGES_PER_MEMBER]))
                    for at in range(PAGES)
                ]
                await asyncio.gather(*(page.next() for page in pages))
                for request in requests[: int(SINGLE_CHANGES * scale)]:
                    told = [asyncio.ensure_future(arrival(page)) for page in pages]
                    await post_all(port, 1, [request])
                    answered = time.perf_counter()
                    times += [max(0.0, at - answered) for at in await asyncio.gather(*told)]
                begun = time.perf_counter()
                told_all = [asyncio.ensure_future(page.changes(commands)) for page in pages]
                followed = await post_all(port, 32, requests)
                await asyncio.gather(*told_all)
                spent = time.perf_counter() - begun
        finally:
            node.stop()
    return {
        "bench": "live",
        "pages": PAGES,
        "told_p50_ms": round(percentile(times, 0.5) * 1000, 2),
        "told_p99_ms": round(percentile(times, 0.99) * 1000, 2),
        "commands_per_second_alone": round(alone.per_second),
        "commands_per_second_followed": round(followed.per_second),
        "changes_told_per_second": round(commands * PAGES / spent),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))))
