"""The golden files are what the commands write; each command has one, and on no width does anything wrap or break."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from aidmesh_cli.finding import ID_CHARACTERS
from aidmesh_cli.plain import plain
from tests.cli.golden import COLUMNS, FOLDER, page, written
from tests.cli.golden_case import Case
from tests.cli.golden_cases import CASES
from tests.cli.test_help import PATHS

WITHOUT: frozenset[tuple[str, ...]] = frozenset({("demo",), ("completion",)})
"""What they write is another each time, or a shell's program; tests of their own look at it."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_written_as_it_is_there(case: Case, tmp_path: Path) -> None:
    golden = FOLDER / f"{case.name}.txt"
    assert page(case, tmp_path) == golden.read_text(encoding="utf-8"), "python -m tests.cli.golden, and look at it"


def test_every_command_has_one_and_no_file_is_left_over() -> None:
    shown = {tuple(case.command.split()[: len(path)]) for case in CASES for path in PATHS}
    assert [path for path in PATHS if path not in shown | WITHOUT] == []
    assert {file.stem for file in FOLDER.iterdir()} == {case.name for case in CASES}


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)
def test_nothing_is_wider_than_the_screen(file: Path) -> None:
    _, *lines = file.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if cell_len(line) > COLUMNS and not whole(line)] == []
    assert [line for line in lines if plain(line) != line or line != line.rstrip()] == []


@pytest.mark.parametrize("columns", [40, 120, *(pytest.param(width, marks=pytest.mark.soak) for width in (50, 60, 79))])
def test_on_other_screens_it_says_the_same_and_fits(columns: int, tmp_path: Path) -> None:
    for case in CASES:
        folder = tmp_path / case.name
        folder.mkdir()
        out, err, code = written(case, folder, columns)
        golden = (FOLDER / f"{case.name}.txt").read_text(encoding="utf-8")
        assert golden.endswith(f"--- exit code {code}\n"), case.name
        for line in (out + err).splitlines():
            assert cell_len(line) <= columns or whole(line), (case.name, line)


def whole(line: str) -> bool:
    """What somebody will copy is not broken: a command on a line of its own, an id or an address as the last word."""
    command = line.strip().removeprefix("Next: ").startswith("aidmesh ")
    return command or (line.isascii() and len(line.split()[-1]) >= ID_CHARACTERS)


def test_a_narrow_screen_shows_blocks_instead_of_a_table(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "need-list")
    out, _, _ = written(case, tmp_path, 40)
    assert out.startswith("id        f6fdd3c4\nneed      Blankets\nreceived  1,500 of 5,100\nstate     open\n")
