"""The clocks of a need: warned of before it ends, looked at again, more urgent or less, reopened for a month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.ending import NOTICE, NOTICE_INCIDENT
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.need_time import (
    EXTEND_DAYS_MAX,
    REOPEN_DAYS_MAX,
    REVIEW_DAYS_MAX,
    Standing,
    next_action,
    untouched_until,
)
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from tests.domain.acts import AGREED, CIRCLE, MORNING, OTHER_CIRCLE, amount, amounts, by, items, new_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADVICE = EmergencyAdvice("112")
END = MORNING + 10 * DAY


def blankets(**more: Any) -> Need:
    return Need.post(new_id(), by(), person=new_id(), category="bedding", quantity=items(10), **more)


def ending(**more: Any) -> Need:
    return blankets(window=Window(None, END), **more)


def at(moment: datetime, role: str = "coordinator") -> Act:
    return Act(new_id(), moment, None if role == NODE else new_id(), role)


def seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def test_a_need_is_warned_of_two_days_before_it_ends_and_only_once() -> None:
    need = ending()
    assert not need.warn_of_expiry(at(END - 48 * HOUR - timedelta(seconds=1), NODE), 0)
    assert need.warn_of_expiry(at(END - 48 * HOUR, NODE), 0)
    assert not need.warn_of_expiry(at(END - 40 * HOUR, NODE), 0)
    assert need.is_open


@pytest.mark.parametrize(
    ("passed", "witnessed", "ends"),
    [
        (48 * HOUR, 48 * HOUR, True),
        (48 * HOUR - timedelta(seconds=1), 48 * HOUR, False),
        (48 * HOUR, 48 * HOUR - timedelta(seconds=1), False),
        (400 * DAY, timedelta(minutes=5), False),
        (400 * DAY, 48 * HOUR, True),
        (-10 * DAY, 60 * HOUR, False),
    ],
)
def test_it_ends_only_after_a_warning_that_stood_and_could_be_seen_for_two_days(
    passed: timedelta, witnessed: timedelta, ends: bool
) -> None:
    need = ending()
    assert not need.expire(at(END + 9 * DAY, NODE), seconds(9 * DAY)), "not without a warning"
    warned = END + DAY  # the node was off when it should have warned
    assert need.warn_of_expiry(at(warned, NODE), 1_000)
    assert need.expire(at(warned + passed, NODE), 1_000 + seconds(witnessed)) is ends
    assert (need.closed_reason == "expired") is ends


def test_a_warning_in_time_does_not_end_it_early() -> None:
    need = ending()
    need.warn_of_expiry(at(END - 48 * HOUR, NODE), 0)
    assert not need.expire(at(END - timedelta(seconds=1), NODE), seconds(48 * HOUR))
    assert need.expire(at(END, NODE), seconds(48 * HOUR))


def test_an_incident_has_a_shorter_notice() -> None:
    short = NOTICE_INCIDENT
    assert short < NOTICE
    need = ending()
    assert not need.warn_of_expiry(at(END - 7 * HOUR, NODE), 0, short)
    assert need.warn_of_expiry(at(END - 6 * HOUR, NODE), 0, short)
    assert not need.expire(at(END, NODE), seconds(5 * HOUR), short)
    assert need.expire(at(END, NODE), seconds(6 * HOUR), short)


def test_what_is_promised_keeps_a_need_open_until_it_is_let_go() -> None:
    need, pledge = ending(), new_id()
    need.warn_of_expiry(at(END - 48 * HOUR, NODE), 0)
    live = Coverage(amount(4), Decimal(0), True)
    need.cover(by(), pledge, Coverage(), live)
    assert not need.expire(at(END + 5 * DAY, NODE), seconds(99 * DAY))
    need.cover(by(), pledge, live, Coverage(open=False))
    assert need.expire(at(END + 5 * DAY, NODE), seconds(99 * DAY))


def test_what_never_ends_and_what_threatens_a_life_do_not_end_by_themselves() -> None:
    for need in (blankets(), ending(urgency="emergency", advice=ADVICE)):
        assert not need.warn_of_expiry(at(END + DAY, NODE), 0)
        assert not need.expire(at(END + 9 * DAY, NODE), seconds(9 * DAY))
        assert need.is_open
    closed = ending()
    closed.close(by(), "met")
    assert not closed.warn_of_expiry(at(END, NODE), 0)


def test_a_warning_of_a_clock_that_stood_in_the_future_is_given_again() -> None:
    need = ending()
    assert need.warn_of_expiry(at(END + 400 * DAY, NODE), 0)
    assert not need.warn_of_expiry(at(END - 9 * DAY, NODE), 0)
    assert need.warn_of_expiry(at(END - DAY, NODE), 0)
    assert not need.expire(at(END, NODE), seconds(30 * HOUR))
    assert need.expire(at(END + DAY, NODE), seconds(48 * HOUR))


def test_who_extends_a_need_begins_anew() -> None:
    need = ending()
    need.warn_of_expiry(at(END - DAY, NODE), 0)
    need.extend(at(END - HOUR), END + 7 * DAY)
    assert (need.window.end, need.warned) == (END + 7 * DAY, None)
    assert not need.expire(at(END + 8 * DAY, NODE), seconds(99 * DAY)), "it has to be warned of again"
    assert need.warn_of_expiry(at(END + 8 * DAY, NODE), 0)


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (END, "not_later"),
        (END - DAY, "not_later"),
        (END + DAY, "not_later"),
        (END + 2 * DAY + timedelta(days=EXTEND_DAYS_MAX, seconds=1), "too_far_away"),
    ],
)
def test_an_extension_ends_later_and_not_too_far_away(until: datetime, reason: str) -> None:
    need = ending()
    with pytest.raises(Refused) as no:
        need.extend(at(END + 2 * DAY), until)
    assert no.value.reason == reason


def test_what_never_ends_is_reviewed_instead() -> None:
    need = blankets()
    with pytest.raises(Refused) as no:
        need.extend(by(), END)
    assert no.value.reason == "never_ends" and "review" in no.value.hint
    need.review(by(), MORNING + 20 * DAY)
    need.review(by())


@pytest.mark.parametrize("next_at", [MORNING, MORNING - DAY, MORNING + timedelta(days=REVIEW_DAYS_MAX, seconds=1)])
def test_the_next_look_is_within_a_month(next_at: datetime) -> None:
    with pytest.raises(Refused) as no:
        blankets().review(by(), next_at)
    assert no.value.reason == "bad_next_look"


def test_an_emergency_is_looked_at_within_four_hours() -> None:
    need = blankets(urgency="emergency", advice=ADVICE)
    need.review(by(), MORNING + 4 * HOUR)
    with pytest.raises(Refused) as no:
        need.review(by(), MORNING + 5 * HOUR)
    assert no.value.reason == "bad_next_look" and "4 hours" in no.value.hint
    assert untouched_until("emergency", MORNING) == MORNING + 4 * HOUR
    assert untouched_until("high", MORNING) == MORNING + 48 * HOUR


def test_an_emergency_is_saved_only_after_the_advice_was_read() -> None:
    with pytest.raises(Refused) as no:
        blankets(urgency="emergency")
    assert no.value.reason == "emergency_advice" and "112" in no.value.detail and no.value.hint
    need = blankets(urgency="emergency", advice=EmergencyAdvice("192 or 193"))
    (acknowledged,) = [e for e in need.collect_events() if isinstance(e, Need.EmergencyAdviceAcknowledged)]
    assert acknowledged.number == "192 or 193"
    assert len(blankets(urgency="high", advice=None).collect_events()) == 1
    for number in ("", " ", "1" * 41, "11\n2"):
        with pytest.raises(Refused) as no:
            EmergencyAdvice(number)
        assert no.value.reason == "bad_emergency_number"


def test_urgency_changes_with_a_reason_and_to_an_emergency_with_the_advice() -> None:
    need = blankets()
    for urgency, why, code in (
        ("normal", "worse", "nothing_changed"),
        ("very", "worse", "unknown_urgency"),
        ("high", "just so", "unknown_reason_for_another_urgency"),
        ("emergency", "worse", "emergency_advice"),
    ):
        with pytest.raises(Refused) as no:
            blankets().change_urgency(by(), urgency, why)
        assert no.value.reason == code
    need.change_urgency(by(), "emergency", "worse", ADVICE)
    assert need.is_emergency
    need.change_urgency(by(), "low", "better")
    assert need.urgency == "low"


def test_a_wider_circle_has_a_consent_of_its_own_and_ends_with_the_emergency() -> None:
    need = blankets()
    need.share(by(), CIRCLE, AGREED)
    with pytest.raises(Refused) as no:
        need.share(by(), OTHER_CIRCLE, AGREED, because_of_emergency=True)
    assert no.value.reason == "no_emergency"
    need.change_urgency(by(), "emergency", "worse", ADVICE)
    need.share(by(), OTHER_CIRCLE, AGREED, because_of_emergency=True)
    assert need.emergency_circles == {OTHER_CIRCLE}
    need.change_urgency(by(), "high", "better")
    assert need.shares[CIRCLE].live and not need.shares[OTHER_CIRCLE].live
    need.share(by(), OTHER_CIRCLE, AGREED)
    assert need.shares[OTHER_CIRCLE].live and not need.emergency_circles


def test_a_wide_share_that_was_taken_back_before_is_not_taken_back_twice() -> None:
    need = blankets(urgency="emergency", advice=ADVICE)
    need.share(by(), CIRCLE, AGREED, because_of_emergency=True)
    need.unshare(by(), CIRCLE)
    need.change_urgency(by(), "normal", "mistaken")
    assert need.shares[CIRCLE].state == "revoked"


def test_a_need_is_reopened_within_a_month_and_shared_with_nobody() -> None:
    need = ending()
    need.share(by(), CIRCLE, AGREED)
    with pytest.raises(Refused) as no:
        need.reopen(by())
    assert no.value.reason == "not_closed"
    names = {need.name_at(need.version)}
    for _ in range(3):
        need.record_contact(by(), "no_answer")
    need.warn_of_expiry(at(END, NODE), 0)
    need.close(at(END), "met")
    closed = need.version
    need.reopen(at(END + timedelta(days=REOPEN_DAYS_MAX)))
    assert (need.state, need.closed_reason, need.unanswered, need.warned) == ("open", None, 0, None)
    assert not need.shares[CIRCLE].live
    names.add(need.name_at(need.version))
    assert need.name_at(closed) == need.id and not need.is_of_now(closed) and need.is_of_now(need.version)
    assert need.circles_at_closing(closed) == {CIRCLE}
    need.share(by(), CIRCLE, AGREED)
    need.withdraw(at(END + timedelta(days=40)))
    assert need.circles_at_closing(need.version) == {CIRCLE}
    need.reopen(at(END + timedelta(days=50)))
    names.add(need.name_at(need.version))
    assert len(names) == 3, "for others each time another need"


def test_after_a_month_a_new_need_is_posted() -> None:
    need = blankets()
    need.close(by(), "met")
    with pytest.raises(Refused) as no:
        need.reopen(at(MORNING + timedelta(days=REOPEN_DAYS_MAX, seconds=1)))
    assert no.value.reason == "closed_long_ago" and "new need" in no.value.hint


def test_a_need_is_amended_but_not_below_what_is_promised() -> None:
    need = blankets()
    need.cover(by(), new_id(), Coverage(), Coverage(amount(4), amount(3), True))
    need.amend(by(), amount(7))
    assert (need.quantity, need.acceptable) == amounts(7, 0)
    for number, code in ((6, "already_promised"), (7, "nothing_changed"), (0, "bad_quantity"), (-1, "bad_quantity")):
        with pytest.raises(Refused) as no:
            need.amend(by(), amount(number))
        assert no.value.reason == code
    need.amend(by(), amount(70))
    assert need.acceptable == 63


def test_a_closed_need_is_cared_for_no_more() -> None:
    need = ending()
    need.close(by(), "met")
    acts: tuple[Callable[[], object], ...] = (
        lambda: need.review(by()),
        lambda: need.record_contact(by(), "reached"),
        lambda: need.extend(by(), END + DAY),
        lambda: need.amend(by(), amount(3)),
        lambda: need.change_urgency(by(), "high", "worse"),
        lambda: need.share(by(), CIRCLE, AGREED, because_of_emergency=True),
    )
    for act in acts:
        with pytest.raises(Refused) as no:
            act()
        assert no.value.reason == "need_closed"


def test_every_open_need_has_something_to_be_done_next() -> None:
    said = {
        next_action(Standing(urgency, ends_on, waiting, unanswered, covered, arrived, shared))
        for urgency in ("normal", "emergency")
        for ends_on in (None, "2026-12-02")
        for waiting in (False, True)
        for unanswered in (0, 2, 3)
        for covered in (False, True)
        for arrived in (False, True)
        for shared in (False, True)
    }
    assert len(said) == 14 and all(text.endswith(".") and len(text) < 160 for text in said)
    assert sum(text.startswith("Emergency. ") for text in said) == 7
