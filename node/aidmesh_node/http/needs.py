"""Requests about needs."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import needs
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from aidmesh_node.http.bodies import (
    Audience,
    Body,
    Closed,
    Empty,
    NeedPosted,
    NeedShared,
    moment,
)
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.private import check_item, private_fields, reveal
from aidmesh_node.http.problems import not_found
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
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def post_need(call: Call) -> web.Response:
    body = POSTED.read(call.body)
    await check_item(call, body.item)
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
    )
    return await call.commit(lambda work: needs.post_need(work, by, need_id, person, post), 201)


async def list_needs(call: Call) -> web.Response:
    wanted = call.query(Listing)
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
    given = body.consent
    consent = Consent(given.given, given.text_version, given.language, given.person_knows)
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
    return await call.commit(lambda work: needs.close_need(work, by, need_id, body.reason))


async def _need(call: Call) -> UUID:
    return await call.reads.own_id(call.name("id"), "need")
