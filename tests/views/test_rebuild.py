"""Whatever happened in whatever order: views kept up step by step are those built from nothing, row by row."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.domain import Aggregate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.group import Group
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.need_closing import Closing
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.pledge import GIVER, HOME, Pledge
from aidmesh_node.domain.pledge_fold import Booking, Coverage
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import Window
from aidmesh_node.views import needs
from aidmesh_node.views.projection import HANDLERS
from aidmesh_protocol.entry import SealedEntry
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
    PledgeWithdrawn,
    Statement,
)
from tests.views.house import ALICE, BOB, CIRCLE, NOON, OTHER_CIRCLE, House

STATEMENTS: tuple[Statement, ...] = (
    NeedShared("100", "item", "60", NeedView("bedding", "Blankets", "high", 1, 2, "Dili")),
    NeedShared("7", "kg", "7", NeedView("food", None, "low", None, None, None)),
    NeedUpdated("120", "20", "30"),
    NeedShareRevoked(),
    NeedClosed("met"),
    OfferShared("5", "item", None, OfferView("food", "Rice", None, None, None, "give")),
    OfferUpdated("6", "1"),
    OfferShareRevoked(),
    OfferClosed("expired"),
    PledgeWithdrawn("none"),
)

NUMBERS = st.integers(0, 3)
DEEDS = (
    *("share", "share wider", "unshare", "acknowledge", "cover", "close", "refer", "reopen"),
    *("review", "call", "amend", "warn", "extend", "more urgent", "less urgent"),
)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from((ALICE, BOB)), NUMBERS, st.sampled_from(STATEMENTS),
              st.sampled_from((None, None, None, "view", "facts"))),
    st.tuples(st.just("deliver"), NUMBERS),
    st.tuples(st.just("need"), NUMBERS, st.sampled_from(DEEDS)),
    st.tuples(st.just("offer"), NUMBERS, st.sampled_from(("share", "unshare", "book", "withdraw"))),
    st.tuples(st.just("pledge"), st.sampled_from((GIVER, HOME)), NUMBERS,
              st.sampled_from(("revise", "counter", "accept", "commit", "hand", "receive", "release", "withdraw"))),
    st.tuples(st.just("link"), st.sampled_from((ALICE, BOB)), st.sampled_from(("suspend", "resume", "sever"))),
    st.tuples(st.just("catch up")),
    st.tuples(st.just("restart")),
)  # fmt: skip


class Story:
    """Turns drawn steps into acts; what the domain refuses does not happen."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.late: list[tuple[str, int, SealedEntry]] = []
        soon = Window(None, NOON + timedelta(days=1))
        self.needs = [house.need(window=soon) if number % 2 else house.need() for number in range(4)]
        self.offers = [house.offer() for _ in range(4)]
        self.pledges = {role: [self._pledge(role, number) for number in range(4)] for role in (GIVER, HOME)}
        house.link(ALICE, "Alice's group")
        house.link(BOB, "Bob's group", OTHER_CIRCLE)

    def step(self, kind: str, *values: Any) -> None:
        act = self.house.act
        match kind, *values:
            case "say", gid, number, statement, without:
                feed = self.feed(gid)
                sealed = feed.sealed(bytes([number] * 16), statement)
                index = feed.append([sealed], without)
                if without in dict(sealed.parts):
                    self.late.append((gid, index, sealed))
            case "deliver", number if number < len(self.late):
                gid, index, sealed = self.late.pop(number)
                for tag in dict(sealed.parts):
                    self.feed(gid).deliver(index, tag, sealed)
            case "need", number, deed:
                circle, said_yes = CIRCLE.hex(), Consent("self", "1", None)
                pledge, after = UUID(int=number + 1), Coverage(Decimal(number), Decimal(1), open=True)
                deeds: dict[str, Callable[[Any], object]] = {
                    "share": lambda need: need.share(act(), circle, said_yes),
                    "unshare": lambda need: need.unshare(act(), circle),
                    "acknowledge": lambda need: need.acknowledge_unshare(act(heard=True), circle),
                    "cover": lambda need: need.cover(act(heard=True), pledge, Coverage(), after),
                    "close": lambda need: need.close(act(), "met"),
                    "share wider": lambda need: need.share(act(), circle, said_yes, because_of_emergency=True),
                    "refer": lambda need: need.close(act(), "referred", Closing(to="Clinic", consent=said_yes)),
                    "reopen": lambda need: need.reopen(act()),
                    "review": lambda need: need.review(act(), NOON + timedelta(days=number + 1)),
                    "call": lambda need: need.record_contact(act(), ("no_answer", "reached")[number % 2]),
                    "amend": lambda need: need.amend(act(), Decimal(50 + number)),
                    "warn": lambda need: need.warn_of_expiry(act("node", None), 0),
                    "extend": lambda need: need.extend(act(), NOON + timedelta(days=number + 2)),
                    "more urgent": lambda need: need.change_urgency(act(), "emergency", "worse", EmergencyAdvice()),
                    "less urgent": lambda need: need.change_urgency(act(), "low", "better"),
                }
                self.change(Need, self.needs[number], deeds[deed])
            case "offer", number, deed:
                pledge, booked = UUID(int=number + 1), Booking(held=Decimal(number))
                deeds = {
                    "share": lambda offer: offer.share(act(), CIRCLE.hex()),
                    "unshare": lambda offer: offer.unshare(act(), CIRCLE.hex()),
                    "book": lambda offer: offer.book(act(), pledge, Booking(), booked),
                    "withdraw": lambda offer: offer.withdraw(act()),
                }
                self.change(Offer, self.offers[number], deeds[deed])
            case "pledge", role, number, deed:
                self.change(Pledge, self.pledges[role][number], lambda pledge: self.about(pledge, deed))
            case "link", gid, deed:
                values = ("over",) if deed != "resume" else ()
                self.change(PeerLink, PeerLink.id_of(gid), lambda link: getattr(link, deed)(act("operator"), *values))
            case "catch up", *_:
                self.house.views.catch_up()
            case "restart", *_:
                self.house.views.catch_up()
                self.house.reopen()

    def about(self, pledge: Pledge, deed: str) -> None:
        """Whoever's turn it is says it: by our own hand, or heard."""
        giver = deed in ("revise", "commit", "hand", "withdraw")
        heard = giver != (pledge.role == GIVER)
        by, state, five = self.house.act(heard=heard), pledge.state, Decimal(5)
        match deed:
            case "revise":
                pledge.revise(by, state.offered + 1, state.giver.revision + 1)
            case "counter":
                pledge.counter(by, five, state.giver.revision)
            case "accept":
                pledge.accept(by, five, state.giver.revision, state.home.acceptance + 1)
            case "commit":
                pledge.commit(by, five, state.home.acceptance)
            case "hand":
                pledge.hand_over(by, five, "handed", state.giver.attempts + 1)
            case "receive":
                pledge.receive(by, five, "good", state.home.receipts + 1)
            case "release":
                pledge.release(by, "other", state.home.acceptance)
            case "withdraw":
                pledge.withdraw(by)

    def change(self, kind: type[Aggregate], id: UUID, change: Callable[[Any], object]) -> None:
        with suppress(Refused):
            self.house.change(kind, id, change)

    def feed(self, gid: str) -> Any:
        return self.house.feed(gid, CIRCLE if gid == ALICE else OTHER_CIRCLE)

    def _pledge(self, role: str, number: int) -> UUID:
        id, by = self.house.id(), self.house.act(heard=role == HOME)
        need = self.needs[number] if role == HOME else UUID(bytes=bytes([number] * 16))
        pledge = Pledge.offer(
            id,
            by,
            role=role,
            need_id=need,
            quantity=Quantity.parse("10", "item"),
            circle=CIRCLE.hex(),
            peer=ALICE,
        )
        self.house.do(lambda work: work.commit(pledge))
        return id


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=40))
def test_step_by_step_is_from_nothing(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            story = Story(house)
            for step in steps:
                story.step(*step)
            house.views.catch_up()
            found = house.dump()
            house.views.rebuild()
            assert house.dump() == found
            _check_nothing_is_forgotten(house)
        finally:
            house.close()


def _check_nothing_is_forgotten(house: House) -> None:
    """Every open need has a next action and a date for it, a closed one neither; open emergencies come first."""
    shown = house.ask(needs.list_page, ours=True)["items"]
    assert len(shown) == 4
    for need in shown:
        assert (need["next_action"] is not None) == (need["next_action_at"] is not None) == (need["state"] == "open")
    pressing = [need["urgency"] == "emergency" and need["state"] == "open" for need in shown]
    assert pressing == sorted(pressing, reverse=True)
    due = house.ask(needs.untouched_page, NOON + timedelta(days=99))["items"]
    assert {need["id"] for need in due} == {need["id"] for need in shown if need["state"] == "open"}
    waits = [(need["urgency"] != "emergency", need["next_action_at"], need["id"]) for need in due]
    assert waits == sorted(waits)


def _events(aggregate: type[Any]) -> list[type[Any]]:
    own = [value for value in vars(aggregate).values() if isinstance(value, type)]
    return [kind for kind in own if "TOPIC" in vars(kind) and kind.__name__ != "Created"]


@pytest.mark.parametrize("aggregate", [Need, Offer, Member, Group, PeerLink])
def test_every_event_moves_a_view(aggregate: type[Any]) -> None:
    """A new event that no view takes note of would leave `version` behind, unseen."""
    handled = {kind for handlers in HANDLERS for kind in handlers}
    events = _events(aggregate)
    assert events
    assert [kind.__name__ for kind in events if kind not in handled] == []
