"""Needs over HTTP: what is posted is seen, what cannot be meant is refused with a reason, what is private stays so."""

from __future__ import annotations

from unittest.mock import patch
from uuid import UUID

import pytest

from .conftest import BLANKETS, Group


async def test_ana_posts_a_need_and_reads_it_back_at_once(group: Group) -> None:
    posted = await group.post("member", "/needs", {**BLANKETS, "unit": "Pieces", "until": "2026-12-01T10:00:00+09:00"})
    assert (posted.status, posted.body["version"]) == (201, 1)
    assert posted.headers["Aidmesh-Position"] == str(posted.body["position"])
    need = (await group.get("other", f"/needs/{posted.id}")).body
    assert (need["quantity"], need["unit"], need["open"], need["state"]) == ("100", "item", "100", "open")
    assert (need["until"], need["ours"], need["group_name"]) == ("2026-12-01T01:00:00Z", True, "North")
    listed = (await group.get("other", "/needs?state=open&ours=true")).body
    assert [item["id"] for item in listed["items"]] == [posted.id]
    assert [item["id"] for item in (await group.get("other", "/board?item=BLANKET")).body["needs"]] == [posted.id]
    assert (await group.get("other", "/board?item=soap")).body["needs"] == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"quantity": "0"}, "bad_quantity"),
        ({"quantity": "-5"}, "bad_quantity"),
        ({"quantity": "1e3"}, "bad_quantity"),
        ({"quantity": "1,000"}, "bad_quantity"),
        ({"quantity": "NaN"}, "bad_quantity"),
        ({"quantity": "Infinity"}, "bad_quantity"),
        ({"quantity": "٣"}, "bad_quantity"),
        ({"quantity": "²"}, "bad_quantity"),
        ({"quantity": "0x10"}, "bad_quantity"),
        ({"quantity": "1_000"}, "bad_quantity"),
        ({"quantity": "99999999999"}, "bad_quantity"),
        ({"quantity": "0.0001", "unit": "kg"}, "bad_quantity"),
        ({"quantity": "1.5"}, "bad_quantity"),
        ({"unit": "barrel"}, "unknown_unit"),
        ({"category": "weapons"}, "unknown_category"),
        ({"urgency": "now!"}, "unknown_urgency"),
        ({"language": "not a language"}, "bad_language"),
        ({"item": "call +670 7712 3456"}, "bad_item"),
        ({"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}, "bad_window"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_words(group: Group, changed: dict[str, object], code: str) -> None:
    refused = await group.post("coordinator", "/needs", {**BLANKETS, **changed})
    assert (refused.status, refused.code) == (422, code), refused.text
    assert refused.body["detail"].endswith((".", "?")) and refused.body["hint"]
    assert (await group.get("coordinator", "/needs")).body["items"] == []


async def test_a_member_takes_items_the_group_knows(group: Group) -> None:
    story = {**BLANKETS, "item": "Insulin for Ana's father"}
    refused = await group.post("member", "/needs", story)
    assert (refused.status, refused.code) == (422, "unknown_item")
    assert (await group.post("member", "/offers", story)).code == "unknown_item"
    await group.need("coordinator", item="Cool box")
    assert (await group.get("member", "/needs")).status == 200  # the list of items has caught up
    assert (await group.post("member", "/needs", {**BLANKETS, "item": "cool  BOX"})).status == 201
    assert (await group.post("member", "/needs", {**BLANKETS, "item": None})).status == 201


async def test_names_and_notes_are_for_coordinators_and_whoever_posted(group: Group) -> None:
    private = {"for": {"name": "Ana Lopez", "phone": "+670 7712 3456"}, "note": "Ring twice.\nDog."}
    need = await group.need("member", **private, on_behalf=True)
    for who in ("member", "coordinator", "operator"):
        seen = (await group.get(who, f"/needs/{need}")).body
        assert seen["person"] == {"name": "Ana Lopez", "phone": "+670 7712 3456"}, who
        assert seen["note"] == "Ring twice.\nDog."
    for path in (f"/needs/{need}", "/needs", "/board"):
        text = (await group.get("other", path)).text
        assert need in text
        assert "Ana" not in text and "7712" not in text and "Ring" not in text and "person" not in text


async def test_a_few_characters_of_an_id_are_enough(group: Group) -> None:
    need = await group.need()
    assert (await group.get("member", f"/needs/{need[:6]}")).body["id"] == need
    assert (await group.post("coordinator", f"/needs/{need[:8].upper()}/close", {"reason": "met"})).status == 200
    for text in (need[:5], "zzzzzz", need[:31] + "g", "a%20b", "0" * 200):
        for method, path in (("GET", f"/needs/{text}"), ("POST", f"/needs/{text}/withdraw")):
            answer = await group.ask("coordinator", method, f"/api/v1{path}")
            assert (answer.status, answer.code) == (404, "not_found"), (method, path)


async def test_who_asks_for_now_sees_what_somebody_else_has_just_posted(group: Group) -> None:
    for number in range(30):
        posted = await group.post("coordinator", "/needs", {**BLANKETS, "item": f"Tent {number}"})
        board = await group.get("other", f"/board?item=tent%20{number}", Aidmesh_Position="now")
        assert [need["id"] for need in board.body["needs"]] == [posted.id]


async def test_two_ids_that_begin_alike_must_be_told_apart(group: Group) -> None:
    first, draw = await group.need(), group.node.entropy.uuids
    twin = first[:-1] + ("0" if first[-1] != "0" else "1")
    with patch.object(group.node.entropy, "uuids", lambda count: [UUID(twin)] * 3 if count == 3 else draw(count)):
        assert await group.need() == twin
    answer = await group.get("member", f"/needs/{first[:6]}")
    assert (answer.status, answer.code) == (409, "ambiguous_id")
    assert (await group.get("member", f"/needs/{twin}")).body["id"] == twin


async def test_what_is_not_there_is_not_there_in_the_same_words(group: Group) -> None:
    offer = await group.offer()
    answers = [
        await group.get("member", f"/needs/{'f' * 32}"),
        await group.get("member", f"/needs/{offer}"),
        await group.post("member", f"/needs/{'f' * 32}/withdraw"),
        await group.get("member", f"/pledges/{'f' * 32}"),
    ]
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}


async def test_lists_come_in_pages_and_take_no_odd_parameters(group: Group) -> None:
    needs = [await group.need() for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await group.get("member", "/needs?limit=2" + (f"&cursor={cursor}" if cursor else ""))).body
        seen += [need["id"] for need in page["items"]]
        cursor = page["cursor"]
    assert sorted(seen) == sorted(needs)
    for odd in (
        "limit=0", "limit=-1", "limit=1000000000", "limit=x", "state=secret", "ours=maybe", "cursor=zz",
        "sort=person", "person=Ana", "state=open&state=closed", "state=open'--", "after=-1", "after=x",
    ):  # fmt: skip
        refused = await group.get("member", f"/needs?{odd}")
        assert (refused.status, refused.code) == (400, "malformed"), odd
        assert refused.body["errors"], odd


async def test_nothing_is_shared_without_a_circle_and_a_yes(group: Group) -> None:
    need = await group.need()
    consent = {"given": "self", "text_version": "1", "language": "en"}
    silent = await group.post("coordinator", f"/needs/{need}/share", {})
    assert (silent.status, silent.body["errors"][0]["where"]) == (400, "$.consent")
    for audience in ({}, {"peer": "South"}, {"circle": "ab" * 32}, {"circle": "x"}):
        alone = await group.post("coordinator", f"/needs/{need}/share", {**audience, "consent": consent})
        assert (alone.status, alone.code) == (422, "no_circle"), audience
    both = await group.post("coordinator", f"/needs/{need}/share", {"circle": "x", "peer": "y", "consent": consent})
    assert (both.status, both.code) == (422, "circle_and_peer")


async def test_closing_twice_is_a_conflict_and_an_unknown_reason_is_named(group: Group) -> None:
    need = await group.need()
    unknown = await group.post("coordinator", f"/needs/{need}/close", {"reason": "bored"})
    assert unknown.status == 422 and "met" in unknown.body["hint"]
    assert (await group.post("coordinator", f"/needs/{need}/close", {"reason": "met"})).body["state"] == "closed"
    again = await group.post("coordinator", f"/needs/{need}/close", {"reason": "met"})
    assert (again.status, again.code) == (409, "need_closed")
    assert (await group.get("member", f"/needs/{need}")).body["closed_reason"] == "met"
