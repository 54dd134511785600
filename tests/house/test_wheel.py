"""What people install: the three packages with their data, the command, the licence, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, copy_tree, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    clone = copy_tree(tmp_path_factory.mktemp("wheel") / "clone")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=clone,
        check=True,
        capture_output=True,
    )
    (built,) = (clone / "dist").glob("aidmesh-*-py3-none-any.whl")
    return zipfile.ZipFile(built)


def test_it_holds_every_file_of_the_packages_and_nothing_of_the_house(wheel: zipfile.ZipFile) -> None:
    folders = [Path(package) for package in PACKAGES]
    wanted = {
        path.relative_to(folder.parent).as_posix()
        for path in files()
        for folder in folders
        if path.is_relative_to(folder)
    }
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_it_brings_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    texts = {
        name.split(".dist-info/")[1]: wheel.read(name).decode() for name in wheel.namelist() if "dist-info" in name
    }
    assert texts["entry_points.txt"].split() == ["[console_scripts]", "aidmesh", "=", "aidmesh_cli.main:main"]
    assert "License-Expression: AGPL-3.0-or-later" in texts["METADATA"].splitlines()
    assert texts["licenses/LICENSE"].lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
