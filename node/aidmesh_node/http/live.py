"""Everybody who follows the changes of one node: how many may, who is told what, and how it ends.

Nothing waits in memory for anybody: whoever is ready reads on from where they are, page by page, so a slow reader
costs one page and its own connection. Those who are level with the views share each page, read and written out once.
While nobody follows, nothing here is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from aiohttp import web

from aidmesh_node.http.call import JSON
from aidmesh_node.http.problems import Problem
from aidmesh_node.views.changes import Change, Told, since
from aidmesh_node.views.views import Views

LAST_EVENT_ID: Final = "Last-Event-ID"

PAGE_CHANGES: Final = 500
"""Written at once: some 80 KiB."""

PAGES_SHARED_MAX: Final = 16
"""Pages kept for those who are at the same place, until something changes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many streams, and how long each may be silent or unread."""

    per_member: int = 8
    """A browser opens six connections to one address at most; a second device, and one that just lost its line."""

    in_all: int = 500
    """Some 10 KiB each, and as much work for every change as 500 short answers."""

    ping_seconds: float = 15.0
    """Proxies end connections that are silent for 30 to 60 seconds."""

    unread_seconds: float = 30.0
    """Whoever takes longer to read a page is cut off, and goes on from there when they come back."""

    retry_seconds: int = 120
    """For those turned away: until then a stream whose line was lost has been found out by its pings."""


@dataclass(frozen=True, slots=True)
class Page:
    """Changes as they go out, and the place after them. `lost`: why there are none, see `changes.since`."""

    end: str
    position: int
    lost: str | None
    changes: Sequence[Change]
    frames: Sequence[bytes]
    whole: bytes


@dataclass(eq=False, slots=True)
class Stream:
    """One who follows."""

    member: UUID
    request: web.Request
    news: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    writing: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether the line is known to be down; the handler hears of it only when it writes."""
        return self.request.transport is None or self.request.transport.is_closing()

    def end(self) -> None:
        """Let the handler finish the answer as soon as it may."""
        self.over = True
        self.news.set()


class Live:
    """The streams of one node, on one event loop."""

    def __init__(self, views: Views, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._views = views
        self._streams: dict[UUID, set[Stream]] = {}
        self._pages: dict[str | None, asyncio.Task[Page]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @contextmanager
    def following(self, member: UUID, request: web.Request) -> Iterator[Stream]:
        """A place among the streams. Raises Problem 429 `too_many_streams` or 503 `busy`."""
        self._make_room(member)
        stream = Stream(member, request)
        if not self._streams:
            self._loop = asyncio.get_running_loop()
            self._views.follow(self._tell)
        self._streams.setdefault(member, set()).add(stream)
        try:
            yield stream
        finally:
            self._leave(stream)

    async def page(self, place: str | None) -> Page:
        """What changed after `place`; see `changes.since`. Raises Unavailable."""
        task = self._pages.get(place)
        if task is None:
            if len(self._pages) >= PAGES_SHARED_MAX:
                self._pages.clear()
            task = self._pages[place] = asyncio.ensure_future(self._read(place))
            task.add_done_callback(partial(self._forget_failure, place))
        # Somebody who hangs up takes nothing from the others who wait for the same page.
        return await asyncio.shield(task)

    def close(self) -> None:
        """The node stops: every stream ends now; one that is not being read is cut off."""
        self._closed = True
        for stream in self._all():
            stream.end()
            if stream.writing and stream.request.transport is not None:
                stream.request.transport.abort()

    def __len__(self) -> int:
        """How many follow."""
        return sum(map(len, self._streams.values()))

    async def _read(self, place: str | None) -> Page:
        return _page(await self._views.query(since, place, PAGE_CHANGES))

    def _forget_failure(self, place: str | None, task: asyncio.Task[Page]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._pages.get(place) is task:
            del self._pages[place]

    def _make_room(self, member: UUID) -> None:
        for stream in [one for one in self._streams.get(member, ()) if one.is_gone]:
            self._leave(stream)
            stream.end()
        if self._closed or len(self) >= self.bounds.in_all:
            raise self._refused(503, "busy", "This node cannot tell more people of changes at once.")
        if len(self._streams.get(member, ())) >= self.bounds.per_member:
            raise self._refused(429, "too_many_streams", f"You follow {self.bounds.per_member} times already.")

    def _refused(self, status: int, code: str, detail: str) -> Problem:
        seconds = self.bounds.retry_seconds
        hint = f"Close a page that follows, or try again in {seconds} seconds; until then, ask for the lists."
        return Problem(status, code, detail, hint, headers={"Retry-After": str(seconds)})

    def _leave(self, stream: Stream) -> None:
        own = self._streams.get(stream.member)
        if own is None or stream not in own:
            return
        own.discard(stream)
        if not own:
            del self._streams[stream.member]
        if not self._streams:
            self._views.unfollow(self._tell)
            self._pages.clear()

    def _tell(self) -> None:
        """Called on the projector's thread after every transaction that changes what lists show."""
        assert self._loop is not None  # set before anybody is told
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            # The loop is closed: nobody follows any more.
            if not self._loop.is_closed():
                raise

    def _wake(self) -> None:
        # First: what was read before may not hold what is told of now.
        self._pages.clear()
        for stream in self._all():
            stream.news.set()

    def _all(self) -> list[Stream]:
        return [stream for own in self._streams.values() for stream in own]


LIVE: Final = web.AppKey("live", Live)


def frame(place: str, event: str, data: object) -> bytes:
    """One event of a stream, as the HTML standard writes it: JSON has no line breaks of its own."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), event.encode(), JSON.encode(data))


def _page(told: Told) -> Page:
    frames = [frame(change.place, "change", _shown(change)) for change in told.changes]
    return Page(told.end, told.position, told.lost, told.changes, frames, b"".join(frames))


def _shown(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind,
        "id": change.id,
        "ours": change.ours,
        "version": change.version,
        "position": change.position,
    }
