"""Somebody who follows the changes of a node, as a browser does: by the HTML standard's rules for event streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, ClientSession

LAST_EVENT_ID = "Last-Event-ID"


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the page gets it; `id` is what it would resume from."""

    event: str
    data: Any
    id: str


class EventStream:
    """Bytes in, events out. `last_id` is what a browser sends when it connects again."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self.pings = 0
        self._id = last_id
        self._line = b""
        self._event, self._data = "", list[str]()

    def feed(self, data: bytes) -> Iterator[Told]:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            field, _, value = line.decode().partition(":")
            value = value.removeprefix(" ")
            if not line:
                self.last_id = self._id
                if self._data:
                    yield Told(self._event or "message", json.loads("\n".join(self._data)), self.last_id)
                self._event, self._data = "", []
            elif field == "":
                self.pings += 1
            elif field == "id":
                self._id = value
            elif field == "event":
                self._event = value
            elif field == "data":
                self._data.append(value)


class Follower:
    """One open stream."""

    def __init__(self, response: ClientResponse, last_id: str) -> None:
        self.response = response
        self.stream = EventStream(last_id)
        self._waiting: list[Told] = []

    async def next(self) -> Told | None:
        """The next event, or None when the node has ended the stream cleanly."""
        while not self._waiting:
            data = await self.response.content.readany()
            if not data:
                return None
            self._waiting += self.stream.feed(data)
        return self._waiting.pop(0)

    async def changes(self, count: int) -> list[dict[str, Any]]:
        """The next so many changes."""
        told = [await self.next() for _ in range(count)]
        assert all(one is not None and one.event == "change" for one in told), told
        return [one.data for one in told if one is not None]

    async def rest(self) -> list[Told]:
        """Everything until the node ends the stream."""
        told = []
        while (one := await self.next()) is not None:
            told.append(one)
        return told


@asynccontextmanager
async def following(
    session: ClientSession, url: str, token: str, last_id: str = "", query: str = ""
) -> AsyncIterator[Follower]:
    """A stream of this node as a member, from `last_id` on; its first event is still to be read."""
    headers = {"Authorization": f"Bearer {token}"} | ({LAST_EVENT_ID: last_id} if last_id else {})
    async with session.get(f"{url}/api/v1/events{query}", headers=headers, timeout=None) as response:
        assert response.status == 200, await response.text()
        yield Follower(response, last_id)
