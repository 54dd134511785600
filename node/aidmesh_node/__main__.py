"""`python -m aidmesh_node --home DIR`: run one node, and nothing else. People use `aidmesh run`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from aidmesh_node.home import StartError
from aidmesh_node.main import run


def main() -> int:
    """The exit code of `run`; 1 with one sentence when the node cannot start."""
    parser = argparse.ArgumentParser(prog="python -m aidmesh_node", description="Run the node of a home.")
    parser.add_argument("--home", type=Path, required=True, help="the node's home")
    parser.add_argument("--leashed", action="store_true", help="stop when standard input ends")
    arguments = parser.parse_args()
    if arguments.leashed:
        threading.Thread(target=_stop_at_end_of_input, name="leash", daemon=True).start()
    try:
        return run(arguments.home)
    except StartError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


def _stop_at_end_of_input() -> None:
    """Whoever started us holds the other end: however they end, we do not stay behind."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
