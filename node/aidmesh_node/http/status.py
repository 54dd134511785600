"""Requests about the node itself: is it there, is it ready, how does it stand, is every byte still right."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import msgspec
from aiohttp import web

from aidmesh_node.application.ports import FeedHead, FeedReads
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.http import answers_node as answers
from aidmesh_node.http.bodies import Body, Empty
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import RETRY_AFTER, Problem
from aidmesh_node.views import forks, peers
from aidmesh_node.views.counts import counts
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.merkle import Frontier

EMPTY = Body(Empty, optional=True)

try:
    VERSION = version("aidmesh")
except PackageNotFoundError:  # run from the tree without installing
    VERSION = "unknown"


@operation(answers.Fine)
async def healthz(call: Call) -> web.Response:
    """Is the process there?

    It answers; that is all it says.
    """
    return json_answer({"status": "ok"})


@operation(answers.Fine, refuses={503: "starting views_failed"})
async def readyz(call: Call) -> web.Response:
    """Can the node serve?

    Its lists have caught up with what was there at the start, and move.
    """
    views = call.node.views
    if views.failed is not None:
        raise _not_ready("views_failed", "The lists cannot be brought up to date; writing still works.")
    if not views.caught_up:
        raise _not_ready("starting", "The node is still reading what it kept.")
    return json_answer({"status": "ok"})


@operation(answers.Status)
async def show_status(call: Call) -> web.Response:
    """How the node stands.

    Whose it is, what it holds, and whether it signs.
    """
    node = call.node
    with suppress(Unavailable):
        # A clock that jumped a moment ago is said now, not at the next regular look.
        await node.clock_trust.look()
    counted = await node.views.query(counts)
    links = await node.views.query(peers.list_all)
    feeds = await node.readers.run(lambda reading: _feeds(reading.feeds))
    return json_answer(
        {
            "schema_version": SCHEMA_VERSION,
            "group": {"gid": node.gid, "name": node.name},
            **node.peers.standing(),
            "url": node.config.node.url or None,
            "listen": node.config.node.listen,
            "clock": {"trusted": node.clock_trust.trusted, "words": node.clock_trust.words},
            "position": node.views.position,
            "counts": counted,
            "feeds": feeds,
            "peers": len(links),
            "forks": await node.views.query(forks.open_count),
            "version": VERSION,
        }
    )


@operation(answers.Settings)
async def show_config(call: Call) -> web.Response:
    """Every setting, its value and where that came from.

    Keys and tokens are no settings.
    """
    node = call.node
    items = [
        {
            "key": f"{section}.{key}",
            "value": value,
            "origin": node.config_origins.get(f"{section}.{key}", "default"),
        }
        for section, values in msgspec.to_builtins(node.config).items()
        for key, value in values.items()
    ]
    return json_answer({"schema_version": SCHEMA_VERSION, "settings": items})


@operation(answers.Verified, takes=EMPTY)
async def verify(call: Call) -> web.Response:
    """Check everything the node holds.

    Recomputes every hash, proof and signature; minutes for a large node.
    """
    EMPTY.read(call.body)
    report = await asyncio.to_thread(call.node.verify)
    return json_answer(report.to_json())


def _not_ready(code: str, detail: str) -> Problem:
    return Problem(503, code, detail, "Ask again in a moment.", headers=RETRY_AFTER)


def _feeds(feeds: FeedReads) -> list[dict[str, object]]:
    return [_feed(head) for head in feeds.heads()]


def _feed(head: FeedHead) -> dict[str, object]:
    try:
        root: str | None = Frontier.decode(head.frontier).root().hex()
    except ProtocolError:
        root = None  # damaged: `verify` names it
    checkpoint_size = max(head.signed_size, head.claimed_size)
    return {
        "origin": head.origin,
        "owner": head.owner,
        "size": head.size,
        "signed_size": head.signed_size,
        "root": root,
        "checkpoint_size": checkpoint_size,
        "incomplete": max(0, checkpoint_size - head.size),
    }
