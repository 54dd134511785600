"""One process per home: the second is told who holds it; a killed holder leaves nothing to clean up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aidmesh_node.storage.home_lock import HomeBusy, HomeLock
from tests.storage.programs import command, environment

STARTED = "a test"


@contextmanager
def holder(*directories: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command("hold_home.py", *map(str, directories)),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_is_told_which_process_holds_the_home(tmp_path: Path) -> None:
    with holder(tmp_path / "home") as process:
        with pytest.raises(HomeBusy) as caught:
            HomeLock([tmp_path / "home"], STARTED)
        assert caught.value.pid == process.pid
        assert caught.value.path == tmp_path / "home" / "lock"
        assert f"in use by process {process.pid} (aidmesh run, 2026-11-22 08:00)" in str(caught.value)
        assert str(tmp_path / "home") in str(caught.value)


def test_a_killed_holder_leaves_the_home_free(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait(30)
        with HomeLock([tmp_path], STARTED):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n{STARTED}\n"
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_two_homes_with_one_mark_cannot_run_at_once(tmp_path: Path) -> None:
    mark = tmp_path / "state"
    with holder(tmp_path / "home", mark):
        with pytest.raises(HomeBusy, match=str(mark)):
            HomeLock([tmp_path / "clone", mark], STARTED)
        # Nothing of the failed attempt is held.
        HomeLock([tmp_path / "clone"], STARTED).close()


def test_a_closed_lock_can_be_taken_again_in_the_same_process(tmp_path: Path) -> None:
    first = HomeLock([tmp_path], "a long line, then a short one")
    with pytest.raises(HomeBusy):
        HomeLock([tmp_path], STARTED)
    first.close()
    first.close()
    with HomeLock([tmp_path], "x"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\nx\n"


def test_a_holder_that_has_not_signed_yet_has_no_number(tmp_path: Path) -> None:
    with HomeLock([tmp_path], STARTED):
        (tmp_path / "lock").write_text("")
        with pytest.raises(HomeBusy, match="another process: stop it") as caught:
            HomeLock([tmp_path], STARTED)
        assert caught.value.pid is None
