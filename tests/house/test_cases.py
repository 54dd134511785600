"""The table of cases (tests/support/reliability_cases.py) is whole, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.support.reliability_cases import CASES, FEATURES_BEING_BUILT, OPEN, SECTIONS

IDS = [f"{section}{number:02}" for section, count in SECTIONS.items() for number in range(1, count + 1)]


@cache
def functions_of(file: str) -> frozenset[str]:
    """The test functions of a file, in classes or not; empty if there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test"))


def test_the_sections_have_the_cases_of_the_design(shared: Path) -> None:
    design = (shared / "design" / "reliability.md").read_text(encoding="utf-8")
    known = re.findall(r"^\| ([A-Z][0-9]{2}) \|", design, re.MULTILINE)
    assert sorted(each for each in known if each[0] in SECTIONS) == IDS


@pytest.mark.parametrize("case", IDS)
def test_a_case_has_its_tests_or_is_open_for_a_feature_that_is_being_built(case: str) -> None:
    if case in OPEN:
        assert case not in CASES, f"{case} has tests, so it is open no more"
        assert OPEN[case] in FEATURES_BEING_BUILT
        print(f"open: {case} ({OPEN[case]})")
        return
    assert CASES.get(case), f"{case} is neither tested nor open"
    for named in CASES[case]:
        file, _, test = named.partition("::")
        there = functions_of(file)
        assert there and (test == "*" or test in there), f"{case}: there is no {named}"


def test_the_table_has_nothing_else() -> None:
    assert CASES.keys() | OPEN.keys() <= set(IDS)
    assert list(CASES) == sorted(CASES)
    assert set(OPEN.values()) == FEATURES_BEING_BUILT, "a feature that is finished has no open case"


def test_every_test_that_is_named_after_a_case_stands_in_the_table() -> None:
    listed = {named for tests in CASES.values() for named in tests}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = str(path.relative_to(ROOT))
        for test in functions_of(file):
            for case in re.findall(r"_([abek][0-9]{2})(?=_)", test):
                if case.upper() in IDS:
                    assert f"{file}::{test}" in listed, f"{file}::{test} says that it is about {case.upper()}"
