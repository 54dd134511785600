"""Waiting for what another node must do first: asks until it is so, never longer than agreed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aidmesh_node.demo.failure import DemoFailed

T = TypeVar("T")

POLL_SECONDS = 0.03
"""Shorter than anybody notices, and long enough that asking does not slow down what is asked for."""

AT_ONCE_MAX = 8
"""Requests under way at one time: enough that commands share a transaction, too few to look like an attack."""


async def until(missing: Callable[[], Awaitable[str]], seconds_max: float) -> None:
    """Return when `missing` has nothing to name. Raises DemoFailed with what it named last."""
    end = time.monotonic() + seconds_max
    while what := await missing():
        if time.monotonic() > end:
            raise DemoFailed(f"After {seconds_max:.0f} seconds: {what}.")
        await asyncio.sleep(POLL_SECONDS)


async def each(things: Sequence[T], do: Callable[[T], Awaitable[None]]) -> None:
    """`do` every thing, begun in their order, up to AT_ONCE_MAX at one time."""
    waiting = iter(things)

    async def work() -> None:
        for thing in waiting:
            await do(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE_MAX, len(things))):
            group.create_task(work())
