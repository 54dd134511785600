"""A full disk passes; an I/O error ends all writing. Either way nobody is told of something that was not
kept.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidmesh_node.application.ports import Work
from aidmesh_node.application.unavailable import Unavailable
from tests.storage.home import SqliteHome
from tests.storage.programs import run
from tests.storage.things import Pile, number


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        yield home


def add(work: Work) -> int:
    pile = work.get(Pile, number(1))
    pile.add(1)
    work.commit(pile)
    return int(pile.amount)


def fill(work: Work) -> None:
    for index in range(2_000):
        work.commit(Pile.heap(number(1_000 + index)))


def limit_pages(home: SqliteHome, pages: int) -> None:
    home.writer.submit(
        lambda work: home.database.connection.execute(f"PRAGMA max_page_count={pages}").fetchone()
    ).result(30)


def test_a_full_database_fails_its_whole_batch_and_recovers_by_itself(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    home.do(add)
    pages = home.database.connection.execute("PRAGMA page_count").fetchone()[0]
    limit_pages(home, pages + 4)
    futures = home.together(add, fill, add)
    for future in futures:
        error = future.exception()
        assert isinstance(error, Unavailable)
        assert (error.reason, error.detail) == ("storage_full", "The disk is full; nothing was stored.")
    assert home.writer.broken is None
    limit_pages(home, 1_000_000)
    # The change of the lost batch is in no memory either.
    assert home.do(add) == 2
    home.do(fill)
    assert home.read(lambda reading: reading.events.max_position()) == 2_003


@pytest.mark.faults
def test_an_io_error_ends_all_writing_but_not_reading(tmp_path: Path) -> None:
    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    told = run("write_until_failure.py", str(tmp_path / "home"), within=limit_file_size)
    acknowledged = int(told[0])
    assert acknowledged > 0
    assert told[1:] == ["storage", "broken", "storage", f"read {acknowledged}"]
    with SqliteHome(tmp_path / "home") as home:
        assert home.read(lambda reading: reading.events.max_position()) >= acknowledged


@pytest.mark.faults
def test_one_failed_sync_of_the_database_ends_all_writing(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("probed absent: strace, to let one sync fail")
    # Only the 40th fails: whoever asked again would be told that all is well.
    inject = ("-e", "inject=fdatasync,fsync:error=EIO:when=40")
    prefix = (strace, "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync,fsync", *inject)
    try:
        told = run("write_until_failure.py", str(tmp_path / "home"), prefix=prefix)
    except AssertionError as error:
        if "ptrace" in str(error) or "PTRACE" in str(error):
            pytest.skip(f"probed absent: the right to trace a process: {error}")
        raise
    acknowledged = int(told[0])
    assert acknowledged > 0
    assert told[1:] == ["storage", "broken", "storage", f"read {acknowledged}"]
    with SqliteHome(tmp_path / "home") as home:
        # What was not acknowledged may be there, or not; what was, is.
        assert home.read(lambda reading: reading.events.max_position()) in (acknowledged, acknowledged + 1)


@pytest.mark.faults
def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("probed absent: unshare (util-linux), to mount a small disk of its own")
    possible = subprocess.run(
        [unshare, "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if possible.returncode:
        pytest.skip(f"probed absent: the right to mount a small disk: {possible.stderr.decode().strip()}")
    mount = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"'
    told = run("fill_disk.py", str(tmp_path / "home"), prefix=(unshare, "-rm", "sh", "-c", mount, str(tmp_path)))
    assert told == ["full", "not broken", "nothing lost", "recovered"]


class FailingFsync:
    """The operating system's fsync, failing at the n-th call of this test."""

    def __init__(self, at: int) -> None:
        self.calls = 0
        self.at = at

    def __call__(self, descriptor: int) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise OSError(5, "Input/output error")


def test_a_failed_fsync_of_a_persons_key_is_never_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken: list[BaseException] = []
    with SqliteHome(tmp_path / "home", on_broken=broken.append) as home:
        home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
        fsync = FailingFsync(at=1)
        monkeypatch.setattr(os, "fsync", fsync)

        def job(work: Work) -> None:
            work.commit(Pile.heap(number(2)))
            work.vault.put(number(7), number(2), {"name": "Amina"})

        (future,) = home.together(job)
        error = future.exception()
        assert isinstance(error, Unavailable)
        assert error.reason == "storage"
        assert fsync.calls == 1
        assert len(broken) == 1
        assert home.writer.broken is not None
        with pytest.raises(Unavailable):
            home.writer.submit(add)
        assert home.read(lambda reading: reading.events.max_position()) == 1
        monkeypatch.undo()
        home.reopen()
        assert home.do(lambda work: work.vault.open(number(7), number(2))) == {}
        assert home.do(add) == 1
