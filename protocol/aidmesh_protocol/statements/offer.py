"""What an offer's home group says about it (SPEC §5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import (
    AmountOrNone,
    AreaOrNone,
    Category,
    ItemOrNone,
    MinuteOrNone,
    Mode,
    OfferCloseReason,
    Unit,
    check_window,
)
from aidmesh_protocol.statements.statement import Statement, View


@dataclass(frozen=True, slots=True)
class OfferView(View):
    """What others may read of an offer. Minutes since 1970."""

    category: Category
    item: ItemOrNone
    from_minute: MinuteOrNone
    until_minute: MinuteOrNone
    area: AreaOrNone
    mode: Mode

    def check(self) -> None:
        check_window(self.from_minute, self.until_minute)


@dataclass(frozen=True, slots=True)
class OfferShared(Statement):
    """An offer is shown to this circle. No quantity means inexhaustible."""

    TYPE: ClassVar[str] = "offer.shared"
    VIEW: ClassVar[type[View] | None] = OfferView

    quantity: AmountOrNone
    unit: Unit
    available: AmountOrNone
    view: OfferView | None


@dataclass(frozen=True, slots=True)
class OfferUpdated(Statement):
    """The totals of a shared offer changed."""

    TYPE: ClassVar[str] = "offer.updated"

    quantity: AmountOrNone
    available: AmountOrNone


@dataclass(frozen=True, slots=True)
class OfferShareRevoked(Statement):
    """The offer is taken back from this circle: every derived view stops."""

    TYPE: ClassVar[str] = "offer.share_revoked"


@dataclass(frozen=True, slots=True)
class OfferClosed(Statement):
    """The offer is closed."""

    TYPE: ClassVar[str] = "offer.closed"
    TERMINAL: ClassVar[bool] = True

    reason: OfferCloseReason
