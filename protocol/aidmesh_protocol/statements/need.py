"""What a need's home group says about it (SPEC §5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import (
    Amount,
    AreaOrNone,
    Category,
    ItemOrNone,
    MinuteOrNone,
    NeedCloseReason,
    PositiveAmount,
    Unit,
    Urgency,
    check_window,
)
from aidmesh_protocol.statements.statement import Statement, View


@dataclass(frozen=True, slots=True)
class NeedView(View):
    """What others may read of a need. Minutes since 1970."""

    category: Category
    item: ItemOrNone
    urgency: Urgency
    from_minute: MinuteOrNone
    until_minute: MinuteOrNone
    area: AreaOrNone

    def check(self) -> None:
        check_window(self.from_minute, self.until_minute)


@dataclass(frozen=True, slots=True)
class NeedShared(Statement):
    """A need is shown to this circle. `open` is what pledges are still asked for."""

    TYPE: ClassVar[str] = "need.shared"
    VIEW: ClassVar[type[View] | None] = NeedView

    quantity: PositiveAmount
    unit: Unit
    open: Amount
    view: NeedView | None


@dataclass(frozen=True, slots=True)
class NeedUpdated(Statement):
    """The totals of a shared need changed."""

    TYPE: ClassVar[str] = "need.updated"

    quantity: Amount
    received: Amount
    reserved: Amount


@dataclass(frozen=True, slots=True)
class NeedShareRevoked(Statement):
    """The need is taken back from this circle: every derived view stops."""

    TYPE: ClassVar[str] = "need.share_revoked"


@dataclass(frozen=True, slots=True)
class NeedClosed(Statement):
    """The need is closed."""

    TYPE: ClassVar[str] = "need.closed"
    TERMINAL: ClassVar[bool] = True

    reason: NeedCloseReason
