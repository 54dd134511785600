"""kill -9 while it writes, again and again on the same home: every acknowledged write is there, whole and
once.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from aidmesh_node.application.ports import Reading
from aidmesh_node.storage.database import open_for_reading
from aidmesh_node.storage.scrub import scrub
from tests.storage.home import SqliteHome
from tests.storage.programs import command, environment
from tests.storage.things import number


def kill_while_writing(home: Path, start: int, acknowledged: set[int], after: int) -> int:
    """Let the program acknowledge ``after`` writes, kill it, and read what it had acknowledged by then."""
    with subprocess.Popen(
        command("write_until_killed.py", str(home), str(start)),
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(after):
            acknowledged.add(int(process.stdout.readline()))
        process.kill()
        # A line cut short by the kill was not an answer.
        acknowledged.update(int(line) for line in process.stdout if line.endswith("\n"))
    return max(acknowledged) + 1_000


def look(path: Path, acknowledged: set[int]) -> None:
    """Everything acknowledged is whole; everything else is whole, too, or not there at all."""
    with SqliteHome(path) as home:
        connection = open_for_reading(home.database.path)
        assert list(scrub(connection, home.keys)) == []
        connection.close()

        def everything(reading: Reading) -> None:
            head = reading.feeds.heads()[0]
            entries = reading.feeds.entries(head.feed, 0, head.size + 1)
            assert len(entries) == head.size
            assert head.frontier == b"frontier of %d" % head.size
            written = [int(entry) for entry in entries]
            assert len(set(written)) == len(written)
            assert acknowledged <= set(written)
            assert [int(row.part) for row in reading.feeds.parts(head.feed, 0, head.size)] == written
            assert reading.events.max_position() == 3 * head.size
            for index in written:
                assert [event.originator_version for event in reading.events.stream(number(index))] == [1, 2]
                assert len(reading.events.stream(number(1_000_000 + index))) == 1
                assert reading.vault.open(number(index), number(index)) == {"name": f"person {index}"}
                assert reading.feeds.statement_index(head.feed, b"id %d" % index) is not None

        home.read(everything)


def rounds(home: Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    acknowledged: set[int] = set()
    start = 0
    for _ in range(count):
        start = kill_while_writing(home, start, acknowledged, after=draw.randint(1, 150))
        look(home, acknowledged)


@pytest.mark.faults
def test_three_kills_lose_nothing(tmp_path: Path) -> None:
    rounds(tmp_path / "home", 3, seed=3)


@pytest.mark.crash
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
def test_many_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    rounds(tmp_path / "home", 25, seed)
