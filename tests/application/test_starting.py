"""What keeps a node from starting is said in one sentence that names the file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from aidmesh_node import main
from aidmesh_node.home import StartError


def flip(path: Path, offset: int, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= bit
    path.write_bytes(data)


def test_another_signing_key_is_noticed_before_anything_is_signed(tmp_path: Path) -> None:
    made = main.init(tmp_path / "home", "Alice", state_dir=tmp_path / "state")
    key = made.home / "keys" / "signing.key"
    key.write_text(("00" if not key.read_text().startswith("00") else "11") + key.read_text()[2:])

    async def start() -> None:
        async with main.open_node(made.home):
            raise AssertionError("started")

    with pytest.raises(StartError, match=r"signing\.key"):
        asyncio.run(start())


def test_an_init_without_a_name_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        main.init(tmp_path / "home", "", state_dir=tmp_path / "state")
    assert not (tmp_path / "home").exists()
    main.init(tmp_path / "home", "Alice", state_dir=tmp_path / "state")


def test_a_damaged_schema_is_named_not_a_traceback(tmp_path: Path) -> None:
    made = main.init(tmp_path / "home", "Alice", state_dir=tmp_path / "state")
    database = made.home / "node.db"
    sqlite3.connect(database).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    flip(database, database.read_bytes().index(b"CREATE TABLE"), 0x80)
    with pytest.raises(StartError, match=r"node\.db"):
        main.verify_home(made.home)
