"""Dates of other people's tables: read exactly, or refused with the way to write them."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.exchange.dates import (
    DAY_ENDS,
    american_day,
    american_moment,
    iso_day,
    iso_moment,
    moved,
    time_of_day,
)
from aidmesh_node.exchange.report import Unreadable


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("11/16/12", date(2012, 11, 16)),
        ("1/6/2013", date(2013, 1, 6)),
        ("02/29/2024", date(2024, 2, 29)),
        ("12/31/99", date(1999, 12, 31)),
        ("2015-04-01", date(2015, 4, 1)),
        ("", None),
    ],
)
def test_american_days(text: str, day: date | None) -> None:
    assert american_day(text) == day


@pytest.mark.parametrize(
    "text",
    [
        *("13/01/2013", "02/30/2013", "02/29/2023", "0/1/2013", "16.11.2012", "11-16-12", "11/16/123"),
        *(
            "11/16",
            "1/1/1969",
            "1/1/2200",
            "yesterday",
            "\u0661\u0661/\u0661\u0666/\u0661\u0662",
            "11/16/12 ",
            "2013-02-30",
            "20130101",
        ),
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        american_day(text)
    assert "month/day/year" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("12:00:00 AM", time(0, 0)),
        ("12:10:00 AM", time(0, 10)),
        ("12:10 PM", time(12, 10)),
        ("1:05:09 pm", time(13, 5, 9)),
        ("23:59", time(23, 59)),
        ("", None),
    ],
)
def test_times_of_day(text: str, clock: time | None) -> None:
    assert time_of_day(text) == clock


@pytest.mark.parametrize("text", ["24:00", "13:00 PM", "0:10 AM", "12:60", "noon", "12", "12:10:61", "-1:10"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        time_of_day(text)


def test_moments_of_a_form() -> None:
    assert american_moment("3/15/2020 22:49:40") == datetime(2020, 3, 15, 22, 49, 40, tzinfo=UTC)
    assert american_moment("3/15/2020 10:49 PM") == datetime(2020, 3, 15, 22, 49, tzinfo=UTC)
    assert american_moment("3/15/2020") == datetime(2020, 3, 15, tzinfo=UTC)
    assert american_moment("") is None
    with pytest.raises(Unreadable):
        american_moment("3/15/2020 sometime")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, 23, 59, tzinfo=UTC)),
        ("2026-11-22T08:00Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("2026-11-22 08:00:30", datetime(2026, 11, 22, 8, 0, 30, tzinfo=UTC)),
        ("2026-11-22T08:00+09:00", datetime(2026, 11, 21, 23, tzinfo=UTC)),
        ("", None),
    ],
)
def test_iso_moments(text: str, moment: datetime | None) -> None:
    assert iso_moment(text, DAY_ENDS) == moment


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-11-31",
            "2026-W47-7",
            "2026-11-22T",
            "2026-11-22T25:00Z",
            "2026-11-22x08:00",
            "1970-01-01T00:00+14:00",
        ),
        *("11/22/2026", "2026-11-22T08:00+99:00", "2199-12-31T23:00-09:00", "0001-01-01"),
    ],
)
def test_what_is_no_iso_moment_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        iso_moment(text, DAY_ENDS)


@given(st.text(max_size=24))
def test_any_text_is_a_date_or_unreadable(text: str) -> None:
    for read in (american_day, iso_day, american_moment, time_of_day, lambda t: iso_moment(t, DAY_ENDS)):
        with suppress(Unreadable):
            read(text)


def test_moving_by_days_keeps_the_time_of_day() -> None:
    at = datetime(2013, 1, 16, 0, 10, tzinfo=UTC)
    assert moved(at, 5106) == at + timedelta(days=5106)
    assert moved(None, 5106) is None
    for days in (100_000, -20_000, 10_000_000):
        with pytest.raises(Unreadable):
            moved(at, days)
