"""Files on their way in or out: private, few, gone after a restart unless they are kept; a full disk leaves no half."""

from __future__ import annotations

import random
import resource
from pathlib import Path

import pytest

from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.spool import KEPT_MAX, UNDER_WAY_MAX, FileSpool


def spool(folder: Path, seed: int = 1) -> FileSpool:
    return FileSpool(folder / "files", random.Random(seed).randbytes)


def test_pieces_follow_each_other_and_may_come_twice(tmp_path: Path) -> None:
    files = spool(tmp_path)
    id = files.create()
    assert [files.append(id, 0, b"abc"), files.append(id, 3, b"de"), files.append(id, 0, b"abc")] == [3, 5, 5]
    for wrong in (-1, 6):
        with pytest.raises(ValueError, match="5 bytes"):
            files.append(id, wrong, b"x")
    assert (files.read(id, 0, 4), files.read(id, 4, 4), files.read(id, 5, 4)) == (b"abcd", b"e", b"")
    (path,) = (tmp_path / "files").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_only_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    files = spool(tmp_path)
    kept, lost = files.create(), files.create()
    files.append(kept, 0, b"abc")
    assert files.keep(kept) and files.keep(kept)
    again = spool(tmp_path, seed=2)
    assert again.kept() == [kept] and again.read(kept, 0, 9) == b"abc"
    with pytest.raises(LookupError):
        again.size(lost)
    again.remove(kept)
    again.remove(kept)
    assert again.kept() == []


def test_there_are_never_many(tmp_path: Path) -> None:
    files = spool(tmp_path)
    ids = [files.create() for _ in range(UNDER_WAY_MAX + 3)]
    there = {path.name for path in (tmp_path / "files").iterdir()}
    assert there == set(ids[3:]), "the oldest go"
    for _ in range(KEPT_MAX):
        assert files.keep(files.create())
    late = files.create()
    assert not files.keep(late)
    assert files.size(late) == 0, "it is not lost by that"


@pytest.mark.parametrize("name", ["", "x", "../node.db", "0" * 31, "0" * 33, "f" * 32, "." * 32])
def test_nothing_but_an_id_names_a_file(tmp_path: Path, name: str) -> None:
    files = spool(tmp_path)
    (tmp_path / "node.db").write_bytes(b"secret")
    with pytest.raises(LookupError):
        files.read(name, 0, 9)
    with pytest.raises(LookupError):
        files.append(name, 0, b"x")


@pytest.mark.faults
def test_a_disk_that_is_full_leaves_no_half_a_file(tmp_path: Path) -> None:
    files = spool(tmp_path)
    id = files.create()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(Unavailable) as full:
            files.append(id, 0, bytes(2_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert full.value.reason == "storage_full" and "room" in full.value.detail
    assert list((tmp_path / "files").iterdir()) == []
