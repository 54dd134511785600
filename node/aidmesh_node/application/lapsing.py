"""Promises that nobody answered: let go of by our own clock, so that nothing is held or counted on for ever.

As giver the node withdraws what lies unanswered ("lapsed"); as home it releases acceptances that were never made firm
("unanswered"). The views suggest, the pledge decides in the writer's transaction. Never touches what is firm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from aidmesh_node.application.pledges import changing
from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.pledge import HOME, Pledge
from aidmesh_node.entropy import Entropy
from aidmesh_node.views import pledges as pledges_view
from aidmesh_node.views.views import Views

UNANSWERED_DAYS_MAX = 14
"""How long a promise waits for the other side: long enough for a node that is off for a holiday."""

WAITING_PHASES = ("offered", "countered", "accepted")


@dataclass(frozen=True, slots=True)
class Lapsing:
    """Lets go of what waited too long."""

    writer: Writer
    views: Views
    clock: Clock
    entropy: Entropy

    async def keep(self) -> int:
        """Withdraw and release everything that waits longer than UNANSWERED_DAYS_MAX; how many pledges it was."""
        now = self.clock.now()
        before = now - timedelta(days=UNANSWERED_DAYS_MAX)
        gone = 0
        async for pledge_id in self._waiting_since(before):
            by = Act(self.entropy.uuid(), now, None, NODE)
            done = await self.writer.run(partial(let_go_of, by=by, pledge_id=pledge_id, before=before))
            gone += done.value
        return gone

    async def _waiting_since(self, before: datetime) -> AsyncIterator[UUID]:
        for phase in WAITING_PHASES:
            cursor = None
            while True:
                page = await self.views.query(pledges_view.list_page, phase=phase, cursor=cursor)
                for item in page["items"]:
                    if datetime.fromisoformat(item["updated_at"]) < before:
                        yield UUID(item["id"])
                if (cursor := page["cursor"]) is None:
                    break


def let_go_of(work: Work, by: Act, pledge_id: UUID, before: datetime) -> bool:
    """Let go of one pledge if nothing was said about it since `before` and it still waits. False when it does not."""
    waiting = work.get(Pledge, pledge_id)
    if waiting.modified_on >= before:
        return False
    state = waiting.state
    if waiting.role != HOME and state.awaiting_answer:
        with changing(work, by, pledge_id) as pledge:
            pledge.withdraw(by, "lapsed")
        return True
    if waiting.role == HOME and state.acceptance_live and not state.giver.commitment and state.live_remainder:
        with changing(work, by, pledge_id) as pledge:
            pledge.release(by, "unanswered")
        return True
    return False
