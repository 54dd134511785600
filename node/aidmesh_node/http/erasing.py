"""Requests about erasing: what was shared, whom we know by name, and who has confirmed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from aidmesh_node.application import erasing
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.http import answers_erasing as answers
from aidmesh_node.http.bodies import Body, Empty, Strict
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.views import erasing as views
from aidmesh_node.views import needs, offers
from aidmesh_node.views.groups import names_of
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_node.views.times import hour_text


class ToErase(Strict, frozen=True):
    """How much is to go."""

    forget_person: bool = False
    """Also whom it is for: name, contact and notes, and what was shared of everything else that is theirs."""


ERASED = Body(ToErase, optional=True)
EMPTY = Body(Empty, optional=True)

KINDS: dict[str, erasing.Thing] = {"need": Need, "offer": Offer}


@operation(answers.ThingErased, takes=ERASED, refuses={409: "erased"})
async def erase_need(call: Call) -> web.Response:
    """Erase what was shared of a need.

    It is taken back from every circle, its item and area are overwritten here, and other groups are asked to erase
    them: /erasures says who has confirmed. Quantities and pledges stay. Whoever posted it may, and coordinators; only
    they can have a person forgotten.
    """
    return await _erase(call, "need")


@operation(answers.ThingErased, takes=ERASED, refuses={409: "erased"})
async def erase_offer(call: Call) -> web.Response:
    """Erase what was shared of an offer.

    As for a need.
    """
    return await _erase(call, "offer")


@operation(answers.MemberForgotten, takes=EMPTY, refuses={409: "still_a_member"})
async def forget_member(call: Call) -> web.Response:
    """Forget a former member's name and contact.

    The key to them is destroyed, so that older backups do not show them either. What they did stays, without a name.
    """
    EMPTY.read(call.body)
    member_id, by = await call.own_id("member"), call.act()
    return await call.commit(lambda work: erasing.forget_member(work, by, member_id))


@operation(answers.Erasures)
async def list_erasures(call: Call) -> web.Response:
    """List what other groups were asked to erase.

    The last 500, with who had it, who has confirmed, and who has not: whom to call.
    """
    await call.node.peers.store_disclosures()
    # Receipts and disclosures are kept beside the log, so the writer reads them.
    asked: list[dict[str, Any]] = (
        await call.node.writer.run(lambda work: erasing.asked_of_others(work, call.node.gid))
    ).value
    names = await call.node.views.query(names_of)
    items = [_to_json(one, names) for one in asked]
    return json_answer({"schema_version": SCHEMA_VERSION, "items": items, "position": call.node.views.position})


async def _erase(call: Call, kind: str) -> web.Response:
    forget = ERASED.read(call.body).forget_person
    id, by = await call.own_id(kind), call.act()
    theirs: list[tuple[erasing.Thing, UUID]] = []
    if forget:
        who = await call.node.views.query(needs.who if kind == "need" else offers.who, id.hex)
        if who is not None and who.person is not None:
            found = await call.node.views.query(views.of_person, who.person)
            theirs = [(KINDS[name], UUID(other)) for name, other in found]
    return await call.commit(lambda work: erasing.erase(work, by, KINDS[kind], id, forget, theirs))


def _to_json(asked: dict[str, Any], names: dict[str, str]) -> dict[str, object]:
    groups = [
        {
            "peer": one["peer"],
            "peer_name": names.get(one["peer"]),
            "had_it": _hour(one["had_it"]),
            "confirmed": _hour(one["confirmed"]),
        }
        for one in asked["groups"]
    ]
    return {
        "kind": asked["kind"],
        "id": asked["id"],
        "circle": asked["circle"],
        "asked": _hour(asked["at"]),
        "groups": groups,
        "outstanding": any(one["confirmed"] is None for one in groups),
    }


def _hour(hour: int | None) -> str | None:
    return None if hour is None else hour_text(hour)
