"""What every event carries: who, when, for whom, why; plain values only, and an id that a replay repeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.domain.act import Act
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.event import Event, Recorded, event_id
from aidmesh_node.domain.fork import Fork
from aidmesh_node.domain.group import Group
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.need_closing import Closing
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import LOCAL, Pledge
from aidmesh_node.domain.pledge_fold import Booking, Coverage
from aidmesh_node.domain.window import Window
from tests.domain.acts import AGREED, CIRCLE, MORNING, amount, by, heard, items, new_id


def lived() -> Iterator[Recorded]:
    """One aggregate of each kind with most of its events."""
    need = Need.post(new_id(), by(), person=new_id(), category="food", quantity=items(5), item="Rice")
    need.share(by(), CIRCLE, AGREED)
    need.cover(by(), new_id(), Coverage(), Coverage(amount(2), amount(1), True))
    need.unshare(by(), CIRCLE)
    need.acknowledge_unshare(heard(), CIRCLE)
    need.close(by(), "met")
    yield need
    urgent = Need.post(
        new_id(), by(), person=None, category="food", quantity=items(5), urgency="emergency", advice=EmergencyAdvice(),
        window=Window(None, MORNING),
    )  # fmt: skip
    urgent.share(by(), CIRCLE, AGREED, because_of_emergency=True)
    urgent.change_urgency(by(), "high", "better")
    urgent.amend(by(), amount(6))
    urgent.review(by(), MORNING + timedelta(days=1))
    urgent.warn_of_expiry(by("node"), 0)
    urgent.extend(by(), MORNING + timedelta(days=9))
    for said in (Closing(of=new_id()), Closing(to="Clinic", consent=AGREED), Closing(referral_offered=True), Closing()):
        reason = "duplicate" if said.of else "referred" if said.consent else "out_of_scope"
        for _ in range(0 if said != Closing() else 3):
            urgent.record_contact(by(), "no_answer")
            reason = "unreachable"
        urgent.close(by(), reason, said)
        urgent.reopen(by())
    urgent.warn_of_expiry(by("node", minutes=8 * 24 * 60), 0)
    urgent.expire(by("node", minutes=10 * 24 * 60), 172_800)
    yield urgent
    offer = Offer.post(new_id(), by(), person=None, category="food", quantity=items(5))
    offer.share(by(), CIRCLE)
    offer.book(by(), new_id(), Booking(), Booking(amount(1), amount(2), amount(1)))
    offer.unshare(by(), CIRCLE)
    offer.acknowledge_unshare(heard(), CIRCLE)
    offer.withdraw(by())
    yield offer
    pledge = Pledge.offer(new_id(), by(), role=LOCAL, need_id=need.id, offer_id=offer.id, quantity=items(2))
    pledge.counter(by(), amount(1))
    pledge.revise(by(), amount(1))
    pledge.accept(by())
    pledge.fail_hand_over(by(), "not_home")
    pledge.hand_over(by(), amount(1))
    pledge.receive(by(), amount(1))
    yield pledge
    fork = Fork.prove(
        by("node"),
        new_id(),
        origin="aidmesh/a/id/0",
        gid="a" * 32,
        smaller=7,
        larger=9,
        alike=4,
        proof=b"proof",
        peer=None,
    )
    fork.resolve(by("operator"), "explained")
    yield fork
    member = Member.invite(new_id(), by(), person=new_id(), role="member", secret_hash="5e", expires=MORNING)
    member.revoke(by(), operators=1)
    yield member
    group = Group.found(by(), gid="a" * 32, name="A", endpoints=["https://a.example.org"])
    group.describe(by(), name="B", endpoints=[])
    yield group


LIVED = list(lived())
EVENTS: list[Event] = [event for it in LIVED for event in it.collect_events() if isinstance(event, Event)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__qualname__)
def test_events_consist_of_plain_values(event: Event) -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, list):
            return all(plain(item) for item in value)
        if isinstance(value, dict):
            return all(type(key) is str and plain(item) for key, item in value.items())
        return value is None or type(value) in (UUID, Decimal, datetime, str, int, bool)

    assert all(plain(value) for value in vars(event).values()), vars(event)


@pytest.mark.parametrize("it", LIVED, ids=lambda it: type(it).__name__)
def test_an_aggregate_is_what_its_events_say(it: Recorded) -> None:
    again: Any = None
    for event in EVENTS:
        if event.originator_id == it.id:
            again = event.mutate(again)
    assert again == it


def test_an_event_says_who_when_for_whom_and_why() -> None:
    act = Act(new_id(), MORNING, new_id(), "coordinator", on_behalf_of=new_id(), cause="a call")
    need = Need.post(new_id(), act, person=None, category="food", quantity=items(5))
    need.withdraw(act)
    for event in need.collect_events():
        assert isinstance(event, Event)
        said = (event.act_id, event.timestamp, event.actor, event.role, event.on_behalf_of, event.cause, event.heard)
        assert said == (act.id, MORNING, act.actor, "coordinator", act.on_behalf_of, "a call", False)


def test_the_same_act_replayed_gives_the_same_event_ids() -> None:
    act, need_id = by(), new_id()

    def ids(act: Act) -> list[bytes]:
        need = Need.post(need_id, act, person=None, category="food", quantity=items(5))
        need.withdraw(act)
        return [event_id(event) for event in need.collect_events() if isinstance(event, Event)]

    first = ids(act)
    assert first == ids(act)
    assert len(set(first)) == 2
    assert all(len(name) == 16 for name in first)
    assert set(first).isdisjoint(ids(by()))
