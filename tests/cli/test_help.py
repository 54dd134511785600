"""The help is complete, fits the screen, and comes at once."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from aidmesh_cli.main import cli, run
from aidmesh_cli.manual import SEE_ALSO, see_also
from aidmesh_cli.problems import OK, USAGE
from tests.house.tree import ROOT

# What the issue names; a verb that goes missing is noticed here.
PROMISED = """
init run demo board status verify completion
need post|list|show|share|unshare|erase|withdraw|close
need share-wider|reopen|review|contact-attempt|extend|amend|urgency|emergency-advice
offer post|list|show|share|unshare|erase|withdraw|confirm|extend|reopen|close
pledge list|show|offer|revise|commit|withdraw|hand-over|counter|accept|decline|release|receive|ask|presume|correct|leave
dispute open|list|show|add|resolve
member invite|join|list|role|revoke|forget
erasure list
peer invite|accept|list|status
bundle write|read|inspect|sizes
fork list|show|export|verify|resolve
recover status|wait|override|done
import csv
config show
"""
READ = [
    *("need list", "need show", "offer list", "offer show", "pledge list", "pledge show", "member list"),
    *("dispute list", "dispute show", "erasure list", "fork list", "fork show", "fork export", "fork verify"),
    *(
        "bundle inspect",
        "bundle sizes",
        "need emergency-advice",
        "peer list",
        "peer status",
        "board",
        "status",
        "config show",
        "recover status",
        "recover wait",
    ),
]
HEAVY = (
    "rich",
    "random",
    "hmac",
    "http.client",
    "ssl",
    "asyncio",
    "aiohttp",
    "cryptography",
    "msgspec",
    "eventsourcing",
    "aidmesh_node",
)


def commands(group: click.Group = cli, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        path = (*above, name)
        if isinstance(command, click.Group):
            yield from commands(command, path)
        else:
            yield path, command


def examples(command: click.Command) -> list[str]:
    """The commands of its examples, each on one line; `eval "$(...)"` taken off."""
    lines = re.sub(r"\\\n\s*", "", command.epilog or "").splitlines()
    return [re.sub(r'^eval "\$\((.*)\)"$', r"\1", line) for line in lines]


PATHS = [path for path, _ in commands()]
NOUNS = sorted({path[:-1] for path in PATHS if path[1:]})


def test_every_promised_command_is_there_and_no_other() -> None:
    first, *nouns = PROMISED.strip().splitlines()
    promised: set[tuple[str, ...]] = {(word,) for word in first.split()}
    for line in nouns:
        noun, verbs = line.split()
        promised |= {(noun, verb) for verb in verbs.split("|")}
    assert set(PATHS) == promised


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_is_a_page_with_examples_that_fits_80_columns(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == OK
    text = capsys.readouterr().out
    name = f"aidmesh {' '.join(path)}"
    assert max(map(len, text.splitlines())) <= 80
    assert re.fullmatch(rf"{name}: [A-Z].+\.", " ".join(text.split("\n\n")[0].split())), "what it is for"
    headings = ("Usage: aidmesh", "Options:\n", "Examples:\n", "Exit codes:\n", "See also:\n")
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert name in text[places[2] : places[3]]


@pytest.mark.parametrize("path", [*PATHS, *NOUNS], ids=" ".join)
def test_what_a_page_points_to_is_there(path: tuple[str, ...]) -> None:
    for other in see_also(" ".join(path)):
        found: click.Command = cli
        for word in other.split():
            assert isinstance(found, click.Group)
            found = found.commands[word]
        assert tuple(other.split()) != path


def test_the_table_of_pages_knows_no_command_that_is_gone() -> None:
    assert {tuple(path.split()) for path in SEE_ALSO} <= {*PATHS, *NOUNS}


@pytest.mark.parametrize("path", NOUNS, ids=" ".join)
def test_a_noun_is_a_page_too(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == OK
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for heading in ("Commands:\n", "Examples:\n  aidmesh ", "Exit codes:\n", "See also:\n  aidmesh "):
        assert heading in text


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_each_example_is_a_command_that_parses(path: tuple[str, ...]) -> None:
    command = dict(commands())[path]
    for line in examples(command):
        assert not re.search("[“”]", line), "a shell takes no typographic quotes"
        assert line.startswith(" ".join(("aidmesh", *path))), "it shows this command"
        arguments = shlex.split(line.split(" > ")[0])[1 + len(path) :]
        command.make_context(path[-1], arguments, resilient_parsing=False).close()


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_what_changes_something_can_be_tried_and_what_asks_need_not(path: tuple[str, ...]) -> None:
    options = {option for parameter in dict(commands())[path].params for option in parameter.opts}
    name = " ".join(path)
    assert ("--dry-run" in options) == (name not in {*READ, "verify", "run", "demo", "completion"})
    assert ("--quiet" in options) == (name != "completion")
    assert ("--no-input" in options) == (name not in {"init", "run", "demo", "completion"}), "those never ask"


@pytest.mark.parametrize("path", READ)
def test_every_question_can_be_answered_with_json(path: str) -> None:
    command = dict(commands())[tuple(path.split())]
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


def test_groups_without_a_verb_show_their_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["need"], ["pledge"]):
        assert run(arguments) == USAGE
        said = capsys.readouterr()
        assert "Usage: aidmesh" in said.out + said.err


def test_the_version_names_release_and_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == OK
    assert re.fullmatch(
        r"aidmesh (\d+\.\d+\.\d+|not installed) \(protocol aidmesh/1(, commit [0-9a-f]{12})?\)\n",
        capsys.readouterr().out,
    )


def test_help_loads_nothing_heavy() -> None:
    """What makes `aidmesh --help` quick, and unlike its milliseconds it is the same on a busy machine."""
    code = "import json, sys; from aidmesh_cli.main import run; run(['--help']); json.dump([*sys.modules], sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr))
    assert "aidmesh_cli.main" in loaded
    assert loaded.isdisjoint(HEAVY)


def environment() -> dict[str, str]:
    packages = [str(ROOT / name) for name in ("protocol", "node", "cli")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(packages)}
