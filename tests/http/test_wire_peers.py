"""What arrives at the doors of peers before anybody can say who sent it: packed, dripping, smuggled (A09 to A11)."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib

import pytest

from aidmesh_node.http import call
from aidmesh_protocol.limits import SYNC_BODY_BYTES_MAX
from tests.support.lies import peak_bytes

from .conftest import Group
from .test_wire import raw

DOORS = ["sync", "wake", "pair"]
MEMORY_BYTES_MAX = 16 * 1024 * 1024


def post(door: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST /aidmesh/1/{door} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("latin-1")


async def is_well(group: Group) -> bool:
    return (await group.get("member", "/needs")).status == 200


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"])
async def test_a09_what_is_packed_is_not_unpacked(group: Group, door: str, encoding: str) -> None:
    bomb, before = gzip.compress(zlib.compress(bytes(10_000_000))), peak_bytes()
    head = post(door, f"Content-Encoding: {encoding}", f"Content-Length: {len(bomb)}")
    status, answer = await raw(group, head, bomb)
    assert status == 415 and b'"encoded_body"' in answer
    assert peak_bytes() - before < MEMORY_BYTES_MAX
    assert await is_well(group)


async def test_a10_a_million_chunks_of_one_byte(group: Group) -> None:
    begun = time.process_time()
    status, _ = await raw(group, post("sync", "Transfer-Encoding: chunked"), *[b"1\r\nx\r\n" * 5_000] * 220)
    assert status in (400, 413)
    assert time.process_time() - begun < 10
    assert await is_well(group)


async def test_a10_a_chunk_extension_without_an_end(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "BODY_SECONDS_MAX", 0.5)
    before = peak_bytes()
    status, _ = await raw(group, post("sync", "Transfer-Encoding: chunked"), b"1;" + b"x" * SYNC_BODY_BYTES_MAX)
    assert status in (400, 408, 413)
    assert peak_bytes() - before < MEMORY_BYTES_MAX
    assert await is_well(group)


async def test_a10_no_last_chunk(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "BODY_SECONDS_MAX", 0.05)
    status, answer = await raw(group, post("sync", "Transfer-Encoding: chunked"), b"1\r\nx\r\n")
    assert status == 408 and b"Connection: close" in answer
    assert await is_well(group)


SECOND = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

SMUGGLED = {
    "a length and chunks": post("sync", "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "two lengths": post("sync", "Content-Length: 4", "Content-Length: 40") + b"xxxx",
    "a folded line": post("sync", "Transfer-Encoding:", " chunked") + b"0\r\n\r\n",
    "bare line ends": b"POST /aidmesh/1/sync HTTP/1.1\nHost: localhost\nContent-Length: 4\n\nxxxx",
    "digits of another script": post("sync", "Content-Length: \u00b2") + b"xx",
    "a plus": post("sync", "Content-Length: +4") + b"xxxx",
    "an underscore": post("sync", "Content-Length: 1_0") + b"x" * 10,
    "a space before the colon": post("sync", "Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "chunked twice": post("sync", "Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "a chunk of negative length": post("sync", "Transfer-Encoding: chunked") + b"-1\r\nx\r\n0\r\n\r\n",
    "NUL in a header": post("sync", "X-A: a\0b", "Content-Length: 0"),
}


@pytest.mark.parametrize("said", SMUGGLED)
async def test_a11_what_could_be_read_as_two_requests_is_read_as_none(group: Group, said: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", group.port)
    writer.write(SMUGGLED[said] + SECOND)
    async with asyncio.timeout(10):
        answers = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert int(answers.split()[1]) == 400, answers
    assert b"\r\nHTTP/1." not in answers and b'"ok"' not in answers, "the second request was not heard"
    assert await is_well(group)
