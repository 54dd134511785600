"""Which node a command means, and whose token it shows: from a home or a file, never from an argument."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import Command, Group

from aidmesh_cli.main import cli
from aidmesh_cli.problems import AUTH, NOT_FOUND, OK, UNREACHABLE, USAGE
from tests.cli.recorded_node import TOKEN, RecordedNode, Terminal, sequence, write_token

MEMBER_TOKEN = "amesh_" + "m" * 32


def test_a_running_home_says_its_address_and_token(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /members", sequence([]))
    assert aidmesh("member", "list").code == OK
    assert node.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_variable_names_the_home_and_an_argument_outranks_it(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    node.answer("GET /members", sequence([]))
    monkeypatch.setenv("AIDMESH_HOME", str(node.home))
    assert aidmesh.alone("member", "list").code == OK
    monkeypatch.setenv("AIDMESH_HOME", str(tmp_path / "elsewhere"))
    assert aidmesh.alone("member", "list").code == NOT_FOUND
    assert aidmesh("member", "list").code == OK
    assert aidmesh.alone("member", "list", "--node", node.url, "--token-file", node.home / "operator.token").code == OK


def test_a_member_far_away_uses_an_address_and_a_file(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    node.answer("GET /members", sequence([]))
    file = write_token(tmp_path / "ana.token", MEMBER_TOKEN)
    assert aidmesh.alone("member", "list", "--node", node.url + "/", "--token-file", file).code == OK
    assert node.asked[0].headers["Authorization"] == f"Bearer {MEMBER_TOKEN}"


def test_a_member_on_the_same_machine_brings_their_own_token(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path
) -> None:
    node.answer("GET /members", sequence([]))
    file = write_token(tmp_path / "ana.token", MEMBER_TOKEN)
    assert aidmesh("member", "list", "--token-file", str(file)).code == OK
    assert node.asked[0].headers["Authorization"] == f"Bearer {MEMBER_TOKEN}"


def test_a_node_behind_a_path_is_reached_there(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("GET /groups/harbour/api/v1/members", sequence([]))
    token = node.home / "operator.token"
    assert aidmesh.alone("member", "list", "--node", f"{node.url}/groups/harbour", "--token-file", token).code == OK


def test_without_any_node_it_asks_which(aidmesh: Terminal) -> None:
    said = aidmesh.alone("board")
    assert (said.code, said.out) == (USAGE, "")
    assert "--home DIR" in said.err and "AIDMESH_HOME" in said.err and "--token-file" in said.err


def test_two_nodes_at_once_are_refused(node: RecordedNode, aidmesh: Terminal) -> None:
    assert aidmesh("board", "--node", node.url).code == USAGE


def test_an_address_without_a_token_is_refused(node: RecordedNode, aidmesh: Terminal) -> None:
    said = aidmesh.alone("board", "--node", node.url)
    assert said.code == USAGE
    assert "aidmesh member join" in said.err
    assert node.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8420",
        "ftp://a",
        "http://",
        "http://a:99999",
        "http://user:pw@a",
        "http://a/?x=1",
        "http://a b",
        "file:///etc",
    ],
)
def test_what_is_no_address_is_refused(url: str, node: RecordedNode, aidmesh: Terminal) -> None:
    said = aidmesh.alone("board", "--node", url, "--token-file", node.home / "operator.token")
    assert said.code == USAGE
    assert "http://127.0.0.1:8420" in said.err


def test_a_stopped_node_says_how_to_start_it(node: RecordedNode, aidmesh: Terminal) -> None:
    (node.home / "address").unlink()
    said = aidmesh("board")
    assert (said.code, said.out) == (UNREACHABLE, "")
    assert said.told == (
        f"aidmesh board: No node is running in {node.home}. "
        "What to do: Start it, or wait for one that is starting with --wait 30. "
        f"Next: aidmesh run --home {node.home}"
    )


def test_a_node_that_died_says_how_to_start_it(node: RecordedNode, aidmesh: Terminal) -> None:
    (node.home / "address").write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": 1}))
    said = aidmesh("board")
    assert said.code == UNREACHABLE
    assert "No node answers at http://127.0.0.1:1" in said.err
    assert f"aidmesh run --home {node.home}" in said.err


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_half_written_address_is_no_address_yet(content: bytes, node: RecordedNode, aidmesh: Terminal) -> None:
    (node.home / "address").write_bytes(content)
    assert aidmesh("board").code == UNREACHABLE


def test_a_folder_that_is_no_home_says_how_to_make_one(aidmesh: Terminal, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        said = aidmesh.alone("board", "--home", folder)
        assert said.code == NOT_FOUND
        assert f"Next: aidmesh init --name NAME --home {folder}\n" in said.err


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_token_that_others_can_read_is_not_used(mode: int, node: RecordedNode, aidmesh: Terminal) -> None:
    token = node.home / "operator.token"
    token.chmod(mode)
    said = aidmesh("board")
    assert said.code == AUTH
    assert f"chmod 600 {token}" in said.err
    assert node.asked == []


@pytest.mark.parametrize("content", ["", "\n", "amesh_a b", "amesh_\u00e9", "amesh_a\namesh_b", "amesh_a\x00"])
def test_a_file_without_a_token_is_refused_unread(content: str, node: RecordedNode, aidmesh: Terminal) -> None:
    (node.home / "operator.token").write_text(content, encoding="utf-8")
    said = aidmesh("board")
    assert said.code == AUTH
    assert "holds no token" in said.err
    assert node.asked == []


def test_an_absent_token_file_is_named(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    said = aidmesh("board", "--token-file", str(tmp_path / "none"))
    assert said.code == AUTH
    assert str(tmp_path / "none") in said.err


def test_no_command_takes_a_token_as_an_argument() -> None:
    options = {option for command in commands_below(cli) for parameter in command.params for option in parameter.opts}
    assert "--token-file" in options
    assert not {option for option in options if "token" in option or "secret" in option or "password" in option} - {
        "--token-file"
    }


def commands_below(group: Group) -> list[Command]:
    found: list[Command] = []
    for command in group.commands.values():
        found += commands_below(command) if isinstance(command, Group) else [command]
    return found
