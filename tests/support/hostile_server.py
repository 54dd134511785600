"""Peers on real sockets that pair like anybody and then waste their visitors' time, memory or trust.

What a server does with a request is a `Behaviour`: it gets the raw writer and may send any bytes at any pace.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aidmesh_protocol.paths import PAIR
from tests.support.raw_group import RawGroup

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.aidmesh.bundle\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024


@dataclass(slots=True)
class HostileServer:
    """Counts its visitors; `left` is set whenever none is there."""

    behave: Behaviour
    group: RawGroup | None = None
    url: str = ""
    visits: int = 0
    here: int = 0
    sent: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request at a time."""
        self.here += 1
        self.left.clear()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                body = await reader.readexactly(length)
                if self.group is not None and PAIR.encode() in head.split(b"\r\n")[0]:
                    answer = await self.group.pair(body)
                    writer.write(OK + f"Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
                    await writer.drain()
                    continue
                self.visits += 1
                # Whoever hangs up while we dawdle ends the visit: that is what the tests wait for.
                gone = asyncio.ensure_future(reader.read())
                doing = asyncio.ensure_future(self.behave(writer))
                await asyncio.wait({gone, doing}, return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                doing.cancel()
                await asyncio.gather(gone, doing, return_exceptions=True)
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.here -= 1
            if not self.here:
                self.left.set()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(behave: Behaviour, name: str = "") -> AsyncIterator[HostileServer]:
    """A hostile server on a port of its own; with a name it is a group that can be paired with."""
    server = HostileServer(behave)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    if name:
        server.group = RawGroup(name, server.url)
    try:
        yield server
    finally:
        listener.close()


async def never_answers(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drips(writer: asyncio.StreamWriter) -> None:
    """10 bytes every 20 ms, for ever: half the rate of the slowest honest line."""
    await _send(writer, CHUNKED)
    while True:
        await _send(writer, b"a\r\n" + b"AIDMESH1\n\0" + b"\r\n")
        await asyncio.sleep(0.02)


async def drips_its_head(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 200 OK\r\nX-Patience: ")
    while True:
        await _send(writer, b"a")
        await asyncio.sleep(0.02)


async def floods_its_head(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 200 OK\r\n")
    for number in range(MIB):
        await _send(writer, b"X-%d: %s\r\n" % (number, b"a" * 1000))


async def noise(writer: asyncio.StreamWriter) -> None:
    """32 MiB of nothing, as fast as it is taken."""
    await _send(writer, OK + f"Content-Length: {32 * MIB}\r\n\r\n".encode())
    for _ in range(512):
        await _send(writer, bytes(range(256)) * 256)


async def noise_that_begins_well(writer: asyncio.StreamWriter) -> None:
    """A bundle whose frames are all of kinds that nobody knows: skipped, up to a bound."""
    await _send(writer, OK + b"Connection: close\r\n\r\nAIDMESH1\n")
    for _ in range(512):
        await _send(writer, (65_536).to_bytes(4, "big") + b"\0\x92\x7f" + bytes(65_534))


async def redirects(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")


async def gzip_bomb(writer: asyncio.StreamWriter) -> None:
    data = _bomb()
    await _send(writer, OK + f"Content-Encoding: gzip\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)


async def gzip_bomb_as_transfer(writer: asyncio.StreamWriter) -> None:
    data = _bomb()
    await _send(writer, OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(data) + data + b"\r\n0\r\n\r\n")


async def chunk_of_any_length(writer: asyncio.StreamWriter) -> None:
    await _send(writer, CHUNKED + b"f" * 16 + b"\r\n" + bytes(1000))


async def negative_chunk(writer: asyncio.StreamWriter) -> None:
    await _send(writer, CHUNKED + b"-1\r\n" + bytes(1000))


async def chunk_extension(writer: asyncio.StreamWriter) -> None:
    await _send(writer, CHUNKED + b"1;" + b"a" * MIB + b"\r\nA\r\n0\r\n\r\n")


async def no_last_chunk(writer: asyncio.StreamWriter) -> None:
    await _send(writer, CHUNKED + b"9\r\nAIDMESH1\n\r\n")
    await asyncio.Event().wait()


async def chunks_of_one_byte(writer: asyncio.StreamWriter) -> None:
    await _send(writer, CHUNKED)
    for _ in range(200):
        await _send(writer, b"1\r\n\0\r\n" * 1000)
    await _send(writer, b"0\r\n\r\n")


async def shorter_than_it_says(writer: asyncio.StreamWriter) -> None:
    await _send(writer, OK + b"Content-Length: 1000\r\n\r\nAIDMESH1\n")


async def not_http(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


async def endless_problem(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 503 No\r\nContent-Type: application/problem+json\r\n\r\n" + b"[" * 100_000)
    while True:
        await _send(writer, b" " * MIB)


async def dripping_problem(writer: asyncio.StreamWriter) -> None:
    await _send(writer, b"HTTP/1.1 503 No\r\nContent-Type: application/problem+json\r\n\r\n")
    await asyncio.Event().wait()


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def _bomb() -> bytes:
    """64 MiB of zeros as gzip, made without ever having them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
