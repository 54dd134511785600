"""Who waits for the views to reach a position: event loops' futures, resolved from the projector's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import NamedTuple


class _Waiter(NamedTuple):
    position: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


class Arrivals:
    """The position reached, and those who wait for a later one. No polling on either side."""

    def __init__(self) -> None:
        self._position = 0
        self._waiters: set[_Waiter] = set()
        self._lock = threading.Lock()

    @property
    def position(self) -> int:
        return self._position

    def reach(self, position: int) -> None:
        """The views now show this position; may be lower than before when they follow another history."""
        with self._lock:
            self._position = position
            reached = {waiter for waiter in self._waiters if waiter.position <= position}
            self._waiters -= reached
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for waiter in reached:
            by_loop.setdefault(waiter.loop, []).append(waiter.future)
        for loop, futures in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, futures)
            except RuntimeError:
                # The loop is closed: nobody waits there any more.
                if not loop.is_closed():
                    raise

    async def wait(self, position: int, timeout_seconds: float) -> bool:
        """Whether `position` is reached, now or within the time given."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(position, loop, loop.create_future())
        with self._lock:
            if position <= self._position:
                return True
            self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_seconds):
                await waiter.future
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiters.discard(waiter)
        return True


def _resolve(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
