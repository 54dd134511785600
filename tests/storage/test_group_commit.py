"""One transaction for many jobs, and still every job for itself: nothing refused rides along, nothing early
is told.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application.ports import Done, Work
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.storage.work import OutsideJob, UncommittedChange
from tests.storage.home import SqliteHome
from tests.storage.things import Pile, number


@pytest.fixture
def home(tmp_path: Path) -> Iterator[SqliteHome]:
    with SqliteHome(tmp_path / "home") as home:
        yield home


def durable_events(home: SqliteHome) -> int:
    """What any other process would see now."""
    other = sqlite3.connect(home.database.path)
    try:
        count: int = other.execute("SELECT count(*) FROM stored_events").fetchone()[0]
        return count
    finally:
        other.close()


def add(amount: int) -> Any:
    def job(work: Work) -> int:
        pile = work.get(Pile, number(1))
        pile.add(amount)
        work.commit(pile)
        return int(pile.amount)

    return job


def add_and_refuse(work: Work) -> None:
    pile = work.get(Pile, number(1))
    pile.add(100)
    work.commit(pile)
    work.vault.put(number(1), number(2), {"name": "refused"})
    work.positions.put("refused", 1)
    raise Refused("no", "No.", "")


def change_and_refuse_before_commit(work: Work) -> None:
    work.get(Pile, number(1)).add(100)
    raise Refused("no", "No.", "")


def test_jobs_that_wait_together_share_one_commit(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    told: list[int] = []
    home.writer.on_commit(told.append)
    futures = home.together(*(add(1) for _ in range(10)))
    assert [future.result().value for future in futures] == list(range(1, 11))
    assert [future.result().position for future in futures] == list(range(2, 12))
    assert told == [11]
    assert home.writer.position == 11


@pytest.mark.parametrize("refused", [add_and_refuse, change_and_refuse_before_commit])
def test_a_refused_change_never_rides_along(home: SqliteHome, refused: Any) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    before, failed, after = home.together(add(1), refused, add(1))
    assert before.result().value == 1
    assert isinstance(failed.exception(), Refused)
    assert after.result().value == 2
    assert home.do(lambda work: work.vault.open(number(1), number(2))) == {}
    assert home.do(lambda work: work.positions.get("refused")) == 0
    home.reopen()
    assert home.do(lambda work: work.get(Pile, number(1)).amount) == 2
    assert durable_events(home) == 3


def test_what_the_batch_holds_is_durable_before_the_job_after_a_refusal(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    *_, seen = home.together(add(1), add(1), add_and_refuse, lambda work: durable_events(home))
    assert seen.result().value == 3


def test_a_future_resolves_only_when_another_connection_sees_the_event(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    seen: list[int] = []
    go = home.hold()
    futures: list[Future[Done[Any]]] = [home.writer.submit(add(1)) for _ in range(3)]
    for future in futures:
        future.add_done_callback(lambda _: seen.append(durable_events(home)))
    assert durable_events(home) == 1
    go()
    for future in futures:
        future.result(30)
    home.writer.submit(lambda work: None).result(30)
    assert seen == [4, 4, 4]


def test_a_change_without_commit_is_our_bug_and_is_not_remembered(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    with pytest.raises(UncommittedChange, match="Pile"):
        home.do(lambda work: work.get(Pile, number(1)).add(100))
    assert home.do(add(1)) == 1


def test_going_on_after_a_failed_commit_is_our_bug(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))

    def job(work: Work) -> None:
        pile = work.get(Pile, number(1))
        pile.label({1, 2})
        try:
            work.commit(pile)
        except TypeError:
            return

    with pytest.raises(UncommittedChange, match="failed commit"):
        home.do(job)
    assert home.do(add(1)) == 1
    assert durable_events(home) == 2


def test_work_is_useless_after_its_job(home: SqliteHome) -> None:
    kept: list[Work] = []
    home.do(kept.append)
    with pytest.raises(OutsideJob):
        kept[0].commit(Pile.heap(number(1)))
    with pytest.raises(OutsideJob):
        kept[0].positions.get("publication")


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
def test_whatever_a_job_raises_the_writer_goes_on(home: SqliteHome, error: type[BaseException]) -> None:
    def job(work: Work) -> None:
        work.commit(Pile.heap(number(1)))
        raise error

    failed, after = home.together(job, lambda work: work.find(Pile, number(1)))
    assert failed.exception() is not None
    assert after.result().value is None


async def test_stop_iteration_reaches_an_awaiting_caller_as_a_failure(home: SqliteHome) -> None:
    def job(work: Work) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await home.writer.run(job)


def test_few_cached_aggregates_change_nothing_but_speed(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home", cached_max=1) as home:

        def job(work: Work) -> None:
            first = Pile.heap(number(1), 0)
            work.commit(first, Pile.heap(number(2), 0))
            again = work.get(Pile, number(1))
            work.get(Pile, number(2))
            again.add(1)
            assert work.get(Pile, number(1)) is again
            work.commit(again)

        home.do(job)
        assert home.do(add(1)) == 2


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts how often another thread wakes it."""

    wake_ups = 0

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        self.wake_ups += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def test_a_batch_wakes_an_event_loop_once(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))

    async def story() -> list[Done[int]]:
        go = home.hold()
        tasks = [asyncio.ensure_future(home.writer.run(add(1))) for _ in range(20)]
        await asyncio.sleep(0)
        go()
        return [await task for task in tasks]

    loop = CountingLoop()
    try:
        done = loop.run_until_complete(story())
    finally:
        loop.close()
    assert [one.value for one in done] == list(range(1, 21))
    assert loop.wake_ups == 1


async def test_a_caller_that_left_before_its_turn_changes_nothing(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    go = home.hold()
    left, stays = (asyncio.ensure_future(home.writer.run(add(1))) for _ in range(2))
    await asyncio.sleep(0)
    gone = home.writer.submit(add(1))
    left.cancel()
    assert gone.cancel()
    await asyncio.sleep(0)
    go()
    assert (await stays).value == 1
    assert left.cancelled()


def test_a_caller_whose_loop_has_closed_disturbs_nobody(home: SqliteHome) -> None:
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    go = home.hold()
    loop = asyncio.SelectorEventLoop()
    task = loop.create_task(home.writer.run(add(1)))
    loop.run_until_complete(asyncio.sleep(0))
    after = home.writer.submit(add(1))
    # The task is abandoned on purpose, as by a crashing server.
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    go()
    assert after.result(30).value == 2


def test_too_many_waiting_jobs_are_refused(tmp_path: Path) -> None:
    with SqliteHome(tmp_path / "home", queued_jobs_max=3) as home:
        home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
        go = home.hold()
        futures = [home.writer.submit(add(1)) for _ in range(3)]
        with pytest.raises(Unavailable) as caught:
            home.writer.submit(add(1))
        assert caught.value.reason == "busy"
        go()
        assert [future.result(30).value for future in futures] == [1, 2, 3]
        assert home.do(add(1)) == 4


def test_close_finishes_what_was_let_in_and_lets_in_nobody(tmp_path: Path) -> None:
    home = SqliteHome(tmp_path / "home")
    home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
    go = home.hold()
    # More than one batch.
    futures = [home.writer.submit(add(1)) for _ in range(600)]
    go()
    home.writer.close()
    assert [future.result(0).value for future in futures] == list(range(1, 601))
    with pytest.raises(Unavailable) as caught:
        home.writer.submit(add(1))
    assert caught.value.reason == "closing"
    home.close()


def test_a_failing_listener_takes_no_answer_away(home: SqliteHome, caplog: pytest.LogCaptureFixture) -> None:
    def listener(position: int) -> None:
        raise LookupError(position)

    home.writer.on_commit(listener)
    assert home.writer.submit(lambda work: work.commit(Pile.heap(number(1)))).result(30).position == 1
    home.writer.close()
    assert "a listener of the writer failed" in caplog.text


class FailingLoop(asyncio.SelectorEventLoop):
    """An event loop that cannot be woken although it is not closed."""

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        raise RuntimeError("the loop is stuck")


def test_a_fault_of_the_writer_itself_ends_it_and_everyone_is_told(tmp_path: Path) -> None:
    broken: list[BaseException] = []

    def on_broken(error: BaseException) -> None:
        broken.append(error)
        raise LookupError("and telling fails, too")

    with SqliteHome(tmp_path / "home", on_broken=on_broken) as home:
        home.do(lambda work: work.commit(Pile.heap(number(1), 0)))
        go = home.hold()
        loop = FailingLoop()
        task = loop.create_task(home.writer.run(add(1)))
        loop.run_until_complete(asyncio.sleep(0))
        refused, waiting = home.writer.submit(add_and_refuse), home.writer.submit(add(1))
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        go()
        assert isinstance(waiting.exception(30), Unavailable)
        assert isinstance(refused.exception(30), Refused)
        loop.close()
        assert [str(error) for error in broken] == ["the loop is stuck"]
        with pytest.raises(Unavailable):
            home.writer.submit(add(1))
        # What was committed before stays, and a new writer goes on.
        home.reopen()
        assert home.do(add(1)) == 2
