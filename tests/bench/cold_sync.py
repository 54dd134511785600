"""A new peer takes in everything: fetches, verifies, stores durably, and shows it on its board. Beside it: hypercore.

`python tests/bench/cold_sync.py [--entries N] [--homes DIR] [--peers DIR]` prints one JSON line. Two real nodes on
loopback: one holds N shared needs (`node_that_fills.py`), the other has only paired with it and is started.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / part) for part in ("protocol", "node", "cli"))]

from tests.support.processes import NodeProcess, new_node, pair, start  # noqa: E402

ENTRIES = 100_000
FILLS = (str(ROOT / "tests/bench/node_that_fills.py"),)
GIVE_UP_SECONDS = 300.0
LOOK_SECONDS = 0.005
"""Between two looks at the new peer's files, which cost it nothing but a lock in memory."""

HYPERCORE_BLOCKS = 50_000
TIMES_HYPERCORE_WANTED = 7.5
STORED_WANTED = 31_000
BOARD_WANTED = 12_500
WIRE_BYTES_WANTED = 340


def measure(entries: int, homes: Path | None, peers: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "nodes"
        source = _filled(folder, entries, homes)
        try:
            synced = _sync(folder, source, entries)
        finally:
            source.stop()
    limit = hypercore(peers)
    stored = synced["stored_per_second"]
    return {
        "bench": "cold_sync",
        "entries": entries,
        **synced,
        "hypercore": limit,
        "times_hypercore": None if limit is None else round(stored / limit["per_s"], 2),
        "times_hypercore_per_cpu_second": None
        if limit is None
        else round(synced["stored_per_cpu_second"] / limit["per_cpu_second"], 2),
        "holds": {
            "stored": stored >= (STORED_WANTED if limit is None else TIMES_HYPERCORE_WANTED * limit["per_s"]),
            "board": synced["board_per_second"] >= BOARD_WANTED,
            "wire": synced["wire_bytes_per_event"] <= WIRE_BYTES_WANTED,
        },
    }


def _filled(folder: Path, entries: int, homes: Path | None) -> NodeProcess:
    """The running source, and beside it the home of a stopped node that has paired with it and holds nothing of it."""
    kept = homes / str(entries) if homes else None
    if kept is not None and kept.exists():
        shutil.copytree(kept, folder)
        _move_state(folder)
        return start(folder / "alice", FILLS)
    folder.mkdir()
    source, fresh = new_node(folder, "alice", FILLS), new_node(folder, "bob")
    try:
        pair(source, fresh)
        _await(lambda: fresh.ask("GET", "/api/v1/peers")["items"][0]["state"] == "active", "the pairing")
    finally:
        fresh.stop()
    _post(source, f"/fill/{entries}")
    if kept is not None:
        source.stop()
        shutil.copytree(folder, kept)
        source = start(folder / "alice", FILLS)
    return source


def _move_state(folder: Path) -> None:
    """Kept homes lie in another folder each time: their configuration names where the mark is."""
    for name in ("alice", "bob"):
        config = folder / name / "config.toml"
        lines = config.read_text().splitlines()
        moved = [f'dir = "{folder / name}-state"' if line.startswith("dir = ") else line for line in lines]
        config.write_text("\n".join(moved) + "\n")


def _sync(folder: Path, source: NodeProcess, entries: int) -> dict[str, Any]:
    total = entries + 1  # the feed begins with the terms of its circle
    home = folder / "bob"
    before = _bytes_in(home)
    source_cpu = cpu_seconds(source.process.pid)
    fresh = start(home)
    started_cpu = cpu_seconds(fresh.process.pid)
    try:
        stored_at = _reached(home / "node.db", "SELECT max(size) FROM feeds WHERE circle IS NOT NULL", total)
        stored_cpu, source_cpu = cpu_seconds(fresh.process.pid), cpu_seconds(source.process.pid) - source_cpu
        board_at = _reached(home / "views.db", "SELECT max(position) FROM tracking WHERE feed > 0", total)
        board_cpu = cpu_seconds(fresh.process.pid)
        heard_at = _reached(home / "node.db", "SELECT max(folded) FROM feeds WHERE circle IS NOT NULL", total)
        sent = json.loads(urllib.request.urlopen(source.url + "/sent").read())
        peak = _peak_mib(fresh.process.pid)
        shown = _count_on_board(home / "views.db")
        first = fresh.ask("GET", "/api/v1/board")
        if shown != entries or not first["needs"]:
            raise RuntimeError(f"the board shows {shown} of {entries}")
        begun = sent["asked_at"]
    finally:
        fresh.stop()
    return {
        "stored_per_second": round(entries / (stored_at - begun)),
        "board_per_second": round(entries / (board_at - begun)),
        "interpreted_per_second": round(entries / (heard_at - begun)),
        "wire_bytes_per_event": round(sent["bytes"] / entries, 1),
        "disk_bytes_per_event": round((_bytes_in(home) - before) / entries, 1),
        "disk_log_bytes_per_event": round((home / "node.db").stat().st_size / entries, 1),
        "peak_memory_mib": peak,
        "stored_per_cpu_second": round(entries / (stored_cpu - started_cpu)),
        "board_per_cpu_second": round(entries / (board_cpu - started_cpu)),
        "source_per_cpu_second": round(entries / source_cpu),
        "source_peak_memory_mib": _peak_mib(source.process.pid),
    }


def _reached(database: Path, question: str, wanted: int) -> float:
    """The monotonic time at which a committed row of a node's file says so."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return _await(lambda: (connection.execute(question).fetchone()[0] or 0) >= wanted, question)


def _await(reached: Any, what: str) -> float:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {GIVE_UP_SECONDS} s: {what}")
        time.sleep(LOOK_SECONDS)
    return time.monotonic()


def _count_on_board(views: Path) -> int:
    with closing(sqlite3.connect(f"file:{views}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT count(*) FROM shared_needs WHERE described AND state = 'open'").fetchone()
    return int(found[0])


def hypercore(peers: Path) -> dict[str, Any] | None:
    """What the best peer measured reaches now on this machine, None where it is not here or cannot be installed."""
    script = peers / "peer_hypercore.py"
    python = shutil.which("python3.11") or sys.executable
    if not script.exists() or shutil.which("node") is None or shutil.which("npm") is None:
        return None
    environment = {**os.environ, "N": str(HYPERCORE_BLOCKS)}
    ran = subprocess.run([python, str(script)], env=environment, capture_output=True, text=True, timeout=300)
    if ran.returncode != 0:
        print(ran.stderr[-2000:], file=sys.stderr)
        return None
    told = json.loads(ran.stdout.splitlines()[-1])
    return {
        "per_s": told["cold_sync"]["per_s"],
        "per_cpu_second": told["cold_sync"]["sink_per_cpu_s"],
        "wire_bytes_per_event": told["wire_bytes_per_event"],
        "disk_bytes_per_event": told["disk_bytes_per_event"]["sink"],
        "peak_memory_mib": told["rss_mib"]["sink"],
    }


def _post(node: NodeProcess, path: str) -> None:
    urllib.request.urlopen(urllib.request.Request(node.url + path, b"", method="POST"), timeout=1800).read()


def _bytes_in(home: Path) -> int:
    return sum(path.stat().st_size for path in home.rglob("*") if path.is_file())


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used: what to look at when the machine has other things to do."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 2)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    shared = Path(os.environ.get("AIDMESH_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--homes", type=Path, help="keep the filled homes here, and use them again")
    parser.add_argument("--peers", type=Path, default=shared / "tools/peers", help="where peer_hypercore.py lies")
    given = parser.parse_args()
    print(json.dumps(measure(given.entries, given.homes, given.peers)))
