"""Requests about members. Secrets are made here and shown once; inward go only their hashes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from aiohttp import web

from aidmesh_node.application import members
from aidmesh_node.application.commit import Job
from aidmesh_node.application.members import MEMBER_RECORD
from aidmesh_node.application.ports import Erased, VaultReads
from aidmesh_node.domain.act import Act
from aidmesh_node.http import answers_node as answers
from aidmesh_node.http.auth import (
    INVITATION_PREFIX,
    SECRET_CHARS,
    Role,
    new_invitation,
    new_token,
    secret_hash,
)
from aidmesh_node.http.bodies import Body, Empty, Joined, MemberInvited, RoleChanged
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import Problem, not_found
from aidmesh_node.views import members as views
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_node.views.times import time_text

INVITED = Body(MemberInvited)
ROLE = Body(RoleChanged)
JOINED = Body(Joined)
EMPTY = Body(Empty, optional=True)

INVITATION_DAYS = 7
"""Long enough to meet, short enough that a lost slip of paper stops being a door."""


@operation(answers.MemberInvitation, status=201, takes=INVITED, refuses={422: "unknown_role"})
async def invite_member(call: Call) -> web.Response:
    """Invite somebody.

    Coordinators invite members; only operators give more. The invitation is shown once, and ends after seven days.
    """
    body, node = INVITED.read(call.body), call.node
    member_id, person, by = node.entropy.uuid(), node.entropy.uuid(), call.act()
    invitation, hashed = new_invitation(node.entropy)
    expires = by.at + timedelta(days=INVITATION_DAYS)
    private = {"name": body.name} | ({} if body.contact is None else {"contact": body.contact})
    shown = {"invitation": invitation, "expires": time_text(expires)}
    return await call.commit(
        lambda work: {
            **members.invite_member(work, by, member_id, person, body.role, private, hashed, expires),
            **shown,
        },
        201,
    )


@operation(
    answers.MemberJoined,
    status=201,
    takes=JOINED,
    refuses={409: "already_joined expired revoked", 422: "bad_invitation bad_secret"},
)
async def join(call: Call) -> web.Response:
    """Join by an invitation.

    No token is needed: who holds the secret is the member. The token in the answer is shown once.
    """
    text = JOINED.read(call.body).invitation.strip()
    hashed = secret_hash(text)
    whole = text.startswith(INVITATION_PREFIX) and len(text) == len(INVITATION_PREFIX) + SECRET_CHARS
    member_id = await call.reads.invited(hashed) if whole else None
    if member_id is None:
        raise Problem(
            422,
            "bad_invitation",
            "This is not an invitation to this group.",
            "Copy the whole of it, or ask for a new one.",
        )
    node = call.node
    token, token_hash = new_token(node.entropy)
    by = Act(node.entropy.uuid(), node.clock.now(), member_id, "member")
    await node.clock_trust.look()
    timed = node.clock_trust.trusted
    return await _change(
        call, lambda work: {**members.join(work, by, member_id, hashed, token_hash, timed=timed), "token": token}, 201
    )


@operation(answers.MemberChanged, takes=ROLE, refuses={409: "last_operator revoked", 422: "unknown_role"})
async def change_role(call: Call) -> web.Response:
    """Change a member's role.

    One operator must stay.
    """
    body = ROLE.read(call.body)
    member_id, by = await _member(call), call.act()
    async with call.door.changing:
        await _still_operator(call)
        operators = await _operators(call)
        return await _change(call, lambda work: members.change_role(work, by, member_id, body.role, operators))


@operation(answers.MemberChanged, takes=EMPTY, refuses={409: "last_operator revoked"})
async def revoke_member(call: Call) -> web.Response:
    """Take a member's way in back.

    Their token, or their unused invitation, opens nothing from now on. One operator must stay.
    """
    EMPTY.read(call.body)
    member_id, by = await _member(call), call.act()
    async with call.door.changing:
        await _still_operator(call)
        operators = await _operators(call)
        return await _change(call, lambda work: members.revoke_member(work, by, member_id, operators))


@operation(answers.Members)
async def list_members(call: Call) -> web.Response:
    """List members.

    Everybody sees who has which role; names are for coordinators, and one's own.
    """
    listed = await call.node.views.query(views.list_all)
    items = await _named(call, listed)
    return json_answer({"schema_version": SCHEMA_VERSION, "items": items, "position": call.node.views.position})


@operation(answers.MemberShown)
async def show_member(call: Call) -> web.Response:
    """Show one member.

    The name is for coordinators, and one's own.
    """
    found = await call.reads.find(call.name("id"), "member")
    member = await call.node.views.query(views.get, found.id)
    if member is None:
        raise not_found()
    (shown,) = await _named(call, [member])
    return call.thing({"schema_version": SCHEMA_VERSION, **shown})


async def _named(call: Call, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Members with the names the caller may see, else null."""
    persons = await call.node.views.query(views.persons)
    own = call.caller.actor.hex if call.caller.actor is not None else None
    shown = [member["id"] for member in listed if call.coordinating or member["id"] == own]
    visible = {id: UUID(person) for id in shown if (person := persons.get(id))}
    names = await call.node.readers.run(
        lambda reading: {id: _name(reading.vault, person) for id, person in visible.items()}
    )
    return [{**member, "name": names.get(member["id"])} for member in listed]


async def _change(call: Call, job: Job, status: int = 200) -> web.Response:
    """Commit what changes who may come in; from here on no token is believed from before."""
    if call.dry_run:
        return await call.commit(job, status)
    try:
        reply = await call.node.commit(call.guarded(job), call.once)
    except BaseException:
        # The commit may have happened although nobody waits for its answer any more.
        call.door.distrust()
        raise
    call.door.forget(_position(reply.body))
    return call.told(reply.body, status, replayed=reply.replayed)


def _position(body: dict[str, object]) -> int:
    position = body["position"]
    assert isinstance(position, int)
    return position


async def _still_operator(call: Call) -> None:
    """Whoever waited for another change may have lost their role by it. Raises Problem 401 or 403."""
    await call.door.admit(call.request, Role.OPERATOR)


async def _operators(call: Call) -> int:
    """Active operators, every change so far seen: the last one must not slip away between two requests."""
    await call.reads.reached(call.door.floor)
    return await call.node.views.query(views.active_operators)


async def _member(call: Call) -> UUID:
    return await call.own_id("member")


def _name(vault: VaultReads, person: UUID) -> str | None:
    try:
        return vault.open(person, MEMBER_RECORD).get("name")
    except Erased:
        return None
