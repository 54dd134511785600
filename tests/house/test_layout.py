"""A newcomer who runs `ls` should guess the architecture: where files lie, their names, their length."""

import ast
import os
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, files, python_files

FOLDERS = {"node", "protocol", "cli", "tests", "deploy", ".ci"}
FILES = {
    *(".gitignore", "pyproject.toml", "requirements.txt", "LICENSE"),
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}
NAMES_THAT_SAY_NOTHING = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "manager",
    "managers",
    "base",
    "misc",
}
LINES_MAX = 400
MADE_FROM_ANOTHER = {Path("cli/aidmesh_cli/api.py")}
"""Lists that a program makes, of which nobody reads more than the entry they look for."""
# Put together here, so that this file does not contain what it looks for.
LEFT_BEHIND = re.compile(rb"\b(" + b"TO" + b"DO|FIX" + b"ME)\b")


def test_the_top_level_holds_the_agreed_folders_and_files_and_nothing_else() -> None:
    entries = {path.parts[0] for path in files()}
    assert entries == FOLDERS | FILES
    assert {entry for entry in entries if (ROOT / entry).is_dir()} == FOLDERS


def test_the_wire_protocol_is_written_down_beside_its_code() -> None:
    assert (ROOT / "protocol" / "SPEC.md").read_text(encoding="utf-8").startswith("# ")
    assert list((ROOT / "protocol" / "vectors").glob("*.json"))


def test_every_name_says_something() -> None:
    vague = [str(path) for path in files() if NAMES_THAT_SAY_NOTHING & {part.split(".")[0] for part in path.parts}]
    assert vague == []


def test_no_python_file_hides_a_second_idea() -> None:
    lengths = {
        path: len((ROOT / path).read_bytes().splitlines()) for path in python_files() if path not in MADE_FROM_ANOTHER
    }
    assert {str(path): length for path, length in lengths.items() if length > LINES_MAX} == {}


def test_nothing_was_left_for_later() -> None:
    assert [str(path) for path in files() if LEFT_BEHIND.search((ROOT / path).read_bytes())] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_a_package_is_a_package(package: str) -> None:
    folders = {path.parent for path in python_files() if path.is_relative_to(package)}
    assert folders, f"{package} has no Python file"
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()] == []
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_opens_by_saying_what_it_is(package: str) -> None:
    silent = [
        str(path)
        for path in python_files()
        if path.is_relative_to(package)
        and (source := (ROOT / path).read_bytes()).strip()
        and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == []


@pytest.mark.parametrize("script", ["deploy/run.py", ".ci/run"])
def test_what_people_start_can_be_started(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_bytes().startswith(b"#!/usr/bin/env ")
