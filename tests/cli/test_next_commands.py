"""After every no there is a command to type: for each code the node can answer with, and for those to come."""

from __future__ import annotations

import ast
import itertools
import shlex
from pathlib import Path

import click
import pytest

from aidmesh_cli.main import cli
from aidmesh_cli.next_commands import BY_CODE, words_after
from aidmesh_node.http.problems import CONFLICTS
from tests.cli.recorded_node import RecordedNode, Terminal
from tests.house.tree import ROOT

NODE = ROOT / "node" / "aidmesh_node"
PLACE = {"Refused": 0, "Unavailable": 0, "Problem": 1}
"""Which argument of what the node raises is the code."""

PATHS = ("/needs", "/needs/aaaaaaaa/share", "/pledges/aaaaaaaa/accept", "/members/aaaaaaaa/role", "/peers/X", "/board")


def codes() -> set[str]:
    """Every code that the node's source raises by name."""
    found: set[str] = set()
    for file in NODE.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            place = PLACE.get(call.func.id)
            if place is not None and len(call.args) > place:
                code = call.args[place]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found.add(code.value)
    return found


CODES = sorted(codes() | CONFLICTS | set(BY_CODE))


def runs(command: str) -> bool:
    """Whether the words name a command that is there, and options it has."""
    first, *words = shlex.split(command)
    assert first == "aidmesh"
    if words == ["--version"]:
        return True
    found: click.Command = cli
    while words and isinstance(found, click.Group):
        if words[0] not in found.commands:
            break
        found = found.commands[words.pop(0)]
    known = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    options = {word for word in words if word.startswith("--")}
    return options <= known and (not isinstance(found, click.Group) or options == {"--help"})


def test_the_source_was_read() -> None:
    assert {"need_closed", "not_found", "no_circle", "storage_full", "words_differ", "import_problems"} <= set(CODES)
    assert len(CODES) > 70


@pytest.mark.parametrize("code", CODES)
def test_every_code_leads_to_a_command_that_is_there(code: str) -> None:
    for path, status in itertools.product(PATHS, (400, 401, 403, 404, 409, 410, 412, 422, 429, 500, 503, 507)):
        assert runs(f"aidmesh {words_after(code, status, path, 'need share')}"), (path, status)


def test_so_does_every_code_that_nobody_has_thought_of_yet() -> None:
    for path, status in itertools.product(PATHS, range(400, 600)):
        assert runs(f"aidmesh {words_after('a_code_of_next_year', status, path, 'need share')}")


@pytest.mark.parametrize("code", CODES)
def test_it_is_the_last_line_of_what_somebody_reads(code: str, node: RecordedNode, aidmesh: Terminal) -> None:
    node.refuse("POST /pledges/aaaaaaaa/accept", 409, code, "This cannot be.", "Look at it.")
    said = aidmesh("pledge", "accept", "aaaaaaaa")
    lead, command = said.err.splitlines()[-1].split(": ", 1)
    assert (said.code > 0, lead) == (True, "  Next")
    assert runs(command)
    bare = any(word in command for word in ("--help", "--version", "--node"))
    assert command.endswith(f" --home {node.home}") or bare, "it is for the same node"


@pytest.mark.parametrize(
    ("code", "path", "words"),
    [
        ("need_closed", "/pledges", "board"),
        ("no_circle", "/needs/aaaaaaaa/share", "peer list"),
        ("not_enough_left", "/pledges", "offer list --ours --state open"),
        ("not_found", "/needs/aaaaaaaa/share", "need list"),
        ("not_found", "/peers/Harbour", "peer list"),
        ("already_accepted", "/pledges/aaaaaaaa/accept", "pledge show aaaaaaaa"),
        ("not_allowed", "/needs/aaaaaaaa/share", "member list"),
        ("unauthenticated", "/board", "member join --node URL --token-file FILE"),
        ("words_differ", "/peers/abc/confirm", "peer list"),
        ("bad_quantity", "/needs", "need post --help"),
        ("import_problems", "/imports", "import csv FILE... --dry-run"),
        ("internal", "/needs", "verify"),
        ("unknown_route", "/needs", "--version"),
    ],
)
def test_it_is_the_one_that_helps(code: str, path: str, words: str) -> None:
    status = {"not_found": 404, "bad_quantity": 422}.get(code, 409)
    assert words_after(code, status, path, "need post") == words


@pytest.mark.parametrize(
    "path", ["/needs/a;reboot/share", "/needs/$(reboot)", "/needs/\x1b[2J", "/needs/a b", "nothing"]
)
def test_an_odd_id_is_never_part_of_it(path: str) -> None:
    assert words_after("already_shared", 409, path, "need share") in ("need list", "board")


def test_what_fails_before_any_node_answers_leads_on_too(aidmesh: Terminal, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    commands = {
        ("board",): "aidmesh board --help",
        ("board", "--home", str(nowhere)): f"aidmesh init --name NAME --home {nowhere}",
        ("board", "--node", "http://127.0.0.1:1"): "aidmesh member join --node URL --token-file FILE",
        ("need", "post", "--category", "food"): "aidmesh need post --help",
        ("need", "fetch"): "aidmesh need --help",
        ("frob",): "aidmesh --help",
        ("import", "csv", "--home", str(nowhere)): "aidmesh import csv --help",
    }
    for command, wanted in commands.items():
        said = aidmesh.alone(*command)
        assert said.code > 0
        assert said.err.splitlines()[-1] == f"  Next: {wanted}", command


def test_a_token_that_others_can_read_is_put_right_by_one_command(node: RecordedNode, aidmesh: Terminal) -> None:
    token = node.home / "operator.token"
    token.chmod(0o644)
    assert aidmesh("board").err.splitlines()[-1] == f"  Next: chmod 600 {token}"


def test_what_somebody_pasted_is_harmless_in_an_error(aidmesh: Terminal) -> None:
    for pasted in ("\x1b[2Jx", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "a\x07", "a\nb"):
        for command in (
            ["need", pasted],
            ["need", "show", "x", pasted],
            ["board", f"--{pasted}"],
            ["board", "--wait", pasted],
        ):
            said = aidmesh(*command)
            assert said.code > 0
            assert all(line.isprintable() for line in said.err.split("\n"))
