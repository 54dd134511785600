"""Everything a hand-over can come to, told on both sides: done in four ways, failed in eight, in parts, again."""

from __future__ import annotations

import asyncio

from aidmesh_node.domain.pledge_words import FAILURES, OUTCOMES
from aidmesh_node.views.attempts import DONE, FAILED, TRY_AGAIN

from .conftest import Two


async def test_each_way_a_hand_over_is_done(two: Two) -> None:
    at_giver, at_home = await two.firm()
    for outcome in OUTCOMES:
        body = {"outcome": outcome, "quantity": "2"}
        done = await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", body)
        assert (done.status, done.body["phase"]) == (200, "handed_over")
        await two.settle()
        for group, pledge in ((two.south, at_giver), (two.north, at_home)):
            seen = (await group.get("member", f"/pledges/{pledge}")).body
            assert (seen["outcome"], seen["failure"]) == (outcome, None)
        assert DONE[outcome] in seen["next"], "the home is told how it was done"
    received = await two.north.post("coordinator", f"/pledges/{at_home}/receive", {"quantity": "8"})
    assert received.body["phase"] == "partly_received"


async def test_each_way_a_hand_over_fails(two: Two) -> None:
    at_giver, at_home = await two.firm()
    for times, reason in enumerate(FAILURES, start=1):
        failed = await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", {"failed": reason})
        assert (failed.status, failed.body["phase"]) == (200, "committed")
        await two.settle()
        for group, pledge in ((two.south, at_giver), (two.north, at_home)):
            seen = (await group.get("member", f"/pledges/{pledge}")).body
            told = (seen["failure"], seen["failures"], seen["handed"], seen["committed"])
            assert told == (reason, times, "0", "10"), "nothing moves, however often it fails"
            assert FAILED[reason] in seen["next"] and TRY_AGAIN[reason] in seen["next"]
            assert "That happens" in seen["next"], "nobody is blamed"
            assert not seen["discrepancy"] and seen["note"] is None


async def test_the_home_says_that_nobody_came(two: Two) -> None:
    at_giver, at_home = await two.promised()
    early = await two.north.post("coordinator", f"/pledges/{at_home}/hand-over", {"failed": "carrier_did_not_come"})
    assert (early.status, early.code) == (409, "not_committed")
    await two.north.post("coordinator", f"/pledges/{at_home}/accept")
    await two.settle()
    said = await two.north.post("coordinator", f"/pledges/{at_home}/hand-over", {"failed": "carrier_did_not_come"})
    assert (said.status, said.body["phase"]) == (200, "committed")
    theirs = await two.north.post("coordinator", f"/pledges/{at_home}/hand-over", {"quantity": "5"})
    assert (theirs.status, theirs.code) == (409, "not_yours"), "what was handed over only the giver can say"
    await two.settle()
    seen = (await two.south.get("member", f"/pledges/{at_giver}")).body
    assert (seen["failure"], seen["failures"]) == ("carrier_did_not_come", 1)
    assert "nobody came to carry it" in seen["next"]


async def test_failed_twice_then_in_two_parts(two: Two) -> None:
    at_giver, at_home = await two.firm()
    hand_over = f"/pledges/{at_giver}/hand-over"
    for reason in ("not_home", "not_ready"):
        assert (await two.south.post("coordinator", hand_over, {"failed": reason})).status == 200
    seen = (await two.south.get("member", f"/pledges/{at_giver}")).body
    assert "2 attempts that failed: it was not ready" in seen["next"]
    assert (await two.south.post("coordinator", hand_over, {"quantity": "4"})).body["phase"] == "handed_over"
    await two.settle()
    seen = (await two.south.get("member", f"/pledges/{at_giver}")).body
    assert (seen["failure"], seen["failures"]) == (None, 2), "what worked is what counts now"
    assert "6 item are still to be handed over" in seen["next"]
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/receive")).body["phase"] == "partly_received"
    assert (await two.south.post("coordinator", hand_over, {"failed": "too_far"})).status == 200
    await two.settle()
    seen = (await two.south.get("member", f"/pledges/{at_giver}")).body
    assert seen["next"].startswith("Hand over the remaining 6 item to North") and "too far" in seen["next"]
    assert (await two.south.post("coordinator", hand_over)).status == 200, "all that is left"
    await two.settle()
    assert (await two.north.post("coordinator", f"/pledges/{at_home}/receive")).body["phase"] == "received"


async def test_what_is_no_hand_over(two: Two) -> None:
    at_giver, _ = await two.firm()
    before = (await two.south.get("member", f"/pledges/{at_giver}")).body
    attempts: list[tuple[dict[str, object], int, str]] = [
        ({"outcome": "thrown"}, 422, "unknown_outcome"),
        ({"failed": "rain"}, 422, "unknown_reason"),
        ({"failed": "not_home", "quantity": "1"}, 422, "failed_and_handed"),
        ({"quantity": "0"}, 422, "bad_quantity"),
        ({"quantity": "101"}, 422, "far_more_than_promised"),
        ({"quantity": 1}, 400, "malformed"),
        ({"text": "they were rude"}, 400, "malformed"),
    ]
    for body, status, code in attempts:
        refused = await two.south.post("coordinator", f"/pledges/{at_giver}/hand-over", body)
        assert (refused.status, refused.code) == (status, code), refused.text
        assert refused.body["detail"] and refused.body["hint"]
    assert (await two.south.get("member", f"/pledges/{at_giver}")).body == before


async def test_fifty_attempts_at_once_are_all_counted_and_hand_over_nothing(two: Two) -> None:
    at_giver, _ = await two.firm()
    path = f"/pledges/{at_giver}/hand-over"
    await asyncio.gather(*(two.south.post("coordinator", path, {"failed": "not_home"}) for _ in range(50)))
    seen = (await two.south.get("member", f"/pledges/{at_giver}")).body
    assert (seen["failures"], seen["handed"], seen["committed"]) == (50, "0", "10")
    whole = await asyncio.gather(*(two.south.post("coordinator", path) for _ in range(50)))
    assert sorted(answer.status for answer in whole) == [200] + [409] * 49, "all that is left is handed over once"
    assert (await two.south.get("member", f"/pledges/{at_giver}")).body["handed"] == "10"
