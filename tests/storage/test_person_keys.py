"""The file of person keys: a key is durable before its rows, a torn end is cut, an erasure is finished."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Erased
from aidmesh_node.storage.person_keys import MAGIC, RECORD_BYTES, PersonKeys
from tests.storage.home import SqliteHome
from tests.storage.things import number

AMINA, BOB, EVE = number(1), number(2), number(3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "person.keys"


def opened(path: Path, read_only: bool = False) -> PersonKeys:
    return PersonKeys(path, random.Random(1).randbytes, read_only=read_only)


def filled(path: Path) -> dict[str, bytes]:
    keys = opened(path)
    made = {"amina": keys.make(AMINA), "bob": keys.make(BOB), "eve": keys.make(EVE)}
    keys.flush()
    return made


def test_keys_come_back_and_only_the_owner_may_read_them(path: Path) -> None:
    made = filled(path)
    keys = opened(path)
    assert [keys.key(AMINA), keys.key(BOB), keys.key(EVE)] == list(made.values())
    assert len(set(made.values())) == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_is_drawn_once(path: Path) -> None:
    keys = opened(path)
    first = keys.make(AMINA)
    assert keys.make(AMINA) == first
    keys.flush()
    assert keys.make(AMINA) == first
    assert path.stat().st_size == len(MAGIC) + RECORD_BYTES


def test_an_unflushed_key_is_not_in_the_file(path: Path) -> None:
    opened(path).make(AMINA)
    assert opened(path).key(AMINA) is None


def test_a_torn_end_is_cut_off_and_the_file_goes_on(path: Path) -> None:
    made = filled(path)
    whole = path.read_bytes()
    for cut in range(1, RECORD_BYTES):
        path.write_bytes(whole[:-cut])
        keys = opened(path)
        assert keys.key(BOB) == made["bob"]
        assert keys.key(EVE) is None
        assert keys.damaged == ()
        again = keys.make(EVE)
        keys.flush()
        assert opened(path).key(EVE) == again


def test_zeros_after_a_power_cut_are_cut_off(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(2 * RECORD_BYTES + 5))
    assert opened(path).damaged == ()
    assert path.read_bytes() == whole


def test_a_file_cut_within_its_header_is_made_again(path: Path) -> None:
    path.write_bytes(MAGIC[:5])
    assert opened(path).persons() == frozenset()
    assert path.read_bytes() == MAGIC


def test_a_damaged_record_is_reported_kept_and_not_used(path: Path) -> None:
    made = filled(path)
    content = bytearray(path.read_bytes())
    content[len(MAGIC) + RECORD_BYTES + 20] ^= 1
    path.write_bytes(content)
    keys = opened(path)
    assert keys.damaged == (len(MAGIC) + RECORD_BYTES,)
    assert keys.key(BOB) is None
    assert (keys.key(AMINA), keys.key(EVE)) == (made["amina"], made["eve"])
    keys.erase([AMINA])
    assert path.read_bytes() == MAGIC + content[len(MAGIC) + RECORD_BYTES :]


def test_reading_only_changes_nothing(path: Path) -> None:
    filled(path)
    torn = path.read_bytes()[:-1]
    path.write_bytes(torn)
    assert opened(path, read_only=True).key(EVE) is None
    assert path.read_bytes() == torn
    path.unlink()
    assert opened(path, read_only=True).persons() == frozenset()
    assert not path.exists()


def test_another_file_is_not_taken_for_keys(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough")
    with pytest.raises(Damaged, match="restore it"):
        opened(path)


def test_an_erased_key_is_in_no_file(path: Path) -> None:
    made = filled(path)
    keys = opened(path)
    keys.erase([BOB])
    keys.erase([BOB])
    with pytest.raises(Erased):
        keys.key(BOB)
    for file in path.parent.iterdir():
        assert made["bob"] not in file.read_bytes()
    again = opened(path)
    with pytest.raises(Erased):
        again.make(BOB)
    assert (again.key(AMINA), again.key(EVE)) == (made["amina"], made["eve"])


def test_an_old_backup_of_the_keys_is_erased_again(path: Path) -> None:
    made = filled(path)
    backup = path.read_bytes()
    opened(path).erase([BOB])
    path.write_bytes(backup)
    with pytest.raises(Erased):
        opened(path).key(BOB)
    assert made["bob"] not in path.read_bytes()


@pytest.mark.parametrize("at", [0, 20, 50])
def test_damage_does_not_save_a_key_from_erasure(path: Path, at: int) -> None:
    made = filled(path)
    content = bytearray(path.read_bytes())
    content[len(MAGIC) + RECORD_BYTES + at] ^= 1
    path.write_bytes(content)
    opened(path).erase([BOB])
    assert made["bob"] not in path.read_bytes()
    assert len(path.read_bytes()) == len(MAGIC) + 2 * RECORD_BYTES


def test_a_torn_erasure_list_loses_only_the_unfinished_erasure(path: Path) -> None:
    filled(path)
    keys = opened(path)
    keys.erase([AMINA])
    whole = keys.erased_path.read_bytes()
    keys.erase([BOB])
    full = keys.erased_path.read_bytes()
    for end in range(len(whole), len(full)):
        keys.erased_path.write_bytes(full[:end])
        again = opened(path)
        assert (again.is_erased(AMINA), again.is_erased(BOB)) == (True, False)
    again.erase([EVE])
    assert [opened(path).is_erased(person) for person in (AMINA, BOB, EVE)] == [True, False, True]
    for end in range(len(b"aidmesh erased persons 1\n")):
        keys.erased_path.write_bytes(full[:end])
        assert not opened(path).is_erased(AMINA)


def test_a_damaged_erasure_list_stops_the_node(path: Path) -> None:
    filled(path)
    keys = opened(path)
    keys.erase([AMINA])
    content = bytearray(keys.erased_path.read_bytes())
    content[30] ^= 1
    keys.erased_path.write_bytes(content)
    with pytest.raises(Damaged, match="restore the list"):
        opened(path)
    content[0] ^= 1
    keys.erased_path.write_bytes(content)
    with pytest.raises(Damaged, match="not a list of erased"):
        opened(path)


def test_the_persons_of_one_batch_share_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteHome(tmp_path / "home") as home:
        synced: list[int] = []
        fsync = os.fsync

        def counting(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_size)
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", counting)
        home.together(
            *(lambda work, one=index: work.vault.put(number(one), number(9), {"name": "x"}) for index in range(5))
        )
        assert synced == [len(MAGIC) + 5 * RECORD_BYTES]


def test_erased_text_is_in_no_file_of_the_home(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        home.do(lambda work: work.vault.put(AMINA, BOB, {"name": "canary-amina"}))
        ciphertext = home.database.connection.execute("SELECT ciphertext FROM vault").fetchone()[0]
        home.do(lambda work: work.vault.erase(AMINA))
        # The WAL is emptied behind the answer, before the writer takes its next job.
        home.do(lambda work: None)
        for file in home.path.iterdir():
            content = file.read_bytes()
            assert ciphertext not in content
            assert b"canary-amina" not in content


def test_a_reader_in_the_way_delays_emptying_the_wal(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home") as home:
        home.do(lambda work: work.vault.put(AMINA, BOB, {"name": "x"}))
        ciphertext = home.database.connection.execute("SELECT ciphertext FROM vault").fetchone()[0]
        reader = home.database.reader()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM vault").fetchone()
        home.do(lambda work: work.vault.erase(AMINA))
        home.do(lambda work: None)
        assert any(ciphertext in file.read_bytes() for file in home.path.iterdir())
        reader.execute("ROLLBACK")
        reader.close()
        home.do(lambda work: None)
        home.do(lambda work: None)
        assert all(ciphertext not in file.read_bytes() for file in home.path.iterdir())
