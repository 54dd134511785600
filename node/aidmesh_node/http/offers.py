"""Requests about offers."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from aidmesh_node.application import offers
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.units import unit_code
from aidmesh_node.domain.window import Window
from aidmesh_node.http import answers
from aidmesh_node.http.bodies import Audience, Body, Empty, OfferPosted, moment
from aidmesh_node.http.call import Call
from aidmesh_node.http.needs import Listing
from aidmesh_node.http.operation import operation
from aidmesh_node.http.private import check_item, private_fields, reveal
from aidmesh_node.http.problems import not_found
from aidmesh_node.views import offers as views

POSTED = Body(OfferPosted)
AUDIENCE = Body(Audience, optional=True)
EMPTY = Body(Empty, optional=True)


@operation(
    answers.Changed,
    status=201,
    takes=POSTED,
    refuses={422: "bad_area bad_item bad_quantity bad_window unknown_category unknown_item unknown_mode unknown_unit"},
)
async def post_offer(call: Call) -> web.Response:
    """Post an offer.

    `quantity` null: as much as anyone needs. Who gives and how to reach them stays with this group, encrypted.
    """
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


@operation(answers.OfferPage, asks=Listing)
async def list_offers(call: Call) -> web.Response:
    """List offers, newest first.

    Ours, and those that peers show us.
    """
    wanted = call.query(Listing)
    return call.listed(
        await call.page(views.list_page, state=wanted.state, ours=wanted.ours, limit=wanted.limit, cursor=wanted.cursor)
    )


@operation(answers.OfferShown)
async def show_offer(call: Call) -> web.Response:
    """Show one offer.

    `person` and `note` are there for coordinators, and for whoever posted it.
    """
    found = await call.reads.find(call.name("id"), "offer")
    offer = await call.node.views.query(views.get, found.id)
    if offer is None:
        raise not_found()
    who = await call.node.views.query(views.who, found.id)
    if who is not None:
        offer |= await reveal(call, who, found.id)
    return call.thing({"schema_version": 1, **offer})


@operation(
    answers.SharedNow,
    takes=AUDIENCE,
    refuses={409: "already_shared ambiguous_circle erased offer_closed", 422: "circle_and_peer no_circle"},
)
async def share_offer(call: Call) -> web.Response:
    """Share an offer with a peer group.

    `leaves` is exactly what the other group will read.
    """
    body = AUDIENCE.read(call.body)
    offer_id, circle, by = await _offer(call), await call.reads.circle(body), call.act()
    return await call.commit(lambda work: offers.share_offer(work, by, offer_id, circle))


@operation(
    answers.Changed, takes=AUDIENCE, refuses={409: "ambiguous_circle not_shared", 422: "circle_and_peer no_circle"}
)
async def unshare_offer(call: Call) -> web.Response:
    """Take a share back.

    It is gone from the peer's board as soon as they hear it; `shared_with` tells when they acknowledged.
    """
    body = AUDIENCE.read(call.body)
    offer_id, circle, by = await _offer(call), await call.reads.circle(body, ended=True), call.act()
    return await call.commit(lambda work: offers.unshare_offer(work, by, offer_id, circle))


@operation(answers.Changed, takes=EMPTY, refuses={409: "offer_closed"})
async def withdraw_offer(call: Call) -> web.Response:
    """Withdraw an offer.

    What was only promised is withdrawn; what was firmly promised still stands.
    """
    EMPTY.read(call.body)
    offer_id, by = await _offer(call), call.act()
    return await call.commit(lambda work: offers.withdraw_offer(work, by, offer_id))


async def _offer(call: Call) -> UUID:
    return await call.own_id("offer")
