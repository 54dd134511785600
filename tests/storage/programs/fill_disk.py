"""Fills a small disk through the node's storage, makes room, goes on; prints what became of what was
acknowledged.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aidmesh_node.application.ports import Reading, Work
from aidmesh_node.application.unavailable import Unavailable
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


def write(home: SqliteHome, index: int) -> None:
    def job(work: Work) -> None:
        work.commit(Pile.heap(number(index)))
        work.vault.put(number(index), number(index), {"name": "x" * 300})

    home.do(job)


def assert_kept(home: SqliteHome, count: int) -> None:
    assert home.read(lambda reading: reading.events.max_position()) == count

    def look(reading: Reading) -> None:
        for index in range(count):
            assert reading.vault.open(number(index), number(index)) == {"name": "x" * 300}

    home.read(look)


def main() -> None:
    ballast = Path(sys.argv[1]).parent / "ballast"
    ballast.write_bytes(b"b" * 1_000_000)
    home = SqliteHome(Path(sys.argv[1]))
    count = 0
    try:
        while True:
            write(home, count)
            count += 1
    except Unavailable as error:
        print("full" if "full" in error.detail else error)
    print("not broken" if home.writer.broken is None else "broken")
    assert_kept(home, count)
    print("nothing lost")
    ballast.unlink()
    write(home, count)
    home.reopen()
    assert_kept(home, count + 1)
    print("recovered")
    home.close()


main()
