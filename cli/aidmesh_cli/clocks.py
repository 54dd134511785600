"""A clock that differs from another group's, in words. Which of the two is wrong a person finds out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aidmesh_cli.phrases import counted

APART_SECONDS_MIN: Final = 300
"""Up to this clocks are said to agree; nodes ask each other for proof of freshness beyond it."""

DAY: Final = 86_400
HOUR: Final = 3_600


def clock_apart(peer: Mapping[str, Any]) -> str:
    """ "1 day ahead of ours", or "" where the two agree or nobody knows."""
    ahead = peer.get("clock_ahead_seconds")
    if not isinstance(ahead, int) or abs(ahead) <= APART_SECONDS_MIN:
        return ""
    return f"{_span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} ours"


def _span(seconds: int) -> str:
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        # Rounded: a second short of a day is a day to whoever compares two clocks.
        if seconds >= unit - unit // 20:
            return counted(max(1, round(seconds / unit)), name)
    raise AssertionError("shorter than what counts as apart")
