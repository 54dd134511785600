"""What deploy/Dockerfile promises, read from it. That its steps work is tests/deploy/test_image_steps.py."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files
from tests.support import dockerfile

DEPLOY = ROOT / "deploy"
BUILD, FINAL = dockerfile.read(DEPLOY / "Dockerfile")


def test_the_image_that_runs_comes_from_the_same_python_and_holds_no_sources() -> None:
    assert BUILD.image == FINAL.image == "python:3.12-slim"
    assert FINAL.all("COPY") == ["--from=build /opt/aidmesh /opt/aidmesh"]


def test_every_package_is_checked_against_the_lock_and_nothing_else_is_installed() -> None:
    download, install = BUILD.all("RUN")
    assert "--require-hashes" in download and "--requirement requirements.txt" in download
    assert "--no-index --find-links /wheels" in install
    assert not [step for step in FINAL.all("RUN") if "pip" in step or "apt" in step]


def test_it_runs_as_nobody_in_particular_and_may_be_read_only() -> None:
    assert FINAL.last("USER") == "10001:10001", "a number: a cluster can see that it is not root"
    assert FINAL.command("VOLUME") == ["/data", "/state"], "all it writes to"
    assert FINAL.environment["AIDMESH_HOME"] == "/data"
    assert FINAL.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert FINAL.command("ENTRYPOINT") == ["aidmesh"] and FINAL.command("CMD") == ["run"]


def test_the_healthcheck_needs_no_tool_that_is_not_there() -> None:
    options, command = FINAL.healthcheck
    assert command[0] == "python" and "http://127.0.0.1:8420/readyz" in command[-1]
    assert set(options) == {"interval", "timeout", "start-period", "retries"}


def test_the_builder_gets_what_is_copied_and_nothing_else() -> None:
    sent = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    copied = {source for text in BUILD.all("COPY") for source in text.split()[:-1]}
    assert sent == copied
    assert all((ROOT / source).exists() for source in copied)


def test_what_a_person_writes_beside_the_compose_file_is_never_committed() -> None:
    ignored = {line for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/deploy/")}
    assert ignored == {"/deploy/.env", "/deploy/ca/"}
    assert not [path for path in files() if fnmatch.fnmatch(str(path), "deploy/.env*")]


def test_an_instruction_the_reader_does_not_know_is_an_error(tmp_path: Path) -> None:
    strange = tmp_path / "Dockerfile"
    strange.write_text("FROM python\nADD http://example.org/x /\n")
    with pytest.raises(ValueError, match="ADD"):
        dockerfile.read(strange)
