"""The stand-alone verifier as a stranger runs it: a copy of one file, and of our libraries nothing but cryptography."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cryptography

PROGRAM = Path(__file__).resolve().parents[2] / "protocol" / "verify.py"
ALONE = """
import importlib.util, runpy, sys
sys.path = [path for path in sys.path if path.endswith((".zip", "lib-dynload")) or "python3" in path.split("/")[-1]]
sys.path.append({libraries!r})
for ours in ("aidmesh_protocol", "aidmesh_node", "aidmesh_cli", "msgpack"):
    assert importlib.util.find_spec(ours) is None, ours
sys.argv = ["verify.py", *sys.argv[1:]]
runpy.run_path({program!r}, run_name="__main__")
"""


def loaded() -> ModuleType:
    """The program as a module, to ask it a thousand times."""
    spec = importlib.util.spec_from_file_location("stand_alone_verify", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_alone(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of it in an empty folder, without site-packages, with cryptography beside it."""
    program, libraries = folder / "verify.py", folder / "libraries"
    program.write_bytes(PROGRAM.read_bytes())
    libraries.mkdir(exist_ok=True)
    installed = Path(cryptography.__file__).parent.parent
    for library in [installed / "cryptography", *installed.glob("_cffi_backend*"), installed / "cffi"]:
        if library.exists() and not (libraries / library.name).exists():
            (libraries / library.name).symlink_to(library)
    started = ALONE.format(libraries=str(libraries), program=str(program))
    command = [sys.executable, "-I", "-S", "-c", started, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
