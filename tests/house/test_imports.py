"""Imports point inward: the contracts of pyproject.toml hold, and each would notice a wrong import."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, python_files

# Beside the standard library; import-linter sees only whole distributions, hence this finer look.
THIRD_PARTY = {
    "node/aidmesh_node/domain": {"eventsourcing.domain", "eventsourcing.utils"},
    "protocol/aidmesh_protocol": {"cryptography", "http_message_signatures", "mnemonic", "msgpack"},
}

# One wrong import for each contract: file, line, and the name of the contract that has to break.
TRESPASSES = [
    ("protocol/aidmesh_protocol", "import aidmesh_node", "cli -> node -> protocol"),
    ("cli/aidmesh_cli", "import aidmesh_node.domain", "The CLI knows of the node only aidmesh_node.main"),
    ("node/aidmesh_node/domain", "import aidmesh_node.storage", "Inside the node imports point inward"),
    ("node/aidmesh_node/http", "import aidmesh_node.storage", "Only main knows which storage there is"),
    ("node/aidmesh_node/domain", "import aidmesh_protocol", "The domain knows no wire format"),
    ("protocol/aidmesh_protocol", "import time", "The protocol does no I/O"),
]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])",
        ],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(root / package) for package in ("protocol", "node", "cli")),
        },
        capture_output=True,
        text=True,
    )


def test_the_contracts_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def trespassed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter prints of a copy of the packages with every trespass in it."""
    copy = tmp_path_factory.mktemp("trespassed")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for number, (folder, line, _) in enumerate(TRESPASSES):
        (copy / folder / f"trespass_{number}.py").write_text(line + "\n", encoding="utf-8")
    return lint_imports(copy).stdout


@pytest.mark.parametrize(("folder", "line", "contract"), TRESPASSES)
def test_each_contract_notices_a_trespass(trespassed: str, folder: str, line: str, contract: str) -> None:
    verdict = next(text for text in trespassed.splitlines() if text.startswith(contract))
    assert " BROKEN" in verdict


@pytest.mark.parametrize("folder", THIRD_PARTY)
def test_the_core_uses_few_libraries(folder: str) -> None:
    own = {Path(package).name for package in PACKAGES}
    foreign = {
        name
        for path in python_files()
        if path.is_relative_to(folder)
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names | own
    }
    assert {
        name for name in foreign if not any(f"{name}.".startswith(f"{kept}.") for kept in THIRD_PARTY[folder])
    } == set()


def imported(path: Path) -> set[str]:
    """Dotted names of the modules that the file imports; `from . import x` counts as nothing foreign."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names
