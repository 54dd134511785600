"""deploy/run.py as a newcomer meets it: fresh clones, on machines that lack more and more. Downloads."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests.house.tree import copy_tree

pytestmark = [pytest.mark.clean, pytest.mark.timeout(1200)]

SECONDS_OF_A_SECOND_RUN_MAX = 5.0
TESTS = ("test", "-q", "tests/house/test_lock.py")
# Nothing in these folders but the system's own commands: no uv, no pyenv.
SYSTEM_PATH = "/usr/bin:/bin"
TAKEN_OUT = ("venv", "ensurepip", "pip")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_tree(tmp_path / "a fresh clone")


def start(python: list[str], clone: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    without_uv = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "uv").exists()
    )
    return subprocess.Popen(
        [*python, "deploy/run.py", *arguments],
        cwd=clone,
        env={**os.environ, "PATH": without_uv, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ends_well(started: subprocess.Popen[str]) -> str:
    """Everything it printed."""
    output, _ = started.communicate()
    assert started.returncode == 0, output
    return output


def host_python() -> str:
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def works(python: list[str], clone: Path, **variables: str) -> str:
    """First run from nothing, second run at once, the command there; returns what the first run printed."""
    first = ends_well(start(python, clone, *TESTS, **variables))
    begun = time.monotonic()
    second = ends_well(start(python, clone, *TESTS, **variables))
    assert time.monotonic() - begun < SECONDS_OF_A_SECOND_RUN_MAX
    assert " passed" in first
    assert " passed" in second
    assert "aidmesh: " not in second
    assert "Usage: " in ends_well(start(python, clone, "demo", "--help", **variables))
    return first


def test_a_fresh_clone_survives_an_awkward_caller_a_kill_and_two_starts_at_once(clone: Path, tmp_path: Path) -> None:
    awkward = {
        "PIP_TARGET": str(tmp_path / "target"),
        "PIP_PREFIX": str(tmp_path / "prefix"),
        "PIP_USER": "1",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONPATH": str(tmp_path),
        "VIRTUAL_ENV": str(tmp_path),
    }
    killed = start([host_python()], clone, *TESTS, **awkward)
    assert killed.stdout
    with killed:
        while "Installing the locked packages" not in killed.stdout.readline():
            assert killed.poll() is None
        os.killpg(killed.pid, signal.SIGKILL)
    both = [start([host_python()], clone, *TESTS, **awkward) for _ in range(2)]
    printed = "".join(ends_well(one) for one in both)
    assert printed.count("out of date or unfinished") == 1
    assert "aidmesh: Another start is " in printed
    assert printed.count(" passed") == 2
    works([host_python()], clone, **awkward)
    assert not (tmp_path / "target").exists()
    assert not (tmp_path / "prefix").exists()


def test_uv_is_used_where_it_is(clone: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("probed absent: uv on PATH")
    assert "with uv" in works([host_python()], clone, PATH=f"{Path(uv).parent}:{SYSTEM_PATH}")


# The other tests show the one they run on.
@pytest.mark.parametrize("version", sorted({"3.11", "3.12", "3.13"} - {"{}.{}".format(*sys.version_info[:2])}))
def test_the_lock_serves_every_python_we_promise(clone: Path, version: str) -> None:
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*")),
    ]
    for candidate in candidates:
        python = str(candidate / "bin" / "python3") if isinstance(candidate, Path) else candidate
        if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            works([python], clone)
            return
    pytest.skip(f"probed absent: Python {version}")


def test_a_python_from_which_venv_and_pip_were_taken_out(clone: Path, tmp_path: Path) -> None:
    """Fedora's, Alpine's or a container's minimal Python: a copy of ours without those modules."""
    host = Path(host_python()).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    bare = tmp_path / "bare"
    bundles = ("site-packages", "dist-packages", "test", "idlelib", "tkinter", "__pycache__", "config-3*")
    shutil.copytree(library, bare / sys.platlibdir / library.name, ignore=shutil.ignore_patterns(*TAKEN_OUT, *bundles))
    (bare / "bin").mkdir()
    python = str(shutil.copy2(host, bare / "bin" / host.name))
    for module in TAKEN_OUT:
        assert subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 1
    if not list(Path("/usr/share/python-wheels").glob("pip-*.whl")) and not shutil.which("apt-get"):
        pytest.skip("probed absent: any place to get pip from")
    assert "laying out the environment by hand" in works([python], clone, PATH=SYSTEM_PATH)


def test_debians_own_python_without_its_pip_and_venv_packages(clone: Path, tmp_path: Path) -> None:
    """Externally managed, as Debian ships it: empty folders cover what those packages hold.

    They do so in a mount namespace of the test's own, where nothing else on this machine notices.
    """
    packages = ["/usr/lib/python3/dist-packages/pip", "/usr/share/python-wheels", "/usr/local/lib/python3*"]
    libraries = sorted(Path("/usr/lib").glob("python3.*/EXTERNALLY-MANAGED"))
    if not libraries or not shutil.which("apt-get"):
        pytest.skip("probed absent: Debian's externally managed Python")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("probed absent: mount namespaces")
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], capture_output=True
    )
    if version.returncode != 0:
        pytest.skip("probed absent: a system Python 3.11 or newer")
    empty = tmp_path / "empty"
    empty.mkdir()
    covered = [
        *packages,
        *(str(file.parent / module) for file in libraries for module in ("venv", "ensurepip")),
    ]
    script = 'for folder in {}; do [ ! -d "$folder" ] || mount --bind "$EMPTY" "$folder"; done; exec "$@"'
    python = ["unshare", "--mount", "sh", "-euc", script.format(" ".join(covered)), "sh", "/usr/bin/python3"]
    home = {"EMPTY": str(empty), "PYTHONNOUSERSITE": "1", "PATH": SYSTEM_PATH}
    for module in TAKEN_OUT:
        probe = subprocess.run(
            [*python, "-c", f"import {module}; {module}.__file__.upper()"],
            env={**os.environ, **home},
            capture_output=True,
        )
        assert probe.returncode == 1
    printed = works(python, clone, **home)
    assert "fetching Debian's package" in printed
