"""Requests about forks: members look, operators say what the group makes of one."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.application import forks
from aidmesh_node.domain.fork import Fork
from aidmesh_node.http import answers_forks as answers
from aidmesh_node.http.bodies import Body, Strict
from aidmesh_node.http.call import Call
from aidmesh_node.http.fields import ForkResolution
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import not_found
from aidmesh_node.views import forks as views
from aidmesh_node.views.pages import PAGE_ITEMS_MAX
from aidmesh_protocol.fork_file import decode_fork_file
from aidmesh_protocol.fork_proof import convict


class ForkResolved(Strict, frozen=True):
    how: ForkResolution


RESOLVED = Body(ForkResolved)


class Listing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the list may be narrowed to."""

    state: Literal["open", "resolved"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ITEMS_MAX)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


@operation(answers.ForkPage, asks=Listing)
async def list_forks(call: Call) -> web.Response:
    """List forks, newest first.

    Feeds of which two histories were signed, and what our people made of it.
    """
    wanted = call.query(Listing)
    return call.listed(await call.page(views.list_page, state=wanted.state, limit=wanted.limit, cursor=wanted.cursor))


@operation(answers.ForkShown)
async def show_fork(call: Call) -> web.Response:
    """Show one fork.

    With the proof, which convinces anybody who knows the group's id.
    """
    found = await call.reads.find(call.name("id"), "fork")
    fork = await call.node.views.query(views.get, found.id)
    events = await call.node.readers.run(lambda reading: reading.events.stream(UUID(found.id)))
    if fork is None or not events:
        raise not_found()
    assert isinstance(events[0], Fork.Proven)  # how every fork begins
    proof = bytes.fromhex(events[0].proof)
    tells = convict(decode_fork_file(proof)).tells()
    return call.thing({"schema_version": 1, **fork, "tells": tells, "proof": b64encode(proof).decode()})


@operation(answers.ForkChanged, takes=RESOLVED, refuses={409: "already_resolved", 422: "unknown_way_to_resolve_a_fork"})
async def resolve_fork(call: Call) -> web.Response:
    """Say what our group makes of a fork.

    `explained`: it was an accident, and a new beginning of the feed may be followed; `distrusted`: nothing more of it
    is. The proof is kept, and the feed as it is stands still, whatever is said. The last word counts.
    """
    how = RESOLVED.read(call.body).how
    fork_id, by = await call.own_id("fork"), call.act()
    return await call.commit(lambda work: forks.resolve_fork(work, by, fork_id, how))
