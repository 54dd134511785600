"""When what nobody confirmed may be presumed, and how figures that differ are set right. Pure; pledge_fold.py folds it.

A presumption is no receipt: it takes time, attempts to ask, and is only ever of what is still expected. It never grows
what the need counts on, and any real confirmation replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.domain.refused import Refused, illegal

PRESUMED_AFTER = timedelta(days=7)
"""From the last hand-over we know of: a week in which somebody could have said that nothing came."""

ATTEMPTS_MIN = 2
"""How often somebody must have been asked in vain since then."""

ASKED_AGAIN_AFTER = timedelta(hours=12)
"""Two calls in one hour are one attempt."""

ASKED_BY = ("phone", "message", "visit", "other")


def may_ask(state: PledgeState, asked: Sequence[datetime], at: datetime) -> None:
    """Whether an attempt to ask what arrived is worth recording now."""
    if not state.in_transit:
        raise Refused("nothing_in_transit", "Nothing of this pledge is on its way, so there is nothing to ask about.")
    if asked and at - asked[-1] < ASKED_AGAIN_AFTER:
        raise Refused(
            "just_asked",
            "Somebody of your group has just asked, and that is recorded.",
            f"Ask again after {_hours(ASKED_AGAIN_AFTER)} hours; if they answer, confirm what arrived.",
        )


def may_presume(
    state: PledgeState, handed_at: datetime | None, asked: Sequence[datetime], at: datetime
) -> tuple[int, Decimal, int]:
    """The presumption's number, all that is presumed with it, and the hand-over corrections it knows of."""
    more = min(state.in_transit, state.live_remainder)
    if not more or handed_at is None:
        raise Refused(
            "nothing_in_transit",
            "Nothing that is still expected of this pledge has been declared handed over.",
            "Confirm what arrived, or release what is no longer expected.",
        )
    if at - handed_at < PRESUMED_AFTER:
        raise Refused(
            "too_early",
            f"It is less than {PRESUMED_AFTER.days} days since the hand-over was declared.",
            f"Ask what arrived; it can be presumed from {handed_at + PRESUMED_AFTER:%Y-%m-%d %H:%M} UTC on.",
        )
    if len(asked) < ATTEMPTS_MIN:
        raise Refused(
            "ask_first",
            f"Nobody was asked at least {ATTEMPTS_MIN} times since the hand-over ({len(asked)} so far).",
            "Ask what arrived, and record each attempt.",
        )
    return state.home.presumptions + 1, state.presumed + more, state.giver.corrections


def heard_presume(state: PledgeState, quantity: Decimal, corrections: int) -> None:
    """At the giver: nobody presumes more than we had declared, unless a correction of ours crossed it."""
    if corrections > state.giver.corrections:
        raise illegal(f"They presumed a receipt after correction {corrections} of a hand-over; we never made it.")
    if corrections == state.giver.corrections and quantity + state.received > state.handed:
        raise illegal(f"They presumed {amount_text(quantity)} where we had declared {amount_text(state.handed)}.")


def may_correct_hand_over(state: PledgeState, quantity: Decimal) -> int:
    """The number of the giver's next correction."""
    if not state.giver.attempts:
        raise Refused(
            "nothing_declared", "No hand-over has been recorded that could be corrected.", "Declare the hand-over."
        )
    _refuse_same(state.handed, quantity)
    return state.giver.corrections + 1


def may_correct_receipt(state: PledgeState, quantity: Decimal) -> int:
    """The number of the home's next correction."""
    if not state.home.receipts:
        raise Refused(
            "nothing_confirmed", "No receipt has been confirmed that could be corrected.", "Confirm what arrived."
        )
    _refuse_same(state.received, quantity)
    return state.home.corrections + 1


def may_leave(state: PledgeState) -> tuple[Decimal, Decimal]:
    """What was handed over and what was received, where somebody leaves it at that."""
    if not state.discrepancy:
        raise Refused("nothing_differs", "What was handed over and what was received do not differ.")
    return state.handed, state.received


def _refuse_same(said: Decimal, quantity: Decimal) -> None:
    if quantity == said:
        raise Refused("nothing_changed", f"It already says {amount_text(said)}.")


def _hours(span: timedelta) -> int:
    return int(span.total_seconds()) // 3600
