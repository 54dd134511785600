"""What other groups wrote, in every place a command prints: nothing reaches the terminal but printable characters.

Every text of every answer that the golden files show is replaced, whatever it is for: names, units, states, times, ids.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from aidmesh_cli.main import run
from aidmesh_cli.plain import MARKS_MAX, plain
from aidmesh_cli.problems import NOT_FOUND
from tests.cli.golden import COLUMNS, surroundings
from tests.cli.golden_case import Case
from tests.cli.golden_cases import CASES
from tests.cli.recorded_node import RecordedNode, Terminal, recorded_node

NASTY = (
    "\x1b[31mred\x1b[0m\x1b]0;owned\x07\x1b]8;;http://evil\x1b\\here",
    "\x9b31m\x9d0;x\x9c\x90q\x9c",
    "abc\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{RIGHT-TO-LEFT ISOLATE}\N{ARABIC LETTER MARK}",
    "one\ntwo\r\nthree\rfour\x0bfive\x0csix\x85seven\u2028eight\u2029nine",
    "毛布" * 60,
    "👩\N{ZERO WIDTH JOINER}🌾" * 40,
    "Z" + "\N{COMBINING ACUTE ACCENT}\N{COMBINING LONG STROKE OVERLAY}" * 200,
    "a\u00a0b\u3000c\u200bd\u3164e\u2800f\ufeffg\U000e0041",
    "\x00\x07\b\b\b\x7f\ud800",
    "x" * 5000,
    "$(reboot) `reboot` ; reboot [bold]x[/bold] :smile: %s {0} \\",
    "",
)
ANSWERED = [case for case in CASES if case.answers]
SECRETS = frozenset({"bundle-sizes", "member-invite", "peer-invite"})
"""Their answer is one thing to copy, in one line."""
KEPT = frozenset({"code"})
"""The code of a problem chooses words of ours; what it says is never shown."""


def replaced(value: Any, text: Callable[[], str]) -> Any:
    """The same answer with other texts."""
    if isinstance(value, str):
        return text()
    if isinstance(value, list):
        return [replaced(one, text) for one in value]
    if isinstance(value, tuple):
        return tuple(replaced(one, text) for one in value)
    if isinstance(value, dict):
        return {name: one if name in KEPT else replaced(one, text) for name, one in value.items()}
    return value


def answer(node: RecordedNode, case: Case, text: Callable[[], str]) -> dict[str, Any]:
    node.answers.clear()
    given: dict[str, Any] = {route: replaced(found, text) for route, found in case.answers.items()}
    for route, found in given.items():
        status, document = found if isinstance(found, tuple) else (200, found)
        node.answer(route, document, status=status)
    return given


def typed(case: Case, *more: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        run([*case.command.split(), *case.home.split(), *more])
    return out.getvalue(), err.getvalue()


def assert_harmless(text: str, *, is_data: bool = False) -> None:
    assert [line for line in text.split("\n") if plain(line) != line] == []
    if not is_data:
        # One long word of ASCII may be an address that somebody copies: the terminal breaks it.
        assert [line for line in text.split("\n") if cell_len(line) > COLUMNS and not longest_is_ascii(line)] == []


def longest_is_ascii(line: str) -> bool:
    if line.startswith("  aidmesh "):
        return True  # a command is one line
    longest = max(line.split(), key=len)
    return longest.isascii() and len(longest) > COLUMNS // 4


def look(case: Case, node: RecordedNode, text: Callable[[], str]) -> None:
    given = answer(node, case, text)
    for more in ((), ("--quiet",), ("--dry-run",) if "POST" in "".join(case.answers) else ()):
        try:
            for said in typed(case, *more):
                assert_harmless(said, is_data="--quiet" in more or case.name in SECRETS)
        except (ValueError, KeyError, TypeError) as error:  # pragma: no cover - shows which answer it was
            raise AssertionError(f"{case.name}: {given}") from error


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.name)
def test_nothing_commands_the_terminal(case: Case, tmp_path: Path) -> None:
    with surroundings(COLUMNS), chdir(tmp_path), recorded_node(Path("harbour")) as node:
        Path("a.csv").touch()
        for start in range(0, len(NASTY), 4):
            texts = itertools.cycle(NASTY[start:] + NASTY[:start])
            look(case, node, texts.__next__)


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.name)
def test_json_is_data_in_ascii(case: Case, tmp_path: Path) -> None:
    with surroundings(COLUMNS), chdir(tmp_path), recorded_node(Path("harbour")) as node:
        Path("a.csv").touch()
        given = answer(node, case, itertools.cycle(NASTY).__next__)
        out, err = typed(case, "--json")
        assert_harmless(err)
        assert out.isascii()
        assert "\x1b" not in out and "\x07" not in out
        if out:
            said = json.loads(out)
            assert any(
                said.get(name) == value
                for found in given.values()
                if isinstance(found, dict)
                for name, value in found.items()
            )


@pytest.mark.fuzz
@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.name)
def test_whatever_they_write(case: Case, tmp_path: Path) -> None:
    with surroundings(COLUMNS), chdir(tmp_path), recorded_node(Path("harbour")) as node:
        Path("a.csv").touch()

        @settings(max_examples=40, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.text(alphabet=st.characters(codec=None), max_size=300), min_size=1, max_size=12))
        def anything(texts: list[str]) -> None:
            look(case, node, itertools.cycle(texts).__next__)

        anything()


def test_a_pile_of_marks_is_thinned_and_a_word_is_not() -> None:
    assert plain("Z" + "\N{COMBINING ACUTE ACCENT}" * 200) == "Z" + "\N{COMBINING ACUTE ACCENT}" * MARKS_MAX
    for word in ("Việt".encode().decode(), "क्षत्रिय", "שָׁלוֹם", "سَلَامٌ", "👩\N{ZERO WIDTH JOINER}🌾", "ก็ดี"):
        assert plain(word) == word


@pytest.mark.parametrize("command", ["need show", "need withdraw", "peer status", "need list --cursor", "board --item"])
def test_bytes_that_are_no_text_are_no_crash(command: str, node: RecordedNode, aidmesh: Terminal) -> None:
    """What a shell gives for a broken name: Python makes lone surrogates of it."""
    said = aidmesh(*command.split(), "caf\udce9")
    assert said.code == NOT_FOUND
    assert_harmless(said.err)


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2009", "\u202f"])
def test_blanks_of_all_kinds_are_blanks(blank: str) -> None:
    assert plain(f"a{blank}b") == "a b"


@pytest.mark.parametrize("nothing", ["\u3164", "\u2800", "\u115f", "\uffa0", "\u200b", "\ufeff"])
def test_a_name_of_nothing_is_seen(nothing: str) -> None:
    assert plain(nothing).strip() != ""
