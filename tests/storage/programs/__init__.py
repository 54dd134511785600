"""Small programs that tests run as processes of their own, to be limited, killed or watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
WAIT_SECONDS = 60


def command(program: str, *arguments: str) -> list[str]:
    """How to start a program."""
    return [sys.executable, str(HERE / program), *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """As little as a program needs, to find the same packages as the tests."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **(more or {})}


def run(
    program: str,
    *arguments: str,
    within: Callable[[], None] | None = None,
    prefix: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
) -> list[str]:
    """Run a program to its end, which must be a good one; the lines it printed."""
    done = subprocess.run(
        [*prefix, *command(program, *arguments)],
        env=environment(more),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        preexec_fn=within,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
