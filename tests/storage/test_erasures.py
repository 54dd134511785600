"""What was erased is in no byte of the home, stays away, and is erased again in a database that is older."""

from __future__ import annotations

import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import FeedHead, NewEntry, NewPackage, Work
from aidmesh_node.storage.erasure_list import ErasureList
from aidmesh_node.storage.feed_packages import PACKED_ENTRIES_MIN
from tests.storage.home import SqliteHome

SIZE = PACKED_ENTRIES_MIN + 6
HASH = sha256(b"origin").digest()


def body(index: int) -> bytes:
    return f"canary-part-{index:03d} ".encode() * 40


def in_bulk(work: Work) -> FeedHead:
    """A feed that came as one package, its parts in a column."""
    head = work.feeds.open_feed("origin", HASH, "owner", b"circle", 0, b"")
    entries = [f"entry {index}".encode() for index in range(SIZE)]
    columns = {"facts": [b"facts"] * SIZE, "view": [body(index) for index in range(SIZE)]}
    work.feeds.append_package(head.feed, NewPackage(entries, [bytes(32)] * SIZE, columns), b"", SIZE)
    return head


def one_by_one(work: Work) -> FeedHead:
    """The same with a row for each part."""
    head = work.feeds.open_feed("origin", HASH, "owner", b"circle", 0, b"")
    new = [
        NewEntry(f"entry {index}".encode(), bytes(32), None, (("facts", b"facts"), ("view", body(index))))
        for index in range(SIZE)
    ]
    work.feeds.append(head.feed, new, b"", SIZE)
    return head


@pytest.mark.parametrize("store", [in_bulk, one_by_one])
def test_an_erased_part_is_in_no_file_and_its_neighbours_are_as_they_were(tmp_path: Path, store: object) -> None:
    with SqliteHome(tmp_path / "home") as home:
        head: FeedHead = home.do(store)  # type: ignore[arg-type]
        home.do(lambda work: work.erasures.part(head.feed, 5, "view"))
        home.do(lambda work: None)
        assert traces(home, body(5)) == []
        assert traces(home, body(6)) != []
        held = home.read(lambda reading: reading.feeds.columns(head.feed, 0, SIZE))
        assert held["view"] == [None if index == 5 else body(index) for index in range(SIZE)]
        assert held["facts"] == [b"facts"] * SIZE
        assert home.read(lambda reading: reading.feeds.part(head.feed, 5, "view")) is None
        assert home.read(lambda reading: reading.feeds.erased(head.feed, 0, SIZE)) == {(5, "view")}
        assert len(home.read(lambda reading: reading.feeds.entries(head.feed, 0, SIZE))) == SIZE


@pytest.mark.parametrize("store", [in_bulk, one_by_one])
def test_it_is_not_taken_in_again(tmp_path: Path, store: object) -> None:
    with SqliteHome(tmp_path / "home") as home:
        head: FeedHead = home.do(store)  # type: ignore[arg-type]
        home.do(lambda work: work.erasures.part(head.feed, 5, "view"))
        assert home.read(lambda reading: reading.feeds.missing_parts(head.feed, [(5, "view")])) == []
        home.do(lambda work: work.feeds.put_part(head.feed, 5, "view", body(5)))
        assert home.read(lambda reading: reading.feeds.part(head.feed, 5, "view")) is None


@pytest.mark.parametrize("store", [in_bulk, one_by_one])
def test_nor_with_its_entry_when_that_comes_again(tmp_path: Path, store: object) -> None:
    with SqliteHome(tmp_path / "home") as home:
        home.do(lambda work: work.erasures.unheld_part((HASH, 5, "view")))
        head: FeedHead = home.do(store)  # type: ignore[arg-type]
        held = home.read(lambda reading: reading.feeds.columns(head.feed, 0, SIZE))
        assert [index for index, part in enumerate(held["view"]) if part is None] == [5]
        assert traces(home, body(5)) == []


def test_a_job_that_fails_erases_nothing(tmp_path: Path) -> None:
    def fail(work: Work) -> None:
        work.erasures.part(head.feed, 5, "view")
        raise LookupError

    def fail_in_part(work: Work) -> None:
        with suppress(LookupError), work.attempt():
            work.erasures.part(head.feed, 6, "view")
            raise LookupError

    with SqliteHome(tmp_path / "home") as home:
        head = home.do(in_bulk)
        with pytest.raises(LookupError):
            home.do(fail)
        home.do(fail_in_part)
        assert home.read(lambda reading: reading.feeds.part(head.feed, 5, "view")) == body(5)
        assert ErasureList([home.path]).parts == []


def test_an_older_database_hears_what_was_erased_since(tmp_path: Path) -> None:
    thing = UUID(int=7)
    with SqliteHome(tmp_path / "home") as home:
        head = home.do(in_bulk)
    shutil.copy(tmp_path / "home" / "node.db", tmp_path / "backup.db")
    with SqliteHome(tmp_path / "home") as home:
        home.do(lambda work: work.erasures.part(head.feed, 5, "view"))
        home.do(lambda work: work.erasures.words(thing))
        assert home.do(lambda work: work.erasures.undone()) == ([], [])
    shutil.copy(tmp_path / "backup.db", tmp_path / "home" / "node.db")
    with SqliteHome(tmp_path / "home") as home:
        assert home.do(lambda work: work.erasures.undone()) == ([(HASH, 5, "view")], [thing])


def test_a_list_that_was_lost_is_made_again_from_the_database(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        head = home.do(in_bulk)
        home.do(lambda work: work.erasures.part(head.feed, 5, "view"))
    (tmp_path / "home" / "erasure.list").unlink()
    with SqliteHome(tmp_path / "home") as home:
        assert home.do(lambda work: work.erasures.undone()) == ([], [])
    assert ErasureList([tmp_path / "home"]).parts == [(HASH, 5, "view")]


def test_either_copy_of_the_list_is_enough(tmp_path: Path) -> None:
    home, mark = tmp_path / "home", tmp_path / "mark"
    ErasureList([home, mark]).add([(HASH, 1, "view")], [])
    old = (home / "erasure.list").read_bytes()
    ErasureList([home, mark]).add([(HASH, 2, "text")], [UUID(int=1)])
    (home / "erasure.list").write_bytes(old)  # the home was restored
    both = ErasureList([home, mark])
    assert (both.parts, both.things) == ([(HASH, 1, "view"), (HASH, 2, "text")], [UUID(int=1)])
    (mark / "erasure.list").unlink()  # the machine was, too
    assert ErasureList([home, mark]).parts == both.parts
    assert (mark / "erasure.list").read_bytes() == (home / "erasure.list").read_bytes()


def test_a_list_that_is_damaged_stops_the_node(tmp_path: Path) -> None:
    ErasureList([tmp_path]).add([(HASH, 1, "view")], [])
    content = bytearray((tmp_path / "erasure.list").read_bytes())
    content[30] ^= 1
    (tmp_path / "erasure.list").write_bytes(content)
    with pytest.raises(Damaged, match="restore the list"):
        ErasureList([tmp_path])


def traces(home: SqliteHome, secret: bytes) -> list[str]:
    home.do(lambda work: None)
    return [file.name for file in home.path.iterdir() if secret in file.read_bytes()]
