"""A federation in one process: real nodes with real storage, over a network made of function calls.

Clock, randomness and network are the test's own. Nothing happens by itself: `settle` lets every node publish, pull and
interpret until nothing changes any more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from aidmesh_node import main
from aidmesh_node.application.commit import Reply
from aidmesh_node.application.node import Node
from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import Reading
from aidmesh_node.clock import Clock
from aidmesh_node.config import load_config
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.federation import Federation
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import Vocabulary

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROUNDS_MAX = 50


class DrivenClock:
    """Stands still until told; sleeping moves it. Moving `time` lets time pass, `jump` only sets the clock wrong."""

    def __init__(self, now: datetime = START) -> None:
        self._time = now
        self._ticks = 0.0
        self._moved = asyncio.Event()

    @property
    def time(self) -> datetime:
        return self._time

    @time.setter
    def time(self, moved: datetime) -> None:
        self._ticks += max(0.0, (moved - self._time).total_seconds())
        self._time = moved

    def jump(self, by: timedelta) -> None:
        """The clock is set; no time passes."""
        self._time += by

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        # Everything that is measured takes a moment, so nothing waits for a pause to pass.
        self._ticks += 0.1
        return self._ticks

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self._moved.set()
        await asyncio.sleep(0)

    async def until(self, moment: datetime) -> None:
        """Wait until those who sleep have moved the clock this far."""
        while self.time < moment:
            self._moved.clear()
            await self._moved.wait()


class Faults(Protocol):
    """What a bad network does to one exchange; `line` names who asks whom."""

    def repeats_request(self) -> bool:
        """Whether the request arrives once more."""
        ...

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        """The answer as it arrives. Raises Unreachable when the line breaks."""
        ...


@dataclass(slots=True)
class Network:
    """Who answers at which address, and which lines are cut. Counts what crosses it."""

    nodes: dict[str, Federation] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    cut_lines: set[tuple[str, str]] = field(default_factory=set)
    """Who cannot reach whom: nothing gets through that way, whatever the other way is like."""
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often each has asked each, whether it got through or not."""
    failed: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often it did not, for a line that was cut."""
    captured: list[bytes] = field(default_factory=list)
    rewrite: Mapping[str, object] = field(default_factory=dict)
    faults: Faults | None = None

    def _reach(self, endpoint: str) -> Federation:
        federation = self.nodes.get(endpoint)
        if federation is None or endpoint in self.cut:
            raise Unreachable(f"{endpoint} does not answer")
        return federation


class MemoryPeerClient:
    """PeerClient by function calls into the other node's doors."""

    def __init__(self, network: Network, own_endpoint: str) -> None:
        self._network = network
        self._own = own_endpoint

    @asynccontextmanager
    async def stream(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, wait_seconds: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        federation = self._reach(endpoint)
        self._network.captured.append(body)
        request = PeerRequest("POST", path, "", tuple(headers.items()), body)
        try:
            pieces = [piece async for piece in federation.sync(request)]
            self._network.captured += pieces
            faults = self._network.faults
            if faults is not None and faults.repeats_request():
                with suppress(ProtocolError):
                    self._network.captured += [piece async for piece in federation.sync(request)]
        except ProtocolError as error:
            raise PeerRefused(
                error.code, error.detail, getattr(error, "server_time", None), getattr(error, "nonce", None)
            ) from error
        if faults is not None:
            pieces = faults.disturb((self._own, endpoint), pieces)
        yield self._pieces(pieces)

    async def post(self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> bytes:
        federation = self._reach(endpoint)
        self._network.captured.append(body)
        try:
            if path.endswith("/wake"):
                federation.wake(PeerRequest("POST", path, "", tuple(headers.items()), body))
                return b""
            answer = await federation.pair(body)
        except ProtocolError as error:
            raise PeerRefused(
                error.code, error.detail, getattr(error, "server_time", None), getattr(error, "nonce", None)
            ) from error
        self._network.captured.append(answer)
        return answer

    def _reach(self, endpoint: str) -> Federation:
        if self._own in self._network.cut:
            raise Unreachable(f"{self._own} is cut off")
        line = (self._own, endpoint)
        self._network.asked[line] = self._network.asked.get(line, 0) + 1
        if line in self._network.cut_lines:
            self._network.failed[line] = self._network.failed.get(line, 0) + 1
            raise Unreachable(f"{self._own} cannot reach {endpoint}")
        return self._network._reach(endpoint)

    async def _pieces(self, pieces: list[bytes]) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece


@dataclass(slots=True)
class Group:
    """One group's node in a test, with a member of every role."""

    node: Node
    federation: Federation
    home: Path
    endpoint: str

    def act(self, role: str = "coordinator", actor: UUID | None = None) -> Act:
        return Act(self.node.entropy.uuid(), self.node.clock.now(), actor, role)

    async def do(self, use_case: object, *args: object) -> Reply:
        """Run a use case `(work, by, *args)` as a coordinator."""
        by = self.act()
        return await self.node.commit(lambda work: use_case(work, by, *args))  # type: ignore[operator]

    async def see(self, ask: object, *args: object, **kwargs: object) -> Any:
        """Ask a view, after everything durable was projected."""
        await asyncio.to_thread(self.node.views.catch_up)
        return await self.node.views.query(ask, *args, **kwargs)  # type: ignore[arg-type]

    @property
    def circle(self) -> bytes:
        """The circle with the only active peer."""
        (link,) = self.federation.links.active()
        assert link.circle is not None
        return link.circle


class Mesh:
    """Several groups under one seed."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.clock = DrivenClock()
        self.network = Network()
        self.groups: dict[str, Group] = {}
        self.clocks: dict[str, Clock] = {}
        """Groups whose machine has another clock than `clock`."""
        self.vocabularies: dict[str, Vocabulary] = {}
        """Groups whose program is an older one, and does not read everything that peers say."""
        self._seed = random.Random(seed)
        self._stack = AsyncExitStack()
        self._open: dict[str, AsyncExitStack] = {}

    async def __aenter__(self) -> Mesh:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._open):
            await self.stop(name)

    async def found(self, name: str) -> Group:
        """A new group with a running node."""
        port = 9000 + len(list(self.folder.iterdir()))
        main.init(
            self.folder / name,
            name,
            f"127.0.0.1:{port}",
            state_dir=self.folder / f"{name}-state",
            clock=self.clocks.get(name, self.clock),
            entropy=self._entropy(),
        )
        return await self.start(name)

    async def start(self, name: str, home: Path | None = None) -> Group:
        """Open a node over a home (again)."""
        home = home or self.folder / name
        stack = AsyncExitStack()
        config = load_config(home / "config.toml", {})[0]
        endpoint = config.node.url
        running = await stack.enter_async_context(
            main.open_node(
                home,
                clock=self.clocks.get(name, self.clock),
                entropy=self._entropy(),
                client=MemoryPeerClient(self.network, endpoint),
                vocabulary=self.vocabularies.get(name),
            )
        )
        # A request signed in the second of a start is answered with a nonce; time moves on between stories' steps.
        self.clock.time += timedelta(seconds=2)
        self.network.nodes[endpoint] = running.federation
        group = Group(running.node, running.federation, home, endpoint)
        self.groups[name] = group
        self._open[name] = stack
        return group

    async def stop(self, name: str) -> None:
        """Close a node; its peers find nobody there."""
        group = self.groups.pop(name)
        self.network.nodes.pop(group.endpoint, None)
        try:
            await group.node.readers.run(_same_from_memory)
        finally:
            await self._open.pop(name).aclose()

    async def pair(self, host: Group, guest: Group) -> bytes:
        """Invitation, words compared by people, both confirm. Returns the circle's id."""
        invitation = str(host.federation.invite(None)["invitation"])
        met = await guest.federation.accept(guest.act("operator"), invitation)
        words = met["words"]
        assert isinstance(words, list)
        await host.federation.confirm(host.act("operator"), guest.node.gid, words)
        await guest.federation.confirm(guest.act("operator"), host.node.gid, words)
        await self.settle()
        link = host.federation.links.get(guest.node.gid)
        assert link is not None and link.circle is not None, "the pairing is in force on both sides"
        return link.circle

    async def settle(self) -> None:
        """Publish, pull and interpret everywhere until nothing new appears anywhere."""
        quiet = 0
        for _ in range(ROUNDS_MAX):
            # Twice: in the first round after a start nobody may have had anything to show yet.
            quiet = 0 if await self.round() else quiet + 1
            if quiet == 2:
                return
        raise AssertionError(f"not settled after {ROUNDS_MAX} rounds")

    async def round(self) -> bool:
        """Everybody publishes and asks everybody once; True when anything new appeared."""
        progress = False
        for group in list(self.groups.values()):
            progress |= await group.federation.publisher.publish()
            for link in group.federation.links.active():
                try:
                    pulled = await group.federation.replication.pull(link, 0)
                except (Unreachable, PeerRefused, ProtocolError):
                    continue
                progress |= pulled.entries > 0
        return progress

    def _entropy(self) -> Entropy:
        seed = random.Random(self._seed.getrandbits(64))
        return Entropy(seed.randbytes)


__all__ = ["DrivenClock", "Group", "MemoryPeerClient", "Mesh", "Network", "Refused"]


def _same_from_memory(reading: Reading) -> None:
    """What the views were given of the newest events is, to the letter, what is stored of them."""
    newest = reading.events.max_position()
    for count in (1, 3, 10, 30, 100, 300, 1_000):  # those of earlier runs are not in memory
        followed = reading.events.follow(max(0, newest - count), count)
        stored = reading.events.select(max(0, newest - count), count)
        assert [(at, _letters(event)) for at, event in followed] == [(at, _letters(event)) for at, event in stored]


def _letters(event: object) -> list[str]:
    return [type(event).__qualname__, *sorted(f"{name}={value!r}" for name, value in vars(event).items())]
