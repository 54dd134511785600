"""The clocks of an offer: when somebody is asked whether it is still there, when it ends, how long it may be reopened.

Pure; never reads a clock. Nothing is taken away because nobody answered: it is shown as not confirmed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from aidmesh_node.domain.refused import Refused

FRESH = timedelta(days=30)
"""How long nobody is asked whether an offer is still there."""

FRESH_FOOD = timedelta(days=3)
"""The same for food, which is eaten or spoils."""

SAID_AGAIN_AFTER = timedelta(hours=1)
"""Two confirmations within an hour say the same."""

EXTEND_DAYS_MAX = 366
"""How far ahead an offer may end: what is still there in a year is offered again."""

REOPEN_DAYS_MAX = 30
"""After that nobody remembers what was meant: post it anew."""


def asks_at(category: str, confirmed: datetime) -> datetime:
    """When to ask again about an offer that somebody last said is there at `confirmed`."""
    return confirmed + (FRESH_FOOD if category == "food" else FRESH)


def just_said(now: datetime, confirmed: datetime) -> bool:
    """Whether a confirmation adds nothing to the last one."""
    return timedelta(0) <= now - confirmed < SAID_AGAIN_AFTER


def check_extension(now: datetime, end: datetime | None, until: datetime) -> None:
    """Refuse a new end that is no extension."""
    if end is None:
        raise Refused(
            "never_ends",
            "This offer has no end, so there is nothing to extend.",
            "To say that it is still there, confirm it.",
        )
    if until <= end:
        raise Refused("not_later", "That is not later than it ends now.", "Choose a later date.")
    _check_end(now, until)


def check_reopening(now: datetime, closed_at: datetime | None, end: datetime | None, until: datetime | None) -> None:
    """Refuse what was closed long ago, and what would be over at once: `until` is the new end, else `end` stays."""
    if closed_at is not None and now > closed_at + timedelta(days=REOPEN_DAYS_MAX):
        raise Refused(
            "closed_long_ago",
            f"This offer was closed more than {REOPEN_DAYS_MAX} days ago.",
            "Post a new offer of what there is now.",
        )
    if until is not None:
        _check_end(now, until)
    elif end is not None:
        _check_ahead(now, end)


def _check_end(now: datetime, until: datetime) -> None:
    _check_ahead(now, until)
    if until > now + timedelta(days=EXTEND_DAYS_MAX):
        raise Refused("too_far_away", "That is more than a year away.", "Choose an earlier date; it can be extended.")


def _check_ahead(now: datetime, end: datetime) -> None:
    if end <= now:
        raise Refused("not_later", "That time is over already.", "Say until when it is there now.")


def next_step(state: str, *, asked: str | None, warned: bool, ends: str | None, left: bool, reopen: str | None) -> str:
    """What somebody should do about an offer of ours, in one sentence; "" when there is nothing.

    `asked` is the day since when nobody has confirmed it, `ends` and `reopen` days too; `left`: something is.
    """
    if state != "open":
        return f"It is closed. If it is there after all, reopen it until {reopen}." if reopen else ""
    if not left:
        return "Nothing is left of it: close it as exhausted."
    if warned:
        return f"It ends on {ends}: extend it if it is there for longer; else it leaves the board."
    if asked is not None:
        return f"Is it still there? Nobody has said so since {asked}: confirm it, or withdraw it."
    return ""
