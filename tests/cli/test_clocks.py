"""Clocks that differ, as the command line says it."""

from __future__ import annotations

import pytest

from aidmesh_cli.clocks import clock_apart
from aidmesh_cli.problems import OK
from tests.cli.answers import HILLSIDE, peer, status
from tests.cli.recorded_node import RecordedNode, Terminal, sequence


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (None, ""),
        (0, ""),
        (300, ""),
        (-300, ""),
        (301, "5 minutes ahead of ours"),
        (3_590, "1 hour ahead of ours"),
        (-7_300, "2 hours behind ours"),
        (86_398, "1 day ahead of ours"),
        (-86_402, "1 day behind ours"),
        (-1_795_334_370, "20779 days behind ours"),
        ("soon", ""),
    ],
)
def test_how_far_two_clocks_are_apart(ahead: object, words: str) -> None:
    assert clock_apart({"clock_ahead_seconds": ahead}) == words


def test_peer_status_says_it_and_what_to_do(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /peers", sequence([peer()]))
    node.answer(f"GET /peers/{HILLSIDE}", {**peer(clock_ahead_seconds=-86_400), "refusals": []})
    said = aidmesh("peer", "status", "Hillside")
    assert said.code == OK, said.err
    assert "their clock  1 day behind ours\n" in said.out
    assert "set that one" in said.err and "nothing is lost" in said.err


def test_peer_status_says_nothing_of_clocks_that_agree(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /peers", sequence([peer()]))
    node.answer(f"GET /peers/{HILLSIDE}", {**peer(clock_ahead_seconds=2), "refusals": []})
    said = aidmesh("peer", "status", "Hillside")
    assert said.code == OK and "clock" not in said.out + said.err


def test_status_says_what_the_node_says_about_its_own_clock_and_who_differs(
    node: RecordedNode, aidmesh: Terminal
) -> None:
    words = (
        "The clock of this machine says 1970-01-01 00:00 UTC, which cannot be right. Set it; until then nothing ends "
        "here because time has passed."
    )
    node.answer("GET /status", status(clock={"trusted": False, "words": words}))
    node.answer("GET /peers", sequence([peer(clock_ahead_seconds=1_795_334_370)]))
    out = aidmesh("status").out
    assert words in " ".join(out.split()), "wrapped, whole"
    assert max(len(line) for line in out.splitlines() if "--home" not in line) <= 80
    assert "Next: the clock of Hillside is 20779 days ahead of ours" in out, "and whom to ask"
