"""Requests about offers that are there for a while: confirmed, extended, closed, reopened."""

from __future__ import annotations

from aiohttp import web

from aidmesh_node.application import offers
from aidmesh_node.http import bodies
from aidmesh_node.http.bodies import Body, moment
from aidmesh_node.http.call import Call
from aidmesh_node.http.offers import own_offer

EMPTY = Body(bodies.Empty, optional=True)
EXTENDED = Body(bodies.Extended)
REOPENED = Body(bodies.Reopened, optional=True)
CLOSED = Body(bodies.Closed)


async def confirm_offer(call: Call) -> web.Response:
    EMPTY.read(call.body)
    offer_id, by = await own_offer(call), call.act()
    return await call.commit(lambda work: offers.confirm_offer(work, by, offer_id))


async def extend_offer(call: Call) -> web.Response:
    until = moment(EXTENDED.read(call.body).until, "$.until")
    assert until is not None  # the body has one
    offer_id, by = await own_offer(call), call.act()
    return await call.commit(lambda work: offers.extend_offer(work, by, offer_id, until))


async def reopen_offer(call: Call) -> web.Response:
    until = moment(REOPENED.read(call.body).until, "$.until")
    offer_id, by = await own_offer(call), call.act()
    return await call.commit(lambda work: offers.reopen_offer(work, by, offer_id, until))


async def close_offer(call: Call) -> web.Response:
    reason = CLOSED.read(call.body).reason
    offer_id, by = await own_offer(call), call.act()
    return await call.commit(lambda work: offers.close_offer(work, by, offer_id, reason))
