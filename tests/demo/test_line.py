"""The line passes everything on unchanged, knows what is under way, and can cut it short. The node is a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aidmesh_node.demo.line import Exchange, Line

POST = b"POST /api/v1/pledges HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nContent-Length: 4\r\n\r\nbody"
SIGNED = (
    b'POST /aidmesh/1/sync HTTP/1.1\r\nHost: x\r\nSignature-Input: aidmesh=("@method");created=1;keyid="bobs";tag="t"'
    b"\r\nContent-Length: 0\r\n\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

GIVE_UP_SECONDS = 5.0


class Watcher:
    """Writes down what it is told, and lets through what it is told to."""

    def __init__(self, passing: int | None = None) -> None:
        self.told: list[tuple[str, str]] = []
        self.passing = passing
        self.exchanges: list[Exchange] = []

    def asked(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.told.append(("asked", exchange.path))

    async def answering(self, exchange: Exchange, piece: bytes) -> int:
        self.told.append(("answering", exchange.path))
        return len(piece) if self.passing is None else self.passing

    async def cut(self, exchange: Exchange) -> None:
        self.told.append(("cut", exchange.path))

    def unanswered(self, exchange: Exchange) -> None:
        self.told.append(("unanswered", exchange.path))


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answers_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        writer.write(ANSWER)
    writer.close()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.close()


@asynccontextmanager
async def line_to(
    node: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], watcher: Watcher
) -> AsyncIterator[tuple[Line, Callable[[], Awaitable[Streams]]]]:
    server = await asyncio.start_server(node, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with Line(2, f"{host}:{port}", watcher).open() as line:
        there = int(line.url.rpartition(":")[2])
        callers: list[asyncio.StreamWriter] = []

        async def call() -> Streams:
            reader, writer = await asyncio.open_connection("127.0.0.1", there)
            callers.append(writer)
            return reader, writer

        yield line, call
        for writer in callers:
            writer.close()
    server.close()


async def test_requests_and_answers_pass_and_are_known() -> None:
    watcher = Watcher()
    async with line_to(answers_all, watcher) as (_, call):
        reader, writer = await call()
        for request in (POST, SIGNED):
            writer.write(request)
            assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert [(e.number, e.method, e.path, e.key, e.signer) for e in watcher.exchanges] == [
        (2, "POST", "/api/v1/pledges", "k1", ""),
        (2, "POST", "/aidmesh/1/sync", "", "bobs"),
    ]
    assert [what for what, _ in watcher.told] == ["asked", "answering"] * 2
    assert all(exchange.answered for exchange in watcher.exchanges)


async def test_a_head_that_comes_in_pieces_is_one_request() -> None:
    watcher = Watcher()
    async with line_to(answers_all, watcher) as (_, call):
        reader, writer = await call()
        for piece in (POST[:9], POST[9:60], POST[60:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert [exchange.key for exchange in watcher.exchanges] == ["k1"]


async def test_an_answer_that_is_cut_short_ends_the_connection_there() -> None:
    watcher = Watcher(passing=7)
    async with line_to(answers_all, watcher) as (_, call):
        reader, writer = await call()
        writer.write(POST)
        assert await reader.read() == ANSWER[:7]
    assert [what for what, _ in watcher.told] == ["asked", "answering", "cut"]


async def test_a_request_that_is_never_answered_is_told() -> None:
    watcher = Watcher()
    async with line_to(hangs_up, watcher) as (_, call):
        reader, writer = await call()
        writer.write(POST)
        assert await reader.read() == b""
    assert watcher.told == [("asked", "/api/v1/pledges"), ("unanswered", "/api/v1/pledges")]
    assert watcher.exchanges[0].settled.is_set() and not watcher.exchanges[0].answered


async def test_a_line_that_is_broken_off_cuts_everybody_and_lets_nobody_through_until_it_is_mended() -> None:
    watcher = Watcher()
    async with line_to(answers_all, watcher) as (line, call):
        reader, writer = await call()
        writer.write(POST)
        await reader.readexactly(len(ANSWER))
        line.break_off()
        assert await reader.read() == b""
        reader, writer = await call()
        assert await reader.read() == b""
        line.mend()
        reader, writer = await call()
        writer.write(POST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER


async def test_a_caller_who_comes_as_the_line_breaks_off_is_not_left_waiting() -> None:
    async with line_to(answers_all, Watcher()) as (line, _):

        def at_that_moment(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line._called(reader, writer)
            line.break_off()

        async with await asyncio.start_server(at_that_moment, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            async with asyncio.timeout(GIVE_UP_SECONDS):
                assert await reader.read() == b""
            writer.close()


async def test_nobody_there_is_a_connection_that_ends() -> None:
    async with Line(0, "127.0.0.1:1", Watcher()).open() as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(line.url.rpartition(":")[2]))
        assert await reader.read() == b""
        writer.close()
