"""A real node whose process also answers POST and GET /bare and does nothing for it: the limit the API is held against.

`node_with_bare_route.py HOME`: same process, same event loop, same server, so the ratio leaves out the machine.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from aidmesh_node import main
from aidmesh_node.http.app import build_app


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"id": "0", "version": 1, "bytes": len(body)}, status=201)


async def tell(request: web.Request) -> web.Response:
    return web.json_response({"id": "0", "version": 1})


async def serve(home: Path) -> None:
    async with main.open_node(home) as running:
        app = build_app(running.node)
        app.router.add_post("/bare", answer)
        app.router.add_get("/bare", tell)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        config = running.node.config
        await web.TCPSite(runner, config.host, config.port).start()
        running.federation.start()
        main.settle_interpreter()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
