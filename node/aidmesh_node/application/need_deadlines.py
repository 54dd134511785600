"""Needs whose time is over: warned of first, ended only after that, politely, and never what somebody counts on.

The view suggests, the need decides in the writer's transaction. A warning counts only for the time in which this node
ran and could show it. Never touches a need without an end, one with a live promise, or one that threatens a life.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from aidmesh_node.application import pledges
from aidmesh_node.application.clock_trust import ClockTrust
from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.ending import NOTICE
from aidmesh_node.domain.need import Need
from aidmesh_node.entropy import Entropy
from aidmesh_node.views import needs as views
from aidmesh_node.views.views import Views


@dataclass(frozen=True, slots=True)
class NeedDeadlines:
    """Warns of the end of needs, and ends them. `notice` lies between the two."""

    writer: Writer
    views: Views
    trust: ClockTrust
    clock: Clock
    entropy: Entropy
    notice: timedelta = NOTICE

    async def keep(self) -> int:
        """Warn and end whatever is due; how many needs it was."""
        now, witnessed = self.clock.now(), self.trust.witnessed
        done = 0
        async for need_id in self._ending(now + self.notice):
            by = Act(self.entropy.uuid(), now, None, NODE)
            job = partial(warn_or_end, by=by, need_id=need_id, witnessed=witnessed, notice=self.notice)
            done += (await self.writer.run(job)).value
        return done

    async def _ending(self, before: datetime) -> AsyncIterator[UUID]:
        after = ""
        while page := await self.views.query(views.ending, before, after):
            for need in page:
                yield UUID(need)
            after = page[-1]


def warn_or_end(work: Work, by: Act, need_id: UUID, witnessed: int, notice: timedelta) -> bool:
    """Do the next thing that is due about one need. False when nothing is."""
    need = work.get(Need, need_id)
    if need.expire(by, witnessed, notice):
        pledges.let_go_of(work, by, need)
    elif not need.warn_of_expiry(by, witnessed, notice):
        return False
    work.commit(need)
    return True
