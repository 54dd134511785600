"""Requests that keep a need from being forgotten, and what is read out before one is saved as an emergency."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from aidmesh_node.application import need_care
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need_time import EMERGENCY
from aidmesh_node.domain.quantity import parse_amount
from aidmesh_node.http import need_bodies
from aidmesh_node.http.bodies import Body, Empty, as_consent, moment
from aidmesh_node.http.call import Call, json_answer
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


async def show_emergency_advice(call: Call) -> web.Response:
    """What to read out before a need is saved as an emergency.

    The number is this group's own: `emergency.number` in its configuration.
    """
    call.query(need_bodies.Nothing)
    advice = EmergencyAdvice(call.node.config.emergency.number)
    return json_answer({"schema_version": SCHEMA_VERSION, "number": advice.number, "text": advice.text})


async def review_need(call: Call) -> web.Response:
    """Say that a need was looked at.

    It stays as it is; its clock begins anew, or it is looked at again at `next`.
    """
    next_at = moment(REVIEWED.read(call.body).next, "$.next")
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.review_need(work, by, need_id, next_at))


async def record_contact(call: Call) -> web.Response:
    """Record a call to whom a need is for.

    Answers how many in a row were in vain. However many: that closes nothing.
    """
    outcome = CONTACT.read(call.body).outcome
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.record_contact(work, by, need_id, outcome))


async def extend_need(call: Call) -> web.Response:
    """Let a need end later.

    Groups that see it see the new date. A warning that it is about to end is taken back.
    """
    until = moment(EXTENDED.read(call.body).until, "$.until")
    assert until is not None  # a required field
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.extend_need(work, by, need_id, until))


async def amend_need(call: Call) -> web.Response:
    """Ask for more or less.

    Never for less than has arrived and is promised.
    """
    amount = parse_amount(AMENDED.read(call.body).quantity)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.amend_need(work, by, need_id, amount))


async def change_urgency(call: Call) -> web.Response:
    """Change how urgent a need is.

    All its clocks begin anew. For an emergency the advice has to be acknowledged; when one is over, what was shared
    because of it is taken back.
    """
    body = URGENCY.read(call.body)
    advice = acknowledged_advice(call, body.urgency, body.emergency_advice_acknowledged)
    need_id, by = await _need(call), call.act()
    return await call.commit(
        lambda work: need_care.change_urgency(work, by, need_id, body.urgency, body.reason, advice)
    )


async def share_wider(call: Call) -> web.Response:
    """Share an emergency with every connected group.

    With a consent to just that; it is taken back when the emergency is over.
    """
    consent = as_consent(WIDER.read(call.body).consent)
    need_id, by = await _need(call), call.act()
    known = await call.node.views.query(circles.list_all, "active")
    if not known:
        raise Problem(422, "no_circle", "Your group is not connected with any group yet.", "See: aidmesh peer list.")
    wanted = [bytes.fromhex(circle["id"]) for circle in known]
    return await call.commit(lambda work: need_care.share_wider(work, by, need_id, wanted, consent))


async def reopen_need(call: Call) -> web.Response:
    """Open a closed need again.

    Within 30 days. It is shared with nobody then: other groups have heard that it was closed, and that is final.
    """
    EMPTY.read(call.body)
    need_id, by = await _need(call), call.act()
    return await call.commit(lambda work: need_care.reopen_need(work, by, need_id))


async def _need(call: Call) -> UUID:
    return await call.reads.own_id(call.name("id"), "need")
