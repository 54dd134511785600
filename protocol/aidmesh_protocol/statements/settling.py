"""What the two sides of a pledge say beside the promise itself: when, what did not come about, what was set right
(SPEC §5.4, §15.4).

Codes and figures only: nobody's words ever stand in one of these. The subject is that of the pledge (SPEC §5.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements.rules import (
    Amount,
    Count,
    Dispute,
    DisputeNumber,
    FailureReason,
    MinuteOrNone,
    Number,
    PositiveAmount,
    Resolution,
    Side,
    check_window,
)
from aidmesh_protocol.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class HandoverProposed(Statement):
    """Giver, with a revision, or home, with its counter: the hand-over could be then. Minutes since 1970."""

    TYPE: ClassVar[str] = "handover.proposed"

    revision: Number
    from_minute: MinuteOrNone
    until_minute: MinuteOrNone

    def check(self) -> None:
        check_window(self.from_minute, self.until_minute)
        if self.from_minute is None and self.until_minute is None:
            raise ProtocolError("malformed", "statement: a time is proposed that names no time")


@dataclass(frozen=True, slots=True)
class HandoverMissed(Statement):
    """Home: a hand-over did not come about."""

    TYPE: ClassVar[str] = "handover.missed"

    number: Number
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class HandoverCorrected(Statement):
    """Giver: all in all, so much has left our hands."""

    TYPE: ClassVar[str] = "handover.corrected"

    number: Number
    quantity: Amount


@dataclass(frozen=True, slots=True)
class ReceiptPresumed(Statement):
    """Home: beside what was confirmed, so much is presumed to have arrived. `corrections`: how many corrections of
    the hand-over it knew.
    """

    TYPE: ClassVar[str] = "receipt.presumed"

    number: Number
    quantity: PositiveAmount
    corrections: Count


@dataclass(frozen=True, slots=True)
class ReceiptCorrected(Statement):
    """Home: all in all, so much has arrived."""

    TYPE: ClassVar[str] = "receipt.corrected"

    number: Number
    quantity: Amount


@dataclass(frozen=True, slots=True)
class DiscrepancyLeft(Statement):
    """Either side: these two figures differ, and we leave it at that."""

    TYPE: ClassVar[str] = "discrepancy.left"

    handed: Amount
    received: Amount


@dataclass(frozen=True, slots=True)
class DisputeOpened(Statement):
    """Either side: a person wants this looked at. Each side counts its own. Never about anybody's conduct."""

    TYPE: ClassVar[str] = "dispute.opened"

    number: DisputeNumber
    about: Dispute


@dataclass(frozen=True, slots=True)
class DisputeResolved(Statement):
    """Either side: for us that dispute, opened by `opened_by`, is over. Over for both once both have said so."""

    TYPE: ClassVar[str] = "dispute.resolved"

    opened_by: Side
    number: DisputeNumber
    how: Resolution
