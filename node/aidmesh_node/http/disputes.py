"""Requests about disputes. Members open them and add to their own; coordinators read and resolve."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import disputes
from aidmesh_node.application.disputes import TEXT, OpenDispute
from aidmesh_node.application.ports import Erased, Reading
from aidmesh_node.http import bodies
from aidmesh_node.http.bodies import Body
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.pledges import own_pledge
from aidmesh_node.http.problems import not_found
from aidmesh_node.views import disputes as views
from aidmesh_node.views.pages import PAGE_ITEMS_MAX

OPENED = Body(bodies.DisputeOpened)
ADDED = Body(bodies.StatementAdded)
RESOLVED = Body(bodies.DisputeResolved)


class Listing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the list may be narrowed to."""

    state: Literal["open", "resolved"] | None = None
    pledge: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def open_dispute(call: Call) -> web.Response:
    body = OPENED.read(call.body)
    wanted = OpenDispute(body.about, body.text, body.side)
    act_id, record = call.new_ids(2)
    pledge_id, by = await own_pledge(call), call.act(act_id)
    return await call.commit(lambda work: disputes.open_dispute(work, by, pledge_id, record, wanted), 201)


async def list_disputes(call: Call) -> web.Response:
    wanted = call.query(Listing)
    pledge = None if wanted.pledge is None else (await call.reads.find(wanted.pledge, "pledge")).id
    return json_answer(
        await call.page(views.list_page, state=wanted.state, pledge=pledge, limit=wanted.limit, cursor=wanted.cursor)
    )


async def show_dispute(call: Call) -> web.Response:
    found = await call.reads.find(call.name("id"), "dispute")
    dispute = await call.node.views.query(views.get, found.id)
    if dispute is None:
        raise not_found()
    written = await call.node.views.query(views.statements, found.id)
    texts = await call.node.readers.run(lambda reading: _texts(reading, found.id, [record for record, *_ in written]))
    told = [{"by": member, "at": at, "text": text} for (_, member, at), text in zip(written, texts, strict=True)]
    return json_answer({"schema_version": 1, **dispute, "statements": told})


async def add_statement(call: Call) -> web.Response:
    text = ADDED.read(call.body).text
    act_id, record = call.new_ids(2)
    dispute_id, by = await _dispute(call), call.act(act_id)
    return await call.commit(lambda work: disputes.add_statement(work, by, dispute_id, record, text))


async def resolve_dispute(call: Call) -> web.Response:
    how = RESOLVED.read(call.body).how
    dispute_id, by = await _dispute(call), call.act()
    return await call.commit(lambda work: disputes.resolve_dispute(work, by, dispute_id, how))


async def _dispute(call: Call) -> UUID:
    return await call.reads.own_id(call.name("id"), "dispute")


def _texts(reading: Reading, dispute: str, records: list[str]) -> list[str | None]:
    """What was written; None for what was erased."""
    try:
        return [reading.vault.open(UUID(dispute), UUID(record)).get(TEXT) for record in records]
    except Erased:
        return [None] * len(records)
