"""An offer: held, committed and drawn never pass what is there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge_fold import Booking
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import CIRCLE, amount, by, heard, items, kilos, new_id


def rice(number: str = "10", **more: Any) -> Offer:
    return Offer.post(new_id(), by(), person=new_id(), category="food", quantity=kilos(number), **more)


def advice() -> Offer:
    return Offer.post(new_id(), by(), person=None, category="skills", quantity=None, unit="hours")


def booked(held: str = "0", committed: str = "0", drawn: str = "0") -> Booking:
    return Booking(Decimal(held), Decimal(committed), Decimal(drawn))


def test_a_promise_is_held_committed_and_drawn() -> None:
    offer, pledge = rice(), new_id()
    offer.book(by(), pledge, booked(), booked(held="7.5"))
    assert (offer.held, offer.available) == (amount("7.5"), amount("2.5"))
    assert offer.open_pledges == {pledge}
    offer.book(by(), pledge, booked(held="7.5"), booked(committed="5"))
    assert (offer.held, offer.committed, offer.available) == (amount(0), amount(5), amount(5))
    offer.book(by(), pledge, booked(committed="5"), booked(drawn="5"))
    assert (offer.committed, offer.drawn, offer.available) == (amount(0), amount(5), amount(5))
    assert offer.open_pledges == set()


def test_nobody_promises_more_than_is_there() -> None:
    offer = rice()
    offer.book(by(), new_id(), booked(), booked(held="7.5"))
    with pytest.raises(Refused) as refused:
        offer.book(by(), new_id(), booked(), booked(held="3"))
    assert refused.value.reason == "not_enough_left"
    assert refused.value.hint == "Use at most 2.5 kg."
    offer.book(by(), new_id(), booked(), booked(held="2.5"))
    with pytest.raises(Refused) as refused:
        offer.book(by(), new_id(), booked(), booked(held="0.001"))
    assert refused.value.hint == "Choose another offer."


def test_handing_over_more_than_is_left_is_refused_too() -> None:
    offer, pledge = rice(), new_id()
    offer.book(by(), pledge, booked(), booked(committed="10"))
    with pytest.raises(Refused):
        offer.book(by(), pledge, booked(committed="10"), booked(drawn="11"))


def test_what_a_peer_said_frees_and_is_never_refused() -> None:
    offer, pledge = rice(), new_id()
    offer.book(by(), pledge, booked(), booked(held="10"))
    offer.withdraw(by())
    offer.book(heard(), pledge, booked(held="10"), booked())
    assert (offer.held, offer.open_pledges) == (amount(0), set())


def test_an_unchanged_booking_records_nothing() -> None:
    offer = rice()
    version = offer.version
    offer.book(by(), new_id(), booked(), booked())
    assert offer.version == version


def test_an_inexhaustible_offer_never_runs_out() -> None:
    offer = advice()
    assert offer.available is None
    assert offer.unit == "hour"
    offer.book(by(), new_id(), booked(), booked(held="1000000000"))
    with pytest.raises(Refused) as refused:
        offer.close(by(), "exhausted")
    assert refused.value.reason == "not_exhausted"
    offer.close(by(), "superseded")


def test_a_withdrawn_offer_takes_no_new_promise_and_keeps_the_old() -> None:
    offer, firm, loose = rice(), new_id(), new_id()
    offer.book(by(), firm, booked(), booked(held="3"))
    offer.book(by(), loose, booked(), booked(held="2"))
    offer.withdraw(by())
    assert (offer.state, offer.closed_reason, offer.available) == ("closed", "withdrawn", amount(0))
    assert offer.open_pledges == {firm, loose}
    with pytest.raises(Refused) as refused:
        offer.book(by(), new_id(), booked(), booked(held="1"))
    assert refused.value.reason == "offer_closed"
    offer.book(by(), firm, booked(held="3"), booked(committed="3"))
    offer.book(by(), firm, booked(committed="3"), booked(drawn="3"))
    offer.book(by(), loose, booked(held="2"), booked())
    assert (offer.drawn, offer.held, offer.open_pledges) == (amount(3), amount(0), set())


def test_an_offer_is_exhausted_when_all_of_it_is_promised_or_gone() -> None:
    offer = rice()
    with pytest.raises(Refused) as refused:
        offer.close(by())
    assert refused.value.reason == "not_exhausted"
    offer.book(by(), new_id(), booked(), booked(committed="4", drawn="6"))
    offer.close(by())
    assert offer.closed_reason == "exhausted"
    for act in (offer.close, offer.withdraw, lambda act: offer.share(act, CIRCLE)):
        with pytest.raises(Refused) as refused:
            act(by())
        assert refused.value.reason == "offer_closed"


def test_sharing_and_taking_back() -> None:
    offer = rice()
    offer.share(by(), CIRCLE)
    with pytest.raises(Refused) as refused:
        offer.share(by(), CIRCLE)
    assert refused.value.reason == "already_shared"
    offer.unshare(by(), CIRCLE)
    assert offer.shares[CIRCLE].unacknowledged
    offer.acknowledge_unshare(heard(), CIRCLE)
    version = offer.version
    offer.acknowledge_unshare(heard(), CIRCLE)
    assert (offer.shares[CIRCLE].state, offer.version) == ("acknowledged", version)
    with pytest.raises(Refused) as refused:
        offer.unshare(by(), CIRCLE)
    assert refused.value.reason == "not_shared"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": "luxury"}, "unknown_category"),
        ({"mode": "steal"}, "unknown_mode"),
        ({"unit": "bushel"}, "unknown_unit"),
        ({"unit": "kg"}, "unit_differs"),
        ({"quantity": None}, "unknown_unit"),
        ({"item": "x" * 500}, "bad_item"),
    ],
)
def test_an_offer_that_says_something_unknown_is_refused(change: dict[str, Any], reason: str) -> None:
    said: dict[str, Any] = {"category": "food", "quantity": items(1), "person": None} | change
    with pytest.raises(Refused) as refused:
        Offer.post(new_id(), by(), **said)
    assert refused.value.reason == reason


def test_a_unit_may_be_said_twice_if_it_is_the_same() -> None:
    assert rice(unit="Kilos").unit == "kg"


def test_a_pledge_counts_in_the_units_of_the_offer() -> None:
    offer = rice()
    offer.check_pledge("kg")
    with pytest.raises(Refused) as refused:
        offer.check_pledge("item")
    assert refused.value.reason == "unit_differs"
