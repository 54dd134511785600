"""Needs over HTTP after they were posted: every way to end one, what keeps it from being forgotten, and emergencies."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import BLANKETS, Answer, Group

CONSENT = {"given": "by_phone", "text_version": "v1", "language": "en"}
TIMES = 50


def later(**span: float) -> str:
    return f"{datetime.now(UTC) + timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


async def all_at_once(group: Group, path: str, bodies: list[dict[str, Any]]) -> Counter[tuple[int, str]]:
    answers = await asyncio.gather(*(group.post("coordinator", path, body) for body in bodies))
    return Counter((answer.status, answer.code) for answer in answers)


async def need_of(group: Group, need: str) -> dict[str, Any]:
    return (await group.get("coordinator", f"/needs/{need}")).body


async def test_each_of_eleven_reasons_closes_a_need_when_what_it_needs_is_there(group: Group) -> None:
    stays = await group.need()
    good: dict[str, dict[str, Any]] = {
        "met": {}, "partly_met": {}, "no_longer_wanted": {}, "done_by_others": {}, "entered_in_error": {},
        "duplicate": {"of": stays[:8]},
        "referred": {"to": "Food bank of the North", "consent": CONSENT},
        "out_of_scope": {"to": "Town clinic", "referral_offered": True},
        "unreachable": {},
    }  # fmt: skip
    for reason, more in good.items():
        need = await group.need()
        if reason == "unreachable":
            for outcome in ("no_answer", "message_left", "no_answer"):
                called = await group.post("coordinator", f"/needs/{need}/contact-attempt", {"outcome": outcome})
                assert called.status == 200, called.text
            assert called.body["unanswered"] == 3
            assert "Nobody answered 3 times" in (await need_of(group, need))["next_action"]
        closed = await group.post("coordinator", f"/needs/{need}/close", {"reason": reason, **more})
        assert (closed.status, closed.body.get("state")) == (200, "closed"), (reason, closed.text)
        shown = await need_of(group, need)
        assert (shown["closed_reason"], shown["next_action"], shown["next_action_at"]) == (reason, None, None)
    need = await group.need("member")
    assert (await group.post("member", f"/needs/{need}/withdraw")).status == 200
    assert (await need_of(group, need))["closed_reason"] == "withdrawn_by_person"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "expired"}, 422, "only_by_itself"),
        ({"reason": "withdrawn_by_person"}, 422, "only_by_withdrawing"),
        ({"reason": "duplicate"}, 422, "duplicate_of_what"),
        ({"reason": "duplicate", "of": "SELF"}, 422, "duplicate_of_itself"),
        ({"reason": "duplicate", "of": "f" * 32}, 404, "not_found"),
        ({"reason": "referred", "to": "Clinic"}, 422, "no_consent"),
        ({"reason": "referred", "consent": CONSENT}, 422, "referred_to_whom"),
        ({"reason": "referred", "to": "ana@example.org", "consent": CONSENT}, 422, "bad_to"),
        ({"reason": "referred", "to": "Clinic", "consent": {**CONSENT, "given": "proxy"}}, 422, "no_consent"),
        ({"reason": "out_of_scope"}, 422, "no_referral_offered"),
        ({"reason": "unreachable"}, 409, "not_tried_enough"),
        ({"reason": "met", "to": "Clinic"}, 422, "not_with_this_reason"),
        ({"reason": "bored"}, 422, "unknown_reason_to_close"),
        ({"reason": "met", "who": "Ana"}, 400, "malformed"),
        ({}, 400, "malformed"),
    ],
)
async def test_a_reason_that_lacks_something_closes_nothing(
    group: Group, body: dict[str, Any], status: int, code: str
) -> None:
    need = await group.need()
    refused = await group.post(
        "coordinator", f"/needs/{need}/close", {**body, **({"of": need} if body.get("of") == "SELF" else {})}
    )
    assert (refused.status, refused.code) == (status, code), refused.text
    assert refused.body["detail"] and refused.body["hint"]
    assert (await need_of(group, need))["state"] == "open"


async def test_a_duplicate_of_a_duplicate_names_the_one_that_stays(group: Group) -> None:
    first, second, third = [await group.need() for _ in range(3)]
    await group.post("coordinator", f"/needs/{second}/close", {"reason": "duplicate", "of": first})
    refused = await group.post("coordinator", f"/needs/{third}/close", {"reason": "duplicate", "of": second})
    assert (refused.status, refused.code) == (409, "duplicate_of_a_duplicate")


async def test_what_helped_was_no_error(group: Group) -> None:
    need = await group.need()
    pledge = await group.pledge("member", need)
    assert (await group.post("coordinator", f"/pledges/{pledge}/accept")).status == 200
    refused = await group.post("coordinator", f"/needs/{need}/close", {"reason": "entered_in_error"})
    assert (refused.status, refused.code) == (409, "already_helped")


async def test_every_open_need_says_what_is_next_and_each_act_begins_its_clock_anew(group: Group) -> None:
    need = await group.need("member")
    posted = await need_of(group, need)
    assert posted["next_action"] and posted["next_action_at"] > later(hours=47)
    reviewed = await group.post("member", f"/needs/{need}/review", {"next": later(days=20)})
    assert reviewed.status == 200, reviewed.text
    assert (await need_of(group, need))["next_action_at"] > later(days=19)
    for path, body in (
        ("review", None),
        ("contact-attempt", {"outcome": "reached"}),
        ("amend", {"quantity": "90"}),
        ("urgency", {"urgency": "high", "reason": "worse"}),
    ):
        await group.post("member", f"/needs/{need}/review", {"next": later(days=20)})
        done = await group.post("member", f"/needs/{need}/{path}", body)
        assert done.status == 200, (path, done.text)
        due = (await need_of(group, need))["next_action_at"]
        assert later(hours=47) < due < later(hours=49), path
    pledge = await group.pledge("other", need)
    assert (await need_of(group, need))["next_action"].startswith("Answer what is offered")
    await group.post("coordinator", f"/pledges/{pledge}/decline", {"reason": "timing"})
    stranger = await group.post("other", f"/needs/{need}/review")
    assert (stranger.status, stranger.code) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("review", {"next": "2026-01-01T00:00:00Z"}, 422, "bad_next_look"),
        ("review", {"next": "2199-01-01T00:00:00Z"}, 422, "bad_next_look"),
        ("review", {"next": "9999-12-31T23:59:59Z"}, 400, "malformed"),
        ("review", {"next": "soon"}, 400, "malformed"),
        ("review", {"next": "2026-12-01T00:00:00"}, 400, "malformed"),
        ("contact-attempt", {"outcome": "shouted"}, 422, "unknown_outcome_of_a_call"),
        ("contact-attempt", {}, 400, "malformed"),
        ("extend", {"until": "2199-01-01T00:00:00Z"}, 409, "never_ends"),
        ("extend", {}, 400, "malformed"),
        ("amend", {"quantity": "0"}, 422, "bad_quantity"),
        ("amend", {"quantity": "100"}, 409, "nothing_changed"),
        ("amend", {"quantity": "0.5"}, 422, "bad_quantity"),
        ("amend", {"quantity": 5}, 400, "malformed"),
        ("urgency", {"urgency": "normal", "reason": "worse"}, 409, "nothing_changed"),
        ("urgency", {"urgency": "now!", "reason": "worse"}, 422, "unknown_urgency"),
        ("urgency", {"urgency": "high", "reason": "she cried"}, 422, "unknown_reason_for_another_urgency"),
        ("urgency", {"urgency": "emergency", "reason": "worse"}, 422, "emergency_advice"),
        ("share-wider", {"consent": CONSENT}, 422, "no_circle"),
        ("share-wider", {}, 400, "malformed"),
        ("reopen", None, 409, "not_closed"),
        ("reopen", {"reason": "x"}, 400, "malformed"),
    ],
)
async def test_what_cannot_be_meant_changes_nothing(
    group: Group, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    need = await group.need()
    before = await need_of(group, need)
    refused = await group.post("coordinator", f"/needs/{need}/{path}", body)
    assert (refused.status, refused.code) == (status, code), refused.text
    assert refused.body["detail"] and refused.body["hint"]
    assert await need_of(group, need) == before


async def test_a_need_is_extended_but_not_back(group: Group) -> None:
    need = await group.need(until=later(days=3))
    extended = await group.post("coordinator", f"/needs/{need}/extend", {"until": "2199-12-01T10:00:00Z"})
    assert (extended.status, extended.code) == (422, "too_far_away")
    until = later(days=9)
    assert (await group.post("coordinator", f"/needs/{need}/extend", {"until": until})).status == 200
    assert (await need_of(group, need))["until"] == until
    back = await group.post("coordinator", f"/needs/{need}/extend", {"until": later(days=4)})
    assert (back.status, back.code) == (422, "not_later")


async def test_an_emergency_is_saved_only_after_the_advice(group: Group) -> None:
    advice = (await group.get("member", "/emergency-advice")).body
    assert advice["number"] == "112" and "112" in advice["text"] and "not an emergency service" in advice["text"]
    assert (await group.get("member", "/emergency-advice?x=1")).status == 400
    insulin = {**BLANKETS, "item": "Insulin", "category": "medicine", "urgency": "emergency"}
    refused = await group.post("coordinator", "/needs", insulin)
    assert (refused.status, refused.code) == (422, "emergency_advice")
    assert refused.body["detail"] == advice["text"] and "emergency_advice_acknowledged" in refused.body["hint"]
    assert (await group.get("member", "/needs")).body["items"] == []

    normal = await group.need()
    need = await group.need(**insulin, emergency_advice_acknowledged=True)
    shown = await need_of(group, need)
    assert shown["next_action"].startswith("Emergency. ") and shown["next_action_at"] < later(hours=4, minutes=1)
    await group.need()
    for path in ("/needs", "/needs?state=open&ours=true", "/board"):
        listed = (await group.get("member", path)).body
        assert (listed.get("items") or listed["needs"])[0]["id"] == need, path
    for item in ("Insulin", "Blanket"):
        await group.post("coordinator", "/offers", {**BLANKETS, "item": item})
    suggested = (await group.get("coordinator", "/suggestions")).body["items"]
    assert suggested[0]["need"] == need and len(suggested) > 1

    raised = {"urgency": "emergency", "reason": "worse", "emergency_advice_acknowledged": True}
    assert (await group.post("coordinator", f"/needs/{normal}/urgency", raised)).status == 200
    assert (await need_of(group, normal))["next_action_at"] < later(hours=4, minutes=1)


async def test_an_imported_emergency_is_taken_only_after_the_advice(group: Group) -> None:
    text = "kind,item,quantity,unit,urgency\nneed,Insulin,1,item,emergency\nneed,Soap,5,item,high\n"
    files = {"files": [{"name": "needs.csv", "text": text}]}
    refused = await group.post("coordinator", "/imports", files)
    assert (refused.status, refused.code) == (422, "emergency_advice")
    tried = await group.post("coordinator", "/imports", files, Dry_Run="true")
    assert (tried.status, tried.code) == (422, "emergency_advice"), "a trial is never kinder than the command"
    assert (await group.get("member", "/needs")).body["items"] == []
    taken = await group.post("coordinator", "/imports", {**files, "emergency_advice_acknowledged": True})
    assert (taken.status, len(taken.body["needs"])) == (201, 2)
    listed = (await group.get("member", "/needs")).body["items"]
    assert [need["urgency"] for need in listed] == ["emergency", "high"]


async def test_what_waits_for_somebody_is_listed_the_longest_overdue_first(group: Group) -> None:
    text = "kind,item,quantity,unit,from\n" + "".join(
        f"need,Thing {day},1,item,2026-10-{day:02}\n" for day in (3, 1, 2, 5, 4)
    )
    imported = await group.post("coordinator", "/imports", {"files": [{"name": "old.csv", "text": text}]})
    assert imported.status == 201, imported.text
    await group.need()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = (await group.get("member", f"/needs?untouched=true&limit=2{more}")).body
        seen += [need["item"] for need in page["items"]]
        cursor = page["cursor"]
    assert seen == [f"Thing {day}" for day in range(1, 6)]
    (first, *_), thing = (await group.get("member", "/needs?untouched=true")).body["items"], "Thing 1"
    assert first["item"] == thing
    await group.post("coordinator", f"/needs/{first['id']}/review")
    left = (await group.get("member", "/needs?untouched=true")).body["items"]
    assert [need["item"] for need in left] == [f"Thing {day}" for day in range(2, 6)]
    for odd, status in (("=maybe", 400), ("=1x", 400), ("=true&state=closed", 422), ("=true&ours=false", 422)):
        assert (await group.get("member", f"/needs?untouched{odd}")).status == status, odd


async def test_fifty_times_the_same_at_once_happens_once_and_each_is_told_the_truth(group: Group) -> None:
    need = await group.need(until=later(days=3))
    until = later(days=9)
    told = await all_at_once(group, f"/needs/{need}/extend", [{"until": until}] * TIMES)
    assert told == {(200, ""): 1, (422, "not_later"): TIMES - 1}
    told = await all_at_once(group, f"/needs/{need}/amend", [{"quantity": "77"}] * TIMES)
    assert told == {(200, ""): 1, (409, "nothing_changed"): TIMES - 1}
    told = await all_at_once(group, f"/needs/{need}/urgency", [{"urgency": "high", "reason": "worse"}] * TIMES)
    assert told == {(200, ""): 1, (409, "nothing_changed"): TIMES - 1}
    reasons = ("met", "done_by_others", "no_longer_wanted", "entered_in_error", "partly_met")
    told = await all_at_once(group, f"/needs/{need}/close", [{"reason": reasons[n % 5]} for n in range(TIMES)])
    assert told == {(200, ""): 1, (409, "need_closed"): TIMES - 1}
    told = await all_at_once(group, f"/needs/{need}/reopen", [{}] * TIMES)
    assert told == {(200, ""): 1, (409, "not_closed"): TIMES - 1}
    told = await all_at_once(group, f"/needs/{need}/contact-attempt", [{"outcome": "no_answer"}] * TIMES)
    assert told == {(200, ""): TIMES}, "fifty calls are fifty calls"
    shown = await need_of(group, need)
    assert (shown["quantity"], shown["urgency"], shown["until"], shown["state"]) == ("77", "high", until, "open")
    assert "answered 50 times" in shown["next_action"]


async def test_fifty_with_one_key_are_one_call(group: Group) -> None:
    need = await group.need()

    async def call() -> Answer:
        path = f"/needs/{need}/contact-attempt"
        return await group.post("coordinator", path, {"outcome": "no_answer"}, Idempotency_Key="k" * 32)

    answers = await asyncio.gather(*(call() for _ in range(TIMES)))
    assert {(answer.status, answer.body["unanswered"]) for answer in answers} == {(200, 1)}


async def test_closing_and_extending_at_once_end_in_one_of_both(group: Group) -> None:
    need = await group.need(until=later(days=3))
    closing = [group.post("coordinator", f"/needs/{need}/close", {"reason": "met"}) for _ in range(TIMES // 2)]
    extending = [
        group.post("coordinator", f"/needs/{need}/extend", {"until": later(days=4 + n)}) for n in range(TIMES // 2)
    ]
    answers = await asyncio.gather(*(one for pair in zip(extending, closing, strict=True) for one in pair))
    assert Counter(answer.status for answer in answers[1::2]) == {200: 1, 409: TIMES // 2 - 1}
    assert {answer.code for answer in answers} <= {"", "need_closed", "not_later"}
    assert (await need_of(group, need))["state"] == "closed"
