"""Offers nobody has spoken of for a while, and offers whose time is over: asked about, warned of, then ended.

The view suggests, the offer decides in the writer's transaction. An unanswered question ends nothing; a warning counts
only for the time in which this node ran and could show it. Never touches an offer of which something is promised.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from aidmesh_node.application.clock_trust import ClockTrust
from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.ending import NOTICE
from aidmesh_node.domain.offer import Offer
from aidmesh_node.entropy import Entropy
from aidmesh_node.views import offers as views
from aidmesh_node.views.views import Views


@dataclass(frozen=True, slots=True)
class OfferDeadlines:
    """Asks, warns and ends."""

    writer: Writer
    views: Views
    trust: ClockTrust
    clock: Clock
    entropy: Entropy

    async def keep(self) -> int:
        """Do whatever is due; to how many offers something was done."""
        now, witnessed = self.clock.now(), self.trust.witnessed
        done = 0
        async for offer_id in self._due(now):
            by = Act(self.entropy.uuid(), now, None, NODE)
            job = partial(ask_warn_or_end, by=by, offer_id=offer_id, witnessed=witnessed)
            done += (await self.writer.run(job)).value
        return done

    async def _due(self, now: datetime) -> AsyncIterator[UUID]:
        after = ""
        while page := await self.views.query(views.due, now, now + NOTICE, after):
            for offer in page:
                yield UUID(offer)
            after = page[-1]


def ask_warn_or_end(work: Work, by: Act, offer_id: UUID, witnessed: int) -> bool:
    """Do what is due about one offer. False when nothing is."""
    offer = work.get(Offer, offer_id)
    done = offer.expire(by, witnessed) or offer.warn_of_expiry(by, witnessed)
    done = offer.ask_still_available(by) or done
    if done:
        work.commit(offer)
    return done
