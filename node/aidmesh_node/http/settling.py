"""Requests about what comes after a hand-over: asked, presumed, set right, left at that."""

from __future__ import annotations

from aiohttp import web

from aidmesh_node.application import settling
from aidmesh_node.domain.quantity import parse_amount
from aidmesh_node.http import bodies
from aidmesh_node.http.bodies import Body
from aidmesh_node.http.call import Call
from aidmesh_node.http.pledges import own_pledge

ASKED = Body(bodies.ReceiptAsked, optional=True)
CORRECTED = Body(bodies.Corrected)
EMPTY = Body(bodies.Empty, optional=True)


async def ask_receipt(call: Call) -> web.Response:
    how = ASKED.read(call.body).how
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: settling.ask_receipt(work, by, pledge_id, how))


async def presume_receipt(call: Call) -> web.Response:
    EMPTY.read(call.body)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: settling.presume_receipt(work, by, pledge_id))


async def correct_pledge(call: Call) -> web.Response:
    body = CORRECTED.read(call.body)
    amount = parse_amount(body.quantity, zero=True)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: settling.correct(work, by, pledge_id, amount, body.side))


async def leave_discrepancy(call: Call) -> web.Response:
    EMPTY.read(call.body)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: settling.leave_discrepancy(work, by, pledge_id))
