"""What people see, at 80 columns: nothing wraps, nothing commands the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from aidmesh_cli.problems import OK
from rich.cells import cell_len

from tests.cli.answers import CIRCLE, HILLSIDE, need, offer, peer, pledge, status
from tests.cli.recorded_node import RecordedNode, Terminal, sequence

LONG = "Emergency shelter repair kits with rope, nails and a hammer"
THEIRS = {
    "id": "d00dfeed000040008000000000000009",
    "ours": False,
    "group": HILLSIDE,
    "group_name": "Hillside",
    "circle": CIRCLE,
}
BOARD = {
    "schema_version": 1,
    "position": 9,
    "needs": [
        need(),
        need(
            **THEIRS,
            item=None,
            category="childcare",
            quantity="3",
            open="2.5",
            unit="hour",
            urgency="normal",
            until=None,
        ),
        need(id="1" * 32, item=LONG, quantity="32000", open="31800", unit="m2", until="2026-12-01T14:30:00Z"),
    ],
    "offers": [
        offer(),
        offer(
            **THEIRS, item="Advice", quantity=None, available=None, unit="hour", held=None, committed=None, drawn=None
        ),
        offer(id="2" * 32, item="Boat", mode="lend", unit="trip", quantity="4", available="4"),
    ],
}


def test_the_board(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /board", BOARD)
    said = aidmesh("board")
    assert said.code == OK
    assert (
        said.out
        == """\
ID        NEED                  STILL OPEN  URGENCY  UNTIL             GROUP
f6fdd3c4  Blankets          3,580 of 5,100  high     2026-12-01        us
d00dfeed  childcare          2.5 of 3 hour  normal                     Hillside
11111111  Emergenc…  31,800 of 32,000 m2  high     2026-12-01 14:30  us

ID        OFFER                  AVAILABLE  MODE  UNTIL  GROUP
0ff3e000  Plastic Sheets  850 of 32,000 m2  give         us
d00dfeed  Advice                any amount  give         Hillside
22222222  Boat                 4 of 4 trip  lend         us
"""
    )
    assert said.err == f"To help: aidmesh pledge offer ID --quantity NUMBER --home {node.home}\n"


def test_the_list_of_needs(node: RecordedNode, aidmesh: Terminal) -> None:
    closed = need(id="3" * 32, received="5100", open="0", state="closed", closed_reason="partly_met", until=None)
    node.answer("GET /needs", sequence([need(), closed, need(**THEIRS, item=LONG)]))
    said = aidmesh("need", "list")
    assert said.code == OK
    assert said.out == "x"


def test_one_pledge(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /pledges/2e4982cc", pledge())
    said = aidmesh("pledge", "show", "2e4982cc")
    assert said.code == OK
    assert (
        said.out
        == """\
pledge       Blankets from Hillside
id           2e4982cc1e535e0b84cd356cc949de6d
need         f6fdd3c4
phase        handed over
offered      2,000
accepted     1,500
committed    1,500
handed over  1,500
on its way   1,500
how          pick up
until        2026-11-30 14:30
changed      2026-11-22 09:25
Next: Hillside says 1500 item were handed over: confirm what arrived.
"""
    )
    assert said.err == ""
