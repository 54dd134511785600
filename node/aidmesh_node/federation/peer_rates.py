"""How often one peer may ask: a token bucket each, so that no peer's haste costs another anything."""

from __future__ import annotations

from aidmesh_node.clock import Clock
from aidmesh_protocol.errors import ProtocolError

REQUESTS_PER_SECOND = 50.0
"""A peer that answers every piece of news with a new question stays well below this."""

REQUESTS_BURST = 200.0


class PeerRates:
    """One bucket per name; names are authenticated peers, so their number is bounded."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, name: str) -> None:
        """Take one request's worth. Raises ProtocolError("rate")."""
        now = self._clock.monotonic()
        left, since = self._buckets.get(name, (REQUESTS_BURST, now))
        left = min(REQUESTS_BURST, left + (now - since) * REQUESTS_PER_SECOND)
        if left < 1:
            raise ProtocolError("rate", "too many requests: slow down")
        self._buckets[name] = (left - 1, now)
