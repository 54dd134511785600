"""Requests to be told what changes, as Server-Sent Events. Says that something changed, never what it says now."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Final

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from aidmesh_node.http.answers_node import Event
from aidmesh_node.http.auth import Role
from aidmesh_node.http.call import JSON, Call
from aidmesh_node.http.live import LAST_EVENT_ID, LIVE, Live, Page, Stream
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import SECURITY_HEADERS
from aidmesh_node.views import members
from aidmesh_node.views.changes import KINDS

log = logging.getLogger("aidmesh.http")

RECONNECT_MILLISECONDS: Final = 2_000
"""What a browser waits before it comes back: a node that starts again is there by then."""


ONE_KIND: Final = f"(?:{'|'.join(KINDS)})"


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a stream may be narrowed to: kinds with commas between them; without `follow` it ends once all is told."""

    kinds: Annotated[str, msgspec.Meta(pattern=rf"\A{ONE_KIND}(?:,{ONE_KIND})*\Z", max_length=200)] | None = None
    follow: bool = True


@operation(
    Event,
    asks=Wanted,
    media_type="text/event-stream",
    headers=(LAST_EVENT_ID,),
    refuses={429: "too_many_streams"},
)
async def follow_changes(call: Call) -> web.StreamResponse:
    """Follow what changes, live.

    `text/event-stream`, in which every event has an id to resume from. First `ready` {position} for somebody new: read
    the lists after it, and nothing is missed from there on; `resumed` {position} for a `Last-Event-ID` that is known,
    and what changed since then follows; or `reset` {position, reason: too_old | other_history} for one that is not:
    read the lists anew. Then a `change` {kind, id, ours, version, position} for each thing that the lists show
    differently: whoever is told of it and asks, sees it.

    `?kinds=need,pledge` tells of those only; `?follow=false` ends the answer when all is told that there is. A stream
    ends when one's own membership changes, after a later `reset`, when the node stops, and when it is not read: the
    client comes back by itself and misses nothing.
    """
    wanted = call.query(Wanted)
    kinds = None if wanted.kinds is None else frozenset(wanted.kinds.split(","))
    live, request = call.request.app[LIVE], call.request
    assert call.caller.actor is not None  # the route is for members
    given = request.headers.get(LAST_EVENT_ID)
    with live.following(call.caller.actor, request) as stream:
        opening = await live.page(given or None)
        await _still_member(call)
        response = EventSourceResponse(
            headers=SECURITY_HEADERS,
            sep="\n",
            ping_interval=live.bounds.ping_seconds,
            send_timeout=live.bounds.unread_seconds,
        )
        await response.prepare(request)
        async with response:
            # The pings find out that the line is down; nobody else would tell.
            watch = asyncio.ensure_future(response.wait())
            watch.add_done_callback(lambda _: stream.end())
            try:
                start = given if given and opening.lost is None else opening.end
                await _begin(response, opening, start, resumed=start is given)
                await _Telling(live, stream, response, kinds, wanted.follow).go_on(start)
            except (ConnectionError, TimeoutError):
                stream.end()
            except Exception as error:
                # Half of an answer is out: all that can be done is to end it, and the client comes back.
                log.warning("a stream of changes was cut short: %s", type(error).__qualname__)
            finally:
                watch.cancel()
    return response


async def _still_member(call: Call) -> None:
    """Whoever was let in a moment before their access was taken back, which the stream begins after. Raises 401."""
    assert call.caller.actor is not None
    member = await call.node.views.query(members.get, call.caller.actor.hex)
    if member is None or member["state"] != "joined":
        call.door.distrust()
        await call.door.admit(call.request, Role.MEMBER)


async def _begin(response: EventSourceResponse, opening: Page, start: str, *, resumed: bool) -> None:
    told: dict[str, object] = {"position": opening.position}
    if opening.lost is not None:
        told["reason"] = opening.lost
    event = "resumed" if resumed else "ready" if opening.lost is None else "reset"
    await response.send(JSON.encode(told).decode(), id=start, event=event, retry=RECONNECT_MILLISECONDS)


class _Telling:
    """One stream on its way through the changes."""

    def __init__(
        self, live: Live, stream: Stream, response: EventSourceResponse, kinds: frozenset[str] | None, follow: bool
    ) -> None:
        self._live, self._stream, self._response = live, stream, response
        self._kinds, self._follow = kinds, follow
        self._own = stream.member.hex

    async def go_on(self, place: str) -> None:
        """Until the stream is over. Raises ConnectionError, TimeoutError."""
        stream = self._stream
        while not stream.over:
            stream.news.clear()
            page = await self._live.page(place)
            if page.lost is not None:
                told = JSON.encode({"position": page.position, "reason": page.lost}).decode()
                await self._response.send(told, id=page.end, event="reset")
                # What was not told may be that who follows is no member any more: they come back, and are judged anew.
                return
            elif page.changes:
                if await self._tell(page):
                    return
            elif self._follow:
                await stream.news.wait()
            else:
                return
            place = page.end

    async def _tell(self, page: Page) -> bool:
        """Send it; whether the stream ends here, because who follows is not who they were when they were let in."""
        stop = next((at for at, one in enumerate(page.changes, 1) if one.kind == "member" and one.id == self._own), 0)
        changes, end = (page.changes[:stop], page.changes[stop - 1].place) if stop else (page.changes, page.end)
        if stop == 0 and self._kinds is None:
            await self._write(page.whole)
            return False
        wanted = [
            data
            for one, data in zip(changes, page.frames, strict=False)
            if self._kinds is None or one.kind in self._kinds
        ]
        # An id alone moves the place to come back to, and shows nothing.
        await self._write(b"".join(wanted) + b"id: %s\n\n" % end.encode())
        return stop > 0

    async def _write(self, data: bytes) -> None:
        self._stream.writing = True
        try:
            async with asyncio.timeout(self._live.bounds.unread_seconds):
                await self._response.write(data)
        except TimeoutError:
            if self._stream.request.transport is not None:
                self._stream.request.transport.abort()
            raise
        finally:
            self._stream.writing = False
