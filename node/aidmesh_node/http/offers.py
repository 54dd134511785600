"""Requests about offers."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from aidmesh_node.application import offers
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.units import unit_code
from aidmesh_node.domain.window import Window
from aidmesh_node.http.bodies import Audience, Body, Empty, OfferPosted, moment
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.needs import Listing
from aidmesh_node.http.private import check_item, private_fields, reveal
from aidmesh_node.http.problems import not_found
from aidmesh_node.views import offers as views

POSTED = Body(OfferPosted)
AUDIENCE = Body(Audience, optional=True)
EMPTY = Body(Empty, optional=True)


async def post_offer(call: Call) -> web.Response:
    body = POSTED.read(call.body)
    await check_item(call, body.item)
    act_id, offer_id, person = call.new_ids(3)
    by = call.act(act_id)
    post = PostOffer(
        category=body.category,
        quantity=None if body.quantity is None else Quantity.parse(body.quantity, body.unit),
        unit=unit_code(body.unit),
        item=body.item,
        window=Window(moment(body.from_, "$.from"), moment(body.until, "$.until")),
        area=body.area,
        mode=body.mode,
        private=private_fields(body.for_, body.note),
    )
    return await call.commit(lambda work: offers.post_offer(work, by, offer_id, person, post), 201)


async def list_offers(call: Call) -> web.Response:
    wanted = call.query(Listing)
    return json_answer(
        await call.page(views.list_page, state=wanted.state, ours=wanted.ours, limit=wanted.limit, cursor=wanted.cursor)
    )


async def show_offer(call: Call) -> web.Response:
    found = await call.reads.find(call.name("id"), "offer")
    offer = await call.node.views.query(views.get, found.id)
    if offer is None:
        raise not_found()
    who = await call.node.views.query(views.who, found.id)
    if who is not None:
        offer |= await reveal(call, who, found.id)
    return json_answer({"schema_version": 1, **offer})


async def share_offer(call: Call) -> web.Response:
    body = AUDIENCE.read(call.body)
    offer_id, circle, by = await own_offer(call), await call.reads.circle(body), call.act()
    return await call.commit(lambda work: offers.share_offer(work, by, offer_id, circle))


async def unshare_offer(call: Call) -> web.Response:
    body = AUDIENCE.read(call.body)
    offer_id, circle, by = await own_offer(call), await call.reads.circle(body, ended=True), call.act()
    return await call.commit(lambda work: offers.unshare_offer(work, by, offer_id, circle))


async def withdraw_offer(call: Call) -> web.Response:
    EMPTY.read(call.body)
    offer_id, by = await own_offer(call), call.act()
    return await call.commit(lambda work: offers.withdraw_offer(work, by, offer_id))


async def own_offer(call: Call) -> UUID:
    """The offer the path names, one of ours. Raises Problem 404, or 409 when the name is ambiguous."""
    return await call.reads.own_id(call.name("id"), "offer")
