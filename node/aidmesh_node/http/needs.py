"""Requests about needs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import needs
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.domain.need_closing import Closing
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from aidmesh_node.http import answers
from aidmesh_node.http.bodies import (
    Audience,
    Body,
    Closed,
    Empty,
    NeedPosted,
    NeedShared,
    as_consent,
    moment,
)
from aidmesh_node.http.call import Call
from aidmesh_node.http.need_care import acknowledged_advice
from aidmesh_node.http.operation import operation
from aidmesh_node.http.private import check_item, private_fields, reveal
from aidmesh_node.http.problems import Problem, not_found
from aidmesh_node.views import needs as views
from aidmesh_node.views.pages import PAGE_ITEMS_MAX

POSTED = Body(NeedPosted)
SHARED = Body(NeedShared)
AUDIENCE = Body(Audience, optional=True)
EMPTY = Body(Empty, optional=True)
CLOSED = Body(Closed)

CANNOT_BE_MEANT = (
    "bad_area bad_item bad_language bad_quantity bad_window unknown_category unknown_item unknown_unit unknown_urgency"
)
"""What nobody can mean by a need, as codes."""


class Listing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a list may be narrowed to."""

    state: Literal["open", "closed"] | None = None
    ours: bool | None = None
    untouched: bool = False
    """Only our open ones whose next action is due, the longest overdue first."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


@operation(answers.Changed, status=201, takes=POSTED, refuses={422: f"{CANNOT_BE_MEANT} emergency_advice"})
async def post_need(call: Call) -> web.Response:
    """Post a need.

    What `for` and `note` say stays with this group, encrypted. `item` and `area` may later be shown to other groups: no
    personal details there. A member takes an item the group knows; a coordinator may name any.
    """
    body = POSTED.read(call.body)
    await check_item(call, body.item)
    advice = acknowledged_advice(call, body.urgency, body.emergency_advice_acknowledged)
    act_id, need_id, person = call.new_ids(3)
    by = call.act(act_id, person if body.on_behalf else None)
    post = PostNeed(
        category=body.category,
        quantity=Quantity.parse(body.quantity, body.unit),
        item=body.item,
        urgency=body.urgency,
        window=Window(moment(body.from_, "$.from"), moment(body.until, "$.until")),
        area=body.area,
        language=body.language,
        private=private_fields(body.for_, body.note),
        advice=advice,
    )
    return await call.commit(lambda work: needs.post_need(work, by, need_id, person, post), 201)


@operation(answers.NeedPage, asks=Listing, refuses={422: "only_ours_wait"})
async def list_needs(call: Call) -> web.Response:
    """List needs, emergencies and then the newest first.

    Ours, and those that peers show us. `untouched`: our own that wait for somebody, the longest overdue first.
    """
    wanted = call.query(Listing)
    if wanted.untouched:
        if wanted.state == "closed" or wanted.ours is False:
            raise Problem(
                422,
                "only_ours_wait",
                "Only our own open needs wait for us.",
                "Leave out `state` and `ours`, or `untouched`.",
            )
        now = call.node.clock.now()
        return call.listed(await call.page(views.untouched_page, now, limit=wanted.limit, cursor=wanted.cursor))
    return call.listed(
        await call.page(views.list_page, state=wanted.state, ours=wanted.ours, limit=wanted.limit, cursor=wanted.cursor)
    )


@operation(answers.NeedShown)
async def show_need(call: Call) -> web.Response:
    """Show one need.

    `person` and `note` are there for coordinators, and for whoever posted it.
    """
    found = await call.reads.find(call.name("id"), "need")
    need = await call.node.views.query(views.get, found.id)
    if need is None:
        raise not_found()
    who = await call.node.views.query(views.who, found.id)
    if who is not None:
        need |= await reveal(call, who, found.id)
    return call.thing({"schema_version": 1, **need})


@operation(
    answers.SharedNow,
    takes=SHARED,
    refuses={
        409: "already_shared ambiguous_circle erased need_closed",
        422: "bad_language circle_and_peer consent_too_narrow no_circle no_consent unknown_way_of_giving_consent",
    },
)
async def share_need(call: Call) -> web.Response:
    """Share a need with a peer group.

    With the consent of the person it is for. `leaves` is exactly what the other group will read.
    """
    body = SHARED.read(call.body)
    need_id, circle, by = await _need(call), await call.reads.circle(body), call.act()
    consent = as_consent(body.consent)
    return await call.commit(lambda work: needs.share_need(work, by, need_id, circle, consent))


@operation(
    answers.Changed, takes=AUDIENCE, refuses={409: "ambiguous_circle not_shared", 422: "circle_and_peer no_circle"}
)
async def unshare_need(call: Call) -> web.Response:
    """Take a share back.

    It is gone from the peer's board as soon as they hear it; `shared_with` tells when they acknowledged.
    """
    body = AUDIENCE.read(call.body)
    need_id, circle, by = await _need(call), await call.reads.circle(body, ended=True), call.act()
    return await call.commit(lambda work: needs.unshare_need(work, by, need_id, circle))


@operation(answers.Changed, takes=EMPTY, refuses={409: "need_closed"})
async def withdraw_need(call: Call) -> web.Response:
    """Withdraw a need.

    The person no longer asks; open pledges are let go with thanks. Whoever posted it may, and coordinators.
    """
    EMPTY.read(call.body)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: needs.withdraw_need(work, by, need_id))


@operation(
    answers.Changed,
    takes=CLOSED,
    refuses={
        404: "not_found",
        409: "already_helped duplicate_of_a_duplicate need_closed not_tried_enough",
        422: "bad_to duplicate_of_itself duplicate_of_what no_consent no_referral_offered not_with_this_reason "
        "only_by_itself only_by_withdrawing referred_to_whom unknown_reason_to_close",
    },
)
async def close_need(call: Call) -> web.Response:
    """Close a need for a reason.

    A person closes it, never arithmetic. Open pledges are released or declined.
    """
    body = CLOSED.read(call.body)
    need_id, by = await _need(call), call.act()
    said = Closing(
        of=None if body.of is None else await call.reads.own_id(body.of, "need"),
        to=body.to,
        consent=None if body.consent is None else as_consent(body.consent),
        referral_offered=body.referral_offered,
    )
    return await call.commit(lambda work: needs.close_need(work, by, need_id, body.reason, said))


async def _need(call: Call) -> UUID:
    return await call.own_id("need")
