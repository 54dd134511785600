"""Reads and writes a second through the API with 32 clients, and their p99: lists, single needs, board, writes, both.

`python tests/bench/api.py [SCALE]` prints one JSON line. Beside each kind, in the same round, the rate of bare requests
to the same process, which answers them without looking: `ratio` leaves out the machine and the HTTP library.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from tests.bench.append import need  # noqa: E402
from tests.bench.load import Load, get, post, post_all  # noqa: E402
from tests.support.processes import NodeProcess, new_node  # noqa: E402

NEEDS = 5_000
"""What the group has open while it is read."""

CLIENTS = 32
REQUESTS = 4_000
SLOW_REQUESTS = 400
"""Of the board, which answers with hundreds of needs."""

ROUNDS = 3
READS_A_WRITE = 9

Requests = Callable[[int], list[bytes]]


def kinds(node: NodeProcess, ids: list[str]) -> dict[str, tuple[int, Requests]]:
    """How many requests of each kind, and the function that makes them."""

    def lists(count: int) -> list[bytes]:
        return get(islice(cycle(["/api/v1/needs?limit=20", "/api/v1/needs?state=open&limit=20"]), count), node.token)

    def single(count: int) -> list[bytes]:
        return get((f"/api/v1/needs/{id}" for id in islice(cycle(ids), count)), node.token)

    def board(count: int) -> list[bytes]:
        return get(islice(cycle(["/api/v1/board"]), count), node.token)

    def writes(count: int) -> list[bytes]:
        return post("/api/v1/needs", need, count, node.token)

    def mixed(count: int) -> list[bytes]:
        both = [single(count), writes(count)]
        return [both[number % (READS_A_WRITE + 1) == 0][number] for number in range(count)]

    return {
        "lists": (REQUESTS, lists),
        "single": (REQUESTS, single),
        "board": (SLOW_REQUESTS, board),
        "writes": (REQUESTS, writes),
        "mixed": (REQUESTS, mixed),
    }


async def measure(scale: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        node = new_node(Path(folder), "bench", [str(ROOT / "tests/bench/node_with_bare_route.py")])
        port = int(node.url.rsplit(":", 1)[1])
        try:
            await post_all(port, CLIENTS, post("/api/v1/needs", need, NEEDS, node.token))
            ids = [item["id"] for item in node.ask("GET", "/api/v1/needs?limit=100", Aidmesh_Position="now")["items"]]
            rounds: dict[str, list[tuple[float, Load, Load]]] = {}
            for _ in range(ROUNDS):
                for kind, (count, requests) in kinds(node, ids).items():
                    count = max(1, int(count * scale))
                    bare = post("/bare", need, count) if kind == "writes" else get(["/bare"] * count)
                    limit = await post_all(port, CLIENTS, bare)
                    load = await post_all(port, CLIENTS, requests(count))
                    rounds.setdefault(kind, []).append((load.per_second / limit.per_second, load, limit))
        finally:
            node.stop()
    return {"bench": "api", "clients": CLIENTS, "needs": NEEDS, **{kind: _told(rows) for kind, rows in rounds.items()}}


def _told(rounds: list[tuple[float, Load, Load]]) -> dict[str, float]:
    """Medians over the rounds."""
    return {
        "per_second": round(median(load.per_second for _, load, _ in rounds)),
        "p99_ms": round(median(load.p99_ms for _, load, _ in rounds), 2),
        "bare_per_second": round(median(limit.per_second for *_, limit in rounds)),
        "ratio": round(median(ratio for ratio, *_ in rounds), 3),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))))
