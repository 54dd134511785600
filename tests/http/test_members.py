"""Coming in and going out: invitations are for one person and once, and a revoked token is dead at once."""

from __future__ import annotations

import asyncio

from .conftest import BLANKETS, Group


async def test_an_invitation_lets_one_person_in_once(group: Group) -> None:
    invited = await group.post("operator", "/members", {"name": "Bo", "role": "member", "contact": "tent 4"})
    secret = {"invitation": invited.body["invitation"]}
    answers = await asyncio.gather(*(group.post(None, "/join", secret) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    (joined,) = (answer for answer in answers if answer.status == 201)
    assert (joined.body["role"], joined.body["member"]) == ("member", invited.id)
    assert (await group.post(joined.body["token"], "/needs", BLANKETS)).status == 201


async def test_no_wrong_secret_says_more_than_another(group: Group) -> None:
    invited = (await group.post("operator", "/members", {"name": "Bo", "role": "member"})).body["invitation"]
    tokens = [
        invited[:-1],
        invited + "a",
        invited[:-1] + ("a" if invited[-1] != "a" else "b"),
        "x",
        group.tokens["member"],
    ]
    answers = [await group.post(None, "/join", {"invitation": text}) for text in tokens]
    assert {(answer.status, answer.text) for answer in answers} == {(422, answers[0].text)}
    assert (await group.post(None, "/join", {"invitation": f"  {invited}\t"})).status == 400
    assert (await group.post(None, "/join", {"invitation": invited + " "})).status == 201


async def test_a_revoked_member_is_out_at_once(group: Group) -> None:
    for _ in range(5):
        token = await group.joins("brief", "member")
        assert (await group.get("brief", "/status")).status == 200
        assert (await group.post("operator", f"/members/{group.members['brief']}/revoke")).status == 200
        assert (await group.post(token, "/needs", BLANKETS)).status == 401
    assert (await group.get("operator", "/needs")).body["items"] == []


async def test_an_invitation_that_was_taken_back_opens_nothing(group: Group) -> None:
    invited = await group.post("operator", "/members", {"name": "Bo", "role": "member"})
    assert (await group.post("operator", f"/members/{invited.id}/revoke")).status == 200
    late = await group.post(None, "/join", {"invitation": invited.body["invitation"]})
    assert (late.status, late.code) == (409, "revoked")


async def test_a_new_role_counts_from_the_next_request_on(group: Group) -> None:
    member = group.members["member"]
    assert (await group.get("member", "/suggestions")).status == 403
    assert (await group.post("operator", f"/members/{member}/role", {"role": "coordinator"})).status == 200
    assert (await group.get("member", "/suggestions")).status == 200
    assert (await group.post("operator", f"/members/{member}/role", {"role": "member"})).status == 200
    assert (await group.get("member", "/suggestions")).status == 403


async def test_the_last_operator_stays_even_when_two_leave_at_once(group: Group) -> None:
    await group.joins("second", "operator")
    (first,) = (
        member["id"]
        for member in (await group.get("operator", "/members")).body["items"]
        if member["role"] == "operator" and member["id"] != group.members["second"]
    )
    answers = await asyncio.gather(
        group.post("operator", f"/members/{group.members['second']}/revoke"),
        group.post("second", f"/members/{first}/revoke"),
    )
    assert sorted(answer.status for answer in answers) in ([200, 401], [200, 409])
    left = "operator" if (await group.get("operator", "/status")).status == 200 else "second"
    alone = await group.post(left, f"/members/{first if left == 'operator' else group.members['second']}/revoke")
    assert (alone.status, alone.code) == (409, "last_operator")


async def test_names_of_members_are_for_coordinators_and_oneself(group: Group) -> None:
    def names(body: dict[str, object]) -> set[object]:
        items = body["items"]
        assert isinstance(items, list)
        return {member["name"] for member in items}

    assert names((await group.get("coordinator", "/members")).body) >= {"Coordinator", "Member", "Other"}
    assert names((await group.get("member", "/members")).body) == {"Member", None}
