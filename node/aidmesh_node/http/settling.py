"""Requests about what comes after a hand-over: asked, presumed, set right, left at that."""

from __future__ import annotations

from aiohttp import web

from aidmesh_node.application import settling
from aidmesh_node.domain.quantity import parse_amount
from aidmesh_node.http import answers, settling_bodies
from aidmesh_node.http.bodies import Body, Empty
from aidmesh_node.http.call import Call
from aidmesh_node.http.operation import operation

ASKED = Body(settling_bodies.ReceiptAsked, optional=True)
CORRECTED = Body(settling_bodies.Corrected)
EMPTY = Body(Empty, optional=True)


@operation(
    answers.Asked,
    takes=ASKED,
    refuses={409: "just_asked not_yours nothing_in_transit", 422: "unknown_way_of_asking"},
)
async def ask_receipt(call: Call) -> web.Response:
    """Record that somebody was asked what arrived, as the need's home.

    In vain so far: who answers confirms it. An attempt every 12 hours counts; the other group does not hear of it.
    """
    how = ASKED.read(call.body).how
    pledge_id, by = await call.own_id("pledge"), call.act()
    return await call.commit(lambda work: settling.ask_receipt(work, by, pledge_id, how))


@operation(answers.PledgeChanged, takes=EMPTY, refuses={409: "ask_first not_yours nothing_in_transit too_early"})
async def presume_receipt(call: Call) -> web.Response:
    """Presume that what was handed over has arrived, as the need's home.

    A week after the hand-over, and after two attempts to ask. Whatever somebody confirms later replaces it.
    """
    EMPTY.read(call.body)
    pledge_id, by = await call.own_id("pledge"), call.act()
    return await call.commit(lambda work: settling.presume_receipt(work, by, pledge_id))


@operation(
    answers.PledgeChanged,
    takes=CORRECTED,
    refuses={
        409: "not_yours nothing_changed nothing_confirmed nothing_declared",
        422: "bad_quantity far_more_than_promised unknown_side_of_a_pledge which_side",
    },
)
async def correct_pledge(call: Call) -> web.Response:
    """Set right how much was handed over or received.

    So much, all in all, as our side sees it. Where both sides are ours, `side` says which figure is meant.
    """
    body = CORRECTED.read(call.body)
    amount = parse_amount(body.quantity, zero=True)
    pledge_id, by = await call.own_id("pledge"), call.act()
    return await call.commit(lambda work: settling.correct(work, by, pledge_id, amount, body.side))


@operation(answers.PledgeChanged, takes=EMPTY, refuses={409: "not_yours nothing_differs"})
async def leave_discrepancy(call: Call) -> web.Response:
    """Leave it at two figures that differ.

    Neither changes; the note about it ends for our side.
    """
    EMPTY.read(call.body)
    pledge_id, by = await call.own_id("pledge"), call.act()
    return await call.commit(lambda work: settling.leave_discrepancy(work, by, pledge_id))
