"""The rule of tests/conftest.py on itself: in CI a test skips for what the machine lacks, or it fails."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

SKIPPING = """
import os
import pytest

def test_runs():
    assert not [name for name in os.environ if name in ("SQLITE_DBNAME", "AIDMESH_HOME")]

def test_lacks_something():
    pytest.skip("probed absent: a second moon")

def test_changes_its_mind():
    pytest.skip("rather not")

@pytest.mark.skip(reason="no time today")
def test_is_lazy():
    raise AssertionError

@pytest.mark.skipif(True, reason="some condition")
def test_has_an_excuse():
    raise AssertionError

@pytest.mark.xfail(reason="a known bug")
def test_knows_a_bug():
    raise AssertionError

def test_reads_a_vector(shared):
    assert shared.is_dir()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    module = "import pytest\npytest.importorskip('no_such_module')\n"
    (tmp_path / "tests" / "test_whole_module.py").write_text(module, encoding="utf-8")
    return tmp_path


def counts(project: Path, *arguments: str, **variables: str) -> dict[str, int]:
    """pytest's closing line, as {"passed": 1, ...}."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=project,
        env={
            **os.environ,
            "PYTEST_ADDOPTS": "",
            "SQLITE_DBNAME": "trap",
            "AIDMESH_HOME": "trap",
            **variables,
        },
        capture_output=True,
        text=True,
    )
    return {word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", done.stdout.splitlines()[-1])}


def test_at_home_a_skip_is_a_skip(project: Path) -> None:
    seen = counts(project, AIDMESH_CI="", AIDMESH_SHARED=str(project / "absent"))
    assert seen == {"passed": 1, "skipped": 6, "xfailed": 1}


def test_in_ci_only_what_the_machine_lacks_may_skip(project: Path) -> None:
    seen = counts(project, "--continue-on-collection-errors", AIDMESH_CI="1", AIDMESH_SHARED=str(project / "absent"))
    assert seen == {"passed": 1, "skipped": 2, "xfailed": 1, "failed": 1, "errors": 3}


def test_tests_that_ask_for_the_shared_folder_are_marked_and_run_when_it_is_there(project: Path) -> None:
    seen = counts(project, "-m", "shared", AIDMESH_CI="", AIDMESH_SHARED=str(project))
    assert seen == {
        "passed": 1,
        "deselected": 6,
        "skipped": 1,
    }  # what skips as a whole file is never selected
