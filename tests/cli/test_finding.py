"""A thing is called by its name where only one goes by it; else by the beginning of its id."""

from __future__ import annotations

from typing import Any

import pytest

from aidmesh_cli.finding import is_id
from aidmesh_cli.problems import CONFLICT, NOT_FOUND, OK
from tests.cli.answers import HILLSIDE, need, offer, peer, pledge
from tests.cli.recorded_node import RecordedNode, Terminal, sequence

DONE = {"id": "a" * 32, "version": 2, "position": 9}
OWN_NEEDS = "GET /needs?ours=true&state=open&limit=500"
PLEDGES = "GET /pledges?limit=500"


@pytest.mark.parametrize("text", ["f6fdd3", "F6FDD3C4", "a" * 32])
def test_ids_are_hexadecimal_and_long_enough(text: str) -> None:
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "f6fdd", "blankets", "a" * 33, "f6fdd3g", "f6 fdd3"])
def test_everything_else_is_a_name(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("name", ["Blankets", "blankets", "  BLANKETS "])
def test_a_name_that_one_thing_has_is_enough(name: str, node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer(OWN_NEEDS, sequence([need(), need(id="b" * 32, item="Boats")]))
    node.answer(f"POST /needs/{need()['id']}/withdraw", DONE)
    assert aidmesh("need", "withdraw", name).code == OK


def test_what_has_no_item_goes_by_its_category(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer(OWN_NEEDS, sequence([need(item=None, category="childcare")]))
    node.answer(f"POST /needs/{need()['id']}/withdraw", DONE)
    assert aidmesh("need", "withdraw", "childcare").code == OK


def test_a_name_that_two_have_is_not(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer(OWN_NEEDS, sequence([need(), need(id="b" * 32, quantity="7")]))
    said = aidmesh("need", "withdraw", "Blankets")
    assert said.code == CONFLICT
    assert "f6fdd3c4: 5,100, Harbour" in said.err
    assert "bbbbbbbb: 7, Harbour" in said.err
    assert node.posted() == []


def test_a_name_that_nothing_has_is_not_found(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer(OWN_NEEDS, sequence([]))
    said = aidmesh("need", "withdraw", "Blankets")
    assert said.code == NOT_FOUND
    assert "aidmesh need list" in said.err


def test_help_is_offered_for_what_is_on_the_board(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /board?item=Blankets", {"needs": [need()], "offers": []})
    node.answer("GET /offers?ours=true&state=open&limit=500", sequence([offer(item="Blankets")]))
    node.answer("POST /pledges", DONE)
    assert aidmesh("pledge", "offer", "Blankets", "--quantity", "1", "--offer", "Blankets").code == OK
    assert node.posted()[0][1]["need"] == need()["id"]
    assert node.posted()[0][1]["offer"] == offer()["id"]


VERBS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "accept": ([], {"role": "home", "phase": "offered"}),
    "counter": (["--quantity", "1"], {"role": "home", "phase": "offered"}),
    "decline": (["--reason", "timing"], {"role": "local", "phase": "countered"}),
    "release": (["--reason", "other"], {"role": "home", "phase": "committed"}),
    "receive": ([], {"role": "home", "phase": "handed_over"}),
    "revise": (["--quantity", "1"], {"role": "giver", "phase": "countered"}),
    "commit": ([], {"role": "giver", "phase": "accepted"}),
    "withdraw": ([], {"role": "giver", "phase": "committed"}),
    "hand-over": ([], {"role": "giver", "phase": "partly_received"}),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_pledge_is_found_among_those_with_which_it_can_be_done(
    verb: str, node: RecordedNode, aidmesh: Terminal
) -> None:
    options, fitting = VERBS[verb]
    other_side = {"giver": "home", "home": "giver", "local": "giver"}[fitting["role"]]
    over = pledge(**{**fitting, "phase": "received"}, id="b" * 32)
    others = [over, pledge(**{**fitting, "role": other_side}, id="c" * 32), pledge(**fitting, item="Boats")]
    node.answer(PLEDGES, sequence([*others, pledge(**fitting, id="d" * 32)]))
    node.answer(f"POST /pledges/{'d' * 32}/{verb}", DONE)
    said = aidmesh("pledge", verb, "Blankets", *options)
    assert said.code == OK, said.err


def test_waiting_is_for_news_of_another_group(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("aidmesh_cli.session.time.sleep", waited.append)
    node.answer(PLEDGES, sequence([]), sequence([pledge(phase="accepted")]), sequence([pledge()]))
    node.answer(f"POST /pledges/{pledge()['id']}/receive", DONE)
    assert aidmesh("pledge", "receive", "Blankets", "--wait", "60").code == OK
    assert len(waited) == 2


def test_waiting_for_a_pledge_by_its_id(node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("aidmesh_cli.session.time.sleep", waited.append)
    node.refuse("GET /pledges/2e4982", 404, "not_found")
    node.answer("GET /pledges/2e4982", pledge(phase="committed"), pledge())
    node.answer("POST /pledges/2e4982/receive", DONE)
    assert aidmesh("pledge", "receive", "2E4982", "--wait", "60").code == OK
    assert len(waited) == 2


def test_a_group_goes_by_its_name_or_the_beginning_of_its_id(node: RecordedNode, aidmesh: Terminal) -> None:
    hills = peer(gid="h" * 32, name="Hills")
    node.answer("GET /peers", sequence([peer(), hills, peer(gid="j" * 32, name="Hills Far")]))
    for one in (peer(), hills):
        node.answer(f"GET /peers/{one['gid']}", one)
    for text, gid in (("hillside", HILLSIDE), ("ko3i", HILLSIDE), ("Hills", "h" * 32)):
        assert aidmesh("peer", "status", text, "-q").out == gid + "\n"
    assert aidmesh("peer", "status", "Hil").code == CONFLICT
    assert aidmesh("peer", "status", "Moon").code == NOT_FOUND
