"""What an import would record, before anything is recorded.

`private` is for the vault only. No other field may hold a name, a contact, an address or free text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid5

from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window


@dataclass(frozen=True, slots=True)
class NeedDraft:
    """A need to post. `person_key` None: the row names nobody, and `private` is empty."""

    id: UUID
    category: str
    item: str | None
    quantity: Quantity
    urgency: str
    window: Window
    area: str | None
    posted_on: datetime | None
    closed_reason: str | None
    person_key: str | None
    private: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """An offer to post. `person_key` stands for who gives: a person, or the owner of a stock."""

    id: UUID
    category: str
    item: str | None
    quantity: Quantity
    mode: str
    window: Window
    area: str | None
    posted_on: datetime | None
    person_key: str | None
    private: dict[str, str] = field(repr=False)


class Plan(Protocol):
    """Everything one import would record."""

    @property
    def needs(self) -> Sequence[NeedDraft]: ...
    @property
    def offers(self) -> Sequence[OfferDraft]: ...
    @property
    def shifted_days(self) -> int: ...
    @property
    def notes(self) -> Sequence[str]: ...


def person_id(namespace: UUID, person_key: str) -> UUID:
    """The id of the person that a draft's `person_key` stands for."""
    return uuid5(namespace, "person:" + person_key)
