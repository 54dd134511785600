"""What was handed over and what was received differ: a note on both sides, set right by a figure or left at that."""

from __future__ import annotations

import asyncio
from typing import Any

from .conftest import Group, Two


async def differing(two: Two, handed: str = "10", received: str = "8") -> tuple[str, str]:
    """South says it handed over so many, North that so many arrived."""
    at_giver, at_home = await two.firm()
    assert (await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", {"quantity": handed})).status == 200
    await two.settle()
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/receive", {"quantity": received})).status == 200
    await two.settle()
    return at_giver, at_home


async def seen(group: Group, pledge: str) -> dict[str, Any]:
    return (await group.get("member", f"/pledges/{pledge}")).body


async def test_both_sides_see_a_note_and_nobody_is_accused(two: Two) -> None:
    at_giver, at_home = await differing(two)
    notes = {(await seen(two.south, at_giver))["note"], (await seen(two.north, at_home))["note"]}
    assert notes == {
        "10 item handed over, 8 item received: the two figures differ. That happens, and nobody is accused."
        " Whoever miscounted corrects their figure; or leave it at that."
    }


async def test_the_giver_had_miscounted(two: Two) -> None:
    at_giver, at_home = await differing(two)
    corrected = await two.south.post("coordinator", f"/pledges/{at_giver}/correct", {"quantity": "8"})
    assert corrected.status == 200, corrected.text
    await two.settle()
    for group, pledge in ((two.south, at_giver), (two.north, at_home)):
        shown = await seen(group, pledge)
        assert (shown["handed"], shown["received"], shown["note"]) == ("8", "8", None)
    (offer,) = (await two.south.get("member", "/offers?ours=true")).body["items"]
    assert (offer["committed"], offer["drawn"], offer["available"]) == ("2", "8", "50"), "still promised, not gone"


async def test_the_home_had_miscounted(two: Two) -> None:
    at_giver, at_home = await differing(two, received="1")
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/correct", {"quantity": "10"})).status == 200
    await two.settle()
    for group, pledge in ((two.south, at_giver), (two.north, at_home)):
        shown = await seen(group, pledge)
        assert (shown["phase"], shown["received"], shown["note"]) == ("received", "10", None)
    (need,) = (await two.north.get("member", "/needs?ours=true")).body["items"]
    assert (need["received"], need["reserved"], need["open"]) == ("10", "0", "90")


async def test_either_side_leaves_it_at_that(two: Two) -> None:
    at_giver, at_home = await differing(two)
    assert (await two.south.post("coordinator", f"/pledges/{at_giver}/leave")).status == 200
    await two.settle()
    assert (await seen(two.south, at_giver))["note"] is None
    assert str((await seen(two.north, at_home))["note"]).endswith("South leaves it at that.")
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/leave")).status == 200
    await two.settle()
    for group, pledge in ((two.south, at_giver), (two.north, at_home)):
        shown = await seen(group, pledge)
        assert (shown["note"], shown["discrepancy"], shown["handed"], shown["received"]) == (None, True, "10", "8")
    later = await two.north.post("coordinator", f"/pledges/{at_home}/receive", {"quantity": "1"})
    assert later.status == 200
    assert (await seen(two.north, at_home))["note"] is not None, "other figures are another matter"


async def test_what_cannot_be_set_right(two: Two) -> None:
    at_giver, at_home = await two.firm()
    for group, pledge, code in ((two.south, at_giver, "nothing_declared"), (two.north, at_home, "nothing_confirmed")):
        early = await group.post("coordinator", f"/pledges/{pledge}/correct", {"quantity": "3"})
        assert (early.status, early.code) == (409, code)
        same = await group.post("coordinator", f"/pledges/{pledge}/leave")
        assert (same.status, same.code) == (409, "nothing_differs")
    await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over")
    path = f"/pledges/{at_giver}/correct"
    refusals: list[tuple[dict[str, object], int, str]] = [
        ({"quantity": "10"}, 409, "nothing_changed"),
        ({"quantity": "1000"}, 422, "far_more_than_promised"),
        ({"quantity": "-1"}, 422, "bad_quantity"),
        ({"quantity": "3", "side": "home"}, 409, "not_yours"),
        ({"quantity": "3", "side": "moon"}, 422, "unknown_side_of_a_pledge"),
        ({"quantity": "3", "note": "they lost two"}, 400, "malformed"),
        ({}, 400, "malformed"),
    ]
    for body, status, code in refusals:
        refused = await two.south.post("coordinator", path, body)
        assert (refused.status, refused.code) == (status, code), refused.text
        assert refused.body["detail"]
    assert (await two.south.post("member", path, {"quantity": "3"})).status == 403


async def test_inside_one_group_it_is_said_which_figure_is_wrong(two: Two) -> None:
    north = two.north
    pledge = await north.pledge("coordinator", await north.need(), offer=await north.offer(quantity="60"))
    for verb, body in (("accept", {}), ("hand-over", {}), ("receive", {"quantity": "8"})):
        assert (await north.post("coordinator", f"/pledges/{pledge}/{verb}", body)).status == 200
    path = f"/pledges/{pledge}/correct"
    which = await north.post("coordinator", path, {"quantity": "8"})
    assert (which.status, which.code) == (422, "which_side")
    assert (await north.post("coordinator", path, {"quantity": "8", "side": "giver"})).status == 200
    shown = await seen(north, pledge)
    assert (shown["handed"], shown["received"], shown["note"]) == ("8", "8", None)
    assert (await north.post("coordinator", path, {"quantity": "9", "side": "home"})).status == 200
    assert (await north.post("coordinator", f"/pledges/{pledge}/leave")).status == 200
    assert (await seen(north, pledge))["note"] is None


async def test_fifty_corrections_at_once(two: Two) -> None:
    at_giver, at_home = await differing(two)
    path = f"/pledges/{at_home}/correct"
    same = await asyncio.gather(*(two.north.post("coordinator", path, {"quantity": "9"}) for _ in range(50)))
    assert sorted(answer.status for answer in same) == [200] + [409] * 49
    left = await asyncio.gather(*(two.south.post("coordinator", f"/pledges/{at_giver}/leave") for _ in range(50)))
    assert {answer.status for answer in left} == {200}, "said again it is still said"
    versions = {answer.body["version"] for answer in left}
    assert len(versions) == 1, "and recorded once"
