"""Dates as people's tables write them: month/day/year in American exports, ISO 8601 in ours. No clock.

Times without a zone are read as UTC: the files do not say where their clock stood.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from aidmesh_node.exchange.report import Unreadable

YEARS = range(1970, 2200)
"""Whole minutes since 1970 are what travels; a year beyond this is a typing error."""

DAY_ENDS = time(23, 59)
"""The end of a day that is named without a time: whole minutes again."""

AMERICAN_HINT = "Write it as month/day/year, such as 11/16/2012, or as 2012-11-16."
ISO_HINT = "Write it as 2026-11-22, or with a time as 2026-11-22T08:00Z."
TIME_HINT = "Write it as 12:10:00 AM or as 00:10."

_AMERICAN = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?([AaPp])\.?[Mm]\.?)?")
_ISO_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?")


def american_day(text: str) -> date | None:
    """month/day/year with two or four digits of the year, or ISO; None when empty. Raises Unreadable."""
    match = _AMERICAN.fullmatch(text)
    if not match:
        return iso_day(text, AMERICAN_HINT)
    month, day, year = (int(part) for part in match.groups())
    if len(match[3]) == 2:
        year += 2000 if year < 69 else 1900  # as POSIX reads two digits
    return _day(year, month, day, AMERICAN_HINT)


def iso_day(text: str, hint: str = ISO_HINT) -> date | None:
    """year-month-day; None when empty. Raises Unreadable."""
    if not text:
        return None
    match = _ISO.fullmatch(text)
    if not match:
        raise Unreadable("That is not a date.", hint)
    year, month, day = (int(part) for part in match.groups())
    return _day(year, month, day, hint)


def time_of_day(text: str) -> time | None:
    """Hours and minutes, with AM or PM or of 24 hours; None when empty. Raises Unreadable."""
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if not match:
        raise Unreadable("That is not a time of day.", TIME_HINT)
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        if not 1 <= hour <= 12:
            raise Unreadable("There is no such time of day.", TIME_HINT)
        hour = hour % 12 + (12 if match[4] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Unreadable("There is no such time of day.", TIME_HINT)
    return time(hour, minute, second)


def american_moment(text: str) -> datetime | None:
    """A day, a space and a time of day, as Google Forms writes them; None when empty. Raises Unreadable."""
    day_text, _, time_text = text.partition(" ")
    day = american_day(day_text)
    return None if day is None else at(day, time_of_day(time_text.strip()) or time())


def iso_moment(text: str, without_time: time) -> datetime | None:
    """ISO day or moment; a day alone means `without_time` of that day; None when empty. Raises Unreadable."""
    day_text, time_text = text[:10], text[11:]
    day = iso_day(day_text)
    if day is None or text == day_text:
        return None if day is None else at(day, without_time)
    if text[10] not in "T " or not _ISO_TIME.fullmatch(time_text):
        raise Unreadable("That is not a date and time.", ISO_HINT)
    try:
        moment = datetime.fromisoformat(f"{day_text}T{time_text}")
    except ValueError:
        raise Unreadable("There is no such time of day.", ISO_HINT) from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    _check_year(moment.year, ISO_HINT)
    return moment


def at(day: date, moment: time) -> datetime:
    """That time of that day, in UTC."""
    return datetime.combine(day, moment, UTC)


def moved(moment: datetime | None, days: int) -> datetime | None:
    """`moment` some whole days later or earlier. Raises Unreadable when that leaves the years we know."""
    if moment is None:
        return None
    try:
        later = moment + timedelta(days=days)
    except OverflowError:
        later = None
    if later is None or later.year not in YEARS:
        raise Unreadable(f"Moved by {days} days, a date leaves the years we know.", "Choose another date.")
    return later


def _day(year: int, month: int, day: int, hint: str) -> date:
    _check_year(year, hint)
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable("There is no such day.", hint) from None


def _check_year(year: int, hint: str) -> None:
    if year not in YEARS:
        raise Unreadable(f"The year is not between {YEARS[0]} and {YEARS[-1]}.", hint)
