"""A machine whose clock is wrong, beside others whose clocks are right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.federation import START, DrivenClock


@dataclass(slots=True)
class WrongClock:
    """Shows `ahead` more than the right clock does. Time passes on both alike."""

    right: DrivenClock
    ahead: timedelta

    def now(self) -> datetime:
        return self.right.now() + self.ahead

    def monotonic(self) -> float:
        # Exactly the time that passed: the right clock's own count runs ahead of it by a little at every look.
        return (self.right.now() - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await self.right.sleep(seconds)

    def set_to(self, moment: datetime) -> None:
        """Somebody sets the clock; no time passes."""
        self.ahead = moment - self.right.now()
