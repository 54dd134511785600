"""Whether the machine's clock may be believed where something would end because time has passed.

A clock that jumped (a dead battery, a wrong server of time) must not let everything end at once. What ends by time asks
`trusted` first; where a person had to be warned before, `witnessed` must also have moved by the whole period: only time
in which this node ran, and could show the warning, counts. Never changes anything but its own four numbers.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.clock import Clock

log = logging.getLogger(__name__)

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Nobody ran this program before: a clock that says so has lost its time."""

AHEAD_HOURS_MAX = 72
"""How far the clock may have moved on while nothing of ours ran: a weekend off, a lid that was closed."""

BACK_SECONDS_MAX = 3600
"""How far it may go back: what a correction takes away from a clock that was a little fast."""

SETTLE_SECONDS = 24 * 3600
"""After a jump the clock is believed again when this node has run for so long beside it: a day for people to notice."""

LOOK_SECONDS = 60
"""How often to look: a jump is noticed before anything that runs every hour."""

KEEP_SECONDS = 600
"""How often what was found is kept; a crash forgets at most so much witnessed time."""

SEEN, WITNESSED, STEP, UNTIL = "clock-seen", "clock-witnessed", "clock-step", "clock-distrusted-until"
"""Positions: the last time seen (seconds since 1970), seconds lived through, the jump, and the end of distrust."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The four numbers, as the positions hold them. `step` is 0 while the clock is believed."""

    seen: int = 0
    witnessed: int = 0
    step: int = 0
    until: int = 0


class ClockTrust:
    """One a node. `look` compares the clock with what was lived through; the rest tells what that gave."""

    def __init__(self, clock: Clock, writer: Writer) -> None:
        self._clock, self._writer = clock, writer
        self._kept: _Kept | None = None
        self._last: tuple[datetime, float] | None = None
        self._unwritten = 0.0
        self._step = 0.0
        self._until = 0.0
        self._lived = 0.0
        self._looking = asyncio.Lock()

    @property
    def trusted(self) -> bool:
        """Whether something may end now because time has passed. False before the first `look`."""
        return self._kept is not None and not self._step

    @property
    def witnessed(self) -> int:
        """Seconds in which this node ran, by its own count, over all its runs: never more than really passed."""
        return int(self._lived)

    async def lived(self) -> int:
        """`witnessed`, after at least one look. Raises Unavailable."""
        if self._kept is None:
            await self.look()
        return self.witnessed

    @property
    def words(self) -> str:
        """Why the clock is not believed and what to do, for people; "" while it is."""
        if not self._step or self._last is None:
            return ""
        day = f"{self._last[0]:%Y-%m-%d %H:%M} UTC"
        waits = "until then nothing ends here because time has passed"
        if self._last[0] < EARLIEST:
            return f"The clock of this machine says {day}, which cannot be right. Set it; {waits}."
        hours = max(1, round((self._until - self._lived) / 3600))
        return (
            f"The clock of this machine went {_span(self._step)} at once, to {day}. If that is wrong, set it; if it is "
            f"right, it is believed again when this node has run for another {hours} h: {waits}."
        )

    async def look(self) -> None:
        """Compare, and keep what was found. Raises Unavailable when it cannot be kept."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        first, kept = self._kept is None, self._kept or (await self._writer.run(_read)).value
        if first:
            self._lived, self._step, self._until = float(kept.witnessed), float(kept.step), float(kept.until)
        doubted = bool(self._step)
        self._compare(kept.seen)
        if doubted != bool(self._step) or (first and doubted):
            log.warning("%s", self.words or "The clock of this machine is believed again.")
        now = _Kept(_seconds(self._clock.now()), int(self._lived), int(self._step), int(self._until))
        if first or (now.step, now.until) != (kept.step, kept.until) or self._unwritten >= KEEP_SECONDS:
            await self._writer.run(lambda work: _write(work, now))
            self._kept, self._unwritten = now, 0.0

    def _compare(self, seen: int) -> None:
        now, ticks = self._clock.now(), self._clock.monotonic()
        if self._last is None:
            moved = float(_seconds(now) - seen) if seen else 0.0
        else:
            passed = max(0.0, ticks - self._last[1])
            moved = (now - self._last[0]).total_seconds() - passed
            # A process that was stopped could show nothing meanwhile.
            lived = min(passed, 2.0 * LOOK_SECONDS)
            self._lived += lived
            self._unwritten += lived
        self._last = (now, ticks)
        impossible = now < EARLIEST
        if _jumped(moved) or (impossible and not self._step):
            self._until = self._lived + SETTLE_SECONDS
        # A clock that jumped and was set right again stands where it would have stood.
        away = self._step + moved
        doubtful = impossible or (_jumped(away) and self._lived < self._until)
        self._step = (away or -1.0) if doubtful else 0.0


def _jumped(seconds: float) -> bool:
    return not -BACK_SECONDS_MAX <= seconds <= AHEAD_HOURS_MAX * 3600


def _span(seconds: float) -> str:
    days, hours = round(abs(seconds) / 86_400), round(abs(seconds) / 3600)
    much = f"{days} days" if days > 1 else f"{hours} hours"
    return f"{much} {'ahead' if seconds > 0 else 'back'}"


def _seconds(at: datetime) -> int:
    return max(1, int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)))


def _read(work: Work) -> _Kept:
    get = work.positions.get
    return _Kept(get(SEEN), get(WITNESSED), get(STEP), get(UNTIL))


def _write(work: Work, kept: _Kept) -> None:
    for name, value in ((SEEN, kept.seen), (WITNESSED, kept.witnessed), (STEP, kept.step), (UNTIL, kept.until)):
        work.positions.put(name, value)
