"""A real node that also fills its log with shared needs when asked, and counts what it sends to peers.

`node_that_fills.py HOME`: POST /fill/COUNT posts and shares that many needs by the node's own use cases, many a
transaction, and answers when its own publication has signed them all. GET /sent tells bytes and the first question.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from aidmesh_node import main
from aidmesh_node.application import needs
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.federation.federation import Federation
from aidmesh_node.http.app import build_app
from aidmesh_node.main import Running
from aidmesh_protocol.identity import circle_origin

NEEDS_A_JOB = 200
CONSENT = Consent("by_phone", "v1", "en")
ITEMS = (
    ("bedding", "Blankets", "item"),
    ("food", "Rice", "kg"),
    ("water", "Drinking water", "l"),
    ("shelter", "Tarpaulins 4 x 5 m", "item"),
    ("hygiene", "Nappies size 4", "item"),
    ("transport", "Lift to the clinic", "trip"),
    ("medicine", "Oral rehydration salts", "item"),
    ("tools", "Shovels", "item"),
)
AREAS = ("Lospalos", "Baucau", "North", "Old town, east of the river")
URGENCIES = ("low", "normal", "high")


class Counted:
    """The federation's doors, where what goes out to peers is counted."""

    def __init__(self, federation: Federation) -> None:
        self._federation = federation
        self.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._federation, name)

    def clear(self) -> None:
        self.asked_at = 0.0
        self.bytes = 0

    async def sync(self, request: PeerRequest) -> AsyncIterator[bytes]:
        if not self.asked_at:
            self.asked_at = time.monotonic()
        self.bytes += len(request.body)
        async for piece in self._federation.sync(request):
            self.bytes += len(piece)
            yield piece


async def fill(running: Running, count: int) -> None:
    node, federation = running.node, running.federation
    (link,) = federation.links.active()
    circle = link.circle
    assert circle is not None

    def post_and_share(start: int, work: Work) -> None:
        for number in range(start, min(count, start + NEEDS_A_JOB)):
            category, item, unit = ITEMS[number % len(ITEMS)]
            asked = PostNeed(
                category,
                Quantity(Decimal(number % 50 + 1), unit),
                item=item,
                urgency=URGENCIES[number % len(URGENCIES)],
                area=AREAS[number % len(AREAS)],
            )
            need_id, now = node.entropy.uuid(), node.clock.now()
            actor = node.entropy.uuid()
            by = Act(node.entropy.uuid(), now, actor, "operator")
            needs.post_need(work, by, need_id, node.entropy.uuid(), asked)
            needs.share_need(work, Act(node.entropy.uuid(), now, actor, "operator"), need_id, circle, CONSENT)

    for start in range(0, count, NEEDS_A_JOB):
        await node.writer.run(partial(post_and_share, start))
    origin = circle_origin(node.gid, circle)
    while (served := federation.publisher.served(origin)) is None or served.size <= count:
        await federation.publisher.publish()
    await federation.publisher.store()


async def serve(home: Path) -> None:
    async with main.open_node(home) as running:
        sent = Counted(running.federation)

        async def filled(request: web.Request) -> web.Response:
            await fill(running, int(request.match_info["count"]))
            sent.clear()
            return web.json_response({})

        async def told(request: web.Request) -> web.Response:
            return web.json_response({"bytes": sent.bytes, "asked_at": sent.asked_at})

        app = build_app(replace(running.node, peers=sent))
        app.router.add_post("/fill/{count}", filled)
        app.router.add_get("/sent", told)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        config = running.node.config
        await web.TCPSite(runner, config.host, config.port).start()
        running.federation.start()
        main.settle_interpreter()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
