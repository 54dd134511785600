"""The limit the node is held against: aiohttp answering a POST and doing nothing else. `bare_server.py PORT`."""

from __future__ import annotations

import sys

from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    body = await request.read()
    return web.json_response({"id": "0", "version": 1, "bytes": len(body)}, status=201)


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/api/v1/needs", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: None, access_log=None)
