"""Durable acknowledged commands through the API, with 32 clients and with one, beside bare POSTs to the same process.

`python tests/bench/append.py [SECONDS_SCALE]` prints one JSON line. Here: at least 0.25 of the bare rate, p99 <= 30 ms.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from tests.bench.load import Load, post, post_all  # noqa: E402
from tests.support.processes import new_node  # noqa: E402

COMMANDS = 6_000
SINGLE_COMMANDS = 500
ROUNDS = 5
"""The machine's speed wanders between rounds; the middle one of five is told."""


def need(number: int) -> object:
    return {
        "category": "bedding",
        "item": "Blankets",
        "quantity": str(number % 50 + 1),
        "unit": "item",
        "area": "Lospalos",
    }


async def measure(commands: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        node = new_node(Path(folder), "bench", [str(ROOT / "tests/bench/node_with_bare_route.py")])
        port = int(node.url.rsplit(":", 1)[1])
        try:
            best: list[tuple[float, Load, Load]] = []
            for _ in range(ROUNDS):
                limit = await post_all(port, 32, post("/bare", need, commands))
                many = await post_all(port, 32, post("/api/v1/needs", need, commands, node.token))
                best.append((many.per_second / limit.per_second, many, limit))
            ratio, many, limit = sorted(best, key=lambda row: row[0])[len(best) // 2]
            one = await post_all(port, 1, post("/api/v1/needs", need, SINGLE_COMMANDS, node.token))
        finally:
            node.stop()
    return {
        "bench": "append",
        "ratio": round(ratio, 3),
        "clients_32": _rounded(many),
        "client_1": _rounded(one),
        "bare_32": _rounded(limit),
        "commands": commands,
        "rounds": ROUNDS,
    }


def _rounded(load: Load) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(load).items()}


if __name__ == "__main__":
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    print(json.dumps(asyncio.run(measure(int(COMMANDS * scale)))))
