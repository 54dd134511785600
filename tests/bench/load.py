"""A load generator that costs little: raw HTTP/1.1 over asyncio streams, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Answers per second, and the 50th and 99th percentile of their times in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def post_all(port: int, clients: int, requests: list[bytes]) -> Load:
    """Send all requests over `clients` connections, each one after another; every answer must be a 2xx."""
    queue = list(reversed(requests))
    times: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(_client(port, queue, times) for _ in range(clients)))
    spent = time.perf_counter() - begun
    return Load(len(times) / spent, percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000)


async def _client(port: int, queue: list[bytes], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while queue:
        request = queue.pop()
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{head[:60]!r} {body[:300]!r}")
    writer.close()


def post(path: str, body: Callable[[int], object], count: int, token: str = "") -> list[bytes]:
    """`count` POST requests as bytes."""
    return [_post(path, json.dumps(body(number)).encode(), token) for number in range(count)]


def _post(path: str, body: bytes, token: str) -> bytes:
    auth = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(paths: Iterable[str], token: str = "") -> list[bytes]:
    """GET requests as bytes."""
    auth = f"Authorization: Bearer {token}\r\n" if token else ""
    return [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}\r\n".encode() for path in paths]


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of all values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
