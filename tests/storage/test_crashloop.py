"""The design's own crashloop against a real node: 100 kills, 20 power cuts, and a planted defect it must find.

In power mode the disk after the cut is the disk at the moment of the cut: what was not synced is gone. Machines without
the design's folder run `test_crash.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.storage.programs import command, environment
from tests.support.processes import free_port

pytestmark = [pytest.mark.crash, pytest.mark.timeout(1500)]

ACKNOWLEDGED_MIN = 5_000
WRONG = ("lost", "phantom", "refused", "duplicate", "changed", "unready", "verify_failed")
TOLD = ("mode", "rounds", "kills", "restart_kills", "tries", "acks", "in_doubt", "seconds")
CAP_SYS_ADMIN = 21


def crashloop(shared: Path, folder: Path, *options: str, server: str = "") -> dict[str, Any]:
    """One run of the tool; its report."""
    port = str(free_port())

    def line(program: str, *arguments: str) -> str:
        return " ".join(["exec", *command(program, *arguments)])

    tool = [sys.executable, str(shared / "tools" / "crashloop.py"), "--workdir", str(folder / "work")]
    tool += ["--server", line("loop_node.py", "{data}", port, server)]
    tool += ["--client", line("loop_client.py", "{data}", port, str(folder / "journal"), "{round}")]
    tool += ["--verify", line("loop_verify.py", "{data}", port)]
    tool += ["--ready", f"http://127.0.0.1:{port}/readyz", "--ready-timeout", "30", "--quiet", *options]
    done = subprocess.run(tool, env=environment({"PATH": PATH}), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) == report["pass"]
    print(
        {
            name: report[name]
            for name in ("mode", "rounds", "kills", "restart_kills", "tries", "acks", "seconds", *WRONG)
        }
    )
    return report


PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
"""Where the commands lie that make and mount file systems."""

KILLS = ("--mode", "kill", "--restart-kill", "0.2", "--min-ms", "300", "--max-ms", "700")
CUTS = ("--mode", "power", "--min-ms", "1500", "--max-ms", "2500")


def may_mount() -> bool:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff")), "0")
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


@pytest.fixture
def power() -> None:
    """A machine on which a disk can be made, cut off and mounted again."""
    lacking = [name for name in ("mkfs.xfs", "mkfs.ext4", "mount") if shutil.which(name, path=PATH) is None]
    if not may_mount():
        lacking.append("the right to mount")
    if not Path("/dev/loop-control").exists():
        lacking.append("loop devices")
    if lacking:
        pytest.skip(f"probed absent: {', '.join(lacking)}")


def test_a_hundred_kills(shared: Path, tmp_path: Path) -> None:
    report = crashloop(shared, tmp_path, *KILLS, "--rounds", "100", "--verify-every", "10", "--seed", "1")
    assert (report["rounds"], report["kills"]) == (100, 100)
    assert report["acks"] >= ACKNOWLEDGED_MIN
    assert {name: report[name] for name in WRONG} == dict.fromkeys(WRONG, 0), report["bad"]


def test_twenty_power_cuts(shared: Path, tmp_path: Path, power: None) -> None:
    report = crashloop(shared, tmp_path, *CUTS, "--rounds", "20", "--seed", "1")
    assert (report["rounds"], report["kills"]) == (20, 20)
    assert report["acks"] >= ACKNOWLEDGED_MIN
    assert {name: report[name] for name in WRONG} == dict.fromkeys(WRONG, 0), report["bad"]


def test_a_server_that_answers_before_it_commits_is_caught_by_kills(shared: Path, tmp_path: Path) -> None:
    report = crashloop(shared, tmp_path, *KILLS, "--rounds", "10", "--seed", "2", "--stop-on-bad", server="hasty")
    assert report["lost"] > 0 and not report["pass"]


def test_a_server_that_answers_before_it_commits_is_caught_by_a_power_cut(
    shared: Path, tmp_path: Path, power: None
) -> None:
    report = crashloop(shared, tmp_path, *CUTS, "--rounds", "5", "--seed", "2", "--stop-on-bad", server="hasty")
    assert report["lost"] > 0 and not report["pass"]
