"""Token buckets by name: how often somebody may do something, in bounded memory. Says how long to wait, never waits."""

from __future__ import annotations

from collections import OrderedDict

from aidmesh_node.clock import Clock


class Rates:
    """One bucket a name, full at first. Beyond `names_max` the one not asked for the longest is forgotten: it has
    filled up again, unless there are more names at once than that, each of which has a bucket of its own anyway."""

    def __init__(self, clock: Clock, per_second: float, burst: int, names_max: int) -> None:
        self.per_second, self.burst = per_second, burst
        self._clock = clock
        self._names_max = names_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, name: str) -> float:
        """Take one out of the bucket: 0.0. Else the seconds until there is one again, and nothing is taken."""
        now = self._clock.monotonic()
        left, since = self._buckets.pop(name, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self.per_second
        self._buckets[name] = (left if wait else left - 1, now)
        if len(self._buckets) > self._names_max:
            self._buckets.popitem(last=False)
        return wait

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._buckets)
