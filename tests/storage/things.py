"""Small aggregates with stable topics: what storage tests store, so that they need no domain."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from eventsourcing.domain import Aggregate

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


class Pile(Aggregate):
    """Goods in a heap: enough behaviour to be changed, refused and counted."""

    TOPIC = "test.pile"

    class Event(Aggregate.Event):
        pass

    class Created(Event, Aggregate.Created):
        TOPIC = "test.pile:created"

    class Heaped(Created):
        TOPIC = "test.pile:heaped"
        amount: Decimal
        keeper: UUID
        marks: tuple[Any, ...]

    class Added(Event):
        TOPIC = "test.pile:added"
        amount: Decimal

        def apply(self, aggregate: Any) -> None:
            cast(Pile, aggregate).amount += self.amount

    class Labelled(Event):
        TOPIC = "test.pile:labelled"
        label: object

    def __init__(self, amount: Decimal, keeper: UUID, marks: tuple[Any, ...]) -> None:
        self.amount = amount
        self.keeper = keeper
        self.marks = marks

    @classmethod
    def heap(cls, id: UUID, amount: int = 1) -> Pile:
        return cls._create(
            cls.Heaped, id=id, timestamp=NOON, amount=Decimal(amount), keeper=id, marks=("new", (1, None))
        )

    def add(self, amount: int) -> None:
        self.trigger_event(self.Added, timestamp=NOON, amount=Decimal(amount))

    def label(self, label: object) -> None:
        self.trigger_event(self.Labelled, timestamp=NOON, label=label)


class Crate(Aggregate):
    """Another kind of thing: an id of the one must never open the other."""

    TOPIC = "test.crate"

    class Event(Aggregate.Event):
        pass

    class Created(Event, Aggregate.Created):
        TOPIC = "test.crate:created"

    class Packed(Created):
        TOPIC = "test.crate:packed"

    @classmethod
    def pack(cls, id: UUID) -> Crate:
        return cls._create(cls.Packed, id=id, timestamp=NOON)


def number(value: int) -> UUID:
    """A readable id."""
    return UUID(int=value)
