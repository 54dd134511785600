"""Processes at real terminals and pipes: colour, Ctrl-C, readers who leave."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aidmesh_cli.problems import FAILURE, INTERRUPTED
from tests.cli.answers import need
from tests.cli.recorded_node import RecordedNode, write_token
from tests.cli.test_help import environment

BOARD = {"schema_version": 1, "position": 1, "needs": [need()], "offers": []}
AIDMESH = [sys.executable, "-m", "aidmesh_cli"]
SECONDS_MAX = 60


def at_a_terminal(home: Path, **variables: str) -> bytes:
    """What `aidmesh board` writes to a terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*AIDMESH, "board", "--home", str(home)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment(), "TERM": "xterm", **variables},
        )
    finally:
        os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:
        pass  # so Linux says that the last writer has left
    finally:
        os.close(ours)
    assert process.wait(SECONDS_MAX) == 0
    return seen


def test_a_terminal_gets_style(node: RecordedNode) -> None:
    node.answer("GET /board", BOARD)
    seen = at_a_terminal(node.home)
    assert b"\x1b[" in seen
    assert b"Blankets" in seen


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_none(variables: dict[str, str], node: RecordedNode) -> None:
    node.answer("GET /board", BOARD)
    seen = at_a_terminal(node.home, **variables)
    assert b"\x1b" not in seen
    assert b"Blankets" in seen


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"CLICOLOR_FORCE": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_pipe_gets_none(variables: dict[str, str], node: RecordedNode) -> None:
    node.answer("GET /board", BOARD)
    command = [*AIDMESH, "board", "--home", str(node.home)]
    done = subprocess.run(command, env={**environment(), **variables}, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_terminal_without_the_letters_still_gets_a_table(node: RecordedNode) -> None:
    node.answer("GET /board", {**BOARD, "needs": [need(item="Cobertores ã 毛布")]})
    command = [*AIDMESH, "board", "--home", str(node.home)]
    done = subprocess.run(
        command, env={**environment(), "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True
    )
    assert "Cobertores ? ??" in done.stdout


def test_ctrl_c_ends_a_command_at_once(tmp_path: Path) -> None:
    """A node that took the request and never answers."""
    token = write_token(tmp_path / "token")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*AIDMESH, "board", "--node", url, "--token-file", str(token)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(4096).startswith(b"GET /api/v1/board")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, out) == (INTERRUPTED, b"")
    assert b"Traceback" not in err


def test_a_reader_that_leaves_is_no_crash(node: RecordedNode) -> None:
    node.answer("GET /board", {**BOARD, "needs": [need()] * 2000})
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*AIDMESH, "board", "--json", "--home", str(node.home)],
            env=environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (FAILURE, "")
