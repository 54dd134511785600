"""The doors peers knock at, translated: bytes and headers in, pieces out. The federation judges, not we."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aiohttp import web

from aidmesh_node.application.peer_doors import PeerDoors, PeerRequest
from aidmesh_node.http.call import json_answer, read_bytes
from aidmesh_node.http.problems import SECURITY_HEADERS
from aidmesh_node.http.sources import SOURCES
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, SYNC_BODY_BYTES_MAX
from aidmesh_protocol.paths import BUNDLE_TYPE, INFO, PAIR, PAIRING_TYPE, SYNC, WAKE, WELL_KNOWN

log = logging.getLogger("aidmesh.http")

WRITE_SECONDS_MAX: Final = 30.0
"""For one piece of an answer: a peer that takes longer to read it is not reading."""

PeerHandler = Callable[[PeerDoors, web.Request], Awaitable[web.StreamResponse]]


async def well_known(doors: PeerDoors, request: web.Request) -> web.StreamResponse:
    return json_answer(doors.well_known())


async def info(doors: PeerDoors, request: web.Request) -> web.StreamResponse:
    return json_answer(doors.info())


async def sync(doors: PeerDoors, request: web.Request) -> web.StreamResponse:
    """The first piece is awaited before anything is sent, so that a refusal is still a problem document. Most answers
    have only one, and go out in one."""
    pieces = doors.sync(_as_received(request, await read_bytes(request, SYNC_BODY_BYTES_MAX)))
    try:
        first = await anext(pieces, None)
        second = None if first is None else await _next(pieces)
        headers = {**SECURITY_HEADERS, "Content-Type": BUNDLE_TYPE}
        if first is None or second is None:
            return web.Response(body=first, headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await _send(request, response, first, _rest(second, pieces))
        return response
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


async def wake(doors: PeerDoors, request: web.Request) -> web.StreamResponse:
    doors.wake(_as_received(request, await read_bytes(request, SYNC_BODY_BYTES_MAX)))
    return web.Response(status=202, headers=SECURITY_HEADERS)


async def pair(doors: PeerDoors, request: web.Request) -> web.StreamResponse:
    source = request.app[SOURCES].of(request)
    answer = await doors.pair(await read_bytes(request, PAIRING_BYTES_MAX), source)
    return web.Response(body=answer, headers={**SECURITY_HEADERS, "Content-Type": PAIRING_TYPE})


PEER_ROUTES: Final[tuple[tuple[str, str, PeerHandler], ...]] = (
    ("GET", WELL_KNOWN, well_known),
    ("GET", INFO, info),
    ("POST", SYNC, sync),
    ("POST", WAKE, wake),
    ("POST", PAIR, pair),
)
"""No bearer token opens these: the first two tell nothing, the others carry a signature or a secret."""


async def _next(pieces: AsyncIterator[bytes]) -> bytes | Exception | None:
    """The next piece; what goes wrong with it must not keep the one before it from going out."""
    try:
        return await anext(pieces, None)
    except Exception as error:
        return error


async def _rest(second: bytes | Exception, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(second, Exception):
        raise second
    yield second
    async for piece in pieces:
        yield piece


async def _send(request: web.Request, response: web.StreamResponse, first: bytes, pieces: AsyncIterator[bytes]) -> None:
    """All pieces, each within its time. Whatever breaks now cuts the connection: a bundle without its END
    frame tells the peer that it was interrupted, and it keeps what it has verified."""
    try:
        piece: bytes | None = first
        while piece is not None:
            async with asyncio.timeout(WRITE_SECONDS_MAX):
                await response.write(piece)
            piece = await anext(pieces, None)
        await response.write_eof()
    except Exception as error:
        log.warning("an answer to a peer was cut short: %s", type(error).__qualname__)
        if request.transport is not None:
            request.transport.abort()


def _as_received(request: web.Request, body: bytes) -> PeerRequest:
    path, _, query = request.raw_path.partition("?")
    if not path.startswith("/"):
        raise ProtocolError("malformed", "the request line must hold a path")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    return PeerRequest(request.method, path, query, headers, body)
