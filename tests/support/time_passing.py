"""Time that passes while a node runs, looks at its clock and keeps its deadlines."""

from __future__ import annotations

import asyncio

from aidmesh_node.application.clock_trust import LOOK_SECONDS
from tests.support.federation import Group, Mesh

STEP_SECONDS = 2 * LOOK_SECONDS
"""The longest step that counts whole as time in which the node ran."""


async def live(mesh: Mesh, group: Group, hours: float) -> int:
    """So many hours pass; then the node does what is due. How many things that were."""
    await group.node.clock_trust.look()
    for _ in range(round(hours * 3600) // STEP_SECONDS):
        await mesh.clock.sleep(STEP_SECONDS)
        await group.node.clock_trust.look()
    return await keep(group)


async def keep(group: Group) -> int:
    """What the node does every hour, once its views show all that happened."""
    await asyncio.to_thread(group.node.views.catch_up)
    return await group.federation.lapse()
