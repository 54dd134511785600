"""However the demo ends, no process stays behind; without `--exit` the nodes run until Ctrl-C."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from aidmesh_node.exchange import samples

PROGRAM = Path(__file__).with_name("program.py")
SAMPLES = Path(samples.__file__).parent
END_SECONDS_MAX = 20
VERIFY = "import sys, pathlib, aidmesh_node.main as m; print(m.verify_home(pathlib.Path(sys.argv[1])).first_problem)"


class Demo:
    """A demo as its own process, read event by event."""

    def __init__(self, folder: Path, ending: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), str(SAMPLES), ending], stdout=subprocess.PIPE, text=True
        )

    def until(self, kind: str, text: str = "") -> Any:
        """Read on to the first event of this kind whose text begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if event[0] == kind and event[1].startswith(text):
                return event
        raise AssertionError(f"the demo ended without: {kind} {text}")

    def pids(self) -> list[int]:
        """The nodes' processes, from the addresses in their homes."""
        return [json.loads(file.read_text())["pid"] for file in sorted(self.folder.glob("*/*/address"))]


@contextmanager
def demo(folder: Path, ending: str) -> Iterator[Demo]:
    started = Demo(folder, ending)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def gone(pid: int) -> bool:
    """Whether the process ends within a moment; waits on the kernel, not on a clock."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], END_SECONDS_MAX)[0])
    finally:
        os.close(handle)


def test_without_exit_the_nodes_run_until_ctrl_c_and_their_homes_stay(tmp_path: Path) -> None:
    with demo(tmp_path, "stay") as running:
        *_, report = running.until("done")
        pids = running.pids()
        assert len(pids) == len(report["nodes"]) == 3
        for node in report["nodes"]:
            with urlopen(f"{node['url']}/healthz") as answer:
                assert json.load(answer) == {"status": "ok"}

        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(END_SECONDS_MAX) == 0, "this is how it is meant to end"
        assert all(gone(pid) for pid in pids)

    assert Path(report["folder"]) == next(tmp_path.iterdir())
    for node in report["nodes"]:
        # In a program of its own, which knows only what verifying itself brings along.
        command = [sys.executable, "-c", VERIFY, node["home"]]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_demo_that_is_interrupted_takes_its_nodes_with_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with demo(tmp_path, "stay") as running:
        running.until("step", "The groups meet")
        pids = running.pids()
        assert len(pids) == 3

        running.process.send_signal(number)
        assert running.process.wait(END_SECONDS_MAX) == code
        assert all(gone(pid) for pid in pids)

    if number != signal.SIGKILL:
        assert [*tmp_path.iterdir()] == [], "who stops half way does not want what there is"
