"""Contract of VaultRows: what is about a person can be read with their key, and never again once they are
erased.
"""

from __future__ import annotations

import pytest

from aidmesh_node.application.ports import Erased, Work
from tests.storage.home import Home
from tests.storage.things import Pile, number

AMINA, BOB, NEED = number(1), number(2), number(100)


class VaultContract:
    """Subclass with a ``home`` fixture."""

    def test_fields_come_back_after_a_restart(self, home: Home) -> None:
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina Ünal", "phone": "+49 30 1", "note": ""}))
        home.reopen()
        found = {"name": "Amina Ünal", "phone": "+49 30 1", "note": ""}
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == found
        assert home.read(lambda reading: reading.vault.open(AMINA, NEED)) == found

    def test_a_field_is_replaced_and_the_others_stay(self, home: Home) -> None:
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina", "phone": "1"}))
        home.do(lambda work: work.vault.put(AMINA, NEED, {"phone": "2"}))
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {"name": "Amina", "phone": "2"}

    def test_nothing_recorded_is_nothing(self, home: Home) -> None:
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {}
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina"}))
        assert home.do(lambda work: work.vault.open(BOB, NEED)) == {}
        assert home.do(lambda work: work.vault.open(AMINA, number(101))) == {}

    def test_one_record_is_removed(self, home: Home) -> None:
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina"}))
        home.do(lambda work: work.vault.put(AMINA, number(101), {"name": "Amina"}))
        home.do(lambda work: work.vault.remove(AMINA, NEED))
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {}
        assert home.do(lambda work: work.vault.open(AMINA, number(101))) == {"name": "Amina"}

    def test_a_refused_job_keeps_nothing_and_the_person_can_come_back(self, home: Home) -> None:
        def job(work: Work) -> None:
            work.vault.put(AMINA, NEED, {"name": "Amina"})
            raise LookupError

        with pytest.raises(LookupError):
            home.do(job)
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {}
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina again"}))
        home.reopen()
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {"name": "Amina again"}

    def test_an_erased_person_cannot_be_read_or_kept_again(self, home: Home) -> None:
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina"}))
        home.do(lambda work: work.vault.put(BOB, NEED, {"name": "Bob"}))
        home.do(lambda work: work.vault.erase(AMINA))
        for _ in range(2):
            with pytest.raises(Erased):
                home.do(lambda work: work.vault.open(AMINA, NEED))
            with pytest.raises(Erased):
                home.read(lambda reading: reading.vault.open(AMINA, NEED))
            with pytest.raises(Erased):
                home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina"}))
            assert home.read(lambda reading: reading.vault.is_erased(AMINA))
            assert home.do(lambda work: work.vault.open(BOB, NEED)) == {"name": "Bob"}
            home.reopen()
        home.do(lambda work: work.vault.erase(AMINA))

    def test_within_its_own_job_the_person_is_gone_at_once(self, home: Home) -> None:
        def job(work: Work) -> None:
            work.vault.put(AMINA, NEED, {"name": "Amina"})
            work.vault.erase(AMINA)
            with pytest.raises(Erased):
                work.vault.open(AMINA, NEED)
            with pytest.raises(Erased):
                work.vault.put(AMINA, NEED, {"name": "Amina"})

        home.do(job)

    def test_a_refused_erasure_erases_nobody(self, home: Home) -> None:
        home.do(lambda work: work.vault.put(AMINA, NEED, {"name": "Amina"}))

        def job(work: Work) -> None:
            work.vault.erase(AMINA)
            raise LookupError

        with pytest.raises(LookupError):
            home.do(job)

        def step(work: Work) -> None:
            with work.attempt():
                work.vault.erase(AMINA)
                raise LookupError

        with pytest.raises(LookupError):
            home.do(step)
        home.do(lambda work: work.commit(Pile.heap(number(5))))
        home.reopen()
        assert home.do(lambda work: work.vault.open(AMINA, NEED)) == {"name": "Amina"}
