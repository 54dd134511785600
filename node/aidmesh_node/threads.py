"""From other threads to the event loop's: what it is told, and when. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def on_growth(told: Callable[[int], None]) -> Callable[[int], None]:
    """`told(position)` only when the log has grown: most of what peers say, and our own signatures, add nothing."""
    known = -1

    def listen(position: int) -> None:
        nonlocal known
        if position != known:
            known = position
            told(position)

    return listen


def soon(loop: asyncio.AbstractEventLoop, what: Callable[[], None], _: object) -> None:
    """Do something on the event loop's thread because of what another thread tells."""
    loop.call_soon_threadsafe(what)
