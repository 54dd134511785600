#!/usr/bin/env python3
"""Runs aidmesh from a fresh clone: makes the environment .venv if need be, then does what was asked.

    python3 deploy/run.py demo ARGS    runs `aidmesh demo ARGS`
    python3 deploy/run.py test ARGS    runs the tests; ARGS go to pytest

Needs Python 3.11 or newer and nothing else: standard library only. Writes nothing outside the environment,
the lock file beside it and a temporary folder; installs nothing into the system.
"""

import os
import sys

# Everything in this file must parse on Python 3.6, or an old Python would answer with a syntax error instead.
if sys.version_info < (3, 11):
    sys.exit(
        "aidmesh needs Python 3.11 or newer, and this is Python {}.{}: "
        "install a newer Python and start this script with it.".format(*sys.version_info[:2])
    )

# A caller's settings that change which Python code the environment sees, or switch off the tests' assertions.
PYTHON_REDIRECTIONS = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONEXECUTABLE",
    "PYTHONPLATLIBDIR",
    "PYTHONOPTIMIZE",
    "PYTHONINSPECT",
    "PYTHONSTARTUP",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)

if __name__ == "__main__" and sys.executable and any(name in os.environ for name in PYTHON_REDIRECTIONS):
    # Before anything more is imported: PYTHONPATH may hold a module named like one of the standard library.
    for redirection in PYTHON_REDIRECTIONS:
        os.environ.pop(redirection, None)
    os.execv(sys.executable, [sys.executable, *sys.argv])

import hashlib
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:
    sys.exit("aidmesh runs on Linux and macOS: on Windows start it inside WSL.")

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.path.abspath(os.environ.get("AIDMESH_VENV") or ROOT / ".venv"))
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "aidmesh-stamp"
LOCK = VENV.with_name(VENV.name + ".lock")
# Inside some virtual environment this is the Python it was made from: ours must not hang on another one.
HOST_PYTHON = getattr(sys, "_base_executable", None) or sys.executable
SYSTEM_WHEELS = Path("/usr/share/python-wheels")

USAGE = f"""\
usage: python3 deploy/run.py demo [ARGS]    run `aidmesh demo ARGS`: groups on this machine help each other
       python3 deploy/run.py test [ARGS]    run the tests; ARGS go to pytest

The first run makes the environment {VENV}
(a minute or two, downloads packages); later runs start in seconds. AIDMESH_VENV=FOLDER puts it elsewhere.
pip's settings for index, certificates and proxy are respected.
"""

# Where packages come from is the caller's to say; where they go and how is ours.
PIP_SETTINGS_KEPT = (
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
    "PIP_USE_DEPRECATED",
    "PIP_USE_FEATURE",
)
# These may also stand in pip's configuration files, so leaving them out is not enough.
PIP_SETTINGS_FORCED = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_USER": "0",
}
UV_SETTINGS_DROPPED = ("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_REQUIRE_HASHES")


class SetupFailed(Exception):
    """The environment could not be made; the text says what the person can do."""


def main(arguments: list[str]) -> int:
    """The exit code, if there is nothing to run; otherwise this process becomes the command."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if not arguments or arguments[0] not in ("demo", "test"):
        print(USAGE, end="", file=sys.stderr)
        return 2
    try:
        lock = hold_environment()
    except (SetupFailed, OSError) as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        say("Interrupted; the next start sets up again.")
        return 130
    # The command keeps the shared lock (what it starts does not): nobody rebuilds the floor it stands on.
    os.set_inheritable(lock, True)
    os.environ["PATH"] = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", os.defpath)])
    os.chdir(ROOT)
    command = command_line(arguments[0], arguments[1:])
    os.execv(command[0], command)


def command_line(word: str, arguments: list[str]) -> list[str]:
    if word == "test":
        return [str(PYTHON), "-m", "pytest", *arguments]
    return [str(PYTHON), str(VENV / "bin" / "aidmesh"), "demo", *arguments]


def say(text: str) -> None:
    """Messages go to stderr: stdout belongs to the command, and a program may read it."""
    print(f"aidmesh: {text}", file=sys.stderr, flush=True)


def hold_environment() -> int:
    """Makes the environment if need be; returns the descriptor that holds its lock. Raises SetupFailed.

    Whoever runs from the environment holds the lock shared; whoever makes it holds it alone. Between the two
    it is let go for a moment, hence the loop: what counts is that all is ready while the shared lock is held.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    while True:
        wait_for(lock, fcntl.LOCK_SH, "Another start is making")
        if is_ready():
            return lock
        wait_for(lock, fcntl.LOCK_EX, "Another start is using")
        if not is_ready():
            claim(lock)
            make_environment()


def wait_for(lock: int, kind: int, holder: str) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"{holder} {VENV}; waiting until it ends.")
        fcntl.flock(lock, kind)


def wanted_stamp() -> str:
    """What the environment depends on: the lock, the project file, this Python, where the two folders lie."""
    digest = hashlib.sha256()
    for content in (
        (ROOT / "requirements.txt").read_bytes(),
        (ROOT / "pyproject.toml").read_bytes(),
        sys.version.encode(),
        os.fsencode(sys.base_prefix),
        os.fsencode(ROOT),
        os.fsencode(VENV),
    ):
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def is_ready() -> bool:
    """The stamp is written last: a set-up that was cut off has none. A host Python that went, a dead link."""
    try:
        return STAMP.read_text(encoding="ascii") == wanted_stamp() and PYTHON.exists()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False


def claim(lock: int) -> None:
    """Notes in the lock file that the folder is ours to throw away; refuses one with other people's files."""
    if os.fstat(lock).st_size == 0:
        if VENV.is_dir() and any(VENV.iterdir()) and not STAMP.exists():
            raise SetupFailed(
                f"{VENV} was not made by this script and would be overwritten: "
                "move it away, or set AIDMESH_VENV to a folder that does not exist yet."
            )
        os.write(lock, b"deploy/run.py makes the folder of this name and throws it away.\n")


def make_environment() -> None:
    """Dying anywhere in here leaves no stamp: the next start begins from nothing. Raises SetupFailed."""
    begun = time.monotonic()
    if VENV.is_dir():
        say(f"The environment {VENV} is out of date or unfinished; making it anew.")
        STAMP.unlink(missing_ok=True)
        shutil.rmtree(VENV)
    else:
        say("First run: making the environment {} with Python {}.{}.{}.".format(VENV, *sys.version_info[:3]))
    if not install_with_uv():
        make_bare_environment()
        with tempfile.TemporaryDirectory(prefix="aidmesh-setup-") as scratch:
            install_with_pip(find_pip(Path(scratch)))
    unfinished = STAMP.with_name(STAMP.name + ".new")
    unfinished.write_text(wanted_stamp(), encoding="ascii")
    os.replace(unfinished, STAMP)
    say(f"Ready after {time.monotonic() - begun:.0f} s; the next start skips all this.")


def install_with_uv() -> bool:
    """False where uv is absent or fails: it does not read pip's settings, so pip may still get through."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    say("Installing the locked packages with uv, every one checked against its hash.")
    install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    if (
        run([uv, "venv", "--quiet", "--python", HOST_PYTHON, str(VENV)])
        and run([*install, "--require-hashes", "-r", str(ROOT / "requirements.txt")])
        and run([*install, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    ):
        return True
    say("uv did not get through; trying pip.")
    shutil.rmtree(VENV, ignore_errors=True)
    return False


def make_bare_environment() -> None:
    """An environment without pip: by the venv module, or where that was taken out of Python, by hand."""
    if importlib.util.find_spec("venv") and run([HOST_PYTHON, "-m", "venv", "--without-pip", str(VENV)]):
        return
    say("This Python has no working venv module; laying out the environment by hand.")
    shutil.rmtree(VENV, ignore_errors=True)
    library = VENV / sys.platlibdir / "python{}.{}".format(*sys.version_info[:2]) / "site-packages"
    library.mkdir(parents=True)
    PYTHON.parent.mkdir()
    PYTHON.symlink_to(HOST_PYTHON)
    PYTHON.with_name("python3").symlink_to("python")
    (VENV / "pyvenv.cfg").write_text(
        f"home = {Path(HOST_PYTHON).parent}\ninclude-system-site-packages = false\nversion = {{}}.{{}}.{{}}\n".format(
            *sys.version_info[:3]
        ),
        encoding="utf-8",
    )


def find_pip(scratch: Path) -> list[str]:
    """The command of a pip that installs into the environment. Raises SetupFailed."""
    for place, pip in pip_candidates(scratch):
        if run([*pip, "--version"], quiet=True):
            say(f"Using the pip {place}.")
            return pip
    raise SetupFailed(
        "There is no pip for this Python and none could be fetched: install it with your system's packages "
        "(Debian, Ubuntu, Raspberry Pi OS: apt install python3-venv), then start again."
    )


def pip_candidates(scratch: Path) -> Iterator[tuple[str, list[str]]]:
    if importlib.util.find_spec("ensurepip") and run([str(PYTHON), "-m", "ensurepip"], quiet=True):
        yield "that comes with Python", [str(PYTHON), "-m", "pip"]
    yield "of this machine", [HOST_PYTHON, "-m", "pip", "--python", str(PYTHON)]
    yield from wheels_in(SYSTEM_WHEELS)
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        say("This machine has no pip; fetching Debian's package of it (unpacked for now, not installed).")
        fetch_debian_pip(scratch)
        yield from wheels_in(scratch / "package" / SYSTEM_WHEELS.relative_to("/"))


def wheels_in(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A pip wheel runs from inside itself: a wheel is a zip file, and Python imports from those."""
    for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
        yield f"in {folder}", [str(PYTHON), str(wheel / "pip")]


def fetch_debian_pip(scratch: Path) -> None:
    """Needs no rights: by the machine's package lists if they serve, else by own ones in `scratch`."""
    package = "python3-pip-whl"
    state, cache = scratch / "state", scratch / "cache"
    (state / "lists" / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    own_lists = ["apt-get", "-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}"]
    own_lists += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
    if os.geteuid() == 0:
        own_lists += ["-o", "APT::Sandbox::User=root"]  # apt's own user may not enter the scratch folder
    if not run(["apt-get", "download", package], quiet=True, folder=scratch):
        run([*own_lists, "update"], quiet=True, folder=scratch)
        run([*own_lists, "download", package], quiet=True, folder=scratch)
    for file in scratch.glob(f"{package}_*.deb"):
        run(["dpkg-deb", "-x", str(file), str(scratch / "package")], quiet=True)


def install_with_pip(pip: list[str]) -> None:
    """Raises SetupFailed."""
    say("Installing the locked packages with pip, every one checked against its hash.")
    if not run([*pip, "install", "-qq", "--require-hashes", "-r", str(ROOT / "requirements.txt")]):
        raise SetupFailed(
            "The locked packages could not be installed (pip's words are above): check that this machine "
            "reaches its package index (pip's configuration, PIP_INDEX_URL, PIP_PROXY, PIP_CERT), "
            "then start again."
        )
    say("Installing aidmesh itself, as a link to this folder.")
    if not run([*pip, "install", "-qq", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        raise SetupFailed(f"aidmesh itself could not be installed from {ROOT} (pip's words are above).")


def run(command: list[str], quiet: bool = False, folder: Path = ROOT) -> bool:
    """Whether the command ended well. What it prints goes to stderr, or with `quiet` nowhere."""
    drain = subprocess.DEVNULL if quiet else sys.stderr.fileno()
    try:
        done = subprocess.run(
            command, cwd=folder, env=setup_variables(), stdin=subprocess.DEVNULL, stdout=drain, stderr=drain
        )
    except OSError:
        return False
    return done.returncode == 0


def setup_variables() -> dict[str, str]:
    """The caller's environment variables without those that would send packages elsewhere."""
    # PYTHONWARNINGS=error would stop pip at the first warning.
    dropped = {*PYTHON_REDIRECTIONS, *UV_SETTINGS_DROPPED, "PYTHONWARNINGS"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and (not name.startswith("PIP_") or name in PIP_SETTINGS_KEPT)
    }
    return {**kept, **PIP_SETTINGS_FORCED}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
