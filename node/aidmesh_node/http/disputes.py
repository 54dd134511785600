"""Requests about disputes. Members open them and add to their own; coordinators read and resolve."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import disputes
from aidmesh_node.application.disputes import TEXT, OpenDispute
from aidmesh_node.application.ports import Erased, Reading
from aidmesh_node.http import answers_disputes as answers
from aidmesh_node.http import settling_bodies as bodies
from aidmesh_node.http.bodies import Body
from aidmesh_node.http.call import Call
from aidmesh_node.http.operation import operation
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


@operation(
    answers.DisputeChanged,
    status=201,
    takes=OPENED,
    refuses={
        409: "already_open not_accepted not_yours too_many_disputes",
        422: "unknown_side_of_a_pledge unknown_subject_of_a_dispute",
    },
)
async def open_dispute(call: Call) -> web.Response:
    """Open a dispute about a pledge.

    Only people do. The other group hears what it is about, in one word; `text` stays with this group, encrypted. Of
    somebody's conduct nothing at all leaves this node, and only coordinators read it.
    """
    body = OPENED.read(call.body)
    wanted = OpenDispute(body.about, body.text, body.side)
    act_id, record = call.new_ids(2)
    pledge_id, by = await call.own_id("pledge"), call.act(act_id)
    return await call.commit(lambda work: disputes.open_dispute(work, by, pledge_id, record, wanted), 201)


@operation(answers.DisputePage, asks=Listing, refuses={404: "not_found", 409: "ambiguous_id"})
async def list_disputes(call: Call) -> web.Response:
    """List disputes, newest first.

    Those of our group, and those that other groups opened about pledges with us.
    """
    wanted = call.query(Listing)
    pledge = None if wanted.pledge is None else (await call.reads.find(wanted.pledge, "pledge")).id
    return call.listed(
        await call.page(views.list_page, state=wanted.state, pledge=pledge, limit=wanted.limit, cursor=wanted.cursor)
    )


@operation(answers.DisputeShown)
async def show_dispute(call: Call) -> web.Response:
    """Show one dispute.

    With what people of this group wrote about it.
    """
    found = await call.reads.find(call.name("id"), "dispute")
    dispute = await call.node.views.query(views.get, found.id)
    if dispute is None:
        raise not_found()
    written = await call.node.views.query(views.statements, found.id)
    texts = await call.node.readers.run(lambda reading: _texts(reading, found.id, [record for record, *_ in written]))
    told = [{"by": member, "at": at, "text": text} for (_, member, at), text in zip(written, texts, strict=True)]
    return call.thing({"schema_version": 1, **dispute, "statements": told})


@operation(answers.DisputeChanged, takes=ADDED, refuses={409: "dispute_over too_many_statements"})
async def add_statement(call: Call) -> web.Response:
    """Write something more about a dispute.

    Whoever opened it may, and coordinators; for others there is none.
    """
    text = ADDED.read(call.body).text
    act_id, record = call.new_ids(2)
    by = call.act(act_id)
    dispute_id = await call.own_id("dispute", lambda work, id: disputes.check_known(work, by, id))
    return await call.commit(lambda work: disputes.add_statement(work, by, dispute_id, record, text))


@operation(
    answers.DisputeChanged,
    takes=RESOLVED,
    refuses={409: "already_resolved", 422: "unknown_way_to_resolve_a_dispute"},
)
async def resolve_dispute(call: Call) -> web.Response:
    """Say that a dispute is over for our group.

    It is over for both once the other group says so too.
    """
    how = RESOLVED.read(call.body).how
    dispute_id, by = await call.own_id("dispute"), call.act()
    return await call.commit(lambda work: disputes.resolve_dispute(work, by, dispute_id, how))


def _texts(reading: Reading, dispute: str, records: list[str]) -> list[str | None]:
    """What was written; None for what was erased."""
    try:
        return [reading.vault.open(UUID(dispute), UUID(record)).get(TEXT) for record in records]
    except Erased:
        return [None] * len(records)
