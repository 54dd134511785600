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
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.need_care import acknowledged_advice
from aidmesh_node.http.private import check_item, private_fields, reveal
from aidmesh_node.http.problems import bad_field, not_found
from aidmesh_node.views import needs as views
from aidmesh_node.views.pages import PAGE_ITEMS_MAX

POSTED = Body(NeedPosted)
SHARED = Body(NeedShared)
AUDIENCE = Body(Audience, optional=True)
EMPTY = Body(Empty, optional=True)
CLOSED = Body(Closed)


class Listing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a list may be narrowed to."""

    state: Literal["open", "closed"] | None = None
    ours: bool | None = None
    untouched: bool = False
    """Only our open ones whose next action is due, the longest overdue first."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def post_need(call: Call) -> web.Response:
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


async def list_needs(call: Call) -> web.Response:
    wanted = call.query(Listing)
    if wanted.untouched:
        if wanted.state == "closed" or wanted.ours is False:
            raise bad_field("$.untouched", "Only our own open needs wait for us")
        now = call.node.clock.now()
        return json_answer(await call.page(views.untouched_page, now, limit=wanted.limit, cursor=wanted.cursor))
    return json_answer(
        await call.page(views.list_page, state=wanted.state, ours=wanted.ours, limit=wanted.limit, cursor=wanted.cursor)
    )


async def show_need(call: Call) -> web.Response:
    found = await call.reads.find(call.name("id"), "need")
    need = await call.node.views.query(views.get, found.id)
    if need is None:
        raise not_found()
    who = await call.node.views.query(views.who, found.id)
    if who is not None:
        need |= await reveal(call, who, found.id)
    return json_answer({"schema_version": 1, **need})


async def share_need(call: Call) -> web.Response:
    body = SHARED.read(call.body)
    need_id, circle, by = await _need(call), await call.reads.circle(body), call.act()
    consent = as_consent(body.consent)
    return await call.commit(lambda work: needs.share_need(work, by, need_id, circle, consent))


async def unshare_need(call: Call) -> web.Response:
    body = AUDIENCE.read(call.body)
    need_id, circle, by = await _need(call), await call.reads.circle(body, ended=True), call.act()
    return await call.commit(lambda work: needs.unshare_need(work, by, need_id, circle))


async def withdraw_need(call: Call) -> web.Response:
    EMPTY.read(call.body)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: needs.withdraw_need(work, by, need_id))


async def close_need(call: Call) -> web.Response:
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
    return await call.reads.own_id(call.name("id"), "need")
