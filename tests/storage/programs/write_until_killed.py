"""Writes events, feed entries and vault rows as fast as it can; prints each number when it is durable."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from aidmesh_node.application.ports import NewEntry, Work
from tests.storage.home import SqliteHome
from tests.storage.things import Crate, Pile, number

CLIENTS = 8
ORIGIN = "aidmesh/gid/id/0"


def write(work: Work, index: int) -> None:
    pile = Pile.heap(number(index), index)
    pile.add(1)
    work.commit(pile, Crate.pack(number(1_000_000 + index)))
    head = work.feeds.open_feed(ORIGIN, b"h" * 32, "gid", None, 0, b"empty")
    entry = NewEntry(b"%d" % index, b"leaf %d" % index, b"id %d" % index, (("facts", b"%d" % index),))
    work.feeds.append(head.feed, [entry], b"frontier of %d" % (head.size + 1), head.size + 1)
    work.vault.put(number(index), number(index), {"name": f"person {index}"})
    work.positions.put("last", index)


async def main() -> None:
    home = SqliteHome(Path(sys.argv[1]), seed=int.from_bytes(os.urandom(8)))
    numbers = iter(range(int(sys.argv[2]), 1_000_000))

    async def client() -> None:
        for index in numbers:
            await home.writer.run(partial(write, index=index))
            print(index, flush=True)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


asyncio.run(main())
