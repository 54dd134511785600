"""The running process: listen, follow peers, and end cleanly on SIGTERM, SIGINT or a broken disk."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal

from aiohttp import web

from aidmesh_node.application.node import Node
from aidmesh_node.federation.federation import Federation
from aidmesh_node.home import Home, StartError
from aidmesh_node.http.app import build_runner
from aidmesh_node.supervisor import READY, STOPPING, tell_supervisor

log = logging.getLogger("aidmesh")

STOP_SECONDS_MAX = 5.0
"""Requests that were accepted are answered within this time after SIGTERM."""

READY_POLL_SECONDS = 0.1
"""How often a node that still reads what it kept looks whether it has done so: only while it starts."""

EXIT_BROKEN = 1


async def serve(node: Node, federation: Federation, home: Home) -> int:
    """Serve until told to stop; 0, or 1 when storage failed and nothing more may be acknowledged."""
    runner = build_runner(node)
    await runner.setup()
    site = web.TCPSite(runner, node.config.host, node.config.port, shutdown_timeout=STOP_SECONDS_MAX)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise StartError(
            f"cannot listen on {node.config.node.listen}: {error.strerror}; stop what uses it, or listen elsewhere"
        ) from error
    url = f"http://{node.config.node.listen}"
    home.address.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    federation.start()
    log.info("%s (%s) listens on %s", node.name, node.gid, url)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    stop, broken = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(node.broken.wait())
    announcing = asyncio.ensure_future(announce(node))
    try:
        await asyncio.wait({stop, broken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stop, broken, announcing):
            task.cancel()
        tell_supervisor(STOPPING)
        home.address.unlink(missing_ok=True)
        await federation.stop()
        await runner.cleanup()
    if node.broken.is_set():
        log.critical("storage failed: nothing more was acknowledged; mend the disk and start again")
        return EXIT_BROKEN
    return 0


async def announce(node: Node) -> None:
    """Tell the supervisor as soon as the node can serve: when /readyz says so, or never will but writing works."""
    while not node.views.caught_up and node.views.failed is None:
        await node.clock.sleep(READY_POLL_SECONDS)
    tell_supervisor(READY, f"STATUS={node.clock_trust.words or f'{node.name} serves on {node.config.node.listen}'}")
