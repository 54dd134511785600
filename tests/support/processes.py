"""Real nodes as processes of their own on loopback, for benchmarks and crash tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aidmesh_node import main
from aidmesh_node.config import load_config

READY_SECONDS_MAX = 30.0
ROOT = Path(__file__).resolve().parents[2]
NODE = ("-m", "aidmesh_node", "--home")
PYTHONPATH = os.pathsep.join(str(ROOT / part) for part in ("protocol", "node", "cli"))


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class NodeProcess:
    """One node: its home, its address, the operator's token, and the process while it runs."""

    home: Path
    url: str
    token: str
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """One API request; raises urllib.error.HTTPError with the problem as its body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        return self.process.wait(30)


def new_node(folder: Path, name: str, program: Sequence[str] = NODE) -> NodeProcess:
    """Found a group in `folder/name` and start its node."""
    port = free_port()
    made = main.init(folder / name, name, f"127.0.0.1:{port}", state_dir=folder / f"{name}-state")
    return start(made.home, program)


def start(home: Path, program: Sequence[str] = NODE, variables: Mapping[str, str] | None = None) -> NodeProcess:
    """Start a node over its home (`program` gets the home as its last argument) and wait until it answers.

    `variables` are added to its environment.
    """
    config = load_config(home / "config.toml", {})[0]
    with (home / "run.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *program, str(home)],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": PYTHONPATH, **(variables or {})},
        )
    url = f"http://{config.node.listen}"
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=1):
                break
        except (OSError, urllib.error.URLError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((home / "run.log").read_text()[-2000:]) from None
            time.sleep(0.02)
    return NodeProcess(home, url, (home / "operator.token").read_text().strip(), process)


def pair(host: NodeProcess, guest: NodeProcess) -> None:
    """Pair two running nodes through their APIs; in force on both sides on return."""
    invitation = host.ask("POST", "/api/v1/peers/invitations", {})["invitation"]
    met = guest.ask("POST", "/api/v1/peers", {"invitation": invitation})
    words = " ".join(met["words"])
    host_gid = met["gid"]
    guest_gid = guest.ask("GET", "/api/v1/status")["group"]["gid"]
    host.ask("POST", f"/api/v1/peers/{guest_gid}/confirm", {"words": words})
    guest.ask("POST", f"/api/v1/peers/{host_gid}/confirm", {"words": words})
