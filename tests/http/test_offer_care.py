"""Offers over HTTP: confirmed, extended, closed for two reasons, reopened; and whoever may not."""

from __future__ import annotations

import asyncio

from .conftest import Group, Two

JANUARY = "2027-01-10T12:00:00Z"


async def test_confirm_extend_close_and_reopen(two: Two) -> None:
    north = two.north
    offer = f"/offers/{await north.offer('member', until='2026-12-01T12:00:00Z')}"
    assert (await north.post("member", f"{offer}/confirm")).status == 200
    assert (await north.post("member", f"{offer}/extend", {"until": JANUARY})).status == 200
    assert (await north.get("other", offer)).status == 401, "no such member here"
    closed = await north.post("coordinator", f"{offer}/close", {"reason": "superseded"})
    assert (closed.status, closed.body["state"]) == (200, "closed")
    shown = (await north.get("member", offer)).body
    assert (shown["closed_reason"], shown["until"], shown["ask_at"]) == ("superseded", JANUARY, None)
    assert "reopen it until 2026-12-22" in shown["next"]
    reopened = await north.post("member", f"{offer}/reopen")
    assert (reopened.status, reopened.body["state"]) == (200, "open")
    shown = (await north.get("member", offer)).body
    assert (shown["state"], shown["closed_reason"], shown["until"]) == ("open", None, JANUARY)


async def test_what_cannot_be_done_with_an_offer(two: Two) -> None:
    north = two.north
    endless = f"/offers/{await north.offer()}"
    ending = f"/offers/{await north.offer(until='2026-12-01T12:00:00Z')}"
    tries: list[tuple[str, object, int, str]] = [
        (f"{endless}/extend", {"until": JANUARY}, 409, "never_ends"),
        (f"{ending}/extend", {"until": "2026-11-30T12:00:00Z"}, 422, "not_later"),
        (f"{ending}/extend", {"until": "2031-01-01T12:00:00Z"}, 422, "too_far_away"),
        (f"{ending}/extend", {"until": "1031-01-01T12:00:00Z"}, 400, "malformed"),
        (f"{ending}/extend", {}, 400, "malformed"),
        (f"{ending}/reopen", None, 409, "not_closed"),
        (f"{ending}/close", {"reason": "exhausted"}, 409, "not_exhausted"),
        (f"{ending}/close", {"reason": "expired"}, 422, "unknown_reason_to_close"),
        (f"{ending}/close", {}, 400, "malformed"),
        (f"{ending}/confirm", {"yes": True}, 400, "malformed"),
        (f"/offers/{'f' * 32}/confirm", None, 404, "not_found"),
    ]
    for path, body, status, code in tries:
        refused = await north.post("coordinator", path, body)
        assert (refused.status, refused.code) == (status, code), refused.text
        assert refused.body["detail"] and refused.body["hint"]
    mine = f"/offers/{await north.offer('coordinator')}"
    for verb, body in {"confirm": None, "extend": {"until": JANUARY}, "close": {"reason": "superseded"}}.items():
        foreign = await north.post("member", f"{mine}/{verb}", body)
        assert (foreign.status, foreign.code) == (403, "not_allowed"), verb
    assert (await north.post("coordinator", f"{mine}/withdraw")).status == 200
    assert (await north.post("member", f"{mine}/reopen")).status == 403
    assert (await north.post("coordinator", f"{mine}/confirm")).code == "offer_closed"


async def test_reopened_late_past_its_time_or_empty(two: Two) -> None:
    north = two.north
    late, past, empty = [f"/offers/{await north.offer(quantity='10')}" for _ in range(3)]
    ending = f"/offers/{await north.offer(until='2026-11-24T12:00:00Z')}"
    pledge = await north.pledge("coordinator", await north.need(), offer=empty.rpartition("/")[2])
    for verb in ("accept", "hand-over"):
        assert (await north.post("coordinator", f"/pledges/{pledge}/{verb}")).status == 200
    assert (await north.get("member", empty)).body["next"] == "Nothing is left of it: close it as exhausted."
    assert (await north.post("coordinator", f"{empty}/close", {"reason": "exhausted"})).status == 200
    nothing = await north.post("coordinator", f"{empty}/reopen")
    assert (nothing.status, nothing.code) == (409, "nothing_left")
    for offer in (late, past, ending):
        assert (await north.post("coordinator", f"{offer}/withdraw")).status == 200
    two.days_pass(3)
    over = await north.post("coordinator", f"{ending}/reopen")
    assert (over.status, over.code) == (422, "not_later")
    assert (await north.post("coordinator", f"{ending}/reopen", {"until": JANUARY})).status == 200
    assert (await north.post("coordinator", f"{past}/reopen")).status == 200
    two.days_pass(28)
    gone = await north.post("coordinator", f"{late}/reopen")
    assert (gone.status, gone.code) == (409, "closed_long_ago")


async def test_what_nobody_confirms_comes_last_in_suggestions(two: Two) -> None:
    north = two.north
    stale = await north.offer(quantity="10", area="North", until="2027-03-01T12:00:00Z")
    for _ in range(16):
        two.days_pass(2)
        await north.node.clock_trust.look()
    await two.settle()
    for group in two.mesh.groups.values():
        await group.federation.lapse()
    fresh = await north.offer(quantity="10", area="South")
    need = await north.need(area="North", quantity="15")
    await two.settle()
    assert (await north.get("member", f"/offers/{stale}")).body["stale"]
    items = (await north.get("coordinator", "/suggestions")).body["items"]
    assert [(one["need"], one["offer"], one["quantity"]) for one in items] == [(need, fresh, "10"), (need, stale, "5")]
    assert "ask first: nobody has confirmed lately that it is still there" in items[1]["reasons"]
    assert (await north.post("coordinator", f"/offers/{stale}/confirm")).status == 200
    items = (await north.get("coordinator", "/suggestions")).body["items"]
    assert items[0]["offer"] == stale


async def fifty(group: Group, path: str, body: object = None) -> list[int]:
    answers = await asyncio.gather(*(group.post("coordinator", path, body) for _ in range(50)))
    return sorted(answer.status for answer in answers)


async def test_fifty_at_once(two: Two) -> None:
    north = two.north
    offer = f"/offers/{await north.offer(until='2026-12-01T12:00:00Z')}"
    two.days_pass(1)
    assert await fifty(north, f"{offer}/confirm") == [200] * 50
    assert (await north.get("member", offer)).body["version"] == 2, "said fifty times, recorded once"
    assert await fifty(north, f"{offer}/extend", {"until": JANUARY}) == [200] + [422] * 49
    assert await fifty(north, f"{offer}/close", {"reason": "superseded"}) == [200] + [409] * 49
    assert await fifty(north, f"{offer}/reopen") == [200] + [409] * 49
    assert (await north.get("member", offer)).body["version"] == 5
    first = await north.post("coordinator", f"{offer}/close", {"reason": "superseded"}, Idempotency_Key="once")
    again = await north.post("coordinator", f"{offer}/close", {"reason": "superseded"}, Idempotency_Key="once")
    assert (again.status, again.headers["Idempotent-Replay"], again.body) == (200, "true", first.body)
