"""requirements.txt is the one lock: covers what pyproject.toml asks for, with hashes, and names no index."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, files

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)( ; [a-z_A-Z'0-9 !=<>.]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
# In pieces: this file may not name them either.
INDEX_HOSTS = [
    "".join(pieces)
    for pieces in (
        ("py", "pi.", "org"),
        ("python", "hosted", ".org"),
        ("pi", "wheels", ".org"),
        ("registry.np", "mjs", ".org"),
        ("registry.yarn", "pkg", ".com"),
        ("deb.de", "bian", ".org"),
        ("security.de", "bian", ".org"),
        ("archive.ubu", "ntu", ".com"),
        ("conda.ana", "conda", ".org"),
        ("crates", ".io"),
        ("proxy.go", "lang", ".org"),
    )
]


def lock_lines() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("#")]


def locked() -> dict[str, str]:
    return {match["name"]: match["version"] for line in lock_lines() if (match := PIN.fullmatch(line))}


def wanted() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["test"],
        *project["build-system"]["requires"],
    ]


@pytest.mark.parametrize("wish", wanted())
def test_what_the_project_asks_for_is_locked(wish: str) -> None:
    requirement = Requirement(wish)
    version = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_the_lock_was_made_from_the_build_requirements_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]


def test_every_line_is_a_pin_or_a_hash() -> None:
    """So there is no line that names an index, a link or an option."""
    assert [line for line in lock_lines() if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_every_pin_has_hashes() -> None:
    lines = lock_lines()
    pins = [number for number, line in enumerate(lines) if PIN.fullmatch(line)]
    assert len(pins) == len(locked()) > 30
    assert [lines[number] for number in pins if not HASH.fullmatch(lines[number + 1])] == []


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_no_file_names_the_host_of_a_package_index(host: str) -> None:
    assert [str(path) for path in files() if host.encode() in (ROOT / path).read_bytes().lower()] == []
