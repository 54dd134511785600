"""Aggregates in the writer's memory: one object per id, the least recently used forgotten first.

Only the writer's thread may use it. What a rolled-back job touched must be forgotten: it may lie.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from eventsourcing.domain import Aggregate

CACHED_MAX = 4_096
"""Aggregates kept: some tens of MiB at most, and more than a group touches in a day."""


class AggregateCache:
    """Holds only what is stored: an aggregate enters with all its events inserted, or loaded from them."""

    def __init__(self, size_max: int = CACHED_MAX) -> None:
        self._size_max = size_max
        self._held: OrderedDict[UUID, Aggregate] = OrderedDict()

    def get(self, id: UUID) -> Aggregate | None:
        aggregate = self._held.get(id)
        if aggregate is not None:
            self._held.move_to_end(id)
        return aggregate

    def put(self, aggregate: Aggregate) -> None:
        self._held[aggregate.id] = aggregate
        self._held.move_to_end(aggregate.id)
        while len(self._held) > self._size_max:
            self._held.popitem(last=False)

    def forget(self, ids: Iterable[UUID]) -> None:
        for id in ids:
            self._held.pop(id, None)
