"""A span of time in which something is needed or available; either end may be open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aidmesh_node.domain.refused import Refused


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until `end`, aware times; None means open on that side. Refused when it ends before it
    starts.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment is not None and moment.utcoffset() is None:
                raise Refused("bad_window", "The time has no time zone.", "Write it like 2026-11-22T08:00:00Z.")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise Refused("bad_window", "The end is before the start.", "Swap the two dates, or leave one out.")


ANY_TIME = Window()
