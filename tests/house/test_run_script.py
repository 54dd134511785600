"""The parts of deploy/run.py that need no download; tests/house/test_fresh_machine.py does all of it."""

import ast
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.tree import ROOT, copy_tree

RUN = ROOT / "deploy" / "run.py"
# Stands where the installed command would: says how it was started, and ends when its input does.
COMMAND = """
import json, os, sys
seen = {"arguments": sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ)}
print(json.dumps(seen), flush=True)
sys.stdin.read()
sys.exit(7)
"""


def start(*arguments: str, script: Path = RUN, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_tree(tmp_path / "a clone")


Load = Callable[[Path], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Reads the run.py of a clone as a module, to look at its parts."""

    def run_script(clone: Path) -> ModuleType:
        monkeypatch.delenv("AIDMESH_VENV", raising=False)
        spec = spec_from_file_location("run_script", clone / "deploy" / "run.py")
        assert spec and spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return run_script


@pytest.fixture
def ready(clone: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with its environment: laid out by hand, as without venv, and with the command in it."""
    run = load(clone)
    monkeypatch.setitem(sys.modules, "venv", None)
    run.make_bare_environment()
    (run.VENV / "bin" / "aidmesh").write_text(COMMAND, encoding="utf-8")
    run.STAMP.write_text(run.wanted_stamp(), encoding="ascii")
    return clone


@pytest.mark.parametrize("arguments", [[], ["tests"], ["--version"], [""]])
def test_a_word_it_does_not_know_gets_the_usage(arguments: list[str]) -> None:
    done = start(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python3 deploy/run.py demo [ARGS]")


def test_help_is_no_error() -> None:
    done = start("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python3 deploy/run.py demo [ARGS]")


def test_an_old_python_gets_one_clear_sentence() -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 10, 4); runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", pretend, RUN, "test"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "aidmesh needs Python 3.11 or newer, and this is Python 3.10: "
        "install a newer Python and start this script with it.\n"
    )


def test_an_old_python_can_read_it_so_far() -> None:
    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_arguments_and_the_exit_code_pass_through_and_output_stays_clean(ready: Path) -> None:
    done = start("demo", "--exit", "two words", "", script=ready / "deploy" / "run.py")
    assert (done.returncode, done.stderr) == (7, "")
    seen = json.loads(done.stdout)
    assert seen["arguments"] == ["demo", "--exit", "two words", ""]
    assert seen["folder"] == str(ready)
    assert seen["variables"]["PATH"].startswith(f"{ready / '.venv' / 'bin'}{os.pathsep}")


def test_a_hostile_environment_reaches_neither_the_script_nor_the_command(ready: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for module in ("hashlib", "pathlib", "subprocess", "shutil", "json"):
        (trap / f"{module}.py").write_text("raise SystemExit('the trap closed')", encoding="utf-8")
    hostile = {"PYTHONPATH": str(trap), "VIRTUAL_ENV": str(trap), "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": ""}
    done = start("demo", script=ready / "deploy" / "run.py", **hostile)
    assert (done.returncode, done.stderr) == (7, "")
    assert not hostile.keys() & json.loads(done.stdout)["variables"].keys()


def test_an_environment_laid_out_by_hand_is_one_of_its_own(ready: Path) -> None:
    python = ready / ".venv" / "bin" / "python"
    code = "import sys, sysconfig; print(sys.prefix, sys.base_prefix, sysconfig.get_path('purelib'), sep='\\n')"
    prefix, host, library = subprocess.check_output([python, "-c", code], text=True).splitlines()
    assert prefix == str(ready / ".venv")
    assert host == sys.base_prefix
    assert Path(library).is_relative_to(prefix)
    assert Path(library).is_dir()


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml"])
def test_the_environment_is_stale_once_what_it_was_made_from_changes(ready: Path, load: Load, file: str) -> None:
    run = load(ready)
    assert run.is_ready()
    with (ready / file).open("a", encoding="utf-8") as content:
        content.write("\n# one more line\n")
    assert not run.is_ready()


def test_the_environment_is_stale_once_the_clone_moved(ready: Path, load: Load) -> None:
    """Its scripts and the link to the sources name the old place."""
    assert load(ready).is_ready()
    assert not load(ready.rename(ready.with_name("moved"))).is_ready()


def test_a_set_up_that_was_cut_off_is_not_ready(ready: Path, load: Load) -> None:
    run = load(ready)
    run.STAMP.rename(run.STAMP.with_name("aidmesh-stamp.new"))
    assert not run.is_ready()


def test_an_environment_whose_python_went_is_not_ready(ready: Path, load: Load) -> None:
    run = load(ready)
    run.PYTHON.unlink()
    run.PYTHON.symlink_to(ready / "no such python")
    assert not run.is_ready()


def test_a_folder_of_somebody_else_is_not_thrown_away(clone: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").write_text("keep me", encoding="utf-8")
    done = start("test", script=clone / "deploy" / "run.py", AIDMESH_VENV=str(precious))
    assert done.returncode == 1
    assert f"{precious} was not made by this script" in done.stderr
    assert (precious / "letter").read_text(encoding="utf-8") == "keep me"


def test_nobody_rebuilds_the_environment_while_a_command_runs_from_it(ready: Path) -> None:
    command = subprocess.Popen(
        [sys.executable, ready / "deploy" / "run.py", "demo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert command.stdin
    assert command.stdout
    with command, (ready / ".venv.lock").open("a") as lock:
        command.stdout.readline()
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        command.stdin.close()
    assert command.returncode == 7


def test_a_second_start_waits_for_the_first_and_says_so(ready: Path) -> None:
    with (ready / ".venv.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, ready / "deploy" / "run.py", "demo"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr
        assert second.stderr.readline().startswith("aidmesh: Another start is making ")
        fcntl.flock(lock, fcntl.LOCK_UN)
        second.communicate()
    assert second.returncode == 7


@pytest.mark.clean
def test_what_cannot_be_downloaded_is_said_in_one_sentence_and_tried_again(clone: Path, tmp_path: Path) -> None:
    offline = {
        "PATH": "/usr/bin:/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_TARGET": str(tmp_path / "elsewhere"),
    }
    for attempt in ("First run", "out of date or unfinished"):
        done = start("test", script=clone / "deploy" / "run.py", **offline)
        assert (done.returncode, done.stdout) == (1, "")
        assert attempt in done.stderr
        assert "check that this machine reaches its package index" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "elsewhere").exists()


def test_the_caller_says_where_packages_come_from_and_we_where_they_go(
    clone: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "PIP_INDEX_URL",
        "PIP_CERT",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_PYTHON",
        "PIP_USER",
        "PYTHONPATH",
    ):
        monkeypatch.setenv(name, f"/{name}")
    variables = load(clone).setup_variables()
    assert variables["PIP_INDEX_URL"] == "/PIP_INDEX_URL"
    assert variables["PIP_CERT"] == "/PIP_CERT"
    assert variables["PIP_USER"] == "0"
    assert not {"PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON", "PYTHONPATH"} & variables.keys()
