"""Times as the API writes them: RFC 3339, UTC, whole seconds. As text they also sort, so tables store them
this way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_MAX = int((datetime(9999, 12, 31, 23, 0, tzinfo=UTC) - _EPOCH).total_seconds()) // 60


def time_text(at: datetime) -> str:
    """`2026-11-22T08:00:00Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def window_text(at: datetime | None) -> str | None:
    """One end of a window; None is an open end."""
    return None if at is None else time_text(at)


@lru_cache(maxsize=4_096)
def minute_text(minute: int) -> str:
    """Whole minutes since 1970. A peer may write a year no calendar here has: it becomes the last one there
    is.
    """
    return time_text(_EPOCH + timedelta(minutes=min(minute, _MINUTES_MAX)))


def minute_or_none(minute: int | None) -> str | None:
    """As `minute_text`; None is an open end of a window."""
    return None if minute is None else minute_text(minute)


@lru_cache(maxsize=4_096)
def hour_text(hour: int) -> str:
    """Whole hours since 1970, as entries carry them: informational, never judged."""
    return minute_text(min(hour * 60, _MINUTES_MAX))
