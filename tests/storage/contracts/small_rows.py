"""Contracts of the small ports: Subjects, Positions, Idempotency, Evidence."""

from __future__ import annotations

import pytest

from aidmesh_node.application.ports import EvidenceRow, Subject, SubjectTaken, Work
from tests.storage.home import Home
from tests.storage.things import NOON, number

LIVED = 3600

CIRCLE, OTHER_CIRCLE, SUBJECT = b"c" * 32, b"d" * 32, b"s" * 16


class SubjectsContract:
    """Subclass with a ``home`` fixture."""

    def test_a_name_leads_to_its_aggregate_and_back(self, home: Home) -> None:
        home.do(lambda work: work.subjects.put(CIRCLE, SUBJECT, "need", number(1)))
        home.reopen()
        subject = Subject(CIRCLE, SUBJECT, "need", number(1))
        assert home.do(lambda work: work.subjects.find(CIRCLE, SUBJECT)) == subject
        assert home.do(lambda work: work.subjects.of(number(1))) == [subject]
        assert home.do(lambda work: work.subjects.find(CIRCLE, b"t" * 16)) is None
        assert home.do(lambda work: work.subjects.of(number(2))) == []

    def test_saying_it_again_changes_nothing(self, home: Home) -> None:
        for _ in range(2):
            home.do(lambda work: work.subjects.put(CIRCLE, SUBJECT, "need", number(1)))
        assert len(home.do(lambda work: work.subjects.of(number(1)))) == 1

    @pytest.mark.parametrize(("kind", "id"), [("need", 2), ("offer", 1)])
    def test_a_taken_name_cannot_name_something_else(self, home: Home, kind: str, id: int) -> None:
        home.do(lambda work: work.subjects.put(CIRCLE, SUBJECT, "need", number(1)))
        with pytest.raises(SubjectTaken):
            home.do(lambda work: work.subjects.put(CIRCLE, SUBJECT, kind, number(id)))
        subject = home.do(lambda work: work.subjects.find(CIRCLE, SUBJECT))
        assert subject == Subject(CIRCLE, SUBJECT, "need", number(1))

    def test_another_circle_has_names_of_its_own(self, home: Home) -> None:
        home.do(lambda work: work.subjects.put(CIRCLE, SUBJECT, "need", number(1)))
        home.do(lambda work: work.subjects.put(OTHER_CIRCLE, SUBJECT, "offer", number(2)))
        found = home.do(lambda work: work.subjects.find(CIRCLE, SUBJECT))
        assert found is not None
        assert found.aggregate_id == number(1)


class PositionsContract:
    """Subclass with a ``home`` fixture."""

    def test_a_position_starts_at_nothing_and_is_kept(self, home: Home) -> None:
        assert home.do(lambda work: work.positions.get("publication")) == 0
        home.do(lambda work: work.positions.put("publication", 7))
        home.do(lambda work: work.positions.put("publication", 8))
        home.reopen()
        assert home.do(lambda work: work.positions.get("publication")) == 8
        assert home.do(lambda work: work.positions.get("other")) == 0

    def test_it_does_not_move_with_a_refused_job(self, home: Home) -> None:
        def job(work: Work) -> None:
            work.positions.put("publication", 7)
            raise LookupError

        with pytest.raises(LookupError):
            home.do(job)
        assert home.do(lambda work: work.positions.get("publication")) == 0

    def test_the_incarnation_stays_as_long_as_the_log(self, home: Home) -> None:
        first = home.do(lambda work: work.positions.incarnation)
        assert len(first) == 16
        home.reopen()
        assert home.do(lambda work: work.positions.incarnation) == first
        assert home.read(lambda reading: reading.incarnation) == first


class IdempotencyContract:
    """Subclass with a ``home`` fixture."""

    def keep(self, home: Home, actor: str = "amina", key: str = "k1", body: bytes = b'{"token":"secret"}') -> None:
        home.do(lambda work: work.idempotency.keep(actor, key, b"r" * 32, body, LIVED))

    def test_an_answer_is_found_under_its_actor_and_key_only(self, home: Home) -> None:
        self.keep(home)
        home.reopen()
        found = home.do(lambda work: work.idempotency.find("amina", "k1"))
        assert found is not None
        assert (found.request_hash, found.body) == (b"r" * 32, b'{"token":"secret"}')
        others = [("amina", "k2"), ("bob", "k1"), ("amin", "ak1"), ("", "aminak1")]
        assert home.do(lambda work: [work.idempotency.find(*other) for other in others]) == [None] * 4

    def test_a_key_is_kept_once(self, home: Home) -> None:
        self.keep(home)
        with pytest.raises(Exception, match=r"UNIQUE|duplicate"):
            self.keep(home, body=b"other")
        found = home.do(lambda work: work.idempotency.find("amina", "k1"))
        assert found is not None
        assert found.body == b'{"token":"secret"}'

    def test_a_refused_job_keeps_no_answer(self, home: Home) -> None:
        def job(work: Work) -> None:
            work.idempotency.keep("amina", "k1", b"r" * 32, b"{}", LIVED)
            raise LookupError

        with pytest.raises(LookupError):
            home.do(job)
        assert home.do(lambda work: work.idempotency.find("amina", "k1")) is None

    def test_old_answers_are_swept(self, home: Home) -> None:
        self.keep(home)
        self.keep(home, key="k2")
        self.keep(home, key="k3")
        assert home.do(lambda work: work.idempotency.sweep(LIVED, 9)) == 0
        assert [home.do(lambda work: work.idempotency.sweep(LIVED + 1, 2)) for _ in range(3)] == [2, 1, 0]
        assert home.do(lambda work: work.idempotency.find("amina", "k1")) is None


class EvidenceContract:
    """Subclass with a ``home`` fixture."""

    def test_a_proof_is_kept_as_it_was(self, home: Home) -> None:
        home.do(lambda work: work.evidence.keep("gid", "fork_detected", "two roots", [b"one", b"two"], NOON))
        home.reopen()
        row = EvidenceRow(None, "gid", "fork_detected", "two roots", (b"one", b"two"), NOON.replace(microsecond=0))
        assert home.do(lambda work: work.evidence.kept()) == [row]
        assert home.do(lambda work: work.evidence.kept("gid")) == [row]
        assert home.do(lambda work: work.evidence.kept("other")) == []

    def test_the_first_of_each_kind_are_kept_and_the_rest_counted(self, home: Home) -> None:
        def job(work: Work) -> list[bool]:
            return [work.evidence.keep("x", "malformed", str(index), [], NOON) for index in range(70)]

        assert home.do(job) == [True] * 64 + [False] * 6
        assert home.do(lambda work: work.evidence.keep("x", "bad_signature", "", [], NOON))
        assert home.do(lambda work: work.evidence.keep("y", "malformed", "", [], NOON))
        assert home.do(lambda work: work.evidence.count("x", "malformed")) == 70
        assert home.do(lambda work: work.evidence.count("y", "too_large")) == 0
        details = [row.detail for row in home.do(lambda work: work.evidence.kept("x"))]
        assert details == [*map(str, range(64)), ""]

    def test_bytes_beyond_the_bound_are_left_out_whole(self, home: Home) -> None:
        home.do(lambda work: work.evidence.keep("x", "too_large", "big", [b"a", b"b" * 200_000], NOON))
        (row,) = home.do(lambda work: work.evidence.kept())
        assert row.blobs == ()
        assert "too many to keep" in row.detail
