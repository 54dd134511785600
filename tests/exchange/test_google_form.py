"""The answers to a request form: one need a row, everything the person wrote in the vault."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from aidmesh_node.domain.quantity import Quantity
from tests.exchange.written_csv import ANSWER, plan, problems, written

WHAT = "What do you need? Check all that apply"
WHEN = "Is your need:"


def test_a_completed_answer_becomes_a_closed_need() -> None:
    result = plan(written(ANSWER))
    [need] = result.needs
    assert result.shape == "google_form"
    assert need.closed_reason == "met"
    assert need.quantity == Quantity(Decimal(1), "request")
    assert (need.category, need.item, need.area, need.urgency) == ("food", None, None, "low")
    assert need.posted_on == datetime(2020, 3, 15, 22, 49, 40, tzinfo=UTC)
    assert need.private["name"] == "Ana"
    assert need.private["what"] == "Food, pet care"


@pytest.mark.parametrize(
    ("answer", "urgency"),
    [
        ("Urgent! I need this within 24 hours", "high"),
        ("an EMERGENCY", "high"),
        ("Non urgent, I can wait a day or two", "low"),
        ("non-urgent", "low"),
        ("not an emergency", "low"),
        ("It would be great if available, but could survive without", "low"),
        ("this week", "normal"),
        ("", "normal"),
    ],
)
def test_urgency_is_read_from_the_answer(answer: str, urgency: str) -> None:
    assert plan(written({**ANSWER, WHEN: answer})).needs[0].urgency == urgency


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        ("Housing, Food", "shelter"),
        ("Transportation for essential travel", "transport"),
        ("pet care, clothing/laundry", "clothing"),
        ("a listening ear", "other"),
        ("", "other"),
    ],
)
def test_the_first_type_we_recognise_is_the_category(answer: str, category: str) -> None:
    assert plan(written({**ANSWER, WHAT: answer})).needs[0].category == category


@pytest.mark.parametrize(
    ("status", "reason"),
    [("", None), ("In progress", None), ("completed", "met"), ("Duplicate", "duplicate"), ("New", None)],
)
def test_statuses(status: str, reason: str | None) -> None:
    assert plan(written({**ANSWER, "Status": status})).needs[0].closed_reason == reason


def test_an_unknown_status_names_the_known_ones() -> None:
    [found] = problems(written({**ANSWER, "Status": "Elsewhere"}))
    assert (found.row, found.column, found.value) == (2, "Status", "Elsewhere")
    assert "Completed" in found.hint


@pytest.mark.parametrize(("column", "value"), [("ID", ""), ("Timestamp", "15/3/2020 22:49")])
def test_a_bad_answer_is_named(column: str, value: str) -> None:
    assert [problem.column for problem in problems(written({**ANSWER, column: value}))] == [column]


def test_an_id_belongs_to_one_row() -> None:
    [found] = problems(written(ANSWER, {**ANSWER, "Name": "Bela"}))
    assert (found.row, found.column) == (3, "ID")


def test_rows_are_one_persons_only_when_a_contact_says_so() -> None:
    again = {**ANSWER, "ID": "3"}
    by_name = plan(written(ANSWER, again)).needs
    assert by_name[0].person_key != by_name[1].person_key
    by_phone = plan(written({**ANSWER, "telephone": "555 0100"}, {**again, "telephone": "555 0100"})).needs
    assert by_phone[0].person_key == by_phone[1].person_key
    shared_phone = plan(
        written({**ANSWER, "telephone": "555 0100"}, {**again, "telephone": "555 0100", "Name": "Bela"})
    ).needs
    assert shared_phone[0].person_key != shared_phone[1].person_key


def test_as_of_moves_the_timestamp() -> None:
    result = plan(written(ANSWER), as_of=date(2026, 11, 22))
    assert result.needs[0].posted_on == datetime(2026, 11, 22, 22, 49, 40, tzinfo=UTC)
    assert any("latest Timestamp, 2020-03-15, became 2026-11-22" in note for note in result.notes)
