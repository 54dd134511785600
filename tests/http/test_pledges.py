"""One group's pledges over HTTP, from the first promise to the last receipt, and what is refused on the way."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Group


async def test_from_promise_to_receipt(group: Group) -> None:
    need, offer = await group.need("member"), await group.offer("coordinator", quantity="60")
    pledge = await group.pledge("coordinator", need, offer=offer, quantity="60")
    assert (await group.get("member", f"/offers/{offer}")).body["held"] == "60"
    assert (await group.post("member", f"/pledges/{pledge}/counter", {"quantity": "50"})).body["phase"] == "countered"
    assert (await group.post("coordinator", f"/pledges/{pledge}/revise", {"quantity": "50"})).status == 200
    assert (await group.post("member", f"/pledges/{pledge}/accept")).body["phase"] == "committed"
    failed = await group.post("coordinator", f"/pledges/{pledge}/hand-over", {"failed": "not_home"})
    assert failed.body["phase"] == "committed"
    handed = await group.post("coordinator", f"/pledges/{pledge}/hand-over", {"quantity": "30"})
    assert handed.body["phase"] == "handed_over"
    assert (await group.post("member", f"/pledges/{pledge}/receive")).body["phase"] == "partly_received"
    assert (await group.post("coordinator", f"/pledges/{pledge}/hand-over")).status == 200
    assert (await group.post("member", f"/pledges/{pledge}/receive", {"condition": "good"})).body["phase"] == "received"
    seen = (await group.get("other", f"/pledges/{pledge}")).body
    assert (seen["handed"], seen["received"], seen["in_transit"], seen["discrepancy"]) == ("50", "50", "0", False)
    assert seen["next"] and seen["role"] == "local"
    assert (await group.get("other", f"/needs/{need}")).body["open"] == "50"
    assert [one["id"] for one in (await group.get("other", f"/pledges?need={need}")).body["items"]] == [pledge]


async def test_fifty_accept_at_once_and_nothing_is_promised_twice(group: Group) -> None:
    need, offer = await group.need(quantity="100"), await group.offer(quantity="1000")
    pledges = [await group.pledge("coordinator", need, offer=offer, quantity="10") for _ in range(50)]
    await asyncio.gather(*(group.post("coordinator", f"/pledges/{pledge}/accept") for pledge in pledges))
    seen = (await group.get("member", f"/needs/{need}")).body
    assert (seen["reserved"], seen["open"], seen["coverage"]) == ("100", "0", "full")


async def test_more_than_there_is_cannot_be_promised(group: Group) -> None:
    need, offer = await group.need(), await group.offer(quantity="10")
    over = await group.post("coordinator", "/pledges", {"need": need, "offer": offer, "quantity": "11"})
    assert (over.status, over.code) == (409, "not_enough_left")
    assert (await group.get("member", "/pledges")).body["items"] == []


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("revise", {}, 422),
        ("revise", {"quantity": "-1"}, 422),
        ("revise", {"quantity": 5}, 400),
        ("commit", {"quantity": "5"}, 400),
        ("commit", None, 409),
        ("hand-over", {"quantity": "1"}, 409),
        ("hand-over", {"failed": "not_home", "quantity": "1"}, 422),
        ("hand-over", {"failed": "not_home", "outcome": "thrown"}, 422),
        ("hand-over", {"failed": "not_home", "outcome": "picked_up"}, 422),
        ("hand-over", {"quantity": "1", "outcome": "thrown"}, 422),
        ("counter", {"quantity": "0"}, 422),
        ("accept", {"quantity": "11"}, 409),
        ("accept", {"quantity": "0.5"}, 422),
        ("decline", {"reason": "no idea"}, 422),
        ("decline", {}, 400),
        ("release", {"reason": "other"}, 409),
        ("receive", None, 409),
        ("receive", {"condition": "eaten", "quantity": "1"}, 422),
        ("explode", {}, 404),
    ],
)
async def test_steps_that_make_no_sense_are_refused(group: Group, verb: str, body: object, status: int) -> None:
    pledge = await group.pledge("coordinator", await group.need())
    before = (await group.get("member", f"/pledges/{pledge}")).body
    refused = await group.post("coordinator", f"/pledges/{pledge}/{verb}", body)
    assert refused.status == status, refused.text
    assert (await group.get("member", f"/pledges/{pledge}")).body == before


async def test_a_pledge_needs_a_need_that_is_open_and_of_its_unit(group: Group) -> None:
    need, water = await group.need(), await group.offer(category="water", item=None, unit="l")
    mixed = await group.post("coordinator", "/pledges", {"need": need, "offer": water, "quantity": "5"})
    assert (mixed.status, mixed.code) == (422, "unit_differs")
    assert (await group.post("coordinator", "/pledges", {"need": "f" * 32, "quantity": "5"})).status == 404
    assert (await group.post("coordinator", f"/needs/{need}/close", {"reason": "met"})).status == 200
    late = await group.post("coordinator", "/pledges", {"need": need, "quantity": "5"})
    assert (late.status, late.code) == (409, "need_closed")
