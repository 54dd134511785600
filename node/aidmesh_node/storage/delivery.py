"""Jobs on their way to the writer and outcomes on their way back: one wake-up of an event loop per batch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from aidmesh_node.application.ports import Done, Work

logger = logging.getLogger(__name__)

Outcome = Done[Any] | BaseException


class Accepted:
    """One job that was let in, and who waits for it."""

    __slots__ = ("after", "future", "job", "loop", "outcome")

    def __init__(
        self,
        job: Callable[[Work], Any],
        future: Future[Done[Any]] | asyncio.Future[Done[Any]],
        loop: asyncio.AbstractEventLoop | None = None,
        after: Callable[[Done[Any]], None] | None = None,
    ) -> None:
        self.job = job
        self.future = future
        self.loop = loop
        self.after = after
        self.outcome: Outcome | None = None

    def begins(self) -> bool:
        """False when its waiter has gone before it began: then it is not run at all."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


def deliver(batch: Iterable[Accepted]) -> None:
    """Resolve the futures of these jobs; called on the writer's thread after their outcome is settled."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Accepted]] = {}
    for accepted in batch:
        if accepted.after is not None and isinstance(accepted.outcome, Done):
            _call(accepted.after, accepted.outcome)
        if accepted.loop is not None:
            by_loop.setdefault(accepted.loop, []).append(accepted)
        else:
            _resolve(accepted)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, waiting)
        except RuntimeError:
            # The loop is closed: nobody waits there any more. What was committed stays committed.
            if not loop.is_closed():
                raise


def _call(after: Callable[[Done[Any]], None], done: Done[Any]) -> None:
    try:
        after(done)
    except Exception:
        # What was committed must still be answered.
        logger.exception("what was to follow a commit failed")


def _resolve_all(batch: list[Accepted]) -> None:
    for accepted in batch:
        _resolve(accepted)


def _resolve(accepted: Accepted) -> None:
    future, outcome = accepted.future, accepted.outcome
    if future.cancelled():
        return
    if isinstance(outcome, Done):
        future.set_result(outcome)
    elif isinstance(outcome, StopIteration):
        # asyncio refuses it: inside a coroutine it would end the generator instead of raising.
        failure = RuntimeError("the job raised StopIteration")
        failure.__cause__ = outcome
        future.set_exception(failure)
    else:
        assert outcome is not None  # every accepted job has an outcome when it is delivered
        future.set_exception(outcome)
