"""When a need or an offer may end by itself: only after a warning that people had all of the notice to see.

Pure; never reads a clock. Both go by this one rule, so that neither ends sooner than the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

NOTICE = timedelta(hours=48)
"""Between the warning that something is about to end and its end: a weekend's worth of somebody noticing."""

NOTICE_INCIDENT = timedelta(hours=6)
"""The same while an incident is on, when needs change within hours."""


@dataclass(frozen=True, slots=True)
class Warned:
    """When a warning was given, and how many seconds the node had run by then."""

    at: datetime
    witnessed: int


def needs_warning(now: datetime, end: datetime, warned: Warned | None, notice: timedelta = NOTICE) -> bool:
    """Whether it is time to warn: not yet warned, or by a clock that stood in the future."""
    return now >= end - notice and (warned is None or warned.at > now)


def has_run_out(
    now: datetime, witnessed: int, end: datetime, warned: Warned | None, notice: timedelta = NOTICE
) -> bool:
    """Whether it ended, was warned of for all of `notice`, and the node ran, and could show that, for so long."""
    if warned is None or now < end or now < warned.at + notice:
        return False
    return witnessed - warned.witnessed >= notice.total_seconds()
