"""--dry-run: the node is asked whether it may be, says what would be, and does nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from aidmesh_cli.problems import CONFLICT, FAILURE, OK, USAGE
from tests.cli.recorded_node import RecordedNode, Terminal, sequence
from tests.cli.test_commands import COMMANDS


class Keyboard(io.StringIO):
    """Somebody sits there, and has typed this."""

    def isatty(self) -> bool:
        return True


TRIED = {"dry_run": True, "would_record": {"need:posted": 1, "pledge:released": 2}, "state": "closed", "position": 9}


@pytest.mark.parametrize("command", [command for command, *_ in COMMANDS])
def test_every_command_only_asks_and_says_so(command: str, node: RecordedNode, aidmesh: Terminal) -> None:
    path, body = next((path, body) for known, path, body, _ in COMMANDS if known == command)
    node.answer(f"POST {path}", TRIED)
    node.answer("GET /members", sequence([]))
    said = aidmesh(*command.split(), "--dry-run")
    assert (said.code, said.err) == (OK, "")
    (asked,) = [one for one in node.asked if one.method == "POST"]
    assert (asked.path, asked.headers["Dry-Run"], asked.body) == (path, "true", body)
    assert said.out.startswith("Dry run: nothing was changed.")
    assert f"POST {path}" in said.out
    assert "need posted, pledge released (2)" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    assert aidmesh(*command.split(), "--dry-run", "--quiet") == aidmesh(*command.split(), "--dry-run", "-q")
    assert aidmesh(*command.split(), "--dry-run", "--quiet").out == ""
    told = aidmesh(*command.split(), "--dry-run", "--json").json
    assert told["request"] == {"method": "POST", "path": path, "body": body}
    assert (told["schema_version"], told["dry_run"], told["answer"]) == (1, True, TRIED)


def test_without_the_option_nothing_says_it_is_a_trial(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /needs/aaaaaaaa/withdraw", {"id": "a" * 32, "version": 2, "position": 9})
    aidmesh("need", "withdraw", "aaaaaaaa")
    assert "Dry-Run" not in node.asked[0].headers


def test_a_no_is_a_no(node: RecordedNode, aidmesh: Terminal) -> None:
    node.refuse("POST /needs/aaaaaaaa/withdraw", 409, "need_closed", "This need is closed.")
    said = aidmesh("need", "withdraw", "aaaaaaaa", "--dry-run")
    assert (said.code, said.out) == (CONFLICT, "")
    assert "This need is closed." in said.err


def test_joining_tried_writes_no_file_and_shows_no_secret(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("POST /join", {"dry_run": True, "role": "member", "would_record": {"member:joined": 1}, "position": 3})
    monkeypatch.setattr("sys.stdin", io.StringIO("amesh-invite_secret\n"))
    file = tmp_path / "ana.token"
    said = aidmesh.alone("member", "join", "--node", node.url, "--token-file", file, "--dry-run")
    assert said.code == OK
    assert not file.exists()
    assert "secret" not in said.out + said.err
    assert node.asked[0].body == {"invitation": "amesh-invite_secret"}


def test_a_home_tried_is_not_made(aidmesh: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "new"
    command = ["init", "--name", "Harbour", "--home", str(home), "--state-dir", str(tmp_path / "state"), "--dry-run"]
    said = aidmesh.alone(*command)
    assert (said.code, said.err) == (OK, "")
    assert "nothing was made" in said.out and "Harbour" in said.out and str(home) in said.out
    assert aidmesh.alone(*command, "--json").json["listen"] == "127.0.0.1:8420"
    assert aidmesh.alone(*command, "-q").out == ""
    assert not home.exists() and not (tmp_path / "state").exists()
    assert aidmesh.alone(*command, "--listen", "nowhere").code == FAILURE
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").touch()
    assert aidmesh.alone(*command).code == FAILURE


def test_nobody_is_asked_when_nobody_may_be(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("GET /members", sequence([]))
    asking = {
        ("need", "post", "--category", "food", "--quantity", "1", "--ask"): "Leave --ask out, and give --name",
        ("offer", "post", "--category", "food", "--quantity", "1", "--ask"): "Leave --ask out, and give --name",
        ("member", "revoke", "aaaaaaaa"): "add --yes",
        ("member", "join", "--token-file", str(tmp_path / "t")): "Give --invitation-file FILE",
    }

    monkeypatch.setattr("sys.stdin", keyboard := Keyboard("y\nsomething\n"))
    for command, option in asking.items():
        said = aidmesh(*command, "--no-input")
        assert (said.code, said.out) == (USAGE, ""), command
        assert option in said.told
    assert (node.posted(), keyboard.tell()) == ([], 0)


def test_what_cannot_be_taken_back_asks_first(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("GET /members", sequence([]))
    node.answer("POST /members/aaaaaaaa/revoke", {"id": "a" * 32, "version": 2, "position": 9})

    for typed, code, posts in (("n\n", FAILURE, 0), ("\n", FAILURE, 0), ("y\n", OK, 1)):
        monkeypatch.setattr("sys.stdin", Keyboard(typed))
        said = aidmesh("member", "revoke", "aaaaaaaa")
        assert (said.code, len(node.posted())) == (code, posts)
        assert "Take the access of member aaaaaaaa back? [y/N]" in said.err
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert aidmesh("member", "revoke", "aaaaaaaa").code == USAGE, "a pipe is nobody"
    assert aidmesh("member", "revoke", "aaaaaaaa", "--yes").code == OK


def test_a_time_that_is_over_is_noticed_and_left_to_the_node(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /needs", {"id": "a" * 32, "version": 1, "position": 9})
    command = ["need", "post", "Rice", "--category", "food", "--quantity", "1", "--until"]
    assert "2020-02-01 is over already" in aidmesh(*command, "2020-02-01").told
    assert "over already" not in aidmesh(*command, "2199-02-01").told
    assert "over already" not in aidmesh(*command, "2020-02-01", "-q").told
    assert len(node.posted()) == 3
