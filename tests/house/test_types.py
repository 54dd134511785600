"""The whole tree is checked by mypy --strict and by ruff, as pyproject.toml says."""

import subprocess
import sys

import pytest

from tests.house.tree import ROOT

CHECKS = {
    "types": ["mypy"],
    "lint": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
}


@pytest.mark.timeout(600)  # without its cache mypy reads all of aiohttp and cryptography
@pytest.mark.parametrize("check", CHECKS)
def test_the_tree_passes(check: str) -> None:
    done = subprocess.run([sys.executable, "-m", *CHECKS[check]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
