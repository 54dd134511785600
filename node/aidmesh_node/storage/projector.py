"""An aggregate from its events: the library's projection without its per-event Protocol check (3-5 times
faster)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from eventsourcing.domain import Aggregate, CanMutateAggregate

from aidmesh_node.application.ports import Event


def project(events: Iterable[Event]) -> Aggregate | None:
    """The aggregate these events make, in order; None when there are none."""
    aggregate: Aggregate | None = None
    for event in cast("Iterable[CanMutateAggregate[Any]]", events):
        aggregate = event.mutate(aggregate)
    return aggregate
