"""What ends, or is warned of, because time has passed: looked at regularly, by one task, on the injected clock.

Each keeper does its part, idempotent and one thing a transaction, so a crash anywhere is made good by the next look.
Nothing is done while the machine's clock is not believed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aidmesh_node.application.clock_trust import LOOK_SECONDS, ClockTrust
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.clock import Clock

log = logging.getLogger(__name__)

CHECK_SECONDS = 3600
"""How often what ends is looked for."""

CATCH_UP_SECONDS = 600
"""How long after a start we look first: longer than any backoff, so that answers which came meanwhile are heard."""


class Keeper(Protocol):
    """Lets go of one kind of thing."""

    async def keep(self) -> int:
        """Do what is due now; how many things it was done to. Called only while the clock is believed."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """All keepers, in order."""

    trust: ClockTrust
    clock: Clock
    keepers: tuple[Keeper, ...]

    async def keep(self) -> int:
        """Everything that is due now; 0 while the clock is not believed. Raises Unavailable."""
        await self.trust.look()
        done = 0
        for keeper in self.keepers if self.trust.trusted else ():
            done += await keeper.keep()
        return done

    async def run(self, may: Callable[[], bool]) -> None:
        """Look for ever; while not `may()` only at the clock."""
        await self._watch_clock(CATCH_UP_SECONDS)
        while True:
            if may():
                try:
                    await self.keep()
                except Unavailable as error:
                    log.warning("deadlines are looked at again later: %s", error)
            await self._watch_clock(CHECK_SECONDS)

    async def _watch_clock(self, seconds: int) -> None:
        for _ in range(seconds // LOOK_SECONDS):
            try:
                await self.trust.look()
            except Unavailable as error:
                log.warning("the clock is looked at again later: %s", error)
            await self.clock.sleep(LOOK_SECONDS)
