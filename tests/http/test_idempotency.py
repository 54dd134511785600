"""`Idempotency-Key`: a request that is repeated happens once, and its answer is the first one again."""

from __future__ import annotations

import asyncio

import pytest

from aidmesh_node.application.commit import Once
from aidmesh_node.http.idempotency import Repeats

from .conftest import BLANKETS, Group


async def count(group: Group, what: str = "needs") -> int:
    return len((await group.get("operator", f"/{what}")).body["items"])


async def test_the_same_key_and_body_gives_the_first_answer_again(group: Group) -> None:
    first = await group.post("member", "/needs", BLANKETS, Idempotency_Key="ana-1")
    again = await group.post("member", "/needs", BLANKETS, Idempotency_Key="ana-1")
    assert (first.status, first.headers.get("Idempotent-Replay")) == (201, None)
    assert (again.status, again.headers["Idempotent-Replay"]) == (201, "true")
    assert again.body == first.body and await count(group) == 1


async def test_the_same_key_with_another_body_or_address_is_refused(group: Group) -> None:
    first = await group.post("member", "/needs", BLANKETS, Idempotency_Key="ana-1")
    for path, body in (
        ("/needs", {**BLANKETS, "quantity": "7"}),
        ("/offers", BLANKETS),
        (f"/needs/{first.id}/withdraw", {}),
    ):
        other = await group.post("member", path, body, Idempotency_Key="ana-1")
        assert (other.status, other.code) == (422, "idempotency_key_reused"), path
    assert await count(group) == 1 and await count(group, "offers") == 0


async def test_keys_of_two_members_do_not_meet(group: Group) -> None:
    mine = await group.post("member", "/needs", BLANKETS, Idempotency_Key="1")
    theirs = await group.post("other", "/needs", BLANKETS, Idempotency_Key="1")
    assert mine.id != theirs.id and await count(group) == 2


async def test_fifty_identical_requests_at_once_have_one_effect(group: Group) -> None:
    answers = await asyncio.gather(
        *(group.post("member", "/needs", BLANKETS, Idempotency_Key="storm") for _ in range(50))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotent-Replay" not in answer.headers for answer in answers) == 1
    assert await count(group) == 1


async def test_a_refusal_is_not_kept(group: Group) -> None:
    wrong = {**BLANKETS, "quantity": "0"}
    for _ in range(2):
        refused = await group.post("member", "/needs", wrong, Idempotency_Key="k")
        assert refused.code == "bad_quantity"
    assert (await group.post("member", "/needs", BLANKETS, Idempotency_Key="k")).status == 201


async def test_an_invitation_lost_on_the_way_can_be_asked_for_again(group: Group) -> None:
    invited = await group.post("operator", "/members", {"name": "Bo", "role": "member"}, Idempotency_Key="i")
    again = await group.post("operator", "/members", {"name": "Bo", "role": "member"}, Idempotency_Key="i")
    secret = {"invitation": invited.body["invitation"]}
    assert again.body == invited.body
    joined = await group.post(None, "/join", secret, Idempotency_Key="j")
    repeated = await group.post(None, "/join", secret, Idempotency_Key="j")
    assert joined.status == repeated.status == 201 and repeated.body == joined.body
    assert (await group.get(joined.body["token"], "/status")).status == 200
    stranger = await group.post(None, "/join", {"invitation": "amesh-invite_" + "a" * 32}, Idempotency_Key="j")
    assert stranger.code == "bad_invitation"


async def test_requests_that_are_no_single_commit_are_repeatable_too(group: Group) -> None:
    answers = await asyncio.gather(
        *(group.post("operator", "/peers/invitations", {}, Idempotency_Key="p") for _ in range(9))
    )
    assert len({answer.body["invitation"] for answer in answers}) == 1
    other = await group.post("operator", "/peers/invitations", {"expires_hours": 1}, Idempotency_Key="p")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    bad = {"invitation": "aidmesh:nonsense"}
    for _ in range(2):
        assert (await group.post("operator", "/peers", bad, Idempotency_Key="q")).code == "bad_invitation"


async def test_a_failure_is_not_kept_when_whoever_asked_first_has_hung_up() -> None:
    repeats, promise, fails = Repeats(), Once("alice", "k", b"same request"), asyncio.Event()

    async def unlucky() -> dict[str, object]:
        await fails.wait()
        raise ConnectionError("the other group is not there")

    async def lucky() -> dict[str, object]:
        return {"circle": "1"}

    first = asyncio.ensure_future(repeats.run(promise, unlucky))
    second = asyncio.ensure_future(repeats.run(promise, lucky))
    await asyncio.sleep(0)
    first.cancel()
    fails.set()
    with pytest.raises(ConnectionError):
        await second
    assert await repeats.run(promise, lucky) == ({"circle": "1"}, False)


@pytest.mark.parametrize("key", ["", "x" * 129, "ümlaut", "tab\there", "two words"])
async def test_a_key_that_is_none_is_refused_before_anything_happens(group: Group, key: str) -> None:
    refused = await group.post("member", "/needs", BLANKETS, Idempotency_Key=key)
    assert (refused.status, refused.code) == (400, "malformed")
    assert await count(group) == 0
