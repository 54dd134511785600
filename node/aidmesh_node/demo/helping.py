"""The second half of the story: matched, pledged, accepted, committed, handed over, received.

While pledges are on their way one node is killed. Nobody repeats anything by hand: what was said is in the feeds.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import ClientSession

from aidmesh_node.demo.groups import Group, Teller
from aidmesh_node.demo.waiting import each, until

GIVEN = ("committed", "handed_over", "partly_received", "received")
"""Phases in which the giver's promise stands."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Whose node is killed, and after how many answered pledges."""

    group: Group
    after: int


@dataclass(slots=True)
class Helping:
    """The groups, and what the seed decides."""

    teller: Teller
    asking: Sequence[Group]
    giving: Group
    choice: random.Random
    session: ClientSession
    seconds_max: float
    expected: Counter[str]
    """Pledges towards each asking group, by gid."""
    cutting: bool = True
    """Whether a node is cut off while pledges are made."""

    async def pledge(self) -> Cut | None:
        """Pledge what the giving group's node suggests; meanwhile one node is cut off and returns."""
        self.teller.step("The stock is matched with the needs, and pledged")
        suggested = (await self.giving.client.get("/suggestions"))["items"]
        home_of = {need["id"]: need["group"] for need in (await self.giving.client.get("/board"))["needs"]}
        self.expected = Counter(home_of[one["need"]] for one in suggested)
        if not suggested:
            self.teller.note("Nothing in stock is what anybody asks for.")
            return None
        total = len(suggested)
        cut = Cut(
            self.choice.choice((*self.asking, self.giving)),
            self.choice.randint(max(1, total // 4), max(1, 3 * total // 4)),
        )
        done, count, reached = self.teller.counter("pledges made", total), 0, asyncio.Event()

        async def offer(one: dict[str, Any]) -> None:
            nonlocal count
            body = {"need": one["need"], "offer": one["offer"], "quantity": one["quantity"]}
            await self.giving.client.post("/pledges", body)
            count += 1
            done(count)
            if count == cut.after:
                reached.set()

        async with asyncio.TaskGroup() as group:
            pledging = group.create_task(each(suggested, offer))
            if self.cutting:
                group.create_task(self._cut_off(cut, reached, pledging))
        return cut if self.cutting else None

    async def accept(self) -> None:
        """Every home hears its pledges and accepts; the giver's node makes each firm by itself."""
        self.teller.step("The pledges are accepted and become firm")
        await asyncio.gather(*(until(partial(self._unheard, group), self.seconds_max) for group in self.asking))
        heard = [(group, pledge) for group in self.asking for pledge in await _pledges(group)]
        # The lists come by time and id, which differ from run to run; the seed shuffles what does not.
        heard.sort(key=lambda one: (one[0].name, one[1]["item"] or "", one[1]["unit"], one[1]["offered"]))
        self.choice.shuffle(heard)
        await self._act(heard, "accept", "pledges accepted")
        await self._all_reach(GIVEN, "pledges firm")

    async def hand_over(self) -> None:
        """The giver hands everything over, the homes confirm what arrived."""
        self.teller.step("The goods are handed over and received")
        await self._act([(self.giving, pledge) for pledge in await _pledges(self.giving)], "hand-over", "handed over")
        await asyncio.gather(*(until(partial(self._not_arrived, group), self.seconds_max) for group in self.asking))
        arrived = [(group, pledge) for group in self.asking for pledge in await _pledges(group)]
        await self._act(arrived, "receive", "received")
        await self._all_reach(("received",), "receipts known to the giver")

    async def _cut_off(self, cut: Cut, reached: asyncio.Event, pledging: asyncio.Task[None]) -> None:
        await reached.wait()
        await cut.group.node.kill()
        self.teller.note(f"{cut.group.name} is cut off after {cut.after} pledges: its node was killed.")
        if cut.group is not self.giving:
            # The others go on without it.
            await pledging
            for group in self.asking:
                if group is not cut.group:
                    await until(partial(self._unheard, group), self.seconds_max)
        cut.group.node.start()
        await cut.group.node.ready(self.session, self.seconds_max)
        self.teller.note(f"{cut.group.name} is back.")

    async def _act(self, pledges: Sequence[tuple[Group, dict[str, Any]]], verb: str, text: str) -> None:
        done, count = self.teller.counter(text, len(pledges)), 0

        async def act(one: tuple[Group, dict[str, Any]]) -> None:
            nonlocal count
            group, pledge = one
            await group.client.post(f"/pledges/{pledge['id']}/{verb}")
            count += 1
            done(count)

        await each(pledges, act)

    async def _all_reach(self, phases: Sequence[str], text: str) -> None:
        """Wait until the giver's pledges are all in one of these phases."""
        total = self.expected.total()
        done = self.teller.counter(text, total)

        async def missing() -> str:
            found = Counter(pledge["phase"] for pledge in await _pledges(self.giving))
            reached = sum(found[phase] for phase in phases)
            done(reached)
            return f"{reached} of {total} {text}; {self.giving.name} sees {dict(found)}" if reached < total else ""

        await until(missing, self.seconds_max)

    async def _unheard(self, group: Group) -> str:
        heard, wanted = len(await _pledges(group)), self.expected[group.gid]
        return f"{group.name} has heard {heard} of {wanted} pledges" if heard < wanted else ""

    async def _not_arrived(self, group: Group) -> str:
        wanted = self.expected[group.gid]
        arrived = sum(pledge["phase"] == "handed_over" for pledge in await _pledges(group))
        return f"{group.name} knows of {arrived} of {wanted} hand-overs" if arrived < wanted else ""


async def _pledges(group: Group) -> list[dict[str, Any]]:
    return await group.client.items("/pledges", limit="500")
