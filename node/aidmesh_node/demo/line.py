"""The line to one node: every request to it and every answer passes here, so that it is known what is under way.

Passes bytes on unchanged. Whoever watches may hold an answer, or cut it short; nobody may change it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

PIECE_BYTES: Final = 64 * 1024

HEAD_BYTES_MAX: Final = 16 * 1024
"""Above what a node takes as the head of a request: what is longer is passed on and not looked at."""

LOOPBACK: Final = "127.0.0.1"

HEAD_END: Final = b"\r\n\r\n"
GOOD: Final = b"HTTP/1.1 2"
_KEY: Final = re.compile(rb"(?i)\r\nidempotency-key: ([^\r]+)")
_SIGNER: Final = re.compile(rb'(?i)\r\nsignature-input: [^\r]*;keyid="([^"\r]+)"')


@dataclass(eq=False, slots=True)
class Exchange:
    """One request to the node `number`.

    `signer`: the group that signed it, "" for a member's request; `key`: its Idempotency-Key, or "". `settled`: the
    node has begun to answer, or its connection ended. `answered`: something of the answer has passed to who asked.
    """

    number: int
    method: str
    path: str
    key: str
    signer: str
    begun: float
    answered: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @classmethod
    def of(cls, number: int, head: bytes) -> Exchange:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        key, signer = _KEY.search(head), _SIGNER.search(head)
        return cls(
            number,
            method,
            rest.partition(" ")[0],
            key[1].decode("latin-1") if key else "",
            signer[1].decode("latin-1") if signer else "",
            time.monotonic(),
        )


class Watch(Protocol):
    """Who is told what happens on the lines."""

    def asked(self, exchange: Exchange) -> None:
        """The request was passed on, and no answer is there yet."""

    async def answering(self, exchange: Exchange, piece: bytes) -> int:
        """The answer begins with `piece`: how many bytes of it may pass. Fewer than all: it is cut there."""

    async def cut(self, exchange: Exchange) -> None:
        """The begin of the answer has passed; both ends lose the connection after this."""

    def unanswered(self, exchange: Exchange) -> None:
        """The connection ended without an answer."""


@dataclass(slots=True)
class Line:
    """Where everybody reaches one node. `address`: where the node itself listens, as HOST:PORT."""

    number: int
    address: str
    watch: Watch
    url: str = ""
    speaking: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _broken: bool = False
    _connections: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Line]:
        """Pass on until the end of the block. Nobody need listen at the node: who asks meanwhile is cut off."""
        server = await asyncio.start_server(self._called, LOOPBACK, 0)
        self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        self.mend()
        try:
            yield self
        finally:
            server.close()
            connections = list(self._connections)
            self.break_off()
            await asyncio.gather(*connections, return_exceptions=True)

    def mute(self) -> None:
        """What the node says does not pass until the line is mended."""
        self.speaking.clear()

    def break_off(self) -> None:
        """All connections end, and none is made until the line is mended."""
        self._broken = True
        for connection in self._connections:
            connection.cancel()

    def mend(self) -> None:
        """From here on everything passes."""
        self._broken = False
        self.speaking.set()

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broken:
            writer.close()
            return
        task = asyncio.ensure_future(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        # Also when it is cancelled before it has begun: otherwise the caller waits for nothing.
        task.add_done_callback(lambda _: writer.close())

    async def _connection(self, caller: asyncio.StreamReader, to_caller: asyncio.StreamWriter) -> None:
        host, _, port = self.address.rpartition(":")
        try:
            node, to_node = await asyncio.open_connection(host, int(port))
            try:
                await _Connection(self, caller, to_caller, node, to_node).pass_on()
            finally:
                to_node.close()
        except OSError:
            pass  # nobody listens, or somebody hung up


class _Connection:
    """One caller's connection. Requests do not overtake each other on it: the next one comes after the last answer."""

    def __init__(
        self,
        line: Line,
        caller: asyncio.StreamReader,
        to_caller: asyncio.StreamWriter,
        node: asyncio.StreamReader,
        to_node: asyncio.StreamWriter,
    ) -> None:
        self._line, self._watch = line, line.watch
        self._caller, self._to_caller, self._node, self._to_node = caller, to_caller, node, to_node
        self._exchange: Exchange | None = None

    async def pass_on(self) -> None:
        """Both ways, until one of the two hangs up."""
        ways = [asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            if self._exchange is not None and not self._exchange.answered:
                self._exchange.settled.set()
                self._watch.unanswered(self._exchange)
            await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(self) -> None:
        with suppress(OSError):
            while piece := await self._caller.read(PIECE_BYTES):
                if self._exchange is not None and not self._exchange.answered:
                    await self._pass(self._to_node, piece)  # more of its body
                    continue
                while HEAD_END not in piece and len(piece) < HEAD_BYTES_MAX:
                    more = await self._caller.read(PIECE_BYTES)
                    if not more:
                        return
                    piece += more
                exchange = self._exchange = Exchange.of(self._line.number, piece.partition(HEAD_END)[0])
                await self._pass(self._to_node, piece)
                if not exchange.settled.is_set():
                    self._watch.asked(exchange)

    async def _answers(self) -> None:
        with suppress(OSError):
            while piece := await self._node.read(PIECE_BYTES):
                await self._line.speaking.wait()
                exchange = self._exchange
                if exchange is not None and not exchange.settled.is_set():
                    exchange.settled.set()
                    passing = await self._watch.answering(exchange, piece)
                    exchange.answered = passing > 0
                    if passing < len(piece):
                        await self._pass(self._to_caller, piece[:passing])
                        await self._watch.cut(exchange)
                        return
                await self._pass(self._to_caller, piece)

    @staticmethod
    async def _pass(writer: asyncio.StreamWriter, piece: bytes) -> None:
        writer.write(piece)
        await writer.drain()
