"""Acts for tests: who, and a time that a test chooses. No clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from aidmesh_node.domain.act import PEER, Act
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.quantity import Quantity

MORNING = datetime(2026, 11, 22, 8, tzinfo=UTC)
CIRCLE = "c1" * 32
OTHER_CIRCLE = "c2" * 32
AGREED = Consent("self", "v1", "en")

_numbers = count(1)


def new_id() -> UUID:
    return UUID(int=next(_numbers))


def by(role: str = "coordinator", *, minutes: int = 0) -> Act:
    """An act of ours."""
    return Act(new_id(), MORNING + timedelta(minutes=minutes), UUID(int=7), role)


def heard() -> Act:
    """A peer's statement, recorded by our node."""
    return Act(new_id(), MORNING, None, PEER, cause="ab" * 32 + ":3", heard=True)


def amount(number: str | int) -> Decimal:
    return Decimal(number)


def amounts(*numbers: str | int) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)


def items(number: int) -> Quantity:
    return Quantity(Decimal(number), "item")


def kilos(number: str) -> Quantity:
    return Quantity(Decimal(number), "kg")
