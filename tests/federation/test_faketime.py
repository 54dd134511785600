"""Real nodes on machines whose clocks are wrong, by libfaketime: in 1970, set while they run, a day apart.

What is measured in monotonic time stays right, as on a real machine whose clock is set.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT
from tests.support.processes import PYTHONPATH, NodeProcess, free_port, start

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

IMPATIENT = (str(ROOT / "tests" / "support" / "impatient_node.py"), "--home")
BELIEVES_ALL = (IMPATIENT[0], "--believe", "--home")
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
SECONDS_MAX = 30.0
LOOKS_SECONDS = 4.0
"""In which an impatient node looks at everything more than once."""


@dataclass(slots=True)
class Machine:
    """One computer with a clock of its own, and the node on it."""

    folder: Path
    name: str
    program: tuple[str, ...]
    node: NodeProcess | None = None

    def set_clock(self, ahead: str) -> None:
        """To the right time and so much: "+400d", "-10d", "+0"; or to half a minute after 1970 began."""
        if ahead == "1970":
            ahead = f"-{int(time.time()) - 30}"
        # At once and whole: the node reads it whenever it asks for the time.
        new = self.folder / f"{self.name}.time.new"
        new.write_text(ahead + "\n")
        new.replace(self.folder / f"{self.name}.time")

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / f"{self.name}.time"),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": PYTHONPATH,
        }

    @property
    def home(self) -> Path:
        return self.folder / self.name

    def found(self) -> None:
        """`aidmesh init`, on this machine with this clock."""
        words = ["init", "--home", str(self.home), "--name", self.name, "--listen", f"127.0.0.1:{free_port()}"]
        self._run([*words, "--state-dir", str(self.folder / f"{self.name}-state")], self.variables)

    def start(self) -> None:
        self.node = start(self.home, self.program, self.variables)

    def stop(self) -> None:
        assert self.node is not None and self.node.stop() == 0

    def types(self, *words: str, wait: int = 20) -> str:
        """What `aidmesh` answers to the operator, on the right clock: libfaketime breaks Python's time.sleep."""
        return self._run([*words, "--home", str(self.home), "--wait", str(wait)], {"PYTHONPATH": PYTHONPATH})

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        assert self.node is not None
        return self.node.ask(method, "/api/v1" + path, body, **headers)

    def clock_words(self) -> str:
        return str(self.ask("GET", "/status")["clock"]["words"])

    @property
    def log(self) -> str:
        return (self.home / "run.log").read_text()

    def _run(self, words: list[str], variables: dict[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "aidmesh_cli", *words],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Makes a computer with a running node of a new group."""
    if not LIBRARIES:
        pytest.skip("probed absent: libfaketime")
    made: list[Machine] = []

    def make(name: str, ahead: str = "+0", program: tuple[str, ...] = IMPATIENT) -> Machine:
        new = Machine(tmp_path, name, program)
        new.set_clock(ahead)
        new.found()
        new.start()
        made.append(new)
        return new

    yield make
    for one in made:
        if one.node is not None and one.node.process.poll() is None:
            one.stop()


def link(harbour: Machine, hillside: Machine) -> None:
    words = hillside.types("peer", "accept", harbour.types("peer", "invite", "--quiet"), "--quiet")
    hillside.types("peer", "accept", "Harbour", "--words", words, wait=0)
    harbour.types("peer", "accept", "Hillside", "--words", words)


def share(home: Machine, other: str, item: str) -> None:
    home.types("need", "post", item, "--category", "bedding", "--quantity", "20", "--name", "Ana Silva")
    home.types("need", "share", item, "--with", other, "--consent", "by_phone")


def exchange(home: Machine, giver: Machine, item: str) -> None:
    """From a need to its receipt."""
    share(home, giver.name, item)
    giver.types("pledge", "offer", item, "--quantity", "20")
    home.types("pledge", "accept", item)
    giver.types("pledge", "hand-over", item)
    home.types("pledge", "receive", item)
    (pledge,) = [one for one in json.loads(home.types("pledge", "list", "--json"))["items"] if one["item"] == item]
    assert pledge["phase"] == "received", item


def until(there: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not there():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def all_in_order(*machines: Machine) -> None:
    for one in machines:
        assert one.ask("POST", "/verify", {})["ok"] is True, one.name


def test_a_group_founded_in_1970_works_says_so_and_goes_on_when_the_clock_is_set(
    machine: Callable[..., Machine],
) -> None:
    harbour, hillside = machine("Harbour", "1970"), machine("Hillside")
    assert "1970-01-01" in harbour.clock_words() and "Set it" in harbour.clock_words()
    assert harbour.clock_words() in " ".join(harbour.types("status").split()), "so says the command"
    assert "1970-01-01" in harbour.log and "cannot be right" in harbour.log, "and the log"
    link(harbour, hillside)
    exchange(harbour, hillside, "Blankets")
    exchange(hillside, harbour, "Tents")
    assert "behind ours" in hillside.types("peer", "status", "Harbour")
    assert "ahead of ours" in harbour.types("peer", "status", "Hillside")
    rosa = harbour.ask("POST", "/members", {"name": "Rosa", "role": "member"})["invitation"]

    harbour.set_clock("+0")
    assert harbour.ask("POST", "/join", {"invitation": rosa})["token"], "an invitation of 1970 is not too old"
    exchange(harbour, hillside, "Cots")
    exchange(hillside, harbour, "Lamps")
    until(lambda: "clock" not in hillside.types("peer", "status", "Harbour"), "they agree again")
    all_in_order(harbour, hillside)


@pytest.mark.parametrize("ahead", ["1970", "-10d", "+400d"])
def test_a_power_cut_with_a_dead_clock_ends_nothing(machine: Callable[..., Machine], ahead: str) -> None:
    harbour, hillside = machine("Harbour"), machine("Hillside")
    link(harbour, hillside)
    share(harbour, "Hillside", "Blankets")
    hillside.types("pledge", "offer", "Blankets", "--quantity", "5")
    until(lambda: len(harbour.ask("GET", "/pledges")["items"]) == 1, "the pledge arrives")
    for one in (harbour, hillside):
        one.stop()
        one.set_clock(ahead)
        one.start()
    time.sleep(LOOKS_SECONDS)
    for one in (harbour, hillside):
        assert one.clock_words(), "it says so"
        (pledge,) = one.ask("GET", "/pledges")["items"]
        assert pledge["phase"] == "offered", one.name
        one.set_clock("+0")
    for one in (harbour, hillside):
        assert one.clock_words() == "", "right again, so believed again"
    harbour.types("pledge", "accept", "Blankets")
    exchange(hillside, harbour, "Tents")
    all_in_order(harbour, hillside)


def on_board(machine: Machine, item: str) -> bool:
    return item in json.dumps(machine.ask("GET", "/board"))


def waiting_pledge(machine: Callable[..., Machine], program: tuple[str, ...]) -> tuple[Machine, Machine]:
    harbour, hillside = machine("Harbour", program=program), machine("Hillside", program=program)
    link(harbour, hillside)
    share(harbour, "Hillside", "Blankets")
    hillside.types("pledge", "offer", "Blankets", "--quantity", "5")
    until(lambda: len(harbour.ask("GET", "/pledges")["items"]) == 1, "the pledge arrives")
    return harbour, hillside


def test_jumps_while_running_end_nothing_lock_nobody_out_and_keep_order(machine: Callable[..., Machine]) -> None:
    harbour, hillside = waiting_pledge(machine, IMPATIENT)
    rosa = harbour.ask("POST", "/members", {"name": "Rosa", "role": "member"})["invitation"]
    asked = {"category": "bedding", "item": "Pillows", "quantity": "7", "unit": "item"}
    pillows = harbour.ask("POST", "/needs", asked, Idempotency_Key="once")["id"]
    open_still = harbour.types("peer", "invite", "--quiet")
    for number, ahead in enumerate(("-10d", "+400d", "-10d", "+0", "+400d")):
        for one in (harbour, hillside):
            one.set_clock(ahead)
        time.sleep(LOOKS_SECONDS)
        for one in (harbour, hillside):
            assert bool(one.clock_words()) == (ahead != "+0"), (ahead, one.clock_words())
            (waits,) = [pledge for pledge in one.ask("GET", "/pledges")["items"] if pledge["item"] == "Blankets"]
            assert waits["phase"] == "offered", (ahead, one.name)
            assert {need["state"] for need in one.ask("GET", "/needs")["items"]} <= {"open"}, ahead
        again = harbour.ask("POST", "/needs", asked, Idempotency_Key="once")
        assert again["id"] == pillows, f"{ahead}: the kept answer is kept"
        share(harbour, "Hillside", f"Cots {number}")
        until(partial(on_board, hillside, f"Cots {number}"), "news arrives")
    assert harbour.ask("POST", "/join", {"invitation": rosa})["token"]
    mill = machine("Mill")
    assert mill.types("peer", "accept", open_still, "--quiet"), "nor is the other group's invitation too old"
    for one in (harbour, hillside):
        one.set_clock("+0")
        assert one.clock_words() == ""
    harbour.types("pledge", "accept", "Blankets")
    exchange(hillside, harbour, "Tents")
    all_in_order(harbour, hillside, mill)


def test_a_node_that_believes_every_clock_would_be_caught(machine: Callable[..., Machine]) -> None:
    """The same jump, planted trust: the promise is gone. So the stories above can fail."""
    _, hillside = waiting_pledge(machine, BELIEVES_ALL)
    hillside.set_clock("+400d")
    until(lambda: hillside.ask("GET", "/pledges")["items"][0]["phase"] == "withdrawn", "it lapses")


@pytest.mark.parametrize("ahead", ["+1d", "-1d"])
def test_groups_a_day_apart_help_each_other_and_each_says_so(machine: Callable[..., Machine], ahead: str) -> None:
    harbour, hillside = machine("Harbour"), machine("Hillside", ahead)
    link(harbour, hillside)
    exchange(harbour, hillside, "Blankets")
    exchange(hillside, harbour, "Tents")
    theirs, ours = ("ahead of", "behind") if ahead == "+1d" else ("behind", "ahead of")
    assert f"1 day {theirs} ours" in harbour.types("peer", "status", "Hillside")
    assert f"1 day {ours} ours" in hillside.types("peer", "status", "Harbour")
    assert f"the clock of Hillside is 1 day {theirs} ours" in harbour.types("status")
    all_in_order(harbour, hillside)
