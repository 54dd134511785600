"""Two groups haggle: how much, and when. North asks, South gives."""

from __future__ import annotations

import asyncio

from .conftest import Group, Two

MONDAY, TUESDAY = "2026-11-23T09:00:00Z", "2026-11-24T18:00:00Z"


async def seen(group: Group, pledge: str) -> dict[str, object]:
    return (await group.get("member", f"/pledges/{pledge}")).body


async def test_offer_counter_revise_accept(two: Two) -> None:
    at_giver, at_home = await two.promised("20")
    counter = {"quantity": "12", "from": MONDAY, "until": TUESDAY}
    countered = await two.north.post("coordinator", f"/pledges/{at_home}/counter", counter)
    assert (countered.status, countered.body["phase"]) == (200, "countered"), countered.text
    await two.settle()
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        shown = await seen(group, pledge)
        assert shown["proposed"] == {"quantity": "12", "from": MONDAY, "until": TUESDAY}
        assert (shown["offered"], shown["from"], shown["until"]) == ("20", None, None)
    assert "North proposes 12 item, from 2026-11-23 09:00 until 2026-11-24 18:00 UTC" in str(shown["next"])

    revised = await two.south.post("coordinator", f"/pledges/{at_giver}/revise", {"quantity": "15", "from": MONDAY})
    assert (revised.status, revised.body["phase"]) == (200, "offered"), revised.text
    await two.settle()
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        shown = await seen(group, pledge)
        assert (shown["offered"], shown["revision"], shown["from"], shown["until"]) == ("15", 2, MONDAY, None)
        assert shown["proposed"] is None
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/accept", {"quantity": "14"})).status == 200
    await two.settle()
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        shown = await seen(group, pledge)
        assert (shown["phase"], shown["accepted"], shown["committed"]) == ("committed", "14", "14")


async def test_only_the_time_is_haggled_over(two: Two) -> None:
    at_giver, at_home = await two.promised()
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/counter", {"until": MONDAY})).status == 200
    await two.settle()
    assert (await seen(two.south, at_giver))["proposed"] == {"quantity": "10", "from": None, "until": MONDAY}
    assert (await two.south.post("coordinator", f"/pledges/{at_giver}/revise", {"until": MONDAY})).status == 200
    await two.settle()
    assert (await seen(two.north, at_home))["until"] == MONDAY
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/accept")).status == 200
    await two.settle()
    assert (await seen(two.south, at_giver))["phase"] == "committed"


async def test_a_counter_can_be_ignored_or_answered_with_a_withdrawal(two: Two) -> None:
    at_giver, at_home = await two.promised()
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/counter", {"quantity": "4"})).status == 200
    again = await two.north.post("coordinator", f"/pledges/{at_home}/counter", {"quantity": "5"})
    assert (again.status, again.code) == (409, "already_countered")
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/accept")).body["phase"] == "accepted"
    await two.settle()
    late = await two.south.post("coordinator", f"/pledges/{at_giver}/revise", {"quantity": "4"})
    assert (late.status, late.code) == (409, "already_accepted")
    assert (await two.south.post("coordinator", f"/pledges/{at_giver}/withdraw")).body["phase"] == "withdrawn"
    after = await two.south.post("coordinator", f"/pledges/{at_giver}/revise", {"quantity": "4"})
    assert (after.status, after.code) == (409, "withdrawn")
    await two.settle()
    over = await two.north.post("coordinator", f"/pledges/{at_home}/counter", {"quantity": "4"})
    assert (over.status, over.code) == (409, "withdrawn")


async def test_what_is_no_proposal(two: Two) -> None:
    at_giver, at_home = await two.promised()
    proposals: list[tuple[dict[str, object], int]] = [
        ({}, 422),
        ({"quantity": "10"}, 409),
        ({"quantity": "0"}, 422),
        ({"from": "monday"}, 400),
        ({"from": TUESDAY, "until": MONDAY}, 422),
        ({"quantity": "5", "note": "please"}, 400),
    ]
    for body, status in proposals:
        for group, path in ((two.north, f"{at_home}/counter"), (two.south, f"{at_giver}/revise")):
            refused = await group.post("coordinator", f"/pledges/{path}", body)
            assert refused.status == status, refused.text
            assert refused.body["detail"]
    for group, path in ((two.south, f"{at_giver}/counter"), (two.north, f"{at_home}/revise")):
        wrong_side = await group.post("coordinator", f"/pledges/{path}", {"quantity": "5"})
        assert (wrong_side.status, wrong_side.code) == (409, "not_yours")


async def test_fifty_counters_at_once_are_one(two: Two) -> None:
    _, at_home = await two.promised()
    path = f"/pledges/{at_home}/counter"
    answers = await asyncio.gather(
        *(two.north.post("coordinator", path, {"quantity": str(n % 9 + 1)}) for n in range(50))
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 49
    assert {answer.code for answer in answers} == {"", "already_countered"}


async def test_the_same_counter_sent_again_with_its_key_is_answered_again(two: Two) -> None:
    _, at_home = await two.promised()
    path, body = f"/pledges/{at_home}/counter", {"quantity": "4", "until": MONDAY}
    first = await two.north.post("coordinator", path, body, Idempotency_Key="once")
    again = await two.north.post("coordinator", path, body, Idempotency_Key="once")
    assert (first.status, again.status, again.headers["Idempotent-Replay"]) == (200, 200, "true")
    assert first.body == again.body
