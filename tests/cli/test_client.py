"""Asking a node over a network that loses connections, and answers that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidmesh_cli import client
from aidmesh_cli.client import Client
from aidmesh_cli.problems import FAILURE, OK, UNREACHABLE, Failed
from aidmesh_cli.target import Target
from tests.cli.recorded_node import LOST, TOKEN, RecordedNode, Terminal, sequence

NEED = {"id": "a" * 32, "version": 1, "position": 41}


def ask(node: RecordedNode) -> Client:
    return Client(Target(node.url, TOKEN), "Start it.")


def test_every_post_has_a_key_of_its_own(node: RecordedNode) -> None:
    node.answer("POST /needs", NEED)
    for _ in range(3):
        ask(node).post("/needs", {})
    keys = [asked.headers["Idempotency-Key"] for asked in node.asked]
    assert len(set(keys)) == 3
    assert all(len(key) >= 22 for key in keys)


def test_a_lost_post_is_sent_once_more_with_the_same_key(node: RecordedNode) -> None:
    node.answer("POST /needs", LOST, NEED, status=201)
    assert ask(node).post("/needs", {"quantity": "1"}) == NEED
    first, second = node.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body == {"quantity": "1"}


def test_a_post_that_is_lost_twice_is_not_sent_a_third_time(node: RecordedNode) -> None:
    node.answer("POST /needs", LOST)
    with pytest.raises(Failed, match="was lost") as failure:
        ask(node).post("/needs", {})
    assert failure.value.exit_code == UNREACHABLE
    assert "before you repeat it" in failure.value.hint
    assert len(node.asked) == 2


def test_a_lost_question_is_asked_again(node: RecordedNode) -> None:
    node.answer("GET /board", LOST, {"needs": []})
    assert ask(node).get("/board") == {"needs": []}


def test_a_refusal_is_not_repeated(node: RecordedNode) -> None:
    node.refuse("POST /needs", 422, "bad_quantity")
    with pytest.raises(Failed):
        ask(node).post("/needs", {})
    assert len(node.asked) == 1


def test_a_question_after_a_post_asks_for_what_it_wrote(node: RecordedNode) -> None:
    node.answer("POST /needs", NEED)
    node.answer("GET /needs", sequence([]))
    asking = ask(node)
    asking.get("/needs")
    asking.post("/needs", {})
    asking.get("/needs")
    assert [asked.headers.get("Aidmesh-Position") for asked in node.asked] == ["now", None, "41"]


def test_a_node_whose_lists_are_behind_is_asked_again(node: RecordedNode) -> None:
    node.refuse("GET /needs", 503, "views_behind")
    node.answer("GET /needs", sequence([]))
    assert ask(node).get("/needs")["items"] == []


def test_a_node_whose_lists_stay_behind_is_not_asked_for_ever(node: RecordedNode) -> None:
    node.refuse("GET /needs", 503, "views_behind", "The lists are behind.")
    with pytest.raises(Failed, match="behind") as failure:
        ask(node).get("/needs")
    assert failure.value.exit_code == FAILURE
    assert len(node.asked) == client.BEHIND_TRIES_MAX


@pytest.mark.parametrize("answer", [b"", b"<html>It works!</html>", b"[1, 2]", b'"text"', b"\xff", b"[" * 100_000])
def test_what_is_no_node_is_recognised(answer: bytes, node: RecordedNode) -> None:
    node.answer("GET /board", answer)
    with pytest.raises(Failed, match="no aidmesh node") as failure:
        ask(node).get("/board")
    assert failure.value.exit_code == FAILURE


def test_a_redirect_is_not_followed_with_the_token(node: RecordedNode) -> None:
    node.answer("GET /board", b"", status=302)
    with pytest.raises(Failed, match="status 302"):
        ask(node).get("/board")
    assert len(node.asked) == 1


def test_an_endless_answer_is_cut(node: RecordedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_BYTES_MAX", 1000)
    node.answer("GET /board", b" " * 5000 + b"{}")
    with pytest.raises(Failed, match="more than"):
        ask(node).get("/board")


def test_no_proxy_sees_the_token(node: RecordedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    node.answer("GET /board", {"needs": []})
    assert ask(node).get("/board") == {"needs": []}


def test_a_value_in_a_query_is_only_a_value(node: RecordedNode) -> None:
    node.answer("GET /board?item=tea%20%26%20cake%23%3F", {"needs": []})
    assert ask(node).get("/board", {"item": "tea & cake#?", "category": None}) == {"needs": []}


def test_waiting_is_for_a_node_that_starts(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    """Its address appears while somebody waits: the file is moved away and back by the answer before."""
    address = node.home / "address"
    written = address.read_text()
    address.write_text('{"url": "http://127.0.0.1:1"}')
    waited: list[float] = []

    def appear(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            address.write_text(written)

    node.answer("GET /members", sequence([]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aidmesh_cli.session.time.sleep", appear)
        said = aidmesh("member", "list", "--wait", "60")
    assert said.code == OK
    assert len(waited) == 3
