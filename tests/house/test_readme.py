"""The README is executed: its commands run in order in one shell, and in the end the blankets have arrived."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import click
import pytest

from aidmesh_cli.main import cli
from tests.house.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CONSOLE = [line.removeprefix("$ ") for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]
PORTS = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", "\n".join(CONSOLE))))
SECONDS_MAX = 110
NOUNS_AND_VERBS = 2

# What the reader would look at afterwards; the shell ends every process that it started, and no other.
LOOK = """
aidmesh need list --json --home harbour > need.json
aidmesh pledge list --json --home harbour > harbour.json
aidmesh pledge list --json --home hillside > hillside.json
"""
CLEAN_UP = "trap 'kill $(jobs -p); wait' EXIT"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody has typed every console line of the README."""
    folder = tmp_path_factory.mktemp("readme")
    script = "\n".join(["set -euo pipefail", CLEAN_UP, *CONSOLE, LOOK])
    for port, free in zip(PORTS, free_ports(len(PORTS)), strict=True):
        script = script.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
    variables = {
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join([str(command_folder(folder)), os.environ["PATH"]]),
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_in_the_end_both_groups_say_that_the_blankets_arrived(executed: Path) -> None:
    (need,) = json.loads((executed / "need.json").read_text())["items"]
    assert (need["item"], need["received"], need["open"]) == ("Blankets", "20", "0")
    for home in ("harbour", "hillside"):
        (pledge,) = json.loads((executed / f"{home}.json").read_text())["items"]
        assert (pledge["phase"], pledge["received"], pledge["discrepancy"]) == ("received", "20", False)


def test_hillside_never_learns_whom_the_blankets_are_for(executed: Path) -> None:
    assert any("Ana Silva" in line for line in CONSOLE)
    held = [path for path in (executed / "hillside").rglob("*") if path.is_file()]
    assert len(held) > 5
    assert [path for path in held if b"Ana Silva" in path.read_bytes()] == []


def test_it_takes_the_ten_commands_it_promises() -> None:
    section = README.split("## Two groups exchange a need in ten commands")[1].split("\n## ")[0]
    assert sum(line.startswith("$ ") for line in section.splitlines()) == 10


def test_it_opens_with_the_two_commands_and_run_py_knows_them() -> None:
    assert re.findall(r"\A# aidmesh\n\n```sh\n(.*?)```", README, re.DOTALL) == [
        "python3 deploy/run.py demo\npython3 deploy/run.py test\n"
    ]
    usage = subprocess.run(
        [sys.executable, ROOT / "deploy" / "run.py", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in BLOCKS[0][1].splitlines():
        assert command in usage


def test_no_block_escapes_the_test() -> None:
    """The first block would run this test again; every other one is a console that is executed."""
    assert [kind for kind, _ in BLOCKS] == ["sh"] + ["console"] * (len(BLOCKS) - 1)
    lines = [line for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]
    assert all(line.startswith("$ ") for line in lines)


def test_commands_in_the_text_exist_with_their_options() -> None:
    mentioned = re.findall(r"`(aidmesh [^`]+)`", README)
    assert mentioned
    for text in mentioned:
        command: click.Command = cli
        words = shlex.split(text)[1:]
        for word in words[:NOUNS_AND_VERBS]:
            if isinstance(command, click.Group) and word in command.commands:
                command = command.commands[word]
        assert not isinstance(command, click.Group) or words == ["--help"], text
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, text


def test_its_links_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, so that the test can run beside a node that uses the README's own."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def command_folder(folder: Path) -> Path:
    """Where `aidmesh` is: beside this Python if it is installed there, else made here."""
    installed = Path(sys.executable).parent
    if (installed / "aidmesh").exists():
        return installed
    made = folder / "bin"
    made.mkdir()
    packages = os.pathsep.join(str(ROOT / name) for name in ("protocol", "node", "cli"))
    (made / "aidmesh").write_text(
        f'#!/bin/sh\nPYTHONPATH={shlex.quote(packages)} exec {shlex.quote(sys.executable)} -m aidmesh_cli "$@"\n',
        encoding="utf-8",
    )
    (made / "aidmesh").chmod(0o755)
    return made
