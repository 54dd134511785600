"""`Idempotency-Key`: the promise that a repetition is the same request. Read here, kept by `commit`.

The few requests that are no single commit (pairing asks another node) are kept in memory by `Repeats`: long
enough for a client that lost the answer, and no longer than the half-finished pairing itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from aiohttp import web

from aidmesh_node.application.commit import Once
from aidmesh_node.http.problems import Problem

HEADER: Final = "Idempotency-Key"
KEY_CHARS_MAX: Final = 128
VISIBLE: Final = frozenset(map(chr, range(0x21, 0x7F)))
KEPT_MAX: Final = 1_000

Answer = dict[str, object]


def once(request: web.Request, actor: str, body: bytes) -> Once | None:
    """The promise, or None if none was made. `actor` keeps one member's keys apart from another's.

    Raises Problem 400 for a key that is not 1 to 128 visible ASCII characters.
    """
    given = request.headers.getall(HEADER, ())
    if not given:
        return None
    key = given[0]
    if len(given) != 1 or not 0 < len(key) <= KEY_CHARS_MAX or not VISIBLE.issuperset(key):
        raise Problem(
            400,
            "malformed",
            f"{HEADER} must be given once, with 1 to {KEY_CHARS_MAX} visible ASCII characters and no spaces.",
            "Use a random text, for example a UUID, and the same one when repeating the request.",
            errors=({"where": HEADER, "message": "unusable"},),
        )
    digest = hashlib.sha256(f"{request.method} {request.raw_path}\n".encode())
    digest.update(body)
    return Once(actor, key, digest.digest())


class Repeats:
    """Answers of requests that are no single commit, in this process. A failure is not kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, asyncio.Future[Answer]]] = OrderedDict()

    async def run(self, promise: Once | None, do: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """The answer, and whether it was given before; repetitions that come meanwhile wait for the first.

        Raises what `do` raises, and Problem 422 for a key that named another request.
        """
        if promise is None:
            return await do(), False
        name = (promise.actor, promise.key)
        earlier = self._kept.get(name)
        if earlier is not None:
            if earlier[0] != promise.request_hash:
                raise Problem(
                    422,
                    "idempotency_key_reused",
                    "This Idempotency-Key was already used for a different request.",
                    "Use a new key for a new request; repeat the old request unchanged to see its answer.",
                )
            return await asyncio.shield(earlier[1]), True
        task = asyncio.ensure_future(do())
        # Not left to whoever asked first: it may have hung up by the time the task fails.
        task.add_done_callback(partial(self._forget_failure, name))
        self._kept[name] = (promise.request_hash, task)
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return await asyncio.shield(task), False

    def _forget_failure(self, name: tuple[str, str], task: asyncio.Future[Answer]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and name in self._kept and self._kept[name][1] is task:
            del self._kept[name]
