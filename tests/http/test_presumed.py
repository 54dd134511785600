"""Nobody says what arrived: asked twice, a week later it is presumed; what somebody says after all replaces it."""

from __future__ import annotations

import asyncio

from .conftest import Two


async def handed(two: Two) -> tuple[str, str]:
    """South has handed over ten; North has heard of it."""
    at_giver, at_home = await two.firm()
    assert (await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over")).status == 200
    await two.settle()
    return at_giver, at_home


async def test_asked_twice_presumed_and_confirmed_after_all(two: Two) -> None:
    at_giver, at_home = await handed(two)
    north, pledge = two.north, f"/pledges/{at_home}"
    shown = (await north.get("member", pledge)).body
    assert shown["presume_from"] > "2026-11-29T08:00:00Z" and shown["asked"] == 0

    first = await north.post("coordinator", f"{pledge}/ask", {"how": "phone"})
    assert (first.status, first.body["asked"]) == (200, 1)
    two.days_pass(1)
    assert (await north.post("coordinator", f"{pledge}/ask")).body["asked"] == 2
    early = await north.post("coordinator", f"{pledge}/presume")
    assert (early.status, early.code) == (409, "too_early") and "2026-11-29" in early.body["hint"]
    two.days_pass(6)
    presumed = await north.post("coordinator", f"{pledge}/presume")
    assert (presumed.status, presumed.body["phase"]) == (200, "presumed"), presumed.text
    await two.settle()

    for group, id in ((north, at_home), (two.south, at_giver)):
        shown = (await group.get("member", f"/pledges/{id}")).body
        assert (shown["received"], shown["presumed"], shown["in_transit"]) == ("0", "10", "0")
        assert (shown["phase"], shown["discrepancy"]) == ("presumed", False)
    assert "nobody has confirmed 10 item" in shown["next"]
    (need,) = (await north.get("member", "/needs?ours=true")).body["items"]
    assert (need["received"], need["presumed"], need["open"]) == ("0", "10", "90")
    assert (need["coverage"], need["fulfilment"]) == ("partial", "none"), "presumed is not received"
    (theirs,) = (await two.south.get("member", "/board")).body["needs"]
    assert theirs["open"] == "90", "nobody else brings what is presumed to be there"

    said = await north.post("coordinator", f"{pledge}/receive", {"quantity": "7"})
    assert (said.status, said.body["phase"]) == (200, "partly_received"), said.text
    await two.settle()
    for group, id in ((north, at_home), (two.south, at_giver)):
        shown = (await group.get("member", f"/pledges/{id}")).body
        assert (shown["received"], shown["presumed"], shown["in_transit"]) == ("7", "0", "3"), "replaced, not added"
    (need,) = (await north.get("member", "/needs?ours=true")).body["items"]
    assert (need["received"], need["presumed"], need["reserved"], need["open"]) == ("7", "0", "3", "90")


async def test_somebody_says_that_nothing_came(two: Two) -> None:
    at_giver, at_home = await handed(two)
    north, pledge = two.north, f"/pledges/{at_home}"
    for _ in range(2):
        two.days_pass(4)
        assert (await north.post("coordinator", f"{pledge}/ask")).status == 200
    assert (await north.post("coordinator", f"{pledge}/presume")).status == 200
    assert (await north.post("coordinator", f"{pledge}/receive", {"quantity": "0"})).body["phase"] == "handed_over"
    await two.settle()
    for group, id in ((north, at_home), (two.south, at_giver)):
        shown = (await group.get("member", f"/pledges/{id}")).body
        assert (shown["received"], shown["presumed"], shown["discrepancy"]) == ("0", "0", True)
        assert "nobody is accused" in shown["note"]


async def test_only_the_home_asks_and_presumes_and_only_what_is_under_way(two: Two) -> None:
    at_giver, at_home = await two.firm()
    for verb in ("ask", "presume"):
        nothing = await two.north.post("coordinator", f"/pledges/{at_home}/{verb}")
        assert (nothing.status, nothing.code) == (409, "nothing_in_transit")
    await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", {"quantity": "4"})
    await two.settle()
    two.days_pass(8)
    unasked = await two.north.post("coordinator", f"/pledges/{at_home}/presume")
    assert (unasked.status, unasked.code) == (409, "ask_first")
    for verb in ("ask", "presume"):
        giver = await two.south.post("coordinator", f"/pledges/{at_giver}/{verb}")
        assert (giver.status, giver.code) == (409, "not_yours")
    assert (await two.north.post("member", f"/pledges/{at_home}/ask")).status == 403, "it is not their need"
    assert (await two.north.post("member", f"/pledges/{at_home}/presume")).status == 403
    odd = await two.north.post("coordinator", f"/pledges/{at_home}/ask", {"how": "telepathy"})
    assert (odd.status, odd.code) == (422, "unknown_way_of_asking")
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/presume", {"quantity": "4"})).status == 400


async def test_a_new_hand_over_is_asked_about_anew(two: Two) -> None:
    at_giver, at_home = await two.firm()
    for quantity in ("4", "6"):
        await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", {"quantity": quantity})
        await two.settle()
        for _ in range(2):
            two.days_pass(4)
            assert (await two.north.post("coordinator", f"/pledges/{at_home}/ask")).status == 200
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/presume")).body["phase"] == "presumed"
    shown = (await two.north.get("member", f"/pledges/{at_home}")).body
    assert (shown["asked"], shown["presumed"]) == (2, "10")


async def test_fifty_hands_ask_once_and_presume_once(two: Two) -> None:
    _, at_home = await handed(two)

    async def press(verb: str) -> list[int]:
        path = f"/pledges/{at_home}/{verb}"
        answers = await asyncio.gather(*(two.north.post("coordinator", path) for _ in range(50)))
        return sorted(answer.status for answer in answers)

    for _ in range(2):
        two.days_pass(4)
        assert await press("ask") == [200] + [409] * 49
    assert await press("presume") == [200] + [409] * 49
    shown = (await two.north.get("member", f"/pledges/{at_home}")).body
    assert (shown["asked"], shown["presumed"]) == (2, "10")


async def test_inside_one_group_it_is_one_transaction(two: Two) -> None:
    north = two.north
    need, offer = await north.need(), await north.offer(quantity="60")
    pledge = await north.pledge("coordinator", need, offer=offer)
    assert (await north.post("coordinator", f"/pledges/{pledge}/accept")).body["phase"] == "committed"
    await north.post("coordinator", f"/pledges/{pledge}/hand-over")
    for _ in range(2):
        two.days_pass(4)
        await north.post("coordinator", f"/pledges/{pledge}/ask")
    assert (await north.post("coordinator", f"/pledges/{pledge}/presume")).body["phase"] == "presumed"
    seen = (await north.get("member", f"/needs/{need}")).body
    assert (seen["presumed"], seen["reserved"], seen["open"]) == ("10", "0", "90")
