"""A bar for whatever takes longer than a second: seen on a real terminal, and nowhere else."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aidmesh_cli.main import run
from aidmesh_cli.patience import SHOWN_AFTER_SECONDS, Patience
from tests.cli.golden_cases import CASES
from tests.cli.recorded_node import RecordedNode, Terminal
from tests.cli.test_help import environment
from tests.cli.test_terminal import AIDMESH, SECONDS_MAX

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def terminal(columns: int = 80) -> Iterator[tuple[int, int]]:
    """(our end, their end)"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def read_until(ours: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        seen += ESCAPES.sub(b"", os.read(ours, 4096))
    return seen


def rest(ours: int) -> bytes:
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:
        pass  # so Linux says that the last writer has left
    return seen


def start(node: RecordedNode, theirs: int, command: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*AIDMESH, *command.split(), "--home", str(node.home)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**environment(), "TERM": "xterm", **variables},
        cwd=node.home,
    )


def test_what_takes_a_while_shows_a_bar_that_goes_away(node: RecordedNode) -> None:
    """A process at a terminal, and the second that it takes."""
    case = next(case for case in CASES if case.name == "import-csv")
    (node.home / "a.csv").touch()
    ((route, answer),) = case.answers.items()
    node.answer(route, answer)
    with node.held(route) as go, terminal() as (ours, theirs):
        process = start(node, theirs, case.command)
        os.close(theirs)
        seen = read_until(ours, b" s")
        assert b"Importing 1 file" in seen and "━".encode() in seen
        go.set()
        out, _ = process.communicate(timeout=SECONDS_MAX)
        left = rest(ours)
    assert process.returncode == 0
    assert b"\x1b" not in out and b"Importing" not in out
    assert b"\x1b[2K" in left, "the line is cleared"


WAITING = {
    "verify": ("verify", "POST /verify", b"Checking every hash"),
    "board": ("board", "GET /board", b"Asking the node"),
    "share": ("need share aaaaaaaa --consent self", "POST /needs/aaaaaaaa/share", b"Telling the node"),
    "news": ("need list --wait 60", "GET /needs", b"of 60 s"),
}


def held_up(command: str, route: str, wanted: bytes, node: RecordedNode, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What a command writes to a terminal while the node keeps it waiting; no second passes."""
    monkeypatch.setattr("aidmesh_cli.patience.SHOWN_AFTER_SECONDS", 0.0)
    node.refuse(route, 409, "odd")
    seen = b""

    def watch(go: threading.Event) -> None:
        nonlocal seen
        seen = read_until(ours, wanted)
        go.set()
        seen += rest(ours)

    with terminal() as (ours, theirs), node.held(route) as go:
        watching = threading.Thread(target=watch, args=(go,))
        watching.start()
        with os.fdopen(theirs, "w") as stderr:
            monkeypatch.setattr("sys.stderr", stderr)
            if not wanted:
                go.set()
            assert run([*command.split(), "--home", str(node.home)]) > 0
        watching.join(SECONDS_MAX)
    return seen


@pytest.mark.parametrize("what", WAITING)
def test_each_says_what_it_waits_for(what: str, node: RecordedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert WAITING[what][2] in held_up(*WAITING[what], node, monkeypatch)


@pytest.mark.parametrize("what", WAITING)
@pytest.mark.parametrize("said", [("NO_COLOR", "1", ""), ("TERM", "dumb", ""), ("TERM", "xterm", " --quiet")])
def test_who_wants_none_gets_none(
    said: tuple[str, str, str], what: str, node: RecordedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, route, _ = WAITING[what]
    monkeypatch.setenv(*said[:2])
    seen = held_up(f"{command}{said[2]}", route, b"", node, monkeypatch)
    assert b"\x1b" not in seen and "━".encode() not in seen
    assert seen.startswith(b"aidmesh ")


def test_by_its_clock_it_says_how_much_time_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second passes here: the clock is ours, and so is the moment from which it shows."""
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as (ours, theirs), os.fdopen(theirs, "w") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        times = iter([100.0, *([142.0] * 10_000)])
        with Patience("Sharing \x1b[2Jthings", 60, after=0.0, clock=times.__next__):
            seen = read_until(ours, b"42 of 60 s")
    assert b"Sharing \xef\xbf\xbd[2Jthings" in seen


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert SHOWN_AFTER_SECONDS >= 1
    with terminal() as (ours, theirs):
        with os.fdopen(theirs, "w") as stderr:
            monkeypatch.setattr("sys.stderr", stderr)
            for _ in range(5):
                with Patience("Quick", after=SECONDS_MAX):
                    pass
        assert rest(ours) == b""


def test_a_failure_passes_through_and_takes_the_bar_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    before = threading.active_count()
    with terminal() as (ours, theirs), os.fdopen(theirs, "w") as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        with pytest.raises(ZeroDivisionError), Patience("Dividing", after=0.0):
            raise ZeroDivisionError(read_until(ours, b"Dividing"))
    assert threading.active_count() == before


def test_in_a_pipe_there_is_none_at_all(node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aidmesh_cli.patience.SHOWN_AFTER_SECONDS", 0.0)
    node.answer("GET /needs", {"items": [], "position": 1})
    assert aidmesh("need", "list", "--wait", "0.2").err == "There is nothing to list.\n"
