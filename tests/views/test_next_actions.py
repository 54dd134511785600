"""What is to be done next with a need, and by when: old needs have it too, and only people move the clock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.window import Window
from aidmesh_node.views import needs
from aidmesh_node.views.times import time_text
from tests.views.house import CIRCLE, NOON, House

HOURS = timedelta(hours=1)
YES = Consent("self", "1", None)


def shown(house: House, id: UUID) -> dict[str, Any]:
    need = house.ask(needs.get, id.hex)
    assert need is not None
    return need


def test_needs_of_an_older_home_have_a_next_action_once_the_views_are_made_anew(house: House) -> None:
    house.found()
    old = [house.need() for _ in range(3)]
    house.change(Need, old[1], lambda need: need.share(house.act(), CIRCLE.hex(), YES))
    house.change(Need, old[2], lambda need: need.close_as_imported(house.act(), "duplicate"))
    house.views.catch_up()
    connection = house.views._database.connection
    connection.execute("PRAGMA user_version = 1")  # the file of the version before next actions
    house.reopen_views()
    first, second, closed = (shown(house, id) for id in old)
    assert first["next_action_at"] == time_text(NOON + timedelta(minutes=2) + 48 * HOURS)
    assert second["next_action"].startswith("Not all of it is promised")
    assert (closed["closed_reason"], closed["next_action_at"]) == ("duplicate", None)


def test_what_the_node_does_by_itself_and_what_peers_acknowledge_is_no_touch(house: House) -> None:
    house.found()
    id = house.need(window=Window(None, NOON + 9 * HOURS))
    due = shown(house, id)["next_action_at"]
    house.change(Need, id, lambda need: need.share(house.act(), CIRCLE.hex(), YES))
    house.change(Need, id, lambda need: need.unshare(house.act(), CIRCLE.hex()))
    touched = shown(house, id)["next_action_at"]
    assert touched > due
    half = Coverage(Decimal(50), Decimal(0), open=True)
    house.change(Need, id, lambda need: need.acknowledge_unshare(house.act(heard=True), CIRCLE.hex()))
    house.change(Need, id, lambda need: need.cover(house.act("node", None), UUID(int=9), Coverage(), half))
    assert shown(house, id)["next_action_at"] == touched
    house.change(Need, id, lambda need: need.cover(house.act(heard=True), UUID(int=9), half, Coverage()))
    assert shown(house, id)["next_action_at"] > touched, "somebody in the other group did something"


def test_a_warning_is_due_at_once_and_nothing_makes_it_later_but_a_person(house: House) -> None:
    house.found()
    id = house.need(window=Window(None, NOON + 9 * HOURS))
    house.change(Need, id, lambda need: need.review(house.act(), NOON + 600 * HOURS))
    warning = house.act("node", None)
    house.change(Need, id, lambda need: need.warn_of_expiry(warning, 0))
    warned = shown(house, id)
    assert warned["next_action_at"] == time_text(warning.at)
    assert warned["next_action"].startswith("It ends on 2026-11-22.")
    assert house.ask(needs.untouched_page, warning.at)["items"] == [warned]
    house.change(Need, id, lambda need: need.extend(house.act(), NOON + 300 * HOURS))
    assert house.ask(needs.untouched_page, warning.at)["items"] == []
    assert "ends on" not in shown(house, id)["next_action"]


def test_another_urgency_is_another_clock_and_another_place_in_the_list(house: House) -> None:
    house.found()
    id, newer = house.need(), house.need()
    act = house.act()
    house.change(Need, id, lambda need: need.change_urgency(act, "emergency", "worse", EmergencyAdvice()))
    assert shown(house, id)["next_action_at"] == time_text(act.at + 4 * HOURS)
    assert [need["id"] for need in house.ask(needs.list_page)["items"]] == [id.hex, newer.hex]
    act = house.act()
    house.change(Need, id, lambda need: need.change_urgency(act, "low", "better"))
    assert shown(house, id)["next_action_at"] == time_text(act.at + 48 * HOURS)
    assert [need["id"] for need in house.ask(needs.list_page)["items"]] == [newer.hex, id.hex]
