"""Requests that keep a need from being forgotten, and what is read out before one is saved as an emergency."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from aidmesh_node.application import need_care
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need_time import EMERGENCY
from aidmesh_node.domain.quantity import parse_amount
from aidmesh_node.http import answers, answers_node, need_bodies
from aidmesh_node.http.bodies import Body, Empty, as_consent, moment
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import Problem
from aidmesh_node.views import circles
from aidmesh_node.views.pages import SCHEMA_VERSION

REVIEWED = Body(need_bodies.Reviewed, optional=True)
CONTACT = Body(need_bodies.ContactAttempted)
EXTENDED = Body(need_bodies.Extended)
AMENDED = Body(need_bodies.Amended)
URGENCY = Body(need_bodies.UrgencyChanged)
WIDER = Body(need_bodies.SharedWider)
EMPTY = Body(Empty, optional=True)


def acknowledged_advice(call: Call, urgency: str, acknowledged: bool) -> EmergencyAdvice | None:
    """What was read out before an emergency is saved, None for another urgency. Raises Refused with the advice."""
    if urgency != EMERGENCY:
        return None
    advice = EmergencyAdvice(call.node.config.emergency.number)
    advice.check_acknowledged(acknowledged)
    return advice


@operation(answers_node.Advice, asks=need_bodies.Nothing)
async def show_emergency_advice(call: Call) -> web.Response:
    """Show what is read out before an emergency is saved.

    The local emergency number, and that this is no emergency service. Acknowledge it with
    `emergency_advice_acknowledged`.
    """
    call.query(need_bodies.Nothing)
    advice = EmergencyAdvice(call.node.config.emergency.number)
    return json_answer({"schema_version": SCHEMA_VERSION, "number": advice.number, "text": advice.text})


@operation(answers.Changed, takes=REVIEWED, refuses={409: "need_closed", 422: "bad_next_look"})
async def review_need(call: Call) -> web.Response:
    """Say that somebody has looked at a need.

    Its clock begins anew; or it is looked at again at `next`.
    """
    next_at = moment(REVIEWED.read(call.body).next, "$.next")
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.review_need(work, by, need_id, next_at))


@operation(answers.Contacted, takes=CONTACT, refuses={409: "need_closed", 422: "unknown_outcome_of_a_call"})
async def record_contact(call: Call) -> web.Response:
    """Record an attempt to reach whom a need is for.

    After three in a row without an answer another way is suggested. Nothing closes by itself.
    """
    outcome = CONTACT.read(call.body).outcome
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.record_contact(work, by, need_id, outcome))


@operation(
    answers.Changed, takes=EXTENDED, refuses={409: "need_closed never_ends", 422: "bad_window not_later too_far_away"}
)
async def extend_need(call: Call) -> web.Response:
    """Extend a need: it is wanted until later.

    Also after the warning that it ends soon. Groups it is shared with see the new date.
    """
    until = moment(EXTENDED.read(call.body).until, "$.until")
    assert until is not None  # a required field
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.extend_need(work, by, need_id, until))


@operation(
    answers.Changed, takes=AMENDED, refuses={409: "already_promised need_closed nothing_changed", 422: "bad_quantity"}
)
async def amend_need(call: Call) -> web.Response:
    """Change how much is needed.

    Never to less than has arrived and is promised: release pledges first.
    """
    amount = parse_amount(AMENDED.read(call.body).quantity)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.amend_need(work, by, need_id, amount))


@operation(
    answers.Changed,
    takes=URGENCY,
    refuses={
        409: "need_closed nothing_changed",
        422: "emergency_advice unknown_reason_for_another_urgency unknown_urgency",
    },
)
async def change_urgency(call: Call) -> web.Response:
    """Change how urgent a need is.

    `emergency` means that a life is in danger: it takes the acknowledged advice, and comes first in every order.
    """
    body = URGENCY.read(call.body)
    advice = acknowledged_advice(call, body.urgency, body.emergency_advice_acknowledged)
    need_id, by = await _need(call), call.act()
    return await call.commit(
        lambda work: need_care.change_urgency(work, by, need_id, body.urgency, body.reason, advice)
    )


@operation(
    answers.SharedWithAll,
    takes=WIDER,
    refuses={
        409: "already_shared erased need_closed",
        422: "bad_language consent_too_narrow no_circle no_consent no_emergency unknown_way_of_giving_consent",
    },
)
async def share_wider(call: Call) -> web.Response:
    """Share an emergency with every connected group at once.

    With the consent of the person to just that.
    """
    consent = as_consent(WIDER.read(call.body).consent)
    need_id, by = await _need(call), call.act()
    known = await call.node.views.query(circles.list_all, "active")
    if not known:
        raise Problem(422, "no_circle", "Your group is not connected with any group yet.", "See: aidmesh peer list.")
    wanted = [bytes.fromhex(circle["id"]) for circle in known]
    return await call.commit(lambda work: need_care.share_wider(work, by, need_id, wanted, consent))


@operation(answers.Changed, takes=EMPTY, refuses={409: "closed_long_ago not_closed"})
async def reopen_need(call: Call) -> web.Response:
    """Reopen a need.

    Within 30 days after it was closed. It is shared with nobody until it is shared again.
    """
    EMPTY.read(call.body)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.reopen_need(work, by, need_id))


async def _need(call: Call) -> UUID:
    return await call.own_id("need")
