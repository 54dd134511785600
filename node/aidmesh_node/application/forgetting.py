"""Answers kept for a repetition of their request are let go of when a day has been lived through; never anything else.

Counted is the time in which this node ran, so no clock that jumps, and no long sleep, takes an answer away from
somebody who is about to ask again. Who repeats a request with the same Idempotency-Key after that does it anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from aidmesh_node.application.clock_trust import ClockTrust
from aidmesh_node.application.ports import Writer

KEPT_SECONDS = 24 * 3600
"""Longer than any client tries again by itself, and than a telephone is without a line for a night."""

ROWS_MAX = 500
"""Answers forgotten in one transaction: milliseconds, so that nobody's command waits for it."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A keeper of `deadlines`."""

    writer: Writer
    trust: ClockTrust

    async def keep(self) -> int:
        """Forget what was answered more than KEPT_SECONDS ago; how many answers it was."""
        before, forgotten = await self.trust.lived() - KEPT_SECONDS, 0
        while gone := (await self.writer.run(lambda work: work.idempotency.sweep(before, ROWS_MAX))).value:
            forgotten += gone
        return forgotten
