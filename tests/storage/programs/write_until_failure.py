"""Writes events until storage fails; prints how many were acknowledged and how the node then behaves."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from aidmesh_node.application.ports import Work
from aidmesh_node.application.unavailable import Unavailable
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


def write(work: Work, index: int) -> None:
    work.commit(Pile.heap(number(index)))


def main() -> None:
    home = SqliteHome(Path(sys.argv[1]))
    acknowledged = 0
    try:
        while True:
            home.do(partial(write, index=acknowledged))
            acknowledged += 1
    except Unavailable as error:
        print(acknowledged)
        print(error.reason)
    print("broken" if home.writer.broken else "not broken")
    try:
        home.writer.submit(lambda work: None)
    except Unavailable as error:
        print(error.reason)
    print("read", home.read(lambda reading: reading.events.max_position()))
    home.close()


main()
