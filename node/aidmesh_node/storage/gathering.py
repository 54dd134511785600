"""Jobs of one event loop on their way to the writer's thread: under load they go together, once the loop has come to
rest.

While callbacks of the loop still run, the writer's thread and they only take the interpreter from each other, which
costs both more than the wait. A job that comes alone goes at once, as do two that were asked for together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aidmesh_node.storage.delivery import Accepted

QUIET_TURNS = 6
"""Turns of the loop without a new job that count as rest: a request takes two or three from its bytes to its job."""

FEW = 2
"""No load yet: one command, or the two steps of taking in a piece of news."""

TOGETHER_MAX = 64
TOGETHER_SECONDS_MAX = 0.005
"""Whichever comes first ends the gathering, however busy the loop is: nobody's answer waits longer for the others'."""


class Gathering:
    """What one loop has asked for since the last hand-over. Its methods run under the writer's gate."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hand_over: Callable[[Gathering], None]) -> None:
        """``hand_over(self)`` is called on the loop, turn by turn while there are jobs; it calls ``take`` under the
        gate."""
        self.loop = loop
        self._hand_over = hand_over
        self._jobs: list[Accepted] = []
        self._busy = False
        self._called = False
        self._seen = self._quiet = 0
        self._until = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Accepted) -> None:
        """One more; the first of them starts the gathering."""
        if not self._jobs:
            self._seen = self._quiet = 0
            self._until = self.loop.time() + TOGETHER_SECONDS_MAX
        self._jobs.append(job)
        self._call()

    def take(self) -> list[Accepted]:
        """For ``hand_over``: the jobs, when it is time; else none, and it comes again in the next turn."""
        self._called = False
        count = len(self._jobs)
        if count == 0:
            return []  # gone already
        if (self._busy or count > FEW) and count < TOGETHER_MAX and self.loop.time() < self._until:
            self._quiet = self._quiet + 1 if count == self._seen else 0
            self._seen = count
            if self._quiet < QUIET_TURNS:
                self._call()
                return []
        self._busy = count > FEW
        return self.take_all()

    def take_few(self) -> list[Accepted]:
        """The jobs, now, unless there is load."""
        return [] if self._busy or len(self._jobs) > FEW else self.take_all()

    def take_all(self) -> list[Accepted]:
        """The jobs, now."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def _call(self) -> None:
        if not self._called:
            self._called = True
            self.loop.call_soon(self._hand_over, self)
