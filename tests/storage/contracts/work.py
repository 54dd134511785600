"""Contract of Writer, Work and EventLog: what a job may rely on, and what it leaves behind."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import Reading, Work
from aidmesh_node.domain.refused import Refused
from tests.storage.home import Home
from tests.storage.things import NOON, Crate, Pile, number

ONE = number(1)


class WorkContract:
    """Subclass with a ``home`` fixture."""

    def heap(self, home: Home, id: UUID = ONE, amount: int = 1) -> None:
        home.do(lambda work: work.commit(Pile.heap(id, amount)))

    def test_what_was_committed_is_found_again_after_a_restart(self, home: Home) -> None:
        self.heap(home, amount=3)
        home.reopen()
        pile = home.do(lambda work: work.get(Pile, number(1)))
        assert (pile.amount, pile.keeper, pile.marks) == (Decimal(3), number(1), ("new", (1, None)))
        assert pile.created_on == NOON

    def test_an_unknown_id_is_not_found(self, home: Home) -> None:
        assert home.do(lambda work: work.find(Pile, number(9))) is None
        with pytest.raises(NotFound) as caught:
            home.do(lambda work: work.get(Pile, number(9)))
        assert (caught.value.kind, caught.value.id) == ("pile", number(9))

    def test_an_id_of_another_kind_is_not_found(self, home: Home) -> None:
        self.heap(home)
        assert home.do(lambda work: work.find(Crate, number(1))) is None
        home.reopen()
        with pytest.raises(NotFound):
            home.do(lambda work: work.get(Crate, number(1)))

    def test_the_same_id_is_the_same_object_within_a_job(self, home: Home) -> None:
        self.heap(home)
        assert home.do(lambda work: work.get(Pile, number(1)) is work.get(Pile, number(1)))

    def test_several_aggregates_are_committed_as_one(self, home: Home) -> None:
        def job(work: Work) -> int:
            work.commit(Pile.heap(number(1)), Crate.pack(number(2)))
            return work.position

        assert home.do(job) == 2
        assert home.read(lambda reading: reading.events.max_position()) == 2

    def test_positions_count_events_without_gaps_even_after_a_refusal(self, home: Home) -> None:
        self.heap(home)

        def refused(work: Work) -> None:
            work.commit(Pile.heap(number(2)))
            raise Refused("no", "No.", "")

        with pytest.raises(Refused):
            home.do(refused)
        done = home.writer.submit(lambda work: work.commit(Pile.heap(number(3)))).result(30)
        assert done.position == 2
        events = home.read(lambda reading: reading.events.select(0, 10))
        assert [(position, event.originator_id) for position, event in events] == [
            (1, number(1)),
            (2, number(3)),
        ]

    def test_a_job_without_changes_tells_the_position_it_has_seen(self, home: Home) -> None:
        self.heap(home)
        assert home.writer.submit(lambda work: "looked").result(30).position == 1

    def test_the_log_is_read_in_pages(self, home: Home) -> None:
        for index in range(5):
            self.heap(home, number(index))
        page = home.read(lambda reading: reading.events.select(2, 2))
        assert [position for position, _ in page] == [3, 4]
        assert home.read(lambda reading: reading.events.select(5, 2)) == []

    def test_a_stream_is_one_aggregates_events_in_order(self, home: Home) -> None:
        self.heap(home)
        self.heap(home, number(2))

        def add(work: Work) -> None:
            pile = work.get(Pile, number(1))
            pile.add(1)
            pile.add(2)
            work.commit(pile)

        home.do(add)
        stream = home.read(lambda reading: reading.events.stream(number(1)))
        assert [event.originator_version for event in stream] == [1, 2, 3]
        assert home.read(lambda reading: reading.events.stream(number(9))) == []

    def test_a_job_sees_what_it_has_committed(self, home: Home) -> None:
        def job(work: Work) -> list[int]:
            work.commit(Pile.heap(number(1)))
            return [position for position, _ in work.events_after(0, 10)]

        assert home.do(job) == [1]

    def test_creating_what_exists_is_our_bug_and_changes_nothing(self, home: Home) -> None:
        self.heap(home, amount=1)
        with pytest.raises(Exception, match="is stored at version 1, not 0"):
            self.heap(home, amount=5)
        assert home.do(lambda work: work.get(Pile, number(1)).amount) == 1

    def test_a_step_may_fail_alone(self, home: Home) -> None:
        self.heap(home)

        def job(work: Work) -> Decimal:
            work.commit(Pile.heap(number(2)))
            pile = work.get(Pile, number(1))
            try:
                with work.attempt():
                    pile.add(5)
                    work.commit(pile, Pile.heap(number(3)))
                    work.positions.put("half", 1)
                    raise Refused("no", "No.", "")
            except Refused:
                work.positions.put("refused", 1)
            pile = work.get(Pile, number(1))
            pile.add(1)
            work.commit(pile)
            return pile.amount

        assert home.do(job) == 2
        assert home.do(lambda work: (work.positions.get("half"), work.positions.get("refused"))) == (0, 1)
        events = home.read(lambda reading: reading.events.select(0, 10))
        assert [(position, event.originator_id) for position, event in events] == [
            (1, number(1)),
            (2, number(2)),
            (3, number(1)),
        ]
        assert home.do(lambda work: work.find(Pile, number(3))) is None

    def test_a_step_that_ends_well_is_kept(self, home: Home) -> None:
        def job(work: Work) -> None:
            with work.attempt():
                work.commit(Pile.heap(number(1)))

        home.do(job)
        assert home.do(lambda work: work.get(Pile, number(1)).amount) == 1

    def test_an_object_from_before_a_failed_step_cannot_be_committed(self, home: Home) -> None:
        self.heap(home)

        def job(work: Work) -> None:
            pile = work.get(Pile, number(1))
            try:
                with work.attempt():
                    pile.add(5)
                    work.commit(pile)
                    raise Refused("no", "No.", "")
            except Refused:
                pile.add(1)
                work.commit(pile)

        with pytest.raises(Exception, match="get it again"):
            home.do(job)
        assert home.do(lambda work: work.get(Pile, number(1)).amount) == 1

    def test_a_read_is_one_snapshot(self, home: Home) -> None:
        self.heap(home)

        def read_twice(reading: Reading) -> tuple[int, int]:
            before = reading.events.max_position()
            self.heap(home, number(2))
            return before, reading.events.max_position()

        assert home.read(read_twice) == (1, 1)
        assert home.read(lambda reading: reading.events.max_position()) == 2
