"""The newest events of the log as their jobs made them, so that the views need not read back and decode what was
written a moment ago. Filled after COMMIT; holds nothing that is not durable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from threading import Lock

from aidmesh_node.application.ports import Event

RECENT_MAX = 2_048
"""Events kept: some MiB at most, and more than the views fall behind while all is well."""


class RecentEvents:
    """Written by the writer's thread, read by any."""

    def __init__(self, kept_max: int = RECENT_MAX) -> None:
        self._events: deque[tuple[int, Event]] = deque(maxlen=kept_max)
        self._lock = Lock()

    def add(self, after: int, events: Iterable[Event]) -> None:
        """These were committed, in order, right behind position `after`."""
        with self._lock:
            if self._events and self._events[-1][0] != after:
                self._events.clear()
            self._events.extend(enumerate(events, after + 1))

    def clear(self) -> None:
        """What is stored is no longer what was made: somebody's words were erased from it."""
        with self._lock:
            self._events.clear()

    def between(self, after: int, up_to: int, limit: int) -> list[tuple[int, Event]] | None:
        """At most `limit` events behind `after`, none behind `up_to`; None when the first of them is not kept."""
        with self._lock:
            first = self._events[0][0] if self._events else up_to + 1
            if after + 1 < first:
                return None
            begin, end = after + 1 - first, up_to + 1 - first
            return list(islice(self._events, begin, max(begin, min(begin + limit, end))))
