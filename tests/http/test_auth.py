"""Who a request comes from: tokens, what is remembered of them, and how soon that is forgotten."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from aidmesh_node.entropy import Entropy
from aidmesh_node.http.auth import Door, Role, TokenHolder, new_invitation, new_token, secret_hash
from aidmesh_node.http.problems import Problem

ANA = UUID(int=1)


class Members:
    """The members view of one group, written in memory; what lies behind `position` is not projected yet."""

    def __init__(self) -> None:
        self.holders: dict[bytes, TokenHolder] = {}
        self.position = self.durable = 0
        self.caught_up_event = asyncio.Event()
        self.reads = 0

    def joined(self, token: str, role: str, member: UUID = ANA) -> None:
        self.holders[secret_hash(token)] = TokenHolder(secret_hash(token), member, role)

    async def caught_up(self) -> None:
        await self.reached(self.durable)

    async def reached(self, position: int) -> None:
        while self.position < position:
            await self.caught_up_event.wait()

    async def holder(self, token_hash: bytes) -> TokenHolder | None:
        self.reads += 1
        return self.holders.get(token_hash)


def asking(*authorizations: str) -> web.Request:
    headers = CIMultiDict[str]()
    for value in authorizations:
        headers.add("Authorization", value)
    return make_mocked_request("GET", "/api/v1/status", headers=headers)


TOKEN = "amesh_" + "a" * 32


@pytest.fixture
async def members() -> Members:
    members = Members()
    members.joined(TOKEN, "coordinator")
    return members


async def refusal(door: Door, request: web.Request, role: Role = Role.MEMBER) -> Problem:
    with pytest.raises(Problem) as caught:
        await door.admit(request, role)
    return caught.value


def test_tokens_hold_160_bits_and_only_their_hash_is_kept() -> None:
    token, hashed = new_token(Entropy())
    invitation, invitation_hash = new_invitation(Entropy())
    assert token.startswith("amesh_") and len(token) == 38 and token[6:].isalnum()
    assert invitation.startswith("amesh-invite_") and len(invitation) == 45
    assert secret_hash(token) == hashed and secret_hash(invitation) == invitation_hash
    assert new_token(Entropy())[0] != token


async def test_a_member_is_known_by_the_token_and_the_view_is_asked_once(members: Members) -> None:
    door = Door(members)
    for scheme in ("Bearer", "Bearer", "bearer"):
        caller = await door.admit(asking(f"{scheme} {TOKEN}"), Role.MEMBER)
        assert (caller.actor, caller.role) == (ANA, "coordinator")
    assert members.reads == 2, "once for each way of writing it"


@pytest.mark.parametrize(
    "authorizations",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        (f"Basic {TOKEN}",),
        (TOKEN,),
        (f"Bearer {TOKEN[:-1]}",),
        (f"Bearer {TOKEN}a",),
        (f"Bearer  {TOKEN}",),
        (f"Bearer {TOKEN[:-1]}b",),
        (f"Bearer {TOKEN.upper()}",),
        ("Bearer amesh_" + "ä" * 32,),
        ("Bearer amesh-invite_" + "a" * 32,),
        ("Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IifQ.",),
        (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
    ],
)
async def test_everything_else_is_nobody_and_learns_nothing(members: Members, authorizations: tuple[str, ...]) -> None:
    problem = await refusal(Door(members), asking(*authorizations))
    assert (problem.status, problem.code, problem.headers) == (
        401,
        "unauthenticated",
        {"WWW-Authenticate": "Bearer"},
    )
    assert problem.detail == "This needs the token of a member of this group."


async def test_a_role_opens_what_lies_below_it_and_nothing_above(members: Members) -> None:
    door = Door(members)
    request = asking(f"Bearer {TOKEN}")
    assert (await door.admit(request, Role.COORDINATOR)).rank is Role.COORDINATOR
    problem = await refusal(door, request, Role.OPERATOR)
    assert (problem.status, problem.code) == (403, "not_allowed")


async def test_a_revoked_token_is_dead_at_once_although_the_view_is_behind(members: Members) -> None:
    door = Door(members)
    await door.admit(asking(f"Bearer {TOKEN}"), Role.MEMBER)
    door.forget(position=9)
    late = asyncio.create_task(refusal(door, asking(f"Bearer {TOKEN}")))
    await asyncio.sleep(0)
    assert not late.done()
    members.holders.clear()
    members.position = 9
    members.caught_up_event.set()
    assert (await late).status == 401


async def test_what_was_read_while_a_member_changed_is_read_again(members: Members) -> None:
    door = Door(members)
    reading = members.holder

    async def revoked_meanwhile(token_hash: bytes) -> TokenHolder | None:
        found = await reading(token_hash)
        if members.reads == 1:
            members.holders.clear()
            members.position = 5
            door.forget(position=5)
        return found

    members.holder = revoked_meanwhile  # type: ignore[method-assign]
    assert (await refusal(door, asking(f"Bearer {TOKEN}"))).status == 401
    assert (await refusal(door, asking(f"Bearer {TOKEN}"))).status == 401


async def test_at_start_nothing_is_believed_before_the_view_has_caught_up(members: Members) -> None:
    members.durable = 7
    door = Door(members)
    late = asyncio.create_task(refusal(door, asking(f"Bearer {TOKEN}")))
    await asyncio.sleep(0)
    assert not late.done()
    members.holders.clear()
    members.position = 7
    members.caught_up_event.set()
    assert (await late).status == 401
