"""Every MUST of SPEC.md has a number, code that obeys it and a test that would notice; nobody cites what is not there.

A MUST is cited as `SPEC §8.2a`, further ones of the same place as `SPEC §8.2a, §8.2b`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from tests.support.limits_table import SPEC

ROOT = SPEC.parents[1]
CODE = ("protocol/aidmesh_protocol", "node/aidmesh_node", "cli/aidmesh_cli")
TESTS = ("tests",)

HEADING = re.compile(r"^#{2,3} ([0-9]+(?:\.[0-9]+)?)\.? ", re.MULTILINE)
NUMBERED = re.compile(r"\bMUST(?: NOT)? \[([0-9]+(?:\.[0-9]+)?)([a-z])\]")
CITED = re.compile(r"SPEC (§[0-9][0-9.]*[a-z]?(?:, §[0-9][0-9.]*[a-z]?)*)")
ONE = re.compile(r"§([0-9]+(?:\.[0-9]+)?)([a-z]?)")


def sections() -> dict[str, str]:
    """The text of each numbered section, up to the next heading."""
    text = SPEC.read_text(encoding="utf-8")
    starts = list(HEADING.finditer(text))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {match[1]: text[match.end() : end] for match, end in zip(starts, ends, strict=True)}


def musts() -> list[str]:
    return [number + letter for text in sections().values() for number, letter in NUMBERED.findall(text)]


@cache
def cited(*folders: str) -> dict[str, list[str]]:
    """Section or MUST -> the files that cite it."""
    found: dict[str, list[str]] = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for run in CITED.findall(path.read_text(encoding="utf-8")):
            for number, letter in ONE.findall(run):
                found.setdefault(number + letter, []).append(str(path.relative_to(ROOT)))
    return found


def test_every_must_has_a_number_of_its_section_and_its_own() -> None:
    for number, text in sections().items():
        assert len(re.findall(r"\bMUST\b", text)) == len(NUMBERED.findall(text)), (
            f"a MUST without a number in §{number}"
        )
        assert {found for found, _ in NUMBERED.findall(text)} <= {number}, f"a number of another section in §{number}"
    assert [must for must, times in Counter(musts()).items() if times > 1] == []


def test_there_are_musts_to_look_for() -> None:
    assert len(musts()) > 50 and "2.2a" in musts()


@pytest.mark.parametrize("must", musts())
def test_code_obeys_it_and_a_test_would_notice(must: str) -> None:
    assert cited(*CODE).get(must), f"no code says that it obeys SPEC §{must}"
    assert cited(*TESTS).get(must), f"no test says that it would notice a breach of SPEC §{must}"


def test_nobody_cites_what_is_not_there() -> None:
    known = {*musts(), *sections()}
    wrong = {name: files for name, files in cited(*CODE, *TESTS).items() if name not in known}
    assert wrong == {}
