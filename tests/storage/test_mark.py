"""The mark: swapped whole, by one process at a time, only forward; a damaged one is never taken for none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.mark import MarkConflict, MarkValue
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.mark import MarkFile
from tests.storage.programs import command, environment

ORIGIN, OTHER = "0a" * 32, "0b" * 32


def value(size: int, generation: int = 0, root: int = 0) -> MarkValue:
    return MarkValue(size, f"{root or size:064x}", generation)


@pytest.fixture
def mark(tmp_path: Path) -> MarkFile:
    return MarkFile(tmp_path / "state" / "gid" / "mark.json")


def test_a_mark_never_written_is_none(mark: MarkFile) -> None:
    assert mark.read() is None


def test_each_origin_has_its_own_value(mark: MarkFile) -> None:
    mark.swap(ORIGIN, None, value(0))
    mark.swap(OTHER, None, value(5))
    mark.swap(ORIGIN, value(0), value(3))
    assert MarkFile(mark.path).read() == {ORIGIN: value(3), OTHER: value(5)}
    assert [file.name for file in sorted(mark.path.parent.iterdir())] == ["mark.json", "mark.json.lock"]
    assert mark.path.stat().st_mode & 0o777 == 0o600
    assert mark.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("expected", [None, value(2), value(3, root=9), value(3, generation=1)])
def test_it_must_say_what_was_expected(mark: MarkFile, expected: MarkValue | None) -> None:
    mark.swap(ORIGIN, None, value(3))
    with pytest.raises(MarkConflict):
        mark.swap(ORIGIN, expected, value(4))
    assert mark.read() == {ORIGIN: value(3)}


def test_an_expected_value_that_is_not_there_is_a_conflict(mark: MarkFile) -> None:
    with pytest.raises(MarkConflict):
        mark.swap(ORIGIN, value(3), value(4))
    assert mark.read() is None


@pytest.mark.parametrize("new", [value(2, 1), value(3, 1, root=9), value(9, 0)])
def test_it_never_goes_back_nor_says_two_things_of_one_size(mark: MarkFile, new: MarkValue) -> None:
    mark.swap(ORIGIN, None, value(3, 1))
    with pytest.raises(MarkConflict):
        mark.swap(ORIGIN, value(3, 1), new)
    assert mark.read() == {ORIGIN: value(3, 1)}


@pytest.mark.parametrize("new", [value(3), value(4), value(0, 1)])
def test_the_same_larger_or_of_a_new_generation_is_forward(mark: MarkFile, new: MarkValue) -> None:
    mark.swap(ORIGIN, None, value(3))
    mark.swap(ORIGIN, value(3), new)
    assert mark.read() == {ORIGIN: new}


@pytest.mark.parametrize(
    ("origin", "new"),
    [("short", value(1)), (ORIGIN, MarkValue(1, "short", 0)), (ORIGIN, value(-1)), (ORIGIN, value(1, -1))],
)
def test_what_is_no_mark_is_our_bug(mark: MarkFile, origin: str, new: MarkValue) -> None:
    with pytest.raises(ValueError):
        mark.swap(origin, None, new)


def test_every_flipped_byte_is_noticed(mark: MarkFile) -> None:
    mark.swap(ORIGIN, None, value(3))
    content = mark.path.read_bytes()
    for at in range(len(content)):
        for bit in (1, 32):
            wrong = bytes([content[at] ^ bit])
            mark.path.write_bytes(content[:at] + wrong + content[at + 1 :])
            with pytest.raises(Damaged, match="Do not delete it"):
                mark.read()
            with pytest.raises(Damaged):
                mark.swap(ORIGIN, value(3), value(4))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"feeds": {}}', b'{"feeds": []}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_mark_is_damaged(mark: MarkFile, content: bytes) -> None:
    mark.swap(ORIGIN, None, value(3))
    mark.path.write_bytes(content)
    with pytest.raises(Damaged):
        mark.read()


def test_a_mark_with_more_than_it_should_say_is_damaged(mark: MarkFile) -> None:
    mark.swap(ORIGIN, None, value(3))
    more = json.loads(mark.path.read_bytes()) | {"more": 1}
    mark.path.write_text(json.dumps(more))
    with pytest.raises(Damaged):
        mark.read()


def test_where_it_cannot_be_written_nothing_is_swapped(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    with pytest.raises(Unavailable) as caught:
        MarkFile(tmp_path / "state" / "mark.json").swap(ORIGIN, None, value(0))
    assert caught.value.reason == "mark"


def test_where_it_cannot_be_read_it_is_unavailable_not_absent(mark: MarkFile) -> None:
    mark.path.mkdir(parents=True)
    with pytest.raises(Unavailable):
        mark.read()


def test_a_left_over_temporary_file_changes_nothing(mark: MarkFile) -> None:
    mark.swap(ORIGIN, None, value(3))
    mark.path.with_name("mark.json.new").write_bytes(b"half a ma")
    assert mark.read() == {ORIGIN: value(3)}
    mark.swap(ORIGIN, value(3), value(4))
    assert mark.read() == {ORIGIN: value(4)}


def test_two_processes_never_swap_over_each_other(mark: MarkFile) -> None:
    mark.swap(ORIGIN, None, value(0))
    processes = [
        subprocess.Popen(
            command("swap_mark.py", str(mark.path), ORIGIN, "60"),
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    done = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    # Each success took the mark one further: none was lost, none happened twice.
    assert [int(text) for text in done] == [60, 60]
    found = mark.read()
    assert found is not None
    assert found[ORIGIN].size == 120
