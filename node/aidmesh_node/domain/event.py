"""What every event of our log carries, and the aggregate that records it. Never reads the wall clock."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from eventsourcing.domain import Aggregate, CanMutateAggregate
from eventsourcing.utils import get_topic, resolve_topic

from aidmesh_node.domain.act import RECOVERED, Act


class Event(Aggregate.Event):
    """A fact about one aggregate; `timestamp` is the act's time, `heard` whether a peer said it.

    State consists only of UUID, Decimal, datetime, str, int, bool, None, list, and dict with str keys.
    """

    TOPIC: ClassVar[str]

    act_id: UUID
    actor: UUID | None
    role: str
    on_behalf_of: UUID | None
    cause: str | None
    heard: bool

    def mutate(self, aggregate: Any) -> Any:
        aggregate = super().mutate(aggregate)
        if self.heard and self.role != RECOVERED:
            aggregate.heard_at = self.cause
        return aggregate


class Created(Event, Aggregate.Created):
    """The first fact about an aggregate."""

    def mutate(self, aggregate: Any) -> Any:
        # What the library's own does, without filtering the fields by the parameters' names each time anew.
        assert aggregate is None
        fields = vars(self)
        made: Any = object.__new__(resolve_topic(self.originator_topic))
        made.__base_init__(self.originator_id, self.originator_version, self.timestamp)
        made.__init__(**{name: fields[name] for name in _parameters(type(made).__init__)})
        self.apply(made)
        made.made_by = self.actor
        made.recovered = self.role == RECOVERED
        if self.heard and not made.recovered:
            made.heard_at = self.cause
        return made


C = TypeVar("C", bound=Created)


class Recorded(Aggregate):
    """An aggregate whose every event says who acted, when, and on whose behalf.

    A subclass has a TOPIC and nests `Event(event.Event)`, `Created(Event, event.Created)` with a TOPIC (the
    library demands that one although it is never triggered), then its own events, each with a TOPIC.
    `made_by` is the member who made it (None for the node and for peers); `recovered`: it came back out of our own feed
    under another id, and is known to others by the name it had; `heard_at` names the entry of the
    peer's newest statement about it ("<origin hash hex>:<index>"), which our next answer answers.
    """

    TOPIC: ClassVar[str]

    made_by: UUID | None = None
    recovered: bool = False
    heard_at: str | None = None

    @classmethod
    def _begin(cls, event_class: type[Created], aggregate_id: UUID, by: Act, **fields: Any) -> Self:
        # What the library's own `_create` does, without looking for an id among the fields.
        event = _event(
            event_class,
            {
                "originator_id": aggregate_id,
                "originator_version": cls.INITIAL_VERSION,
                "originator_topic": get_topic(cls),
                "timestamp": by.at,
                **_said_by(by),
                **fields,
            },
        )
        aggregate: Self = event.mutate(None)
        aggregate.pending_events.append(event)
        return aggregate

    @classmethod
    def came_back(cls, event_class: type[Created], aggregate_id: UUID, by: Act, **fields: Any) -> Self:
        """An aggregate this database does not know, as our own feed tells of it. No guard is asked."""
        return cls._begin(event_class, aggregate_id, _as_recovered(by), **fields)

    def recover(self, event_class: type[CanMutateAggregate[UUID]], by: Act, **fields: Any) -> None:
        """Record a fact of our own that came back out of our own feed. No guard is asked: it was said."""
        self._record(event_class, _as_recovered(by), **fields)

    def _record(self, event_class: type[CanMutateAggregate[UUID]], by: Act, **fields: Any) -> None:
        self.trigger_event(event_class, timestamp=by.at, **_said_by(by), **fields)


def _event(event_class: type[C], fields: dict[str, Any]) -> C:
    """As ``event_class(**fields)``, which sets the fields of a frozen dataclass one by one."""
    if fields.keys() != _fields(event_class):
        raise TypeError(f"{event_class.__qualname__} has other fields than {', '.join(fields)}")
    event = object.__new__(event_class)
    vars(event).update(fields)
    return event


@cache
def _fields(event_class: type[C]) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(event_class))


@cache
def _parameters(init: Callable[..., None]) -> tuple[str, ...]:
    return tuple(inspect.signature(init).parameters)[1:]


def _as_recovered(by: Act) -> Act:
    if by.role != RECOVERED or not by.heard:
        raise ValueError("only what came back out of our own feed is recorded without its guards")
    return by


def _said_by(by: Act) -> dict[str, Any]:
    return {
        "act_id": by.id,
        "actor": by.actor,
        "role": by.role,
        "on_behalf_of": by.on_behalf_of,
        "cause": by.cause,
        "heard": by.heard,
    }


def event_id(event: Event) -> bytes:
    """16 bytes naming an event: SHA-256(act id || aggregate id || version as 8 bytes big-endian)[:16].

    The same act replayed gives the same id, so publishing an event twice is impossible.
    """
    digest = sha256(event.act_id.bytes)
    digest.update(event.originator_id.bytes)
    digest.update(event.originator_version.to_bytes(8, "big"))
    return digest.digest()[:16]
