"""Before an emergency is saved somebody has read whom to call: on a terminal it is asked, in a script it is said."""

from __future__ import annotations

import io

import pytest

from aidmesh_cli.problems import FAILURE, INTERRUPTED, OK, USAGE
from tests.cli.answers import need
from tests.cli.recorded_node import RecordedNode, Terminal

DONE = {"id": "a" * 32, "version": 2, "position": 9}
ADVICE = {"number": "112", "text": "If a life is in danger, call 112 now. We are not an emergency service."}
POST = ("need", "post", "Insulin", "--category", "medicine", "--quantity", "1", "--urgency", "emergency")


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def ready(node: RecordedNode) -> RecordedNode:
    node.answer("GET /emergency-advice", ADVICE)
    node.answer("POST /needs", DONE)
    node.answer("POST /needs/aaaaaaaa/urgency", DONE)
    return node


@pytest.mark.parametrize("command", [POST, ("need", "urgency", "aaaaaaaa", "emergency", "--reason", "worse")])
def test_a_script_that_did_not_read_it_saves_nothing(
    command: tuple[str, ...], ready: RecordedNode, aidmesh: Terminal
) -> None:
    said = aidmesh(*command)
    assert (said.code, said.out) == (USAGE, "")
    assert "call 112 now" in said.err and "--advice-acknowledged" in said.err
    assert not ready.posted()
    assert aidmesh(*command, "--advice-acknowledged").code == OK
    assert ready.posted()[0][1]["emergency_advice_acknowledged"] is True


@pytest.mark.parametrize(("answer", "code"), [("y\n", OK), ("n\n", FAILURE), ("", INTERRUPTED)])
def test_at_a_terminal_it_is_shown_and_asked(
    answer: str, code: int, ready: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    said = aidmesh(*POST)
    assert said.code == code
    assert "call 112 now" in said.err
    assert [body.get("emergency_advice_acknowledged") for _, body in ready.posted()] == ([True] if code == OK else [])


def test_another_urgency_asks_nothing(ready: RecordedNode, aidmesh: Terminal) -> None:
    assert aidmesh(*POST[:-1], "high").code == OK
    assert [one.path for one in ready.asked] == ["/needs"]
    assert "emergency_advice_acknowledged" not in ready.asked[0].body


def test_after_three_calls_in_vain_another_way_is_suggested(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /needs/aaaaaaaa/contact-attempt", {**DONE, "unanswered": 2}, {**DONE, "unanswered": 3})
    command = ("need", "contact-attempt", "aaaaaaaa", "--outcome", "no_answer")
    assert "neighbour" not in aidmesh(*command).err
    said = aidmesh(*command).err
    assert "a neighbour, or let it rest:\n  aidmesh need review aaaaaaaa --next DATE" in said


def test_the_untouched_ones_say_what_to_do_next(node: RecordedNode, aidmesh: Terminal) -> None:

    node.answer("GET /needs?untouched=true", {"items": [need()], "cursor": None})
    said = aidmesh("need", "list", "--untouched")
    assert "DUE" in said.out and "2026-11-24 08:00" in said.out and "Not all of it is promised" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
