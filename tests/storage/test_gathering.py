"""Jobs of a busy event loop go to the writer together; a lone one does not wait for company that may never come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidmesh_node.application.ports import Done, Work
from aidmesh_node.domain.refused import Refused
from aidmesh_node.storage import gathering
from aidmesh_node.storage.delivery import Accepted
from aidmesh_node.storage.gathering import Gathering
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        yield home


class Counter:
    """Takes whenever it is time, and remembers how many each time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.taken: list[int] = []
        self.gathering = Gathering(self.loop, self.hand_over)

    def hand_over(self, gathering: Gathering) -> None:
        if jobs := gathering.take():
            self.taken.append(len(jobs))

    def ask(self) -> None:
        self.gathering.add(Accepted(lambda work: None, self.loop.create_future(), self.loop))


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("few", [1, gathering.FEW])
async def test_few_go_in_the_next_turn(few: int) -> None:
    counter = Counter()
    for _ in range(few):
        counter.ask()
    await turns(1)
    assert counter.taken == [few]


async def test_many_wait_until_no_more_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOGETHER_SECONDS_MAX", 60.0)
    counter = Counter()
    for _ in range(5):
        counter.ask()
        counter.ask()
        counter.ask()
        await turns(3)
    assert counter.taken == []
    await turns(gathering.QUIET_TURNS)
    assert counter.taken == [15]
    counter.ask()
    await turns(1)
    assert counter.taken == [15], "there was load just now: more will come"
    await turns(gathering.QUIET_TURNS)
    counter.ask()
    await turns(1)
    assert counter.taken == [15, 1, 1], "the load is over"


async def test_what_was_taken_early_leaves_one_call_and_the_memory_of_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOGETHER_SECONDS_MAX", 60.0)
    counter = Counter()
    counter.ask()
    assert len(counter.gathering.take_few()) == 1
    counter.ask()
    counter.ask()
    await turns(1)
    assert counter.taken == [2], "called once, for what came after"
    for _ in range(5):
        counter.ask()
    assert counter.gathering.take_few() == [], "this is load"
    await turns(gathering.QUIET_TURNS)
    assert counter.taken == [2]
    await turns(1)
    assert counter.taken == [2, 5]
    counter.ask()
    assert counter.gathering.take_few() == [], "there was load just now"


async def test_a_stream_of_jobs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOGETHER_SECONDS_MAX", 60.0)
    counter = Counter()
    for _ in range(gathering.TOGETHER_MAX):
        counter.ask()
        counter.ask()
        counter.ask()
        await turns(1)
    assert sum(counter.taken) >= gathering.TOGETHER_MAX * 2
    assert max(counter.taken) <= gathering.TOGETHER_MAX + 3


async def test_time_ends_the_gathering_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOGETHER_SECONDS_MAX", -1.0)
    counter = Counter()
    for _ in range(10):
        counter.ask()
    await turns(1)
    assert counter.taken == [10]


async def test_two_jobs_asked_for_together_share_a_commit_and_not_a_fate(home: SqliteHome) -> None:
    told: list[int] = []
    home.writer.on_commit(told.append)

    def heap(name: int) -> object:
        return lambda work: work.commit(Pile.heap(number(name)))

    def refuse(work: Work) -> None:
        raise Refused("no", "No.", "")

    one, other = await home.writer.run_both(heap(1), heap(2))  # type: ignore[arg-type]
    assert isinstance(one, Done) and isinstance(other, Done) and (one.position, other.position) == (1, 2)
    assert told == [2]
    one, other = await home.writer.run_both(refuse, heap(3))  # type: ignore[arg-type]
    assert isinstance(one, Refused) and isinstance(other, Done) and other.position == 3
    one, other = await home.writer.run_both(heap(4), refuse)  # type: ignore[arg-type]
    assert isinstance(one, Done) and isinstance(other, Refused) and one.position == 4


async def test_what_comes_after_a_job_comes_when_it_is_durable_and_only_then(home: SqliteHome) -> None:
    after: list[tuple[int, int]] = []

    def then(done: Done[None]) -> None:
        after.append((done.position, home.read(lambda reading: reading.events.max_position())))

    await home.writer.run(lambda work: work.commit(Pile.heap(number(1))), then)
    assert after == [(1, 1)]

    def refuse(work: Work) -> None:
        raise Refused("no", "No.", "")

    with pytest.raises(Refused):
        await home.writer.run(refuse, then)
    assert after == [(1, 1)]


async def test_what_fails_after_a_job_takes_no_answer_away(home: SqliteHome, caplog: pytest.LogCaptureFixture) -> None:
    def then(done: Done[None]) -> None:
        raise LookupError(done)

    done = await home.writer.run(lambda work: work.commit(Pile.heap(number(1))), then)
    assert done.position == 1
    assert "what was to follow a commit failed" in caplog.text
    assert (await home.writer.run(lambda work: work.commit(Pile.heap(number(2))))).position == 2
