"""ETag and If-Match: who has it already is told so, and who decided on something stale changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from aidmesh_node.http.app import ROUTES

from .conftest import Group

CONSENT = {"given": "self", "text_version": "1", "language": "en"}


async def tag(group: Group, path: str, who: str = "coordinator") -> str:
    seen = await group.get(who, path)
    assert seen.status == 200, seen.text
    return seen.headers["ETag"]


@pytest.fixture
async def things(group: Group) -> dict[str, str]:
    """The path of one thing of each kind."""
    need, offer = await group.need("member"), await group.offer("coordinator")
    pledge = await group.pledge("coordinator", need, offer=offer)
    accepted = await group.pledge("coordinator", need)
    await group.post("coordinator", f"/pledges/{accepted}/accept")
    dispute = (await group.post("coordinator", f"/pledges/{accepted}/disputes", {"about": "quality"})).id
    return {
        "need": f"/needs/{need}",
        "offer": f"/offers/{offer}",
        "pledge": f"/pledges/{pledge}",
        "dispute": f"/disputes/{dispute}",
        "member": f"/members/{group.members['other']}",
    }


CHANGES = {
    "need": ("/close", {"reason": "met"}),
    "offer": ("/withdraw", None),
    "pledge": ("/counter", {"quantity": "5"}),
    "dispute": ("/resolve", {"how": "left"}),
    "member": ("/role", {"role": "coordinator"}),
}


@pytest.mark.parametrize("kind", CHANGES)
async def test_who_has_it_already_is_told_only_that(group: Group, things: dict[str, str], kind: str) -> None:
    path, (verb, body) = things[kind], CHANGES[kind]
    shown = await group.get("operator", path)
    for text in (shown.headers["ETag"], f'"x", {shown.headers["ETag"]}', f"W/{shown.headers['ETag']}", "*"):
        same = await group.get("operator", path, If_None_Match=text)
        assert (same.status, same.text, same.headers["ETag"]) == (304, "", shown.headers["ETag"]), text
    assert (await group.post("operator", path + verb, body)).status == 200
    changed = await group.get("operator", path, If_None_Match=shown.headers["ETag"])
    assert changed.status == 200 and changed.body["version"] > shown.body["version"]
    assert changed.headers["ETag"] != shown.headers["ETag"]


@pytest.mark.parametrize("kind", CHANGES)
async def test_a_command_meant_for_an_older_version_does_nothing(
    group: Group, things: dict[str, str], kind: str
) -> None:
    path, (verb, body) = things[kind], CHANGES[kind]
    seen = await tag(group, path, "operator")
    version = (await group.get("operator", path)).body["version"]
    for stale in (f'"{version + 1}"', f'"{version - 1}.0123456789abcdef"', '"nonsense"', f"W/{seen}", '"0"'):
        late = await group.post("operator", path + verb, body, If_Match=stale)
        assert (late.status, late.code, late.body["version"]) == (412, "moved_on", version), stale
        assert "Read it again" in late.body["hint"]
    assert await tag(group, path, "operator") == seen
    assert (await group.post("operator", path + verb, body, If_Match=seen)).status == 200
    moved = await group.post("operator", path + verb, body, If_Match=seen)
    assert (moved.status, moved.code) == (412, "moved_on")


@pytest.mark.parametrize("kind", CHANGES)
async def test_the_version_alone_does_and_so_does_any(group: Group, things: dict[str, str], kind: str) -> None:
    path, (verb, body) = things[kind], CHANGES[kind]
    version = (await group.get("operator", path)).body["version"]
    assert (await group.post("operator", path + verb, {"no": 1}, If_Match="*")).status == 400
    assert (await group.post("operator", path + verb, body, If_Match=f'"1000", "{version}"')).status == 200


@pytest.mark.parametrize(
    "text", ["7", '"7', "", '""x', "'7'", '"7" "8"', ",", '"é"', '"' + "x" * 65 + '"', '"7",' * 17]
)
async def test_what_is_no_tag_is_refused_in_words(group: Group, things: dict[str, str], text: str) -> None:
    refused = await group.post("coordinator", things["need"] + "/close", {"reason": "met"}, If_Match=text)
    assert (refused.status, refused.body["errors"][0]["where"]) == (400, "If-Match")
    assert (await group.get("coordinator", things["need"], If_None_Match=text)).status == 400
    assert (await group.get("coordinator", things["need"])).body["state"] == "open"


async def test_of_fifty_who_decided_on_the_same_version_one_is_done(group: Group, things: dict[str, str]) -> None:
    seen = await tag(group, things["pledge"])
    answers = await asyncio.gather(
        *(
            group.post("member", things["pledge"] + "/counter", {"quantity": str(1 + number % 9)}, If_Match=seen)
            for number in range(50)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 412: 49}
    assert (await group.get("member", things["pledge"])).body["version"] == 2


async def test_fifty_role_changes_for_one_version_are_one(group: Group, things: dict[str, str]) -> None:
    seen = await tag(group, things["member"])
    answers = await asyncio.gather(
        *(group.post("operator", things["member"] + "/role", {"role": role}, If_Match=seen)
          for role in ["coordinator", "operator"] * 25)
    )  # fmt: skip
    assert Counter(answer.status for answer in answers) == {200: 1, 412: 49}


async def test_a_repetition_with_its_key_is_answered_although_the_version_moved(
    group: Group, things: dict[str, str]
) -> None:
    seen, key = await tag(group, things["need"]), {"Idempotency_Key": "close-it-once"}
    first = await group.post("coordinator", things["need"] + "/close", {"reason": "met"}, If_Match=seen, **key)
    again = await group.post("coordinator", things["need"] + "/close", {"reason": "met"}, If_Match=seen, **key)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["Idempotent-Replay"] == "true"


async def test_what_makes_something_new_depends_on_no_version(group: Group) -> None:
    for path, body in (("/needs", {"category": "food", "quantity": "1", "unit": "kg"}), ("/verify", None)):
        refused = await group.post("operator", path, body, If_Match='"1"')
        assert (refused.status, refused.body["errors"][0]["where"]) == (400, "If-Match")


async def test_every_command_on_one_thing_listens_to_if_match(group: Group, things: dict[str, str]) -> None:
    """The table of routes decides what is asked, so that a new route cannot forget it."""
    bodies = {
        "share": {"consent": CONSENT}, "close": {"reason": "met"}, "revise": {"quantity": "1"},
        "counter": {"quantity": "1"}, "decline": {"reason": "other"}, "release": {"reason": "other"},
        "role": {"role": "member"}, "contact-attempt": {"outcome": "no_answer"}, "amend": {"quantity": "1"},
        "correct": {"quantity": "1"}, "disputes": {"about": "quality"}, "add": {"text": "wet"},
        "resolve": {"how": "left"},
        "extend": {"until": "2026-12-20T00:00:00Z"}, "urgency": {"urgency": "high", "reason": "worse"},
    }  # fmt: skip
    asked = 0
    for route in ROUTES:
        kind = route.path.removeprefix("/api/v1/").partition("s/")[0]
        if route.method != "POST" or "{id}" not in route.path or kind not in things:
            continue
        verb = route.path.rpartition("/")[2]
        if verb in ("share", "unshare", "share-wider"):
            continue  # needs a circle first: tests/http/test_two_groups.py
        late = await group.post("operator", f"{things[kind]}/{verb}", bodies.get(verb), If_Match='"999999"')
        assert (late.status, late.code) == (412, "moved_on"), f"{route.path}: find its id by call.own_id"
        asked += 1
    assert asked >= 30


async def test_lists_link_to_their_next_page(group: Group) -> None:
    needs = {await group.need() for _ in range(3)}
    first = await group.get("member", "/needs?limit=2&state=open")
    target, _, relation = first.headers["Link"].partition(">; ")
    assert relation == 'rel="next"'
    second = await group.ask("member", "GET", target.removeprefix("<"))
    assert {need["id"] for need in first.body["items"] + second.body["items"]} == needs
    assert "Link" not in second.headers
