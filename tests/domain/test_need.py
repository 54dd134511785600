"""A need: posted, shared with consent, covered by many pledges, and closed by a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from tests.domain.acts import AGREED, CIRCLE, MORNING, OTHER_CIRCLE, amount, amounts, by, heard, items, new_id


def blankets(number: int = 10, **more: Any) -> Need:
    return Need.post(new_id(), by(), person=new_id(), category="bedding", quantity=items(number), **more)


def reserve(need: Need, number: int, before: Coverage | None = None) -> Coverage:
    after = Coverage(amount(number), Decimal(0), True)
    need.cover(by(), new_id(), before or Coverage(), after)
    return after


def test_a_new_need_is_open_and_wants_everything() -> None:
    need = blankets(item="Blanket", area="North side", language="pt-BR", window=Window(None, MORNING))
    assert need.is_open
    assert need.acceptable == 10
    assert (need.coverage, need.fulfilment) == ("none", "none")
    assert (need.item, need.area, need.language, need.window.end) == ("Blanket", "North side", "pt-BR", MORNING)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": "luxury"}, "unknown_category"),
        ({"urgency": "very"}, "unknown_urgency"),
        ({"item": "call 0173 555 0142"}, "bad_item"),
        ({"area": "ana@example.org"}, "bad_area"),
        ({"language": "?"}, "bad_language"),
    ],
)
def test_a_need_that_says_something_unknown_is_refused(change: dict[str, Any], reason: str) -> None:
    said: dict[str, Any] = {"category": "bedding", "quantity": items(1), "person": None} | change
    with pytest.raises(Refused) as refused:
        Need.post(new_id(), by(), **said)
    assert refused.value.reason == reason


def test_sharing_records_the_consent() -> None:
    need = blankets()
    need.share(by(), CIRCLE, Consent("by_phone", "v2", "es"))
    shared = need.collect_events()[-1]
    assert isinstance(shared, Need.Shared)
    assert (shared.consent_given, shared.consent_text_version, shared.consent_language) == ("by_phone", "v2", "es")
    assert need.shares[CIRCLE].live
    with pytest.raises(Refused) as refused:
        need.share(by(), CIRCLE, AGREED)
    assert refused.value.reason == "already_shared"


def test_nothing_is_shared_without_a_recorded_consent() -> None:
    for given, version, knows in (("nobody", "v1", None), ("self", "", None), ("proxy", "v1", None)):
        with pytest.raises(Refused):
            Consent(given, version, person_knows=knows)


def test_a_person_who_does_not_know_is_shared_in_outline_only() -> None:
    unknowing = Consent("proxy", "v1", person_knows=False)
    need = blankets()
    with pytest.raises(Refused) as refused:
        need.share(by(), CIRCLE, unknowing, "L2")
    assert refused.value.reason == "consent_too_narrow"
    assert need.shares == {}
    need.share(by(), CIRCLE, unknowing, "L1")
    need.share(by(), OTHER_CIRCLE, Consent("proxy", "v1", person_knows=True), "L2")
    assert [share.level for share in need.shares.values()] == ["L1", "L2"]
    with pytest.raises(Refused) as refused:
        blankets().share(by(), CIRCLE, AGREED, "L9")
    assert refused.value.reason == "unknown_level_of_sharing"


def test_a_share_is_taken_back_in_one_act_and_acknowledged_once() -> None:
    need = blankets()
    need.share(by(), CIRCLE, AGREED)
    need.share(by(), OTHER_CIRCLE, AGREED)
    need.unshare(by(), CIRCLE)
    assert not need.shares[CIRCLE].live
    assert need.shares[CIRCLE].unacknowledged
    assert need.shares[OTHER_CIRCLE].live
    need.acknowledge_unshare(heard(), CIRCLE)
    version = need.version
    need.acknowledge_unshare(heard(), CIRCLE)
    need.acknowledge_unshare(heard(), "c3" * 32)
    assert need.version == version
    assert need.shares[CIRCLE].state == "acknowledged"
    with pytest.raises(Refused) as refused:
        need.unshare(by(), CIRCLE)
    assert refused.value.reason == "not_shared"
    need.share(by(), CIRCLE, AGREED)
    assert need.shares[CIRCLE].live


def test_a_circle_has_a_proper_name() -> None:
    with pytest.raises(Refused) as refused:
        blankets().share(by(), "everybody", AGREED)
    assert refused.value.reason == "unknown_circle"


def test_many_pledges_cover_one_need_and_never_more() -> None:
    need = blankets(10)
    reserve(need, 6)
    assert (need.reserved, need.acceptable, need.coverage) == (amount(6), amount(4), "partial")
    with pytest.raises(Refused) as refused:
        reserve(need, 5)
    assert refused.value.reason == "already_covered"
    assert refused.value.hint == "Accept at most 4 item."
    reserve(need, 4)
    assert (need.coverage, need.fulfilment) == ("full", "none")
    with pytest.raises(Refused) as refused:
        reserve(need, 1)
    assert refused.value.hint == "Decline with thanks."
    assert len(need.open_pledges) == 2


def test_what_arrives_always_counts() -> None:
    need = blankets(10)
    pledge = new_id()
    promised = Coverage(amount(10), Decimal(0), True)
    need.cover(by(), pledge, Coverage(), promised)
    need.cover(by(), pledge, promised, Coverage(Decimal(0), amount(12), False))
    assert (need.received, need.reserved, need.acceptable) == amounts(12, 0, 0)
    assert need.fulfilment == "over"
    assert need.open_pledges == set()


def test_what_a_peer_said_is_never_refused() -> None:
    need = blankets(1)
    need.close(by(), "no_longer_wanted")
    need.cover(heard(), new_id(), Coverage(), Coverage(amount(5), Decimal(0), True))
    assert need.reserved == 5


def test_an_unchanged_coverage_records_nothing() -> None:
    need = blankets()
    covered = reserve(need, 3)
    (pledge,) = need.open_pledges
    version = need.version
    need.cover(by(), pledge, covered, covered)
    need.cover(by(), new_id(), Coverage(), Coverage())
    assert need.version == version


def test_an_offered_pledge_is_remembered_although_it_covers_nothing() -> None:
    need, pledge = blankets(), new_id()
    need.cover(heard(), pledge, Coverage(), Coverage(open=True))
    assert need.open_pledges == {pledge}
    assert need.reserved == 0
    need.cover(heard(), pledge, Coverage(open=True), Coverage())
    assert need.open_pledges == set()


def test_a_pledge_counts_in_the_units_of_the_need() -> None:
    need = blankets()
    need.check_pledge("item")
    with pytest.raises(Refused) as refused:
        need.check_pledge("kg")
    assert refused.value.reason == "unit_differs"


def test_a_need_can_always_be_withdrawn() -> None:
    need = blankets()
    need.withdraw(by())
    assert (need.state, need.closed_reason) == ("closed", "withdrawn_by_person")


def test_a_closed_need_takes_nothing_more() -> None:
    need = blankets()
    need.share(by(), CIRCLE, AGREED)
    with pytest.raises(Refused) as refused:
        need.close(by(), "boredom")
    assert refused.value.reason == "unknown_reason_to_close"
    need.close(by(), "met")
    for act in (
        lambda: need.share(by(), OTHER_CIRCLE, AGREED),
        lambda: need.close(by(), "met"),
        lambda: need.withdraw(by()),
        lambda: need.check_pledge("item"),
        lambda: reserve(need, 1),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == "need_closed"
    need.unshare(by(), CIRCLE)
    assert not need.shares[CIRCLE].live
