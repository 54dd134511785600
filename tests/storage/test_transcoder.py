"""Event state: whatever can be stored comes back equal and of the same type; whatever cannot is refused at
once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.storage.mapper import HashingMapper, state_hash
from aidmesh_node.storage.transcoder import MsgpackTranscoder
from tests.storage.home import SqliteHome
from tests.storage.things import NOON, Pile, number

CODEC = MsgpackTranscoder()

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.binary()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def exact(value: Any) -> Any:
    """Equality that tells True from 1, a tuple from a list and 1.0 from 1.00."""
    if isinstance(value, list | tuple):
        return type(value), [exact(one) for one in value]
    if isinstance(value, dict):
        return {key: exact(one) for key, one in value.items()}
    return type(value), str(value)


@settings(max_examples=60)
@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_everything_comes_back_exactly(state: dict[str, Any]) -> None:
    assert exact(CODEC.decode(CODEC.encode(state))) == exact(state)


def test_times_come_back_as_the_same_instant_in_utc() -> None:
    there = datetime(2026, 11, 22, 13, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    back = CODEC.decode(CODEC.encode({"at": there}))["at"]
    assert back == there
    assert back.tzinfo is UTC


class Colour(StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int


@pytest.mark.parametrize(
    "value",
    [datetime(2026, 1, 1), Colour.RED, Point(1), {1, 2}, object(), Path("x"), 2**64, [Point(1)], ({1},)],  # noqa: DTZ001
)
def test_what_would_come_back_as_something_else_is_refused_when_written(value: Any) -> None:
    with pytest.raises((TypeError, OverflowError)):
        CODEC.encode({"value": value})


def test_an_unknown_extension_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="unknown extension code 9"):
        CODEC.decode(b"\x81\xa1x\xd4\x09\x00")


class Grown(Aggregate):
    """An aggregate whose event has had another shape before."""

    TOPIC = "test.grown"

    class Event(Aggregate.Event):
        pass

    class Created(Event, Aggregate.Created):
        TOPIC = "test.grown:created"

    class Begun(Created):
        TOPIC = "test.grown:begun"
        class_version = 3
        pieces: int
        unit: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["pieces"] = state.pop("count")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["unit"] = "item"

    def __init__(self, pieces: int, unit: str) -> None:
        self.pieces = pieces
        self.unit = unit


def hashed(topic: str, state: dict[str, Any]) -> StoredEvent:
    body = CODEC.encode(state)
    return StoredEvent(number(1), 1, topic, body + state_hash(number(1).hex, 1, topic, body))


@pytest.mark.parametrize(
    "state",
    [{"count": 4}, {"pieces": 4, "class_version": 2}, {"pieces": 4, "unit": "item", "class_version": 3}],
)
def test_an_event_of_an_older_shape_still_loads(state: dict[str, Any]) -> None:
    stored = hashed("test.grown:begun", {"originator_topic": "test.grown", "timestamp": NOON, **state})
    event: Any = HashingMapper(CODEC).to_domain_event(stored)
    assert (event.pieces, event.unit, event.originator_id, event.originator_version) == (
        4,
        "item",
        number(1),
        1,
    )


def test_the_present_shape_says_which_it_is() -> None:
    mapper: HashingMapper = HashingMapper(CODEC)
    grown = Grown._create(Grown.Begun, id=number(1), timestamp=NOON, pieces=4, unit="item")
    stored = mapper.to_stored_event(grown.collect_events()[0])
    assert CODEC.decode(stored.state[:-32])["class_version"] == 3
    event: Any = mapper.to_domain_event(stored)
    assert (event.pieces, event.unit, hasattr(event, "class_version")) == (4, "item", True)
    assert "class_version" not in vars(event)


@pytest.mark.parametrize("topic", ["test.unheard_of", "os:system.nothing", "nowhere.at.all:x"])
def test_an_intact_event_of_an_unknown_kind_is_named(topic: str) -> None:
    with pytest.raises(Damaged, match="cannot be read by this version"):
        HashingMapper(CODEC).to_domain_event(hashed(topic, {}))


def test_a_float_in_an_event_survives_a_restart(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        pile = Pile.heap(UUID(int=1))
        pile.label({"by": [Decimal("1.50"), (1.5, None)]})
        home.do(lambda work: work.commit(pile))
        (_, event), *_ = home.read(lambda reading: reading.events.select(1, 1))
        assert exact(event.label) == exact({"by": [Decimal("1.50"), (1.5, None)]})  # type: ignore[attr-defined]
