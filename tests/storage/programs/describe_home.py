"""Writes a few things and prints the stored bytes and settings, to compare under different environments."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


def main() -> None:
    with SqliteHome(Path(sys.argv[1]), seed=1) as home:
        pile = Pile.heap(number(1))
        pile.add(2)
        home.do(lambda work: work.commit(pile))
        home.do(lambda work: work.vault.put(number(1), number(2), {"name": "Amina"}))
        connection = home.database.connection
        for name in (
            "journal_mode",
            "synchronous",
            "secure_delete",
            "foreign_keys",
            "busy_timeout",
            "temp_store",
        ):
            print(name, connection.execute(f"PRAGMA {name}").fetchone()[0])
        for table in ("stored_events", "tracking", "metadata", "vault"):
            for row in connection.execute(f"SELECT * FROM {table}"):
                print(table, *(value.hex() if isinstance(value, bytes) else value for value in row))
        for _, event in home.read(lambda reading: reading.events.select(0, 10)):
            print(event)
        print(sorted(file.name for file in home.path.iterdir()))
    print("incarnation and two events")


main()
