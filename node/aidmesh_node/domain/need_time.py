"""The clocks of a need: when somebody looks at it again, when it may end by itself, how long it may be reopened.

Pure; never reads a clock. An open need always has a next action date: nothing that somebody asked for is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aidmesh_node.domain.refused import Refused

EMERGENCY = "emergency"
"""The urgency of what threatens a life: apart from the others, with clocks, orders and sharing of its own."""

UNTOUCHED_HOURS = 48
UNTOUCHED_EMERGENCY_HOURS = 4
"""How long a need may lie without anybody doing something about it."""

REVIEW_DAYS_MAX = 30
"""How far ahead somebody may put the next look at a need."""

EXTEND_DAYS_MAX = 366
"""How far ahead a need may end: what is still wanted in a year is asked for again."""

REOPEN_DAYS_MAX = 30
"""After that contact details are gone, and what the person agreed to was about another time."""

UNANSWERED_MAX = 3
"""Calls without an answer after which the way to reach somebody is at fault, not they."""

WANTED_UNTIL = "Ask whether it is still wanted, then extend it or close it"


def untouched_until(urgency: str, touched: datetime) -> datetime:
    """When a need that was last touched then is to be looked at."""
    return touched + timedelta(hours=UNTOUCHED_EMERGENCY_HOURS if urgency == EMERGENCY else UNTOUCHED_HOURS)


def check_next_look(urgency: str, now: datetime, next_at: datetime) -> None:
    """Refuse a next look that is past, or so far away that the need would be forgotten."""
    furthest = untouched_until(urgency, now) if urgency == EMERGENCY else now + timedelta(days=REVIEW_DAYS_MAX)
    if now < next_at <= furthest:
        return
    span = f"{UNTOUCHED_EMERGENCY_HOURS} hours" if urgency == EMERGENCY else f"{REVIEW_DAYS_MAX} days"
    raise Refused(
        "bad_next_look", "The next look at this need cannot be then.", f"Choose a time within the next {span}."
    )


def check_extension(now: datetime, end: datetime | None, until: datetime) -> None:
    """Refuse a new end that is no extension."""
    if end is None:
        raise Refused(
            "never_ends",
            "This need has no end, so there is nothing to extend.",
            "To say when it is to be looked at again, review it: aidmesh need review ID --next DATE.",
        )
    if until <= now or until <= end:
        raise Refused("not_later", "That is not later than it ends now.", "Choose a later date, in the future.")
    if until > now + timedelta(days=EXTEND_DAYS_MAX):
        raise Refused("too_far_away", "That is more than a year away.", "Choose an earlier date; it can be extended.")


def check_reopening(now: datetime, closed_at: datetime | None) -> None:
    if closed_at is None:
        raise Refused("not_closed", "This need is open already.", "Look what is to be done next.")
    if now > closed_at + timedelta(days=REOPEN_DAYS_MAX):
        raise Refused(
            "closed_long_ago",
            f"This need was closed more than {REOPEN_DAYS_MAX} days ago.",
            "Ask what is wanted now, and post a new need.",
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the next action depends on. `ends_on` is set while a warning stands; `covered` and `arrived` mean all."""

    urgency: str
    ends_on: str | None
    offers_waiting: bool
    unanswered: int
    covered: bool
    arrived: bool
    shared: bool


def next_action(need: Standing) -> str:
    """What somebody should do next about an open need, in one sentence."""
    lead = "Emergency. " if need.urgency == EMERGENCY else ""
    if need.ends_on is not None:
        return f"{lead}It ends on {need.ends_on}. {WANTED_UNTIL}."
    if need.offers_waiting:
        return f"{lead}Answer what is offered: accept it, propose another amount, or decline."
    if need.unanswered >= UNANSWERED_MAX:
        return (
            f"{lead}Nobody answered {need.unanswered} times: try another way, such as a text or a neighbour, or let it "
            "rest until a later look."
        )
    if need.arrived:
        return f"{lead}Everything arrived: ask whether it was what was needed, and close it."
    if need.covered:
        return f"{lead}Enough is promised: see that it arrives."
    if need.shared:
        return f"{lead}Not all of it is promised: call back, and look who else could help."
    return f"{lead}Nobody else knows of it: call back, find help in your group, or share it with another."
