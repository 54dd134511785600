"""Our needs and offers as the API shows them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge_fold import Booking, Coverage
from aidmesh_node.domain.window import Window
from aidmesh_node.views import needs, offers, shares
from aidmesh_node.views.counts import counts
from aidmesh_node.views.pages import BadCursor
from tests.views.house import ALICE, CIRCLE, COORDINATOR, MEMBER, NOON, OURS, PERSON, House

SAID_YES = Consent("by_phone", "2026-1", "en")
PLEDGE = UUID(int=99)


def test_a_need_as_it_is_posted(house: House) -> None:
    house.found()
    id = house.need(
        "31800",
        "Plastic sheets",
        urgency="high",
        area="Dili",
        window=Window(NOON, NOON + timedelta(days=2)),
        by=house.act("member", MEMBER),
    )
    assert house.ask(needs.get, id.hex) == {
        "id": id.hex,
        "ours": True,
        "group": OURS,
        "group_name": "Our group",
        "circle": None,
        "category": "bedding",
        "item": "Plastic sheets",
        "quantity": "31800",
        "unit": "item",
        "urgency": "high",
        "from": "2026-11-22T12:00:00Z",
        "until": "2026-11-24T12:00:00Z",
        "area": "Dili",
        "state": "open",
        "closed_reason": None,
        "received": "0",
        "presumed": "0",
        "reserved": "0",
        "open": "31800",
        "coverage": "none",
        "fulfilment": "none",
        "shared_with": [],
        "next_action": "Nobody else knows of it: call back, find help in your group, or share it with another.",
        "next_action_at": "2026-11-24T12:02:00Z",
        "version": 1,
        "posted_at": "2026-11-22T12:02:00Z",
    }
    assert house.ask(needs.who, id.hex) == (PERSON.hex, MEMBER.hex)
    assert house.ask(needs.get, "0" * 32) is None and house.ask(needs.who, "0" * 32) is None


@pytest.mark.parametrize(
    ("reserved", "received", "open", "coverage", "fulfilment"),
    [
        ("40", "0", "60", "partial", "none"),
        ("40", "20", "40", "partial", "partial"),
        ("60", "40", "0", "full", "partial"),
        ("0", "100", "0", "full", "full"),
        ("0", "120", "0", "over", "over"),
    ],
)
def test_what_is_covered(house: House, reserved: str, received: str, open: str, coverage: str, fulfilment: str) -> None:
    id = house.need("100")
    after = Coverage(Decimal(reserved), Decimal(received), open=True)
    house.change(Need, id, lambda need: need.cover(house.act(heard=True), PLEDGE, Coverage(), after))
    need = house.ask(needs.get, id.hex)
    assert need is not None
    shown = (need["reserved"], need["received"], need["open"], need["coverage"], need["fulfilment"])
    assert shown == (reserved, received, open, coverage, fulfilment)
    assert need["version"] == 2


def test_sharing_is_taken_back_and_acknowledged(house: House) -> None:
    house.found()
    house.link(ALICE, "Alice's group")
    id, circle = house.need(), CIRCLE.hex()
    house.change(Need, id, lambda need: need.share(house.act(), circle, SAID_YES))
    shared = {"circle": circle, "peer": ALICE, "peer_name": "Alice's group"}

    def shown() -> object:
        need = house.ask(needs.get, id.hex)
        assert need is not None
        return need["shared_with"]

    assert shown() == [{**shared, "state": "shared", "acknowledged": False}]
    assert house.ask(shares.unacknowledged) == []

    house.change(Need, id, lambda need: need.unshare(house.act(), circle))
    assert shown() == [{**shared, "state": "revoked", "acknowledged": False}]
    (task,) = house.ask(shares.unacknowledged)
    assert (task["kind"], task["id"], task["peer_name"]) == ("need", id.hex, "Alice's group")

    house.change(Need, id, lambda need: need.acknowledge_unshare(house.act(heard=True), circle))
    assert shown() == [{**shared, "state": "revoked", "acknowledged": True}]
    assert house.ask(shares.unacknowledged) == []

    house.change(Need, id, lambda need: need.share(house.act(), circle, SAID_YES))
    assert shown() == [{**shared, "state": "shared", "acknowledged": False}]


def test_a_need_ends(house: House) -> None:
    withdrawn, closed, open = house.need(), house.need(), house.need()
    house.change(Need, withdrawn, lambda need: need.withdraw(house.act()))
    house.change(Need, closed, lambda need: need.close(house.act(), "done_by_others"))
    shown = {need["id"]: need for need in house.ask(needs.list_page)["items"]}
    assert (shown[withdrawn.hex]["state"], shown[withdrawn.hex]["closed_reason"]) == (
        "closed",
        "withdrawn_by_person",
    )
    assert (shown[closed.hex]["state"], shown[closed.hex]["closed_reason"]) == ("closed", "done_by_others")
    assert [need["id"] for need in house.ask(needs.list_page, state="open")["items"]] == [open.hex]
    assert house.ask(counts) == {"needs": {"closed": 2, "open": 1}, "offers": {}, "pledges": {}}


def test_an_offer_is_held_committed_and_drawn(house: House) -> None:
    house.found()
    id = house.offer("100", mode="lend", area="Dili")
    before, after = Booking(), Booking(Decimal(10), Decimal(20), Decimal(30))
    house.change(Offer, id, lambda offer: offer.book(house.act(), PLEDGE, before, after))
    offer = house.ask(offers.get, id.hex)
    assert offer == {
        "id": id.hex,
        "ours": True,
        "group": OURS,
        "group_name": "Our group",
        "circle": None,
        "category": "bedding",
        "item": "Blankets",
        "quantity": "100",
        "unit": "item",
        "mode": "lend",
        "held": "10",
        "committed": "20",
        "drawn": "30",
        "available": "40",
        "from": None,
        "until": None,
        "area": "Dili",
        "state": "open",
        "closed_reason": None,
        "confirmed_at": "2026-11-22T12:02:00Z",
        "ask_at": "2026-12-22T12:02:00Z",
        "stale": False,
        "ends_soon": False,
        "next": "",
        "shared_with": [],
        "version": 2,
        "posted_at": "2026-11-22T12:02:00Z",
    }
    assert house.ask(offers.who, id.hex) == (PERSON.hex, COORDINATOR.hex)


def test_an_inexhaustible_offer_and_one_that_is_withdrawn(house: House) -> None:
    endless, withdrawn = house.offer(None), house.offer("10")
    house.change(Offer, withdrawn, lambda offer: offer.withdraw(house.act()))
    shown = {offer["id"]: offer for offer in house.ask(offers.list_page)["items"]}
    assert (shown[endless.hex]["quantity"], shown[endless.hex]["available"]) == (None, None)
    assert (shown[withdrawn.hex]["available"], shown[withdrawn.hex]["closed_reason"]) == ("0", "withdrawn")


def test_pages_meet_without_gap_or_overlap(house: House) -> None:
    posted = [house.need().hex for _ in range(7)]
    seen: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        answer = house.ask(needs.list_page, limit=3, cursor=cursor)
        assert len(answer["items"]) == size
        seen += [need["id"] for need in answer["items"]]
        cursor = answer["cursor"]
    assert cursor is None
    assert seen == posted[::-1]


@pytest.mark.parametrize("cursor", ["", "!", "bnVsbA==", "WzEsMiwzXQ==", "WyJhIiwiYiJd", "é"])
def test_a_cursor_nobody_gave(house: House, cursor: str) -> None:
    with pytest.raises(BadCursor):
        house.ask(needs.list_page, cursor=cursor)
