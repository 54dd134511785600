"""The files that git knows in this tree, tracked or about to be: what a clone would hold."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("protocol/aidmesh_protocol", "node/aidmesh_node", "cli/aidmesh_cli")


def files(root: Path = ROOT) -> list[Path]:
    """Paths relative to `root`, sorted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout
    named = {Path(os.fsdecode(name)) for name in listing.split(b"\0") if name}
    return sorted(path for path in named if (root / path).is_file())


def python_files(root: Path = ROOT) -> list[Path]:
    return [path for path in files(root) if path.suffix == ".py"]


def copy_tree(target: Path) -> Path:
    """What a fresh clone would hold, with a repository of its own around it."""
    for path in files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    subprocess.run(["git", "init", "--quiet", "."], cwd=target, check=True)
    return target
