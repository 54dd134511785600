"""Every way to fail has an exit code for scripts, and says to a person what failed, why, and what to do."""

from __future__ import annotations

import pytest

from aidmesh_cli.problems import (
    AUTH,
    CONFLICT,
    FAILURE,
    NOT_FOUND,
    PLACES_SHOWN_MAX,
    UNREACHABLE,
    USAGE,
    exit_code_of,
)
from tests.cli.recorded_node import RecordedNode, Terminal

PROBLEMS = [
    (400, "malformed", USAGE),
    (401, "unauthenticated", AUTH),
    (403, "not_allowed", AUTH),
    (404, "not_found", NOT_FOUND),
    (404, "unknown_route", NOT_FOUND),
    (409, "ambiguous_id", CONFLICT),
    (409, "already_accepted", CONFLICT),
    (409, "words_differ", CONFLICT),
    (410, "erased", NOT_FOUND),
    (413, "too_large", FAILURE),
    (422, "bad_quantity", FAILURE),
    (422, "idempotency_key_reused", FAILURE),
    (422, "import_problems", FAILURE),
    (500, "internal", FAILURE),
    (502, "peer_answered_badly", UNREACHABLE),
    (503, "storage", FAILURE),
    (503, "peer_unreachable", UNREACHABLE),
    (507, "storage_full", FAILURE),
]


@pytest.mark.parametrize(("status", "code", "exit_code"), PROBLEMS)
def test_a_problem_document_becomes_an_exit_code_and_sentences(
    status: int, code: str, exit_code: int, node: RecordedNode, aidmesh: Terminal
) -> None:
    node.refuse("POST /needs/aaaaaaaa/withdraw", status, code, "This cannot be.", "Try something else.")
    said = aidmesh("need", "withdraw", "aaaaaaaa")
    assert (said.code, said.out) == (exit_code, "")
    first, second, third = said.err.splitlines()
    assert (first, second) == ("aidmesh need withdraw: This cannot be.", "  What to do: Try something else.")
    assert third.startswith("  Next: aidmesh ")
    assert exit_code_of(status, code) == exit_code


def test_each_thing_wrong_with_a_file_is_named(node: RecordedNode, aidmesh: Terminal) -> None:
    errors = [
        {"where": f"inv_req.csv:{row}:Quantity", "message": f"“{row}x” is not an amount.", "hint": "Use digits."}
        for row in range(2, 30)
    ]
    detail = f"{len(errors)} problems were found; nothing was imported."
    node.refuse("POST /imports", 422, "import_problems", detail, errors=errors)
    file = node.home / "inv_req.csv"
    file.write_text("Quantity\n")
    said = aidmesh("import", "csv", str(file))
    assert said.code == FAILURE
    lines = said.err.splitlines()
    assert lines[0] == "aidmesh import csv: 28 problems were found; nothing was imported."
    assert lines[1] == "  inv_req.csv:2:Quantity: “2x” is not an amount."
    assert lines[2] == "    Use digits."
    assert lines[-2] == f"  and {28 - PLACES_SHOWN_MAX} more"
    assert lines[-1].startswith("  Next: aidmesh import csv ")


def test_of_very_many_things_the_node_names_the_first_and_counts_all(node: RecordedNode, aidmesh: Terminal) -> None:
    errors = [{"where": f"long.csv:{row}:quantity", "message": "“x” is not an amount."} for row in range(2, 102)]
    detail = "1500 problems were found; nothing was imported."
    node.refuse("POST /imports", 422, "import_problems", detail, errors=errors, errors_found=1500)
    file = node.home / "long.csv"
    file.write_text("quantity\n")
    assert aidmesh("import", "csv", str(file)).err.splitlines()[-2] == f"  and {1500 - PLACES_SHOWN_MAX} more"


def test_a_single_wrong_field_is_not_named_twice(node: RecordedNode, aidmesh: Terminal) -> None:
    node.refuse(
        "POST /needs/aaaaaaaa/withdraw",
        400,
        "malformed",
        "The request cannot be used: Expected `str` at $.quantity.",
        errors=[{"where": "$.quantity", "message": "Expected `str`"}],
    )
    assert aidmesh("need", "withdraw", "aaaaaaaa").err.count("Expected `str`") == 1


def test_a_hostile_problem_cannot_command_the_terminal(node: RecordedNode, aidmesh: Terminal) -> None:
    hostile = "\x1b[2J\x9b31m\N{RIGHT-TO-LEFT OVERRIDE}"
    errors = [{"where": hostile, "message": hostile, "hint": hostile}] * 2
    node.refuse("POST /needs/aaaaaaaa/withdraw", 409, "x", hostile, hostile, errors=errors)
    said = aidmesh("need", "withdraw", "aaaaaaaa")
    assert said.code == CONFLICT
    assert all(character.isprintable() or character in "\n\N{REPLACEMENT CHARACTER}" for character in said.err)


@pytest.mark.parametrize(
    "document", [{}, {"detail": 5, "hint": [], "code": None, "errors": "x"}, {"errors": [1, None, {"where": 3}]}]
)
def test_a_strange_problem_is_still_a_problem(
    document: dict[str, object], node: RecordedNode, aidmesh: Terminal
) -> None:
    node.answer("POST /needs/aaaaaaaa/withdraw", document, status=409)
    said = aidmesh("need", "withdraw", "aaaaaaaa")
    assert said.code == CONFLICT
    assert said.err.startswith("aidmesh need withdraw: The node answered 409.")
