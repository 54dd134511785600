"""Requests about pledges: the giver's words, then those of the need's home."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import pledges
from aidmesh_node.application.pledges import OfferPledge, SharedNeed
from aidmesh_node.domain.quantity import parse_amount
from aidmesh_node.domain.window import Window
from aidmesh_node.http import answers, bodies
from aidmesh_node.http.bodies import Body, moment
from aidmesh_node.http.call import Call
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import Problem, not_found
from aidmesh_node.views import pledges as views
from aidmesh_node.views import shared_needs
from aidmesh_node.views.pages import PAGE_ITEMS_MAX

OFFERED = Body(bodies.PledgeOffered)
TERMS = Body(bodies.TermsProposed)
QUANTITY_MAYBE = Body(bodies.QuantityMaybe, optional=True)
HANDED_OVER = Body(bodies.HandedOver, optional=True)
RECEIVED = Body(bodies.Received, optional=True)
DECLINED = Body(bodies.Declined)
RELEASED = Body(bodies.Released)
EMPTY = Body(bodies.Empty, optional=True)

STATES = (
    "already_accepted already_committed already_countered already_released declined hand_over_first handed_over "
    "more_than_accepted more_than_offered not_accepted not_committed not_yours nothing_changed nothing_in_transit "
    "nothing_left released revised withdrawn"
)
"""What the state of a pledge may have against a step, as codes."""

Phase = Literal[
    "offered",
    "countered",
    "declined",
    "withdrawn",
    "accepted",
    "committed",
    "released",
    "handed_over",
    "partly_received",
    "presumed",
    "received",
]


class Listing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a list may be narrowed to."""

    role: Literal["giver", "home", "local"] | None = None
    phase: Phase | None = None
    need: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


@operation(
    answers.PledgeChanged,
    status=201,
    takes=OFFERED,
    refuses={
        403: "not_allowed",
        404: "not_found",
        409: "ambiguous_id need_closed not_enough_left not_ours offer_closed",
        422: "bad_quantity bad_window unit_differs unknown_way_of_handing_over",
    },
)
async def offer_pledge(call: Call) -> web.Response:
    """Pledge something particular towards a need.

    Ours, or one that a peer shows us. What it takes of `offer` is held for it from now on.
    """
    body = OFFERED.read(call.body)
    post = OfferPledge(
        need=await _need(call, body.need),
        amount=parse_amount(body.quantity),
        offer=None if body.offer is None else await call.reads.own_id(body.offer, "offer"),
        how=body.how,
        window=Window(moment(body.from_, "$.from"), moment(body.until, "$.until")),
    )
    act_id, pledge_id = call.new_ids(2)
    by = call.act(act_id)
    return await call.commit(lambda work: pledges.offer_pledge(work, by, pledge_id, post), 201)


@operation(answers.PledgePage, asks=Listing, refuses={404: "not_found", 409: "ambiguous_id"})
async def list_pledges(call: Call) -> web.Response:
    """List pledges, newest first.

    Those we give, and those towards our needs.
    """
    wanted = call.query(Listing)
    need = None if wanted.need is None else (await call.reads.find(wanted.need, "need")).id
    return call.listed(
        await call.page(
            views.list_page,
            role=wanted.role,
            phase=wanted.phase,
            need=need,
            limit=wanted.limit,
            cursor=wanted.cursor,
        )
    )


@operation(answers.PledgeShown)
async def show_pledge(call: Call) -> web.Response:
    """Show one pledge.

    `next` is one sentence for people: what happens next, and who acts.
    """
    found = await call.reads.find(call.name("id"), "pledge")
    pledge = await call.node.views.query(views.get, found.id)
    if pledge is None:
        raise not_found()
    return call.thing({"schema_version": 1, **pledge})


@operation(
    answers.PledgeChanged,
    takes=TERMS,
    refuses={409: STATES + " not_enough_left too_many_revisions", 422: "bad_quantity bad_window no_terms"},
)
async def revise_pledge(call: Call) -> web.Response:
    """Change the amount, the time or both, as the giver.

    Before it is accepted; also the answer to a counter-proposal. What is left out stays as it is.
    """
    amount, window = _terms(call)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.revise_pledge(work, by, pledge_id, amount, window))


@operation(answers.PledgeChanged, takes=EMPTY, refuses={409: STATES + " not_enough_left"})
async def commit_pledge(call: Call) -> web.Response:
    """Make an accepted pledge firm, as the giver.

    The node does it by itself while what was held still stands.
    """
    EMPTY.read(call.body)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.commit_pledge(work, by, pledge_id))


@operation(answers.PledgeChanged, takes=EMPTY, refuses={409: STATES})
async def withdraw_pledge(call: Call) -> web.Response:
    """Withdraw a pledge, as the giver.

    Takes back what has not been handed over; needs no reason.
    """
    EMPTY.read(call.body)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.withdraw_pledge(work, by, pledge_id))


@operation(
    answers.PledgeChanged,
    takes=HANDED_OVER,
    refuses={409: STATES, 422: "bad_quantity failed_and_handed far_more_than_promised unknown_outcome unknown_reason"},
)
async def hand_over(call: Call) -> web.Response:
    """Declare a hand-over, as the giver.

    All that is still to be handed over, unless `quantity` says otherwise; or, with `failed`, why nothing was. That it
    failed, the need's home may say too.
    """
    body = HANDED_OVER.read(call.body)
    amount, failed = _amount(body.quantity), body.failed
    pledge_id, by = await _pledge(call), call.act()
    if failed is None:
        return await call.commit(lambda work: pledges.hand_over(work, by, pledge_id, amount, body.outcome))
    if amount is not None or body.outcome != "handed":
        raise Problem(
            422,
            "failed_and_handed",
            "A hand-over that failed has no quantity and no other outcome.",
            "Say what was handed over and how, or why nothing was.",
            errors=({"where": "$.failed", "message": "given beside $.quantity or $.outcome"},),
        )
    return await call.commit(lambda work: pledges.fail_hand_over(work, by, pledge_id, failed))


@operation(
    answers.PledgeChanged,
    takes=TERMS,
    refuses={409: STATES + " already_covered", 422: "bad_quantity bad_window no_terms"},
)
async def counter_pledge(call: Call) -> web.Response:
    """Propose another amount, another time or both, as the need's home.

    The giver answers by revising the pledge, or by withdrawing it.
    """
    amount, window = _terms(call)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.counter_pledge(work, by, pledge_id, amount, window))


@operation(
    answers.PledgeChanged,
    takes=QUANTITY_MAYBE,
    refuses={409: STATES + " already_covered need_closed not_enough_left", 422: "bad_quantity"},
)
async def accept_pledge(call: Call) -> web.Response:
    """Accept a pledge, as the need's home.

    Never more than the need still lacks. Inside one group this makes it firm.
    """
    amount = _amount(QUANTITY_MAYBE.read(call.body).quantity)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.accept_pledge(work, by, pledge_id, amount))


@operation(answers.PledgeChanged, takes=DECLINED, refuses={409: STATES, 422: "unknown_reason_to_decline"})
async def decline_pledge(call: Call) -> web.Response:
    """Decline a pledge, as the need's home.

    Before it is accepted.
    """
    reason = DECLINED.read(call.body).reason
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.decline_pledge(work, by, pledge_id, reason))


@operation(answers.PledgeChanged, takes=RELEASED, refuses={409: STATES, 422: "unknown_reason_to_release"})
async def release_pledge(call: Call) -> web.Response:
    """Release an accepted pledge, as the need's home.

    What has not been received is no longer expected.
    """
    reason = RELEASED.read(call.body).reason
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.release_pledge(work, by, pledge_id, reason))


@operation(
    answers.PledgeChanged,
    takes=RECEIVED,
    refuses={409: STATES, 422: "bad_quantity far_more_than_promised unknown_condition"},
)
async def receive_pledge(call: Call) -> web.Response:
    """Confirm what arrived, as the need's home.

    All that is on its way, unless `quantity` says otherwise; 0 says that nothing came. It replaces what was presumed.
    """
    body = RECEIVED.read(call.body)
    amount = None if body.quantity is None else parse_amount(body.quantity, zero=True)
    pledge_id, by = await _pledge(call), call.act()
    return await call.commit(lambda work: pledges.receive_pledge(work, by, pledge_id, amount, body.condition))


async def _pledge(call: Call) -> UUID:
    return await call.own_id("pledge")


async def _need(call: Call, text: str) -> UUID | SharedNeed:
    """Our own need by its id, or a peer's as our board knows it. Raises Problem 404, 409 when it is over."""
    whole = call.reads.whole_id(text)
    if whole is None:
        found = await call.reads.find(text, "need")
        whole = UUID(found.id)
        if found.ours:
            return whole
    shared = await call.node.views.query(shared_needs.standing, whole.hex)
    if shared is None:
        return whole
    if shared["state"] != "open":
        raise Problem(
            409,
            "need_closed",
            "The other group no longer asks for this.",
            "See the board for what is open now.",
        )
    entry = shared["shared"]
    return SharedNeed(
        subject=whole,
        circle=shared["circle"],
        peer=shared["owner"],
        unit=shared["unit"],
        entry=f"{entry['origin_hash']}:{entry['index']}",
    )


def _terms(call: Call) -> tuple[Decimal | None, Window]:
    body = TERMS.read(call.body)
    if body.quantity is None and body.from_ is None and body.until is None:
        raise Problem(
            422,
            "no_terms",
            "Neither another quantity nor another time is said.",
            "Say quantity, from, until, or several of them.",
        )
    window = Window(moment(body.from_, "$.from"), moment(body.until, "$.until"))
    return _amount(body.quantity), window


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else parse_amount(text)
