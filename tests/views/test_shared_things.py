"""What peers show us, folded from their feeds: shown, changed, taken back, closed, and not all there yet."""

from __future__ import annotations

from typing import Any

import pytest

from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.window import Window
from aidmesh_node.views import needs, offers, shared_needs, shared_offers
from aidmesh_node.views.board import board
from aidmesh_node.views.foreign_feeds import LATE_VIEWS_MAX
from aidmesh_protocol import canonical
from aidmesh_protocol.entry import FACTS, Entry, Part, SealedEntry
from aidmesh_protocol.entry import VIEW as VIEW_PART
from aidmesh_protocol.merkle import leaf_hash
from aidmesh_protocol.origin import circle_origin, origin_hash
from aidmesh_protocol.statements import (
    NeedClosed,
    NeedShared,
    NeedShareRevoked,
    NeedUpdated,
    NeedView,
    OfferClosed,
    OfferShared,
    OfferShareRevoked,
    OfferUpdated,
    OfferView,
)
from tests.views.house import ALICE, BOB, CIRCLE, NOON, OTHER_CIRCLE, OURS, House

ID = b"\x11" * 16
OTHER = b"\x22" * 16
VIEW = NeedView("bedding", "Blankets", "emergency", 29_922_480, 29_925_360, "Dili")
SHARED = NeedShared("100", "item", "100", VIEW)
OFFERED = OfferShared("50", "item", "40", OfferView("bedding", "Blankets", None, 29_925_360, "Dili", "lend"))


@pytest.fixture
def linked(house: House) -> House:
    house.found()
    house.link(ALICE, "Alice's group")
    return house


def shown(house: House, id: bytes = ID) -> dict[str, Any]:
    need = house.ask(shared_needs.get, id.hex())
    assert need is not None
    return need


def on_board(house: House) -> list[str]:
    answer = house.ask(board)
    return [thing["id"] for thing in answer["needs"] + answer["offers"]]


def test_a_need_as_it_is_shared(linked: House) -> None:
    linked.feed(ALICE).say(ID, SHARED)
    assert shown(linked) == {
        "id": ID.hex(),
        "ours": False,
        "group": ALICE,
        "group_name": "Alice's group",
        "circle": CIRCLE.hex(),
        "category": "bedding",
        "item": "Blankets",
        "quantity": "100",
        "unit": "item",
        "urgency": "emergency",
        "from": "2026-11-22T12:00:00Z",
        "until": "2026-11-24T12:00:00Z",
        "area": "Dili",
        "state": "open",
        "closed_reason": None,
        "received": "0",
        "presumed": None,
        "reserved": "0",
        "open": "100",
        "coverage": "none",
        "fulfilment": "none",
        "shared_with": [],
        "next_action": None,
        "next_action_at": None,
        "version": 1,
        "posted_at": "2026-11-29T12:00:00Z",
    }
    assert linked.ask(needs.get, ID.hex()) == shown(linked)
    assert [need["id"] for need in linked.ask(needs.list_page)["items"]] == [ID.hex()]
    assert linked.ask(needs.list_page, ours=True)["items"] == []
    assert on_board(linked) == [ID.hex()]


def test_totals_change_and_the_newest_entry_is_named(linked: House) -> None:
    feed = linked.feed(ALICE)
    first = feed.sealed(ID, SHARED)
    second = feed.sealed(ID, NeedUpdated("120", "30", "50"))
    feed.append([feed.sealed(OTHER, SHARED), first, second])
    need = shown(linked)
    assert (need["quantity"], need["received"], need["reserved"], need["open"]) == ("120", "30", "50", "40")
    assert (need["coverage"], need["fulfilment"], need["version"]) == ("partial", "partial", 2)
    origin = origin_hash(circle_origin(ALICE, CIRCLE)).hex()

    def reference(index: int, sealed: SealedEntry) -> dict[str, Any]:
        return {"origin_hash": origin, "index": index, "leaf_hash": leaf_hash(sealed.entry).hex()}

    assert linked.ask(shared_needs.standing, ID.hex()) == {
        "id": ID.hex(),
        "circle": CIRCLE.hex(),
        "owner": ALICE,
        "unit": "item",
        "quantity": "120",
        "open": "40",
        "item": "Blankets",
        "state": "open",
        "shared": reference(1, first),
        "newest": reference(2, second),
    }
    assert linked.ask(shared_needs.standing, "0" * 32) is None


def test_taken_back_is_gone_at_once_and_can_come_again(linked: House) -> None:
    feed = linked.feed(ALICE)
    feed.say(ID, SHARED)
    linked.views.catch_up()
    feed.say(ID, NeedShareRevoked())
    need = shown(linked)
    assert (need["state"], need["category"], need["item"], need["area"]) == ("revoked", None, None, None)
    assert on_board(linked) == linked.ask(needs.list_page)["items"] == []

    feed.say(ID, NeedUpdated("999", "0", "0"))
    assert shown(linked)["quantity"] == "100"

    feed.say(ID, SHARED)
    assert shown(linked)["area"] == "Dili"
    assert on_board(linked) == [ID.hex()]


def test_what_was_taken_back_leaves_no_bytes(linked: House) -> None:
    feed = linked.feed(ALICE)

    def area(number: int) -> str:
        return f"Area number {number} of a district"

    for number in range(9):
        view = NeedView("bedding", None, "low", None, None, area(number))
        feed.say(bytes([number]) * 16, NeedShared("1", "item", "1", view))

    def in_file() -> list[int]:
        linked.views.catch_up()
        linked.reopen_views()
        content = (linked.path / "views.db").read_bytes()
        return [number for number in range(9) if area(number).encode() in content]

    assert in_file() == list(range(9))
    feed.say(bytes([4]) * 16, NeedShareRevoked())
    assert in_file() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_closed_is_final(linked: House) -> None:
    feed = linked.feed(ALICE)
    feed.say(ID, SHARED, NeedClosed("met"))
    need = shown(linked)
    assert (need["state"], need["closed_reason"], need["item"]) == ("closed", "met", "Blankets")
    assert on_board(linked) == []
    feed.say(ID, SHARED)
    assert (shown(linked)["state"], shown(linked)["version"]) == ("closed", 2)
    assert [need["id"] for need in linked.ask(needs.list_page, state="closed")["items"]] == [ID.hex()]


def test_what_was_never_shown_cannot_change(linked: House) -> None:
    linked.feed(ALICE).say(ID, NeedUpdated("1", "0", "0"), NeedShareRevoked(), NeedClosed("met"))
    assert linked.ask(shared_needs.get, ID.hex()) is None


def test_only_its_owner_writes_about_a_need(linked: House) -> None:
    linked.link(BOB, "Bob's group", OTHER_CIRCLE)
    linked.feed(ALICE).say(ID, SHARED)
    linked.feed(BOB, OTHER_CIRCLE).say(ID, NeedClosed("met"))
    assert shown(linked)["state"] == "open"
    linked.feed(BOB, OTHER_CIRCLE).say(ID, NeedShared("7", "kg", "7", VIEW))
    assert shown(linked)["group"] == ALICE
    theirs = linked.ask(shared_needs.get, ID.hex(), BOB)
    assert theirs is not None and theirs["quantity"] == "7"


def test_our_own_feed_is_not_shown_twice(linked: House) -> None:
    linked.feed(OURS).say(ID, SHARED)
    assert linked.ask(shared_needs.get, ID.hex()) is None


def test_a_description_that_comes_late(linked: House) -> None:
    feed = linked.feed(ALICE)
    sealed = feed.sealed(ID, SHARED)
    index = feed.append([sealed], without="view")
    assert (shown(linked)["category"], shown(linked)["quantity"]) == (None, "100")
    assert on_board(linked) == linked.ask(needs.list_page)["items"] == []
    feed.deliver(index, "view", sealed)
    assert shown(linked)["item"] == "Blankets"
    assert on_board(linked) == [ID.hex()]


def test_a_late_description_of_what_was_taken_back_stays_hidden(linked: House) -> None:
    feed = linked.feed(ALICE)
    sealed = feed.sealed(ID, SHARED)
    index = feed.append([sealed], without="view")
    linked.views.catch_up()
    feed.say(ID, NeedShareRevoked())
    linked.views.catch_up()
    assert linked.dump()["waiting"] == []
    feed.deliver(index, "view", sealed)
    assert (shown(linked)["state"], shown(linked)["item"]) == ("revoked", None)


def test_an_older_late_description_does_not_replace_the_newer(linked: House) -> None:
    feed = linked.feed(ALICE)
    sealed = feed.sealed(ID, SHARED)
    index = feed.append([sealed], without="view")
    newer = NeedShared("100", "item", "100", NeedView("food", "Rice", "low", None, None, None))
    feed.say(ID, newer)
    linked.views.catch_up()
    feed.deliver(index, "view", sealed)
    assert shown(linked)["item"] == "Rice"


def test_missing_facts_stop_one_feed_only(linked: House) -> None:
    linked.link(BOB, "Bob's group", OTHER_CIRCLE)
    alice, bob = linked.feed(ALICE), linked.feed(BOB, OTHER_CIRCLE)
    sealed = alice.sealed(ID, SHARED)
    index = alice.append([sealed], without="facts")
    alice.say(OTHER, SHARED)
    bob.say(b"\x33" * 16, SHARED)
    assert on_board(linked) == [(b"\x33" * 16).hex()]
    alice.deliver(index, "facts", sealed)
    assert sorted(on_board(linked)) == [ID.hex(), OTHER.hex(), (b"\x33" * 16).hex()]


def test_an_entry_that_means_nothing_is_passed_over(linked: House) -> None:
    feed = linked.feed(ALICE)
    parts = [Part(tag, bytes(16), canonical.encode(["of another kind"])) for tag in (FACTS, VIEW_PART)]
    headers = tuple(part.header(NeedShared.TYPE, 1) for part in parts)
    wrong = Entry(NeedShared.TYPE, 1, bytes(16), ID, 0, headers)
    sealed = SealedEntry(wrong.encode(), tuple((part.tag, part.encode()) for part in parts))
    feed.append([sealed, feed.sealed(OTHER, SHARED)])
    assert on_board(linked) == [OTHER.hex()]


def test_a_circle_that_ended_shows_nothing_any_more(linked: House) -> None:
    linked.feed(ALICE).say(ID, SHARED)
    assert on_board(linked) == [ID.hex()]
    id = PeerLink.id_of(ALICE)
    linked.change(PeerLink, id, lambda link: link.suspend(linked.act("operator"), "agreement ended"))
    assert on_board(linked) == linked.ask(needs.list_page)["items"] == []
    standing = linked.ask(shared_needs.standing, ID.hex())
    assert standing is not None and standing["state"] == "not_in_force"
    linked.change(PeerLink, id, lambda link: link.resume(linked.act("operator")))
    assert on_board(linked) == [ID.hex()]


def test_a_feed_heard_before_its_circle_is_shown_once_there_is_one(house: House) -> None:
    house.feed(ALICE).say(ID, SHARED)
    assert on_board(house) == []
    house.link(ALICE, "Alice's group")
    assert on_board(house) == [ID.hex()]


def test_an_offer_is_shared_changed_taken_back_and_closed(linked: House) -> None:
    feed = linked.feed(ALICE)
    feed.say(ID, OFFERED)
    assert linked.ask(shared_offers.get, ID.hex()) == {
        "id": ID.hex(),
        "ours": False,
        "group": ALICE,
        "group_name": "Alice's group",
        "circle": CIRCLE.hex(),
        "category": "bedding",
        "item": "Blankets",
        "quantity": "50",
        "unit": "item",
        "mode": "lend",
        "held": None,
        "committed": None,
        "drawn": None,
        "available": "40",
        "from": None,
        "until": "2026-11-24T12:00:00Z",
        "area": "Dili",
        "state": "open",
        "closed_reason": None,
        "confirmed_at": None,
        "ask_at": None,
        "stale": None,
        "ends_soon": None,
        "next": "",
        "shared_with": [],
        "version": 1,
        "posted_at": "2026-11-29T12:00:00Z",
    }
    feed.say(ID, OfferUpdated(None, None))
    offer = linked.ask(offers.get, ID.hex())
    assert offer is not None and (offer["quantity"], offer["available"]) == (None, None)
    assert on_board(linked) == [ID.hex()]
    feed.say(ID, OfferShareRevoked())
    assert on_board(linked) == linked.ask(offers.list_page)["items"] == []
    feed.say(ID, OFFERED, OfferClosed("exhausted"), OFFERED)
    offer = linked.ask(offers.get, ID.hex())
    assert offer is not None and (offer["state"], offer["closed_reason"]) == ("closed", "exhausted")
    assert on_board(linked) == []


def test_an_offer_whose_description_comes_late(linked: House) -> None:
    feed = linked.feed(ALICE)
    sealed = feed.sealed(ID, OFFERED)
    index = feed.append([sealed], without="view")
    assert on_board(linked) == []
    feed.deliver(index, "view", sealed)
    assert on_board(linked) == [ID.hex()]
    index = feed.append([sealed], without="view")
    assert on_board(linked) == []
    feed.say(ID, OfferShareRevoked())
    assert (on_board(linked), linked.dump()["waiting"]) == ([], [])


def test_every_late_description_has_its_turn(linked: House) -> None:
    feed = linked.feed(ALICE)
    sealed = [feed.sealed(number.to_bytes(16, "big"), SHARED) for number in range(LATE_VIEWS_MAX + 50)]
    last = feed.append(sealed, without="view")
    linked.views.catch_up()
    feed.deliver(last, "view", sealed[-1])
    linked.views.catch_up()
    linked.views.catch_up()
    assert on_board(linked) == [last.to_bytes(16, "big").hex()]


def test_the_board_shows_the_most_urgent_first(linked: House) -> None:
    low = linked.need(urgency="low", window=Window(None, NOON))
    high_later, high = linked.need(urgency="high"), linked.need(urgency="high", window=Window(None, NOON))
    linked.feed(ALICE).say(ID, SHARED)
    linked.feed(ALICE).say(OTHER, NeedShared("1", "kg", "1", NeedView("food", "Rice", "high", None, None, None)))
    answer = linked.ask(board)
    assert [need["id"] for need in answer["needs"]] == [
        ID.hex(), high.hex, high_later.hex, OTHER.hex(), low.hex
    ]  # fmt: skip
    assert answer["position"] == linked.views.position > 0
    assert [need["id"] for need in linked.ask(board, item=" RICE ")["needs"]] == [OTHER.hex()]
    assert len(linked.ask(board, category="bedding")["needs"]) == 4
    assert linked.ask(board, item="Rice", category="bedding")["needs"] == []
    assert len(linked.ask(board, limit=2)["needs"]) == 2


def test_a_year_no_calendar_has(linked: House) -> None:
    view = NeedView("food", None, "low", 2**32, 2**32, None)
    linked.feed(ALICE).say(ID, NeedShared("1", "kg", "1", view))
    assert shown(linked)["until"] == "9999-12-31T23:00:00Z"
