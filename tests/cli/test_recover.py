"""What is said of a node that was restored: what is missing, what is lost, what to do."""

from __future__ import annotations

from aidmesh_cli.problems import FAILURE, OK, USAGE
from tests.cli.answers import recovery
from tests.cli.recorded_node import RecordedNode, Terminal

FEED = {"peer": "Hillside", "held": 12, "known": 112, "confirmed": False}


def test_while_it_lasts_it_says_what_is_missing_and_what_leads_on(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /recovery", recovery("recovering", feeds=[FEED], unknown_feeds=1))
    said = aidmesh("recover", "status")
    assert "12 of 112 statements here" in said.out
    assert "1 group it has spoken to is not known here" in said.out
    assert "recover override" in said.err and "by itself" in said.err
    assert aidmesh("recover", "status", "--quiet").out == "recovering\n"


def test_what_is_lost_is_said(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /recovery", recovery("recovered", statements=100, lost=10))
    out = " ".join(aidmesh("recover", "status").out.split())
    assert "100 statements" in out and "about 10 records that no other group was told of" in out


def test_waiting_ends_with_it_and_fails_when_it_does_not(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /recovery", recovery("recovering"), recovery("recovering"), recovery("recovered"))
    said = aidmesh("recover", "wait")
    assert said.code == OK and "over" in said.out


def test_nobody_goes_on_without_being_sure(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /recovery", recovery("recovering", feeds=[FEED]))
    said = aidmesh("recover", "override")
    assert said.code in (FAILURE, USAGE) and "100 statements" in said.err
    assert node.posted() == [], "nothing was done"


def test_a_task_is_done_by_its_number(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /recovery/tasks/3/done", {"number": 3, "position": 9})
    assert aidmesh("recover", "done", "3").out == "Done: 3.\n"
    assert node.posted() == [("/recovery/tasks/3/done", {})]
