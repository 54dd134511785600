"""Requests about offers that are there for a while: confirmed, extended, closed, reopened."""

from __future__ import annotations

from aiohttp import web

from aidmesh_node.application import offers
from aidmesh_node.http import answers, offer_bodies
from aidmesh_node.http.bodies import Body, Empty, moment
from aidmesh_node.http.call import Call
from aidmesh_node.http.operation import operation

EMPTY = Body(Empty, optional=True)
EXTENDED = Body(offer_bodies.OfferExtended)
REOPENED = Body(offer_bodies.OfferReopened, optional=True)
CLOSED = Body(offer_bodies.OfferClosed)


@operation(answers.Changed, takes=EMPTY, refuses={409: "offer_closed"})
async def confirm_offer(call: Call) -> web.Response:
    """Say that an offer is still there.

    A node asks for that after 30 days, food after 3. Nothing ends because nobody answers.
    """
    EMPTY.read(call.body)
    offer_id, by = await call.own_id("offer"), call.act()
    return await call.commit(lambda work: offers.confirm_offer(work, by, offer_id))


@operation(
    answers.Changed, takes=EXTENDED, refuses={409: "never_ends offer_closed", 422: "bad_window not_later too_far_away"}
)
async def extend_offer(call: Call) -> web.Response:
    """Extend an offer: it is there until later.

    Groups it is shared with see the new date.
    """
    until = moment(EXTENDED.read(call.body).until, "$.until")
    assert until is not None  # a required field
    offer_id, by = await call.own_id("offer"), call.act()
    return await call.commit(lambda work: offers.extend_offer(work, by, offer_id, until))


@operation(
    answers.Changed,
    takes=REOPENED,
    refuses={409: "closed_long_ago not_closed nothing_left", 422: "bad_window not_later too_far_away"},
)
async def reopen_offer(call: Call) -> web.Response:
    """Reopen an offer.

    Within 30 days after it was closed. It is shared with nobody until it is shared again.
    """
    until = moment(REOPENED.read(call.body).until, "$.until")
    offer_id, by = await call.own_id("offer"), call.act()
    return await call.commit(lambda work: offers.reopen_offer(work, by, offer_id, until))


@operation(answers.Changed, takes=CLOSED, refuses={409: "not_exhausted offer_closed", 422: "unknown_reason_to_close"})
async def close_offer(call: Call) -> web.Response:
    """Close an offer.

    Of which nothing is left, or that another takes the place of. What was firmly promised still stands.
    """
    reason = CLOSED.read(call.body).reason
    offer_id, by = await call.own_id("offer"), call.act()
    return await call.commit(lambda work: offers.close_offer(work, by, offer_id, reason))
