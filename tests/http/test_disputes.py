"""Disputes: opened by people, told to the other group in one word, over when both say so. Conduct is told to nobody."""

from __future__ import annotations

import asyncio

from aidmesh_node.domain.dispute import ABOUT
from tests.support.following import following
from tests.support.stories import check_all_agree, crossed

from .conftest import Group, Two

SECRET = "Rui shouted at grandmother Ana, canary-4711"


async def opened(group: Group, pledge: str, about: str, **more: str) -> str:
    answer = await group.post("coordinator", f"/pledges/{pledge}/disputes", {"about": about, **more})
    assert (answer.status, answer.body["state"]) == (201, "open"), answer.text
    return answer.id


async def test_not_received_is_told_answered_and_over_when_both_say_so(two: Two) -> None:
    at_giver, at_home = await two.firm()
    dispute = await opened(two.north, at_home, "not_received", text=SECRET)
    await two.settle()
    (heard,) = (await two.south.get("coordinator", "/disputes?state=open")).body["items"]
    assert (heard["about"], heard["opened_by"], heard["ours"], heard["peer_name"]) == (
        "not_received", "home", False, "North",
    )  # fmt: skip
    assert heard["pledge"] == at_giver
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        assert (await group.get("member", f"/pledges/{pledge}")).body["disputes"] == 1
    assert (await two.south.post("coordinator", f"/disputes/{heard['id']}/add", {"text": "We look."})).status == 200
    first = await two.south.post("coordinator", f"/disputes/{heard['id']}/resolve", {"how": "made_good"})
    assert (first.status, first.body["state"]) == (200, "open")
    twice = await two.south.post("coordinator", f"/disputes/{heard['id']}/resolve", {"how": "explained"})
    assert (twice.status, twice.code) == (409, "already_resolved")
    await two.settle()
    shown = (await two.north.get("coordinator", f"/disputes/{dispute[:8]}")).body
    assert (shown["state"], shown["resolved_by_us"], shown["resolved_by_them"]) == ("open", None, "made_good")
    assert [one["text"] for one in shown["statements"]] == [SECRET], "theirs stays with them"
    last = await two.north.post("coordinator", f"/disputes/{dispute}/resolve", {"how": "explained"})
    assert (last.status, last.body["state"]) == (200, "resolved")
    await two.settle()
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        assert (await group.get("member", f"/pledges/{pledge}")).body["disputes"] == 0
        (over,) = (await group.get("coordinator", "/disputes?state=resolved")).body["items"]
        assert over["next"] == ""
    late = await two.north.post("coordinator", f"/disputes/{dispute}/add", {"text": "One more thing."})
    assert (late.status, late.code) == (409, "dispute_over")
    assert b"canary-4711" not in crossed(two.mesh) and b"We look" not in crossed(two.mesh)
    await check_all_agree(two.mesh)


async def test_somebodys_conduct_never_leaves_and_only_coordinators_read_it(two: Two) -> None:
    """SPEC §15.5a."""
    at_giver, at_home = await two.firm()
    member = await two.north.post("member", f"/pledges/{at_home}/disputes", {"about": "conduct", "text": SECRET})
    assert member.status == 403, "neither their need nor theirs to tell here"
    dispute = await opened(two.north, at_home, "conduct", text=SECRET)
    assert (await two.north.post("coordinator", f"/disputes/{dispute}/add", {"text": SECRET + " again"})).status == 200
    size = (await two.north.get("member", "/status")).body["feeds"]
    await two.settle()
    assert (await two.north.get("member", "/status")).body["feeds"] == size, "nothing was published"
    everything = crossed(two.mesh)
    assert b"canary-4711" not in everything and b"conduct" not in everything
    assert (await two.south.get("coordinator", "/disputes")).body["items"] == []
    for group, pledge in ((two.north, at_home), (two.south, at_giver)):
        shown = await group.get("member", f"/pledges/{pledge}")
        assert shown.body["disputes"] == 0 and "conduct" not in shown.text
    for path in ("/disputes", f"/disputes/{dispute}"):
        assert (await two.north.get("member", path)).status == 403
    hidden = await two.north.post("member", f"/disputes/{dispute}/add", {"text": "who says that?"})
    assert hidden.status == 404, "not even that there is one"
    for header in ({"If_Match": '"999999"'}, {"Dry_Run": "true"}):
        guessed = await two.north.post("member", f"/disputes/{dispute}/add", {"text": "is there one?"}, **header)
        missing = await two.north.post("member", f"/disputes/{'f' * 32}/add", {"text": "is there one?"}, **header)
        assert (guessed.status, guessed.body) == (missing.status, missing.body) == (404, hidden.body)
    assert (await two.north.post("member", f"/disputes/{dispute}/resolve", {"how": "left"})).status == 403
    over = await two.north.post("coordinator", f"/disputes/{dispute}/resolve", {"how": "explained"})
    assert over.body["state"] == "resolved", "nobody else has to agree"
    later = await opened(two.north, at_home, "quality")
    await two.settle()
    (heard,) = (await two.south.get("coordinator", "/disputes")).body["items"]
    assert heard["about"] == "quality" and later != dispute
    await check_all_agree(two.mesh)


async def test_a_member_opens_one_about_their_own_pledge(two: Two) -> None:
    north = two.north
    await north.joins("other", "member")
    need = await north.need("other")
    pledge = await north.pledge("member", need)
    assert (await north.post("other", f"/pledges/{pledge}/accept")).status == 200
    mine = await north.post("member", f"/pledges/{pledge}/disputes", {"about": "conduct", "side": "giver", "text": "x"})
    assert mine.status == 201, mine.text
    assert (await north.post("member", f"/disputes/{mine.id}/add", {"text": "and again"})).status == 200
    assert (await north.post("other", f"/disputes/{mine.id}/add", {"text": "what is this?"})).status == 404
    theirs = await north.post("other", f"/pledges/{pledge}/disputes", {"about": "quality"})
    assert theirs.status == 201
    assert (await north.post("coordinator", f"/disputes/{theirs.id}/resolve", {"how": "left"})).status == 200


async def test_what_is_no_dispute(two: Two) -> None:
    at_giver, at_home = await two.promised()
    early = await two.north.post("coordinator", f"/pledges/{at_home}/disputes", {"about": "quality"})
    assert (early.status, early.code) == (409, "not_accepted")
    await two.north.post("coordinator", f"/pledges/{at_home}/accept")
    await two.settle()
    tries: list[tuple[dict[str, object], int, str]] = [
        ({"about": "revenge"}, 422, "unknown_subject_of_a_dispute"),
        ({"about": "quality", "side": "home"}, 409, "not_yours"),
        ({"about": "quality", "text": ""}, 400, "malformed"),
        ({"about": "quality", "text": "x" * 4001}, 400, "malformed"),
        ({"about": "quality", "text": "a\x00b"}, 400, "malformed"),
        ({}, 400, "malformed"),
    ]
    for body, status, code in tries:
        refused = await two.south.post("coordinator", f"/pledges/{at_giver}/disputes", body)
        assert (refused.status, refused.code) == (status, code), refused.text
    dispute = await opened(two.south, at_giver, "money")
    odd = await two.south.post("coordinator", f"/disputes/{dispute}/resolve", {"how": "with fists"})
    assert (odd.status, odd.code) == (422, "unknown_way_to_resolve_a_dispute")
    assert (await two.south.get("coordinator", f"/disputes/{'f' * 32}")).status == 404
    assert (await two.south.get("coordinator", "/disputes?state=odd")).status == 400
    assert (await two.south.get("coordinator", "/disputes?cursor=odd")).status == 400


async def test_each_subject_is_open_once_and_fifty_hands_open_one(two: Two) -> None:
    _, at_home = await two.firm()
    path = f"/pledges/{at_home}/disputes"
    for about in ABOUT:
        answers = await asyncio.gather(*(two.north.post("coordinator", path, {"about": about}) for _ in range(50)))
        assert sorted(answer.status for answer in answers) == [201] + [409] * 49
        assert {answer.code for answer in answers} == {"", "already_open"}
    items = (await two.north.get("coordinator", f"/disputes?pledge={at_home}")).body["items"]
    assert sorted(one["about"] for one in items) == sorted(ABOUT)
    first = items[0]["id"]
    ends = await asyncio.gather(
        *(two.north.post("coordinator", f"/disputes/{first}/resolve", {"how": "left"}) for _ in range(50))
    )
    assert sorted(answer.status for answer in ends) == [200] + [409] * 49
    key = {"Idempotency_Key": "once"}
    path = f"/disputes/{items[1]['id']}/add"
    texts = [await two.north.post("coordinator", path, {"text": "wet"}, **key) for _ in range(2)]
    assert texts[0].body == texts[1].body and texts[1].headers["Idempotent-Replay"] == "true"
    shown = (await two.north.get("coordinator", f"/disputes/{items[1]['id']}")).body
    assert len(shown["statements"]) == 1
    await two.settle()
    told = (await two.south.get("coordinator", "/disputes")).body["items"]
    assert sorted(one["about"] for one in told) == sorted(set(ABOUT) - {"conduct"})
    await check_all_agree(two.mesh)


async def test_live_pages_are_told_of_the_pledge_and_of_somebodys_conduct_nothing(two: Two) -> None:
    _, at_home = await two.firm()
    north = two.north
    async with following(north.session, north.url, north.tokens["member"]) as page:
        ready = await page.next()
        assert ready is not None and ready.event == "ready"
        dispute = await opened(north, at_home, "conduct", text=SECRET)
        assert (await north.post("coordinator", f"/disputes/{dispute}/resolve", {"how": "left"})).status == 200
        await opened(north, at_home, "quality")
        (told,) = await page.changes(1)
        shown = (await north.get("member", f"/pledges/{at_home}")).body
    assert (told["kind"], told["id"], told["version"]) == ("pledge", at_home, shown["version"])
    assert shown["disputes"] == 1
