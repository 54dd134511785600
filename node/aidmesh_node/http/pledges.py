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
from aidmesh_node.http import bodies
from aidmesh_node.http.bodies import Body, moment
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.problems import Problem, bad_field, not_found
from aidmesh_node.views import pledges as views
from aidmesh_node.views import shared_needs
from aidmesh_node.views.pages import PAGE_ITEMS_MAX

OFFERED = Body(bodies.PledgeOffered)
TERMS = Body(bodies.TermsProposed)
QUANTITY_MAYBE = Body(bodies.QuantityMaybe, optional=True)
HANDED_OVER = Body(bodies.HandedOver, optional=True)
RECEIVED = Body(bodies.Received, optional=True)
REASON = Body(bodies.Reason)
EMPTY = Body(bodies.Empty, optional=True)

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


async def offer_pledge(call: Call) -> web.Response:
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


async def list_pledges(call: Call) -> web.Response:
    wanted = call.query(Listing)
    need = None if wanted.need is None else (await call.reads.find(wanted.need, "need")).id
    return json_answer(
        await call.page(
            views.list_page,
            role=wanted.role,
            phase=wanted.phase,
            need=need,
            limit=wanted.limit,
            cursor=wanted.cursor,
        )
    )


async def show_pledge(call: Call) -> web.Response:
    found = await call.reads.find(call.name("id"), "pledge")
    pledge = await call.node.views.query(views.get, found.id)
    if pledge is None:
        raise not_found()
    return json_answer({"schema_version": 1, **pledge})


async def revise_pledge(call: Call) -> web.Response:
    amount, window = _terms(call)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.revise_pledge(work, by, pledge_id, amount, window))


async def commit_pledge(call: Call) -> web.Response:
    EMPTY.read(call.body)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.commit_pledge(work, by, pledge_id))


async def withdraw_pledge(call: Call) -> web.Response:
    EMPTY.read(call.body)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.withdraw_pledge(work, by, pledge_id))


async def hand_over(call: Call) -> web.Response:
    body = HANDED_OVER.read(call.body)
    amount, failed = _amount(body.quantity), body.failed
    pledge_id, by = await own_pledge(call), call.act()
    if failed is None:
        return await call.commit(lambda work: pledges.hand_over(work, by, pledge_id, amount, body.outcome))
    if amount is not None:
        raise bad_field("$.quantity", "A hand-over that failed has no quantity")
    return await call.commit(lambda work: pledges.fail_hand_over(work, by, pledge_id, failed))


async def counter_pledge(call: Call) -> web.Response:
    amount, window = _terms(call)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.counter_pledge(work, by, pledge_id, amount, window))


async def accept_pledge(call: Call) -> web.Response:
    amount = _amount(QUANTITY_MAYBE.read(call.body).quantity)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.accept_pledge(work, by, pledge_id, amount))


async def decline_pledge(call: Call) -> web.Response:
    reason = REASON.read(call.body).reason
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.decline_pledge(work, by, pledge_id, reason))


async def release_pledge(call: Call) -> web.Response:
    reason = REASON.read(call.body).reason
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.release_pledge(work, by, pledge_id, reason))


async def receive_pledge(call: Call) -> web.Response:
    body = RECEIVED.read(call.body)
    amount = None if body.quantity is None else parse_amount(body.quantity, zero=True)
    pledge_id, by = await own_pledge(call), call.act()
    return await call.commit(lambda work: pledges.receive_pledge(work, by, pledge_id, amount, body.condition))


async def own_pledge(call: Call) -> UUID:
    """The pledge the path names, one of ours. Raises Problem 404, or 409 when the name is ambiguous."""
    return await call.reads.own_id(call.name("id"), "pledge")


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
        raise bad_field("$", "Say another quantity, another time, or both")
    window = Window(moment(body.from_, "$.from"), moment(body.until, "$.until"))
    return _amount(body.quantity), window


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else parse_amount(text)
