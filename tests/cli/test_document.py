"""The command line against the API document: what it asks is checked in every test, what it reads is checked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli import answers
from tests.support.document import request_problems, validator
from tests.support.typed_answers import FILE, RENEW, source

SHOWN = {
    "Need": answers.need,
    "Offer": answers.offer,
    "Pledge": answers.pledge,
    "Dispute": answers.dispute,
    "Fork": answers.fork,
    "Peer": answers.peer,
    "Status": answers.status,
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_answers_these_tests_show_are_answers_of_the_api(name: str) -> None:
    make: Callable[..., dict[str, Any]] = SHOWN[name]
    problems = [str(error) for error in validator({"$ref": f"#/components/schemas/{name}"}).iter_errors(make())]
    assert problems == []


@pytest.mark.parametrize(
    ("method", "target", "body", "problem"),
    [
        ("GET", "/api/v1/wishes", None, "is no operation"),
        ("PUT", "/api/v1/needs", {}, "is no operation"),
        ("GET", "/api/v1/needs?sort=urgency", None, "has no parameter sort"),
        ("GET", "/api/v1/needs?limit=0", None, "takes no limit=0"),
        ("GET", "/api/v1/needs?state=lost", None, "takes no state=lost"),
        ("POST", "/api/v1/needs", None, "needs a body"),
        ("POST", "/api/v1/needs", {"category": "food", "quantity": 5, "unit": "kg"}, '5 is not of type "string"'),
        ("POST", "/api/v1/needs", {"category": "food", "quantity": "5"}, '"unit" is a required property'),
        ("POST", f"/api/v1/needs/{'a' * 32}/close", {"reason": "bored"}, "bored"),
    ],
)
def test_a_request_the_document_does_not_tell_of_is_noticed(
    method: str, target: str, body: object, problem: str
) -> None:
    (told,) = request_problems(method, target, body)
    assert problem in told


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/api/v1/needs?limit=5&ours=true&state=open", None),
        ("POST", f"/api/v1/needs/{'a' * 8}/withdraw", None),
        ("POST", "/api/v1/needs", {"category": "food", "quantity": "5", "unit": "kg"}),
    ],
)
def test_a_request_of_the_document_is_none_to_complain_about(method: str, target: str, body: object) -> None:
    assert request_problems(method, target, body) == []


def test_the_types_the_command_line_reads_answers_by_are_those_of_the_document() -> None:
    assert FILE.read_text(encoding="utf-8") == source(), f"renew them: {RENEW}"
