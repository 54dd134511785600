"""One node's API as a member's program sees it: every command may be repeated, and reads see what was written.

A node that does not answer is asked again until the step's time is over: after a crash the same command with the same
key counts once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.demo.journal import Command

API: Final = "/api/v1"
POSITION_HEADER: Final = "Aidmesh-Position"
KEY_HEADER: Final = "Idempotency-Key"
REPLAY_HEADER: Final = "Idempotent-Replay"

RETRY_SECONDS = 0.05
REQUEST_SECONDS_MAX = 20.0
UNAVAILABLE: Final = 503


class NodeClient:
    """The operator of one node, over HTTP. `journal`: every command so far, in the order they were begun."""

    def __init__(self, session: ClientSession, name: str, url: str, token: str, seconds_max: float) -> None:
        self._session = session
        self._name = name
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._seconds_max = seconds_max
        self._position = 0
        self.journal: list[Command] = []

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """What is at `path`, not older than our last command. Raises DemoFailed."""
        answer, _ = await self._ask("GET", path, {POSITION_HEADER: str(self._position)}, query=query)
        return answer

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All pages of a list. Raises DemoFailed."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, **query, **cursor)
            found += page["items"]
            if not page.get("cursor"):
                return found
            cursor = {"cursor": page["cursor"]}

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Do it, once, however often it must be said. Raises DemoFailed."""
        command = Command(path, body or {}, uuid4().hex)
        self.journal.append(command)
        command.answer, _ = await self._ask("POST", path, {KEY_HEADER: command.key}, body=command.body)
        position = command.answer.get("position")
        if isinstance(position, int):
            self._position = max(self._position, position)
        return command.answer

    async def remembers(self, command: Command) -> bool:
        """Say an acknowledged command once more: whether the node knows it, and gives the answer it gave."""
        try:
            answer, replayed = await self._ask("POST", command.path, {KEY_HEADER: command.key}, body=command.body)
        except DemoFailed:
            return False
        return replayed and answer == command.answer

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> tuple[dict[str, Any], bool]:
        """The answer, and whether the node says that it gave it before."""
        end = time.monotonic() + self._seconds_max
        while True:
            try:
                async with self._session.request(
                    method,
                    self._url + API + path,
                    params=query,
                    json=body,
                    headers={**self._headers, **headers},
                    timeout=ClientTimeout(total=REQUEST_SECONDS_MAX),
                ) as response:
                    status, answer = response.status, await response.read()
                    replayed = response.headers.get(REPLAY_HEADER) == "true"
                if status < 300:
                    return dict(json.loads(answer)), replayed
                if status != UNAVAILABLE:
                    raise DemoFailed(f"{self._name} answered {method} {path} with {status}: {_said(answer)}")
                trouble = _said(answer)
            except (ClientError, TimeoutError) as error:
                trouble = f"no answer ({type(error).__name__})"
            if time.monotonic() > end:
                raise DemoFailed(f"{self._name} gave no answer to {method} {path}: {trouble}")
            await asyncio.sleep(RETRY_SECONDS)


def _said(answer: bytes) -> str:
    """A problem document's sentences, or whatever was said instead."""
    try:
        problem = json.loads(answer)
        return " ".join(text for text in (problem["detail"], problem.get("hint")) if text)
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode("utf-8", "replace")
