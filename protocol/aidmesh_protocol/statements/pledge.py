"""What the two sides of a pledge say (SPEC §5.4, §15).

The subject of each of these statements, of either side, is the giver's subject id for the pledge in that
circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import (
    Amount,
    Condition,
    DeclineReason,
    FailureReason,
    FirstRevision,
    How,
    Id16,
    Id16OrNone,
    MinuteOrNone,
    Number,
    Outcome,
    PositiveAmount,
    ReleaseReason,
    Unit,
    WithdrawReason,
    check_window,
)
from aidmesh_protocol.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class PledgeOffered(Statement):
    """Giver: a particular promise towards a need. Refs: the `need.shared` entry. Minutes since 1970."""

    TYPE: ClassVar[str] = "pledge.offered"
    REFS_MIN: ClassVar[int] = 1

    need_subject: Id16
    offer_subject: Id16OrNone
    revision: FirstRevision
    quantity: PositiveAmount
    unit: Unit
    how: How
    from_minute: MinuteOrNone
    until_minute: MinuteOrNone

    def check(self) -> None:
        check_window(self.from_minute, self.until_minute)


@dataclass(frozen=True, slots=True)
class PledgeRevised(Statement):
    """Giver: another quantity, before acceptance."""

    TYPE: ClassVar[str] = "pledge.revised"

    revision: Number
    quantity: PositiveAmount


@dataclass(frozen=True, slots=True)
class PledgeCommitted(Statement):
    """Giver: the last word on an acceptance. Refs: the acceptance it answers."""

    TYPE: ClassVar[str] = "pledge.committed"
    REFS_MIN: ClassVar[int] = 1

    acceptance: Number
    quantity: PositiveAmount


@dataclass(frozen=True, slots=True)
class PledgeWithdrawn(Statement):
    """Giver: the part not yet handed over is no longer promised."""

    TYPE: ClassVar[str] = "pledge.withdrawn"

    reason: WithdrawReason


@dataclass(frozen=True, slots=True)
class HandoverDeclared(Statement):
    """Giver: so much has left our hands."""

    TYPE: ClassVar[str] = "handover.declared"

    number: Number
    quantity: PositiveAmount
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class HandoverFailed(Statement):
    """Giver: a hand-over was tried in vain."""

    TYPE: ClassVar[str] = "handover.failed"

    number: Number
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class PledgeCountered(Statement):
    """Home: we would take this quantity of that revision."""

    TYPE: ClassVar[str] = "pledge.countered"

    revision: Number
    quantity: PositiveAmount


@dataclass(frozen=True, slots=True)
class PledgeDeclined(Statement):
    """Home: not this revision, before acceptance."""

    TYPE: ClassVar[str] = "pledge.declined"

    revision: Number
    reason: DeclineReason


@dataclass(frozen=True, slots=True)
class PledgeAccepted(Statement):
    """Home: this quantity of that revision. Refs: the `pledge.offered` or `pledge.revised` entry."""

    TYPE: ClassVar[str] = "pledge.accepted"
    REFS_MIN: ClassVar[int] = 1

    acceptance: Number
    revision: Number
    quantity: PositiveAmount


@dataclass(frozen=True, slots=True)
class PledgeReleased(Statement):
    """Home: an acceptance is given back."""

    TYPE: ClassVar[str] = "pledge.released"

    acceptance: Number
    reason: ReleaseReason


@dataclass(frozen=True, slots=True)
class ReceiptConfirmed(Statement):
    """Home: so much arrived; zero says that nothing did."""

    TYPE: ClassVar[str] = "receipt.confirmed"

    number: Number
    quantity: Amount
    condition: Condition
