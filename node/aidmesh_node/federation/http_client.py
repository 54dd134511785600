"""Requests to peers over HTTP. Dials only the addresses it is given, follows no redirect, abandons who drips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NoReturn

import aiohttp

from aidmesh_node.clock import Clock
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.paths import BUNDLE_TYPE

CONNECT_SECONDS_MAX = 10
ANSWER_SECONDS_MAX = 10
"""For the head of an answer, on top of what we let the peer hold it back."""

SILENCE_SECONDS_MAX = 15
"""Between two pieces of an answer."""

RATE_GRACE_SECONDS = 10
RATE_BYTES_PER_SECOND_MIN = 200
"""Below this after the grace the line is given up: a satellite does 1,000, a peer that holds us up does not."""

PROBLEM_BYTES_MAX = 16 * 1024
PIECE_BYTES = 64 * 1024


class HttpPeerClient:
    """PeerClient over one aiohttp session."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    @asynccontextmanager
    async def stream(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, wait_seconds: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """See PeerClient."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS_MAX, sock_read=wait_seconds + ANSWER_SECONDS_MAX
        )
        headers = {**headers, "Content-Type": BUNDLE_TYPE, "Accept-Encoding": "identity"}
        try:
            async with self._session.post(
                endpoint + path, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    await _refused(answer)
                yield self._pieces(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{endpoint}: {type(error).__name__} {error}".rstrip()) from error

    async def post(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int
    ) -> bytes:
        """See PeerClient."""
        timeout = aiohttp.ClientTimeout(
            total=CONNECT_SECONDS_MAX + ANSWER_SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX
        )
        try:
            async with self._session.post(
                endpoint + path, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status not in (200, 202, 204):
                    await _refused(answer)
                data = await answer.content.read(bytes_max + 1)
                while len(data) <= bytes_max and (piece := await answer.content.read(bytes_max + 1)):
                    data += piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{endpoint}: {type(error).__name__} {error}".rstrip()) from error
        if len(data) > bytes_max:
            raise Unreachable(f"{endpoint}: the answer is longer than {bytes_max} bytes")
        return data

    async def _pieces(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        begun, total = self._clock.monotonic(), 0
        while True:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                piece = await answer.content.read(PIECE_BYTES)
            if not piece:
                return
            total += len(piece)
            spent = self._clock.monotonic() - begun
            if spent > RATE_GRACE_SECONDS and total < spent * RATE_BYTES_PER_SECOND_MIN:
                raise TimeoutError(f"only {total} bytes in {spent:.0f} seconds")
            if total > BUNDLE_BYTES_ONLINE_MAX:
                raise TimeoutError(f"more than {BUNDLE_BYTES_ONLINE_MAX} bytes")
            yield piece


async def _refused(answer: aiohttp.ClientResponse) -> NoReturn:
    """A problem document as PeerRefused: bounded, and believed only as a hint."""
    data = await answer.content.read(PROBLEM_BYTES_MAX)
    try:
        problem = json.loads(data)
    except (ValueError, RecursionError):
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    time, nonce = problem.get("server_time"), problem.get("nonce")
    raise PeerRefused(
        str(problem.get("code", answer.status))[:64],
        str(problem.get("detail", ""))[:500],
        time if isinstance(time, int) else None,
        nonce if isinstance(nonce, str) else None,
    )
