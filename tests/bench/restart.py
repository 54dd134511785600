"""From the start of the process to ready, with 100,000 events in the log; and the same with all views to be rebuilt.

`python tests/bench/restart.py [EVENTS]` prints one JSON line. Beside it what no restart can go below: a bare
interpreter, and one that imports what a node does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from aidmesh_node import main  # noqa: E402
from aidmesh_node.application import needs, offers  # noqa: E402
from aidmesh_node.application.needs import PostNeed  # noqa: E402
from aidmesh_node.application.offers import PostOffer  # noqa: E402
from aidmesh_node.application.ports import Work  # noqa: E402
from aidmesh_node.domain.act import Act  # noqa: E402
from aidmesh_node.domain.quantity import Quantity  # noqa: E402
from aidmesh_node.main import Running  # noqa: E402
from tests.support.processes import free_port, start  # noqa: E402

EVENTS = 100_000
EVENTS_A_JOB = 500
ROUNDS = 5
IMPORTS = (
    "import aidmesh_node.main, aidmesh_node.serving, aidmesh_node.federation.federation, aidmesh_node.storage.writer"
)


def measure(events: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        home = asyncio.run(founded(Path(folder), events))
        ready, rebuilt, memory = [], [], 0.0
        for _ in range(ROUNDS):
            seconds, memory = to_ready(home)
            ready.append(seconds)
        for _ in range(ROUNDS):
            for file in home.glob("views.db*"):
                file.unlink()
            rebuilt.append(to_ready(home)[0])
    bare, imports = median(spent("pass") for _ in range(ROUNDS)), median(spent(IMPORTS) for _ in range(ROUNDS))
    return {
        "bench": "restart",
        "events": events,
        "ready_seconds": round(median(ready), 3),
        "rebuilt_seconds": round(median(rebuilt), 3),
        "rebuilt_events_per_second": round(events / (median(rebuilt) - median(ready))),
        "resident_mib": memory,
        "interpreter_seconds": round(bare, 3),
        "interpreter_and_imports_seconds": round(imports, 3),
        "times_imports": round(median(ready) / imports, 2),
    }


async def founded(folder: Path, events: int) -> Path:
    """A stopped node whose log has this many events more than a new one: of five, three needs posted, one of them
    closed again, and an offer posted."""
    made = main.init(folder / "home", "bench", f"127.0.0.1:{free_port()}", state_dir=folder / "state")
    async with main.open_node(made.home) as running:
        for begin in range(0, events, EVENTS_A_JOB):
            await running.node.writer.run(partial(_some, running, min(EVENTS_A_JOB, events - begin)))
        await running.node.views.wait(running.node.writer.position, 600.0)
    return made.home


def _some(running: Running, count: int, work: Work) -> None:
    node, blankets = running.node, Quantity(Decimal(20), "item")
    person, posted = node.entropy.uuid(), node.entropy.uuid()
    for number in range(count):
        by = Act(node.entropy.uuid(), node.clock.now(), person, "operator")
        thing = node.entropy.uuid()
        match number % 5:
            case 3:
                needs.close_need(work, by, posted, "no_longer_wanted")
            case 4:
                offers.post_offer(work, by, thing, person, PostOffer("bedding", blankets, "item", item="Blankets"))
            case _:
                posted = thing
                needs.post_need(work, by, thing, person, PostNeed("bedding", blankets, item="Blankets", area="North"))


def to_ready(home: Path) -> tuple[float, float]:
    """Seconds from the start of the process to its /readyz answering 200, and MiB resident then."""
    begun = time.perf_counter()
    node = start(home)
    try:
        seconds = time.perf_counter() - begun
        status = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
        (line,) = [line for line in status if line.startswith("VmRSS")]
        return seconds, round(int(line.split()[1]) / 1024, 1)
    finally:
        node.stop()


def spent(code: str) -> float:
    """Seconds a process of ours takes for `code`."""
    path = os.pathsep.join(str(ROOT / part) for part in ("protocol", "node", "cli"))
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)))
