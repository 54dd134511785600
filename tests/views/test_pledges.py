"""A pledge as both groups see it on their own nodes, step by step, with the sentence on what happens next."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.views import pledges
from aidmesh_node.views.counts import counts
from aidmesh_protocol.statements import NeedShared, NeedShareRevoked, NeedView
from tests.views.house import ALICE, CIRCLE, COORDINATOR, House

Step = Callable[[Pledge], object]
SUBJECT = UUID(int=7)
SHEETS = NeedView("shelter", "Plastic sheets", "high", None, None, "Dili")


class Pledged:
    """One pledge and what the view says of it after each step."""

    def __init__(self, house: House, role: str, need: UUID = SUBJECT, offer: UUID | None = None) -> None:
        self.house, self.id = house, house.id()
        across: dict[str, Any] = {} if role == LOCAL else {"circle": CIRCLE.hex(), "peer": ALICE}
        by = house.act(heard=role == HOME)
        quantity = Quantity.parse("100", "item")
        house.do(
            lambda work: work.commit(
                Pledge.offer(self.id, by, role=role, need_id=need, quantity=quantity, offer_id=offer, **across)
            )
        )

    def then(self, step: Step) -> dict[str, Any]:
        self.house.change(Pledge, self.id, step)
        return self.shown()

    def shown(self) -> dict[str, Any]:
        pledge = self.house.ask(pledges.get, self.id.hex)
        assert pledge is not None
        return pledge


def test_a_pledge_as_it_is_offered(house: House) -> None:
    house.link(ALICE, "Alice's group")
    house.feed(ALICE).say(SUBJECT.bytes, NeedShared("31800", "item", "31800", SHEETS))
    offer = house.offer()
    pledged = Pledged(house, GIVER, SUBJECT, offer)
    shown = pledged.shown()
    sentence = shown.pop("next")
    assert sentence == "Wait: Alice's group decides whether to accept 100 item; until then it is held for them."
    assert shown == {
        "id": pledged.id.hex,
        "role": "giver",
        "need": SUBJECT.hex,
        "offer": offer.hex,
        "peer": ALICE,
        "peer_name": "Alice's group",
        "circle": CIRCLE.hex(),
        "item": "Plastic sheets",
        "unit": "item",
        "offered": "100",
        "revision": 1,
        "proposed": None,
        "accepted": "0",
        "committed": "0",
        "handed": "0",
        "received": "0",
        "presumed": "0",
        "in_transit": "0",
        "phase": "offered",
        "outcome": None,
        "failure": None,
        "failures": 0,
        "asked": 0,
        "asked_at": None,
        "presume_from": None,
        "discrepancy": False,
        "note": None,
        "disputes": 0,
        "how": "deliver",
        "from": None,
        "until": None,
        "reason": None,
        "version": 1,
        "updated_at": "2026-11-22T12:07:00Z",
    }
    assert house.ask(pledges.posted_by, pledged.id.hex) == COORDINATOR.hex


def test_the_whole_way_at_the_giver(house: House) -> None:
    house.link(ALICE, "Alice's group")
    pledged, act = Pledged(house, GIVER), house.act

    def heard(step: Callable[..., object], *values: object) -> Step:
        return lambda pledge: step(pledge, act(heard=True), *values)

    shown = pledged.then(heard(Pledge.counter, Decimal(80), 1))
    assert shown["phase"] == "countered"
    assert shown["next"].startswith("Alice's group proposes 80 item instead of 100 item: revise")

    shown = pledged.then(lambda pledge: pledge.revise(act(), Decimal(80)))
    assert (shown["phase"], shown["offered"], shown["revision"]) == ("offered", "80", 2)

    shown = pledged.then(heard(Pledge.accept, Decimal(70), 2, 1))
    assert (shown["phase"], shown["accepted"]) == ("accepted", "70")
    assert "your node makes it firm" in shown["next"]

    shown = pledged.then(lambda pledge: pledge.commit(act()))
    assert (shown["phase"], shown["committed"]) == ("committed", "70")
    assert shown["next"] == "Hand over 70 item to Alice's group, then declare the hand-over here."

    shown = pledged.then(lambda pledge: pledge.hand_over(act(), Decimal(50)))
    assert (shown["phase"], shown["handed"], shown["in_transit"]) == ("handed_over", "50", "50")
    assert shown["next"] == ("Wait: Alice's group confirms that 50 item arrived. 20 item are still to be handed over.")

    shown = pledged.then(heard(Pledge.receive, Decimal(50), "good", 1))
    assert (shown["phase"], shown["received"], shown["in_transit"]) == ("partly_received", "50", "0")
    assert shown["next"] == "Hand over the remaining 20 item to Alice's group, or withdraw them."

    pledged.then(lambda pledge: pledge.hand_over(act(), Decimal(20)))
    shown = pledged.then(heard(Pledge.receive, Decimal(20), "good", 2))
    assert (shown["phase"], shown["received"], shown["discrepancy"]) == ("received", "70", False)
    assert shown["next"] == "Done: 70 item arrived. Say thanks."
    assert house.ask(counts)["pledges"] == {"received": 1}


def test_the_whole_way_at_the_home(house: House) -> None:
    house.link(ALICE, "Alice's group")
    need = house.need(item="Jerry cans")
    pledged, act = Pledged(house, HOME, need), house.act
    shown = pledged.shown()
    assert (shown["role"], shown["item"], shown["need"]) == ("home", "Jerry cans", need.hex)
    assert shown["next"] == "Your group decides: accept 100 item, propose another amount, or decline."
    assert house.ask(pledges.posted_by, pledged.id.hex) is None

    shown = pledged.then(lambda pledge: pledge.accept(act(), Decimal(60)))
    assert shown["next"] == "Wait: Alice's group makes 60 item firm; do not plan on it before that."
    shown = pledged.then(lambda pledge: pledge.commit(act(heard=True), Decimal(60), 1))
    assert shown["next"] == "Alice's group hands over 60 item; confirm here what arrives."
    shown = pledged.then(lambda pledge: pledge.hand_over(act(heard=True), Decimal(60), "handed", 1))
    assert shown["next"] == (
        "Alice's group says 60 item were handed over: confirm what arrived."
        " If nobody tells you, ask, and record it (asked 0 of 2 times so far); from 2026-11-29 on it can be presumed."
    )
    shown = pledged.then(lambda pledge: pledge.receive(act(), Decimal(55)))
    assert shown["next"].startswith("Confirm what arrived of the 5 item still on their way.")
    assert shown["discrepancy"]
    assert shown["note"] == (
        "60 item handed over, 55 item received: the two figures differ. That happens, and nobody is accused."
        " Whoever miscounted corrects their figure; or leave it at that."
    )
    shown = pledged.then(lambda pledge: pledge.receive(act(), Decimal(7)))
    assert (shown["phase"], shown["discrepancy"]) == ("received", True)
    assert shown["next"] == ("Done, but 60 item were handed over and 62 item received: talk to Alice's group about it.")


def test_inside_one_group(house: House) -> None:
    need, offer = house.need(), house.offer()
    pledged, act = Pledged(house, LOCAL, need, offer), house.act
    assert pledged.shown()["next"] == ("Your coordinator decides: accept 100 item, which makes it firm, or decline.")
    shown = pledged.then(lambda pledge: pledge.accept(act(), Decimal(100)))
    assert (shown["phase"], shown["peer"], shown["version"]) == ("committed", None, 3)
    assert shown["next"] == "Hand over 100 item, declare it here, and confirm what arrives."


def test_three_ways_not_to_happen(house: House) -> None:
    house.link(ALICE, "Alice's group")
    act = house.act
    declined, withdrawn, released = (Pledged(house, GIVER) for _ in range(3))
    shown = declined.then(lambda pledge: pledge.decline(act(heard=True), "already_covered", 1))
    assert (shown["phase"], shown["reason"]) == ("declined", "already_covered")
    assert shown["next"] == "Nothing more to do: Alice's group declined, and what was held is free again."
    shown = withdrawn.then(lambda pledge: pledge.withdraw(act()))
    assert (shown["phase"], shown["next"][:20]) == ("withdrawn", "Nothing more to do: ")
    released.then(lambda pledge: pledge.accept(act(heard=True), Decimal(100), 1, 1))
    shown = released.then(lambda pledge: pledge.release(act(heard=True), "found_elsewhere", 1))
    assert (shown["phase"], shown["reason"]) == ("released", "found_elsewhere")
    assert "no longer needs it" in shown["next"]


def test_what_was_taken_back_is_not_named_any_more(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed = house.feed(ALICE)
    feed.say(SUBJECT.bytes, NeedShared("100", "item", "100", SHEETS))
    pledged = Pledged(house, GIVER)
    assert pledged.shown()["item"] == "Plastic sheets"
    feed.say(SUBJECT.bytes, NeedShareRevoked())
    assert pledged.shown()["item"] is None


def test_lists_by_role_phase_and_need(house: House) -> None:
    house.link(ALICE, "Alice's group")
    need = house.need()
    home, giver = Pledged(house, HOME, need), Pledged(house, GIVER)
    home.then(lambda pledge: pledge.accept(house.act(), Decimal(1)))

    def ids(**wanted: Any) -> list[str]:
        return [pledge["id"] for pledge in house.ask(pledges.list_page, **wanted)["items"]]

    assert ids() == [giver.id.hex, home.id.hex]
    assert ids(role="giver") == [giver.id.hex]
    assert ids(phase="accepted") == [home.id.hex]
    assert ids(need=need.hex) == [home.id.hex]
    assert ids(role="giver", phase="accepted") == []


def test_a_pledge_goes_on_after_a_restart(house: House) -> None:
    house.link(ALICE, "Alice's group")
    pledged = Pledged(house, GIVER)
    pledged.then(lambda pledge: pledge.revise(house.act(), Decimal(90)))
    house.reopen()
    shown = pledged.then(lambda pledge: pledge.accept(house.act(heard=True), Decimal(90), 2, 1))
    assert (shown["phase"], shown["accepted"], shown["version"]) == ("accepted", "90", 3)
