"""Requests to peers over HTTP. Dials only the addresses it is given and follows no redirect (SPEC §11a), abandons who
drips.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NoReturn

import aiohttp
from yarl import URL

from aidmesh_node.clock import Clock
from aidmesh_node.federation.dialling import Dialling
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.paths import BUNDLE_TYPE

CONNECT_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 10.0
"""For the whole head of an answer, on top of what we let the peer hold it back."""

SILENCE_SECONDS_MAX = 15.0
"""Between two pieces of an answer."""

RATE_GRACE_SECONDS = 10.0
RATE_BYTES_PER_SECOND_MIN = 800
"""Below this after the grace the line is given up: the slowest radio and satellite lines people use do 1,000, a peer
that holds us up on purpose does not."""

PROBLEM_BYTES_MAX = 16 * 1024
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how much we take from one peer before its line is given up. Tests have less of it."""

    connect_seconds: float = CONNECT_SECONDS_MAX
    answer_seconds: float = ANSWER_SECONDS_MAX
    silence_seconds: float = SILENCE_SECONDS_MAX
    grace_seconds: float = RATE_GRACE_SECONDS
    bytes_per_second_min: int = RATE_BYTES_PER_SECOND_MIN
    bytes_max: int = BUNDLE_BYTES_ONLINE_MAX


PATIENCE = Patience()


def session_for(dialling: Dialling) -> aiohttp.ClientSession:
    """A session that connects to nothing but what `dialling` allows."""
    # Every peer may hold one connection open: the number of links is the bound.
    connector = aiohttp.TCPConnector(limit=0, resolver=dialling)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


class HttpPeerClient:
    """PeerClient over one aiohttp session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        patience: Patience = PATIENCE,
        dialling: Dialling | None = None,
    ) -> None:
        """`dialling` is also the resolver of the session's connector: see `session_for`."""
        self._session = session
        self._clock = clock
        self._patience = patience
        self._dialling = dialling

    @asynccontextmanager
    async def stream(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, wait_seconds: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """See PeerClient."""
        headers = {**headers, "Content-Type": BUNDLE_TYPE, "Accept-Encoding": "identity"}
        patience = self._patience
        head_seconds = patience.connect_seconds + wait_seconds + patience.answer_seconds
        with _unreachable(endpoint):
            # The head has one limit in all: a limit for each read would let a peer send it byte by byte for ever.
            async with asyncio.timeout(head_seconds):
                answer = await self._post(endpoint + path, headers, body)
            try:
                if answer.status != 200:
                    async with asyncio.timeout(patience.answer_seconds):
                        await _refused(answer)
                yield self._pieces(answer)
            finally:
                # Whatever is still on its way is not wanted any more: the connection is closed, its slot is free.
                answer.close()

    async def post(self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> bytes:
        """See PeerClient."""
        patience = self._patience
        with _unreachable(endpoint):
            async with asyncio.timeout(patience.connect_seconds + patience.answer_seconds):
                async with await self._post(endpoint + path, headers, body) as answer:
                    if answer.status not in (200, 202, 204):
                        await _refused(answer)
                    data = await answer.content.read(bytes_max + 1)
                    while len(data) <= bytes_max and (piece := await answer.content.read(bytes_max + 1)):
                        data += piece
        if len(data) > bytes_max:
            raise Unreachable(f"{endpoint}: the answer is longer than {bytes_max} bytes")
        return data

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        if self._dialling is not None:
            await self._dialling.check(URL(url).raw_host or "")
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._patience.connect_seconds)
        return await self._session.post(url, data=body, headers=headers, timeout=timeout, allow_redirects=False)

    async def _pieces(self, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        patience = self._patience
        begun, total = self._clock.monotonic(), 0
        while True:
            async with asyncio.timeout(patience.silence_seconds):
                piece = await answer.content.read(PIECE_BYTES)
            if not piece:
                return
            total += len(piece)
            spent = self._clock.monotonic() - begun
            if spent > patience.grace_seconds and total < spent * patience.bytes_per_second_min:
                raise TimeoutError(f"only {total} bytes in {spent:.0f} seconds")
            if total > patience.bytes_max:
                raise TimeoutError(f"more than {patience.bytes_max} bytes")
            yield piece


@contextmanager
def _unreachable(endpoint: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(f"{endpoint}: {type(error).__name__} {error}".rstrip()) from error


async def _refused(answer: aiohttp.ClientResponse) -> NoReturn:
    """A problem document as PeerRefused: bounded, and believed only as a hint (SPEC §12a)."""
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
