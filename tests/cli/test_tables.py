"""What people see, at 80 columns: nothing wraps, nothing commands the terminal."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from aidmesh_cli.problems import OK
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
BOARD: dict[str, Any] = {
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
ID        NEED                   STILL OPEN  URGENCY  UNTIL             GROUP
f6fdd3c4  Blankets           3,580 of 5,100  high     2026-12-01        us
d00dfeed  childcare          2.5 of 3 hours  normal                     Hillside
11111111  Emergency s…  31,800 of 32,000 m2  high     2026-12-01 14:30  us

ID        OFFER                  AVAILABLE  MODE  UNTIL  GROUP
0ff3e000  Plastic Sheets  850 of 32,000 m2  give         us
d00dfeed  Advice                any amount  give         Hillside
22222222  Boat                4 of 4 trips  lend         us
"""
    )
    assert said.err == f"To help:\n  aidmesh pledge offer ID --quantity NUMBER --home {node.home}\n"


def test_the_list_of_needs(node: RecordedNode, aidmesh: Terminal) -> None:
    closed = need(id="3" * 32, received="5100", open="0", state="closed", closed_reason="partly_met", until=None)
    node.answer("GET /needs", sequence([need(), closed, need(**THEIRS, item=LONG)]))
    said = aidmesh("need", "list")
    assert (said.code, said.err) == (OK, "")
    assert (
        said.out
        == """\
ID        NEED                        RECEIVED  STATE       UNTIL       GROUP
f6fdd3c4  Blankets              1,500 of 5,100  open        2026-12-01  us
33333333  Blankets              5,100 of 5,100  partly met              us
d00dfeed  Emergency shelter r…  1,500 of 5,100  open        2026-12-01  Hillside
"""
    )


def test_the_list_of_pledges(node: RecordedNode, aidmesh: Terminal) -> None:
    given = pledge(role="giver", committed="0", accepted="0", phase="offered")
    inside = pledge(role="local", peer=None, peer_name=None, unit="kg", item=LONG)
    node.answer("GET /pledges", sequence([pledge(), given, inside]))
    assert (
        aidmesh("pledge", "list").out
        == """\
ID        PLEDGE             QUANTITY  PHASE        BETWEEN           CHANGED
2e4982cc  Blankets              1,500  handed over  from Hillside     2026-11-22
2e4982cc  Blankets              2,000  offered      to Hillside       2026-11-22
2e4982cc  Emergency shelte…  1,500 kg  handed over  within our group  2026-11-22
"""
    )


def test_one_pledge(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /pledges/2e4982cc", pledge())
    said = aidmesh("pledge", "show", "2e4982cc")
    assert (said.code, said.err) == (OK, "")
    assert (
        said.out
        == """\
pledge        Blankets from Hillside
id            2e4982cc1e535e0b84cd356cc949de6d
need          f6fdd3c4
phase         handed over
offered       2,000
accepted      1,500
committed     1,500
handed over   1,500
on its way    1,500
asked         1 time, last 2026-11-22 10:00
last attempt  picked up
how           pick up
until         2026-11-30 14:30
changed       2026-11-22 09:25
Next: Hillside says 1500 item were handed over: confirm what arrived.
"""
    )


def test_what_was_said_to_have_arrived_is_repeated_and_not_what_was_promised(
    node: RecordedNode, aidmesh: Terminal
) -> None:
    found = pledge(received="3", in_transit="1497")
    node.answer(f"POST /pledges/{found['id']}/receive", {"id": found["id"], "version": 6, "position": 9})
    node.answer(f"GET /pledges/{found['id']}", found)
    assert aidmesh("pledge", "receive", found["id"], "--quantity", "3").out == (
        "Received: pledge 2e4982cc, 3 Blankets from Hillside.\n"
    )


def test_the_groups(node: RecordedNode, aidmesh: Terminal) -> None:
    waiting = peer(gid="p" * 32, name="Riverside", state="pending", confirmed=False, words=["a", "b", "c", "d"])
    away = peer(gid="q" * 32, name="Woods", reachable=False, last_contact=None)
    frozen = peer(gid="r" * 32, name="Lake", frozen="fork_detected")
    node.answer("GET /peers", sequence([peer(), waiting, away, frozen]))
    assert (
        aidmesh("peer", "list").out
        == """\
ID        GROUP      STATE                     CONTACT
ko3ixn4o  Hillside   active                    reachable, 2026-11-22 09:25
pppppppp  Riverside  waits for the four words
qqqqqqqq  Woods      active                    never reached
rrrrrrrr  Lake       active                    frozen: fork_detected
"""
    )


def test_the_status_says_what_waits_for_somebody(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /status", status())
    node.answer("GET /peers", sequence([peer(), peer(gid="p" * 32, state="pending", confirmed=False)]))
    node.answer("GET /pledges?role=home&phase=handed_over&limit=500", sequence([pledge()]))
    said = aidmesh("status")
    assert (said.code, said.err) == (OK, "")
    assert (
        said.out
        == f"""\
group     Harbour (yflfdpda)
address   http://harbour.example:8420
standing  in order; it signs what it says
needs     2 open, 1 closed
offers    none
pledges   1 handed over
groups    1 linked, 1 not confirmed
Next: compare the four words with Hillside
      aidmesh peer status pppppppp --home {node.home}
Next: confirm what arrived (1 pledge)
      aidmesh pledge list --role home --phase handed_over --home {node.home}
"""
    )


def test_a_restored_node_says_so_first(node: RecordedNode, aidmesh: Terminal) -> None:
    reason = "its own feed is shorter than what it signed before"
    node.answer("GET /status", status(standing="recovering", standing_reason=reason, signing=False))
    node.answer("GET /peers", sequence([peer()]))
    lines = aidmesh("status").out.splitlines()
    assert "standing  recovering: it signs nothing" in lines
    assert lines[-2:] == [f"Next: {reason}.", f"      aidmesh recover status --home {node.home}"]


def test_a_long_note_is_shown_whole(node: RecordedNode, aidmesh: Terminal) -> None:
    note = "The door is at the back. " * 10
    node.answer("GET /needs/f6fdd3c4", need(person={"name": "Ana Silva", "phone": "77 123"}, note=note.strip()))
    out = aidmesh("need", "show", "f6fdd3c4").out
    assert "for: name    Ana Silva\nfor: phone   77 123\n" in out
    assert out.count("The") == 10
    assert max(map(len, out.splitlines())) <= 80


HOSTILE = "\x1b[31mBl\x9bank\N{RIGHT-TO-LEFT OVERRIDE}ets\x1b]0;x\x07\n\r\t毛布" * 5
QUESTIONS = {
    "board": ("GET /board", {**BOARD, "needs": [need(item=HOSTILE, group_name=HOSTILE, ours=False, urgency=HOSTILE)]}),
    "need list": ("GET /needs", sequence([need(item=HOSTILE, until=HOSTILE, group_name=HOSTILE, ours=False)])),
    "need show aaaaaa": ("GET /needs/aaaaaa", need(item=HOSTILE, area=HOSTILE, note=HOSTILE, person={"name": HOSTILE})),
    "offer list": ("GET /offers", sequence([offer(item=HOSTILE, quantity=HOSTILE, unit=HOSTILE)])),
    "offer show aaaaaa": ("GET /offers/aaaaaa", offer(item=HOSTILE, mode=HOSTILE, state=HOSTILE)),
    "pledge list": ("GET /pledges", sequence([pledge(item=HOSTILE, peer_name=HOSTILE, phase=HOSTILE)])),
    "pledge show aaaaaa": ("GET /pledges/aaaaaa", pledge(item=HOSTILE, next=HOSTILE, reason=HOSTILE)),
    "peer list": ("GET /peers", sequence([peer(name=HOSTILE, frozen=HOSTILE)])),
    "member list": (
        "GET /members",
        sequence([{"id": "a" * 32, "name": HOSTILE, "role": HOSTILE, "state": HOSTILE, "joined_at": HOSTILE}]),
    ),
    "config show": ("GET /config", {"settings": [{"key": HOSTILE, "value": HOSTILE, "origin": HOSTILE}]}),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_hostile_data_cannot_command_the_terminal(question: str, node: RecordedNode, aidmesh: Terminal) -> None:
    route, answer = QUESTIONS[question]
    node.answer(route, answer)
    for wanted in ([], ["--json"]):
        said = aidmesh(*question.split(), *wanted)
        assert said.code == OK, said.err
        assert harmless(said.out) and harmless(said.err)


def harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("question", [name for name in QUESTIONS if "list" in name or name == "board"])
def test_no_table_is_wider_than_the_screen(question: str, node: RecordedNode, aidmesh: Terminal) -> None:
    route, answer = QUESTIONS[question]
    node.answer(route, answer)
    said = aidmesh(*question.split())
    assert max(map(cell_len, said.out.splitlines())) <= 80


@pytest.mark.parametrize("question", [name for name in QUESTIONS if name != "config show"])
def test_json_is_what_the_node_said_with_a_schema_version(question: str, node: RecordedNode, aidmesh: Terminal) -> None:
    route, answer = QUESTIONS[question]
    node.answer(route, answer)
    assert aidmesh(*question.split(), "--json").json == {"schema_version": 1, **answer}


def test_quiet_lists_are_ids_one_a_line(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /board", BOARD)
    said = aidmesh("board", "-q")
    assert said.out.splitlines() == [one["id"] for one in (*BOARD["needs"], *BOARD["offers"])]
    assert said.err == ""


def test_an_empty_list_says_so_beside_the_data(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /needs", sequence([]))
    said = aidmesh("need", "list")
    assert (said.code, said.out, said.err) == (OK, "", "There is nothing to list.\n")


def test_a_list_that_goes_on_says_how(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /needs?limit=1", {**sequence([need()]), "cursor": "bmV4dA=="})
    said = aidmesh("need", "list", "--limit", "1")
    assert said.err == "There are more. Give the same command again, with:\n  --cursor bmV4dA==\n"


def test_a_person_whose_data_was_erased(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /needs/f6fdd3c4", need(person=None, note=None, erased=True))
    assert "for          erased: names and notes are gone for good\n" in aidmesh("need", "show", "f6fdd3c4").out
