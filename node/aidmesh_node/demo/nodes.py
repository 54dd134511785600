"""Nodes as separate processes on loopback, all inside one temporary folder: start, kill, stop.

No process outlives the demo: each holds a pipe whose other end is ours, and stops when that closes.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.demo.waiting import POLL_SECONDS
from aidmesh_node.home import StartError

Reach = Callable[[str], Awaitable[str]]
"""From where a node listens, as HOST:PORT, to the url by which everybody reaches it."""

Found = Callable[[Path, str, str, str, Path], object]
"""Makes a home: its folder, the group's name, HOST:PORT, url, the folder of its mark."""

LOOPBACK: Final = "127.0.0.1"
PORTS: Final = range(15_000, 32_000)
"""Below the ports that systems give to outgoing connections: while a node is away, none of those takes its place."""
PORTS_TRIED_MAX: Final = 200

STOP_SECONDS_MAX: Final = 10.0
"""A node ends its requests within five seconds; what still runs after this is killed."""

LOG_LINES: Final = 8
SETTING_PREFIX: Final = "AIDMESH_"


@dataclass(slots=True)
class DemoNode:
    """One node: its home, how others reach it, where it listens, and its process while it runs."""

    name: str
    home: Path
    url: str
    listen: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def token(self) -> str:
        """The operator's."""
        return (self.home / "operator.token").read_text(encoding="utf-8").strip()

    def start(self) -> None:
        """Begin; `ready` says when it answers."""
        # -P: nothing that lies in the current folder is run instead of us.
        command = [sys.executable, "-P", "-m", "aidmesh_node", "--home", str(self.home), "--leashed"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_without_settings(),
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its nodes
            )

    async def ready(self, session: ClientSession, seconds_max: float) -> None:
        """Return when the node serves. Raises DemoFailed with its last words."""
        end = time.monotonic() + seconds_max
        while not await self._answers(session):
            if self.process is None or self.process.poll() is not None:
                said = "\n".join(self.last_words()) or "it said nothing"
                raise DemoFailed(f"The node of {self.name} stopped instead of starting: {said}")
            if time.monotonic() > end:
                raise DemoFailed(f"The node of {self.name} was not ready within {seconds_max:.0f} seconds.")
            await asyncio.sleep(POLL_SECONDS)

    async def kill(self) -> None:
        """End the process without a warning, as a power cut would."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)
            _let_go(process)

    async def stop(self) -> None:
        """Ask the process to end, and see that it does."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        finally:
            # Also when we are interrupted here: without the leash it ends by itself.
            _let_go(process)

    def last_words(self) -> list[str]:
        """The end of its log."""
        try:
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        except OSError:
            return []

    async def _answers(self, session: ClientSession) -> bool:
        try:
            async with session.get(f"http://{self.listen}/readyz", timeout=ClientTimeout(total=5)) as response:
                return response.status == 200
        except (ClientError, TimeoutError):
            return False


@contextmanager
def demo_folder(parent: Path | None) -> Iterator[Path]:
    """A private folder for homes, marks and logs. Removed on every way out unless it was renamed by `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="aidmesh-demo-", dir=parent))
    try:
        yield folder
    finally:
        if not (folder / KEPT).exists():
            shutil.rmtree(folder, ignore_errors=True)


KEPT: Final = "kept"


def keep(folder: Path) -> None:
    """Let the folder stay after the demo, for whoever wants to look at the homes."""
    (folder / KEPT).write_text("`aidmesh demo` left this folder for you; remove it when you like.\n", encoding="utf-8")


@asynccontextmanager
async def running_nodes(
    folder: Path,
    names: Sequence[str],
    found: Found,
    session: ClientSession,
    seconds_max: float,
    nodes: list[DemoNode],
    reach: Reach,
) -> AsyncIterator[list[DemoNode]]:
    """One new group for each name, with its node serving; all are stopped on every way out.

    `nodes` is filled as they are made, so that the caller can name the one that did not start.
    """
    taken: list[str] = []
    try:
        for number, name in enumerate(names, 1):
            listen = f"{LOOPBACK}:{_free_port(taken)}"
            taken.append(listen)
            url, home = await reach(listen), folder / f"group-{number}"
            node = DemoNode(name, home, url, listen, folder / f"group-{number}.log")
            try:
                found(node.home, name, listen, node.url, folder / "marks")
            except (StartError, OSError) as error:
                raise DemoFailed(f"The home of {name} could not be made: {error}") from None
            nodes.append(node)
            node.start()  # it loads while the next home is made
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(node.ready(session, seconds_max))
        yield nodes
    finally:
        await asyncio.gather(*(node.stop() for node in nodes))


async def directly(listen: str) -> str:
    """The node itself. See Reach."""
    return f"http://{listen}"


def _free_port(taken: Sequence[str]) -> int:
    """A port nobody listens on. Not the seed's choice: two demos with one seed must not meet."""
    choice = random.SystemRandom()
    for _ in range(PORTS_TRIED_MAX):
        port = choice.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            if f"{LOOPBACK}:{port}" not in taken:
                return port
    raise DemoFailed(f"No free port was found between {PORTS[0]} and {PORTS[-1]}.")


def _without_settings() -> dict[str, str]:
    """Our environment, without what would change every node's configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIX)}


def _let_go(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
