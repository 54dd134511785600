"""Two groups with a need and a pledge between them: where the stories of pledges begin."""

from __future__ import annotations

import asyncio
from uuid import UUID

from tests.support.federation import Group, Mesh
from tests.support.stories import (
    heard,
    pledge,
    post_need,
    post_offer,
    share,
)


class Pair:
    """Alice's need of ten, shown to bob; bob's stock; the pledge of `amount` that bob offered and alice has heard."""

    mesh: Mesh
    alice: Group
    bob: Group
    circle: bytes
    need: UUID
    subject: str
    stock: UUID
    pledge: UUID
    heard: UUID

    @classmethod
    async def meet(cls, mesh: Mesh, amount: int = 6, need: int = 10, stock: int = 8) -> Pair:
        pair = cls()
        pair.mesh = mesh
        pair.alice, pair.bob = await mesh.found("alice"), await mesh.found("bob")
        pair.circle = await mesh.pair(pair.alice, pair.bob)
        pair.need = await post_need(pair.alice, need)
        pair.subject = await share(pair.alice, pair.need, pair.circle)
        await mesh.settle()
        pair.stock = await post_offer(pair.bob, stock)
        pair.pledge = await pledge(pair.bob, pair.subject, amount, pair.stock)
        pair.heard = heard(pair.bob, pair.circle, pair.pledge)
        return pair

    def part(self) -> None:
        """The line between them is cut: neither can ask the other."""
        self.mesh.network.cut = {self.bob.endpoint}

    def heal(self) -> None:
        self.mesh.network.cut = set()


async def lapse(group: Group) -> int:
    """What the node does every hour, once its views show all that happened."""
    await asyncio.to_thread(group.node.views.catch_up)
    return await group.federation.lapse()
