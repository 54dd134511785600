"""Nodes are killed in the middle of what they do, and come back; the story goes on around them.

Counts a kill for a phase only with evidence that it landed inside: a request that was passed on and whose answer never
came, an answer between nodes that was begun and never ended, an acceptance that was given and not yet committed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from aiohttp import ClientSession

from aidmesh_node.demo.groups import Group, Teller
from aidmesh_node.demo.line import GOOD, Exchange, Line
from aidmesh_node.demo.schedule import ACCEPT, COMMIT, PHASES, STEPS, SYNC, Strike, asked_for, schedule, who
from aidmesh_protocol import paths

TYPICAL_SECONDS: Final = 0.005
"""How long a request takes before any of its kind was seen; then what was seen last counts half."""

HEARING_SECONDS: Final = 0.01
"""About how long a node takes from the first byte of news to what it says about them."""


class Kills:
    """Watches the lines to all nodes; while `striking`, kills as planned. The last group is the one that gives."""

    def __init__(
        self, total: int, seed: int, groups: int, teller: Teller, session: ClientSession, seconds_max: float
    ) -> None:
        self.total = total
        self.landed: Counter[str] = Counter()
        """Kills by phase."""
        self.nodes: Counter[str] = Counter()
        """Kills by the group's name."""
        self.between = 0
        """Kills that landed inside nothing: they count for no phase, and are made good by another."""
        self.unanswered_keys: set[str] = set()
        """Idempotency-Keys of requests whose connection ended without an answer."""
        self._giver = groups - 1
        self._groups: Sequence[Group] = ()
        self._tasks: asyncio.TaskGroup | None = None
        self._lines: list[Line] = []
        self._choice = random.Random(f"kills {seed}")  # apart from the story's, which goes as it goes without kills
        self._planned = schedule(total, self._choice, groups)
        self._step = STEPS[0]
        self._away: set[int] = set()
        self._aims: dict[Exchange, asyncio.Event] = {}
        """Exchanges whose answer does not pass; set when the node is dead."""
        self._seconds: dict[str, float] = {}
        self._teller, self._session, self._seconds_max = teller, session, seconds_max

    async def reach(self, stack: AsyncExitStack, listen: str) -> str:
        """A line to the node that listens there, open as long as the stack. See nodes.Reach."""
        line = await stack.enter_async_context(Line(len(self._lines), listen, self).open())
        self._lines.append(line)
        return line.url

    @asynccontextmanager
    async def striking(self, groups: Sequence[Group]) -> AsyncIterator[None]:
        """Strike from here to the end of the block; after it every node is back."""
        self._groups = groups
        async with asyncio.TaskGroup() as self._tasks:
            yield
            self._tasks = None

    def lacking(self) -> str:
        """What of the plan did not happen, as a sentence; "" when all of it did."""
        if never := [phase for phase in PHASES if not self.landed[phase]]:
            return f"No kill landed inside {', '.join(never)}"
        landed = self.landed.total()
        return f"Only {landed} of {self.total} kills found their moment" if landed < self.total else ""

    def report(self) -> dict[str, object]:
        """For the demo's report."""
        return {
            "kills": {phase: self.landed[phase] for phase in PHASES},
            "killed": dict(self.nodes),
            "kills_between": self.between,
        }

    def asked(self, exchange: Exchange) -> None:
        """See Watch."""
        phase = phase_of(exchange)
        if phase is None or self._tasks is None:
            return
        self._begin(phase)
        if strike := self._due(phase, exchange.number):
            self._aims[exchange] = asyncio.Event()
            self._tasks.create_task(self._strike_request(strike, exchange))

    async def answering(self, exchange: Exchange, piece: bytes) -> int:
        """See Watch."""
        whole = len(piece)
        if self._tasks is None or not piece.startswith(GOOD):
            return whole
        if phase := phase_of(exchange):
            taken = time.monotonic() - exchange.begun
            self._seconds[phase] = (self._seconds.get(phase, taken) + taken) / 2
        if exchange in self._aims:
            return 0
        if exchange.path != paths.SYNC:
            return whole
        asking = next((number for number, group in enumerate(self._groups) if group.gid == exchange.signer), -1)
        if asking == self._giver and self._step == ACCEPT and (strike := self._due(COMMIT, asking)):
            # Before any other: an acceptance passes once, and without this answer the giver commits nothing.
            self._lines[asking].mute()
            self._tasks.create_task(self._strike_commitment(strike, exchange.number))
            return whole
        if strike := self._due(SYNC, exchange.number) or self._due(SYNC, asking):
            self._aims[exchange] = asyncio.Event()
            self._tasks.create_task(self._strike_sync(strike, exchange))
            return int(whole * strike.moment)
        return whole

    async def cut(self, exchange: Exchange) -> None:
        """See Watch."""
        if killed := self._aims.get(exchange):
            await killed.wait()

    def unanswered(self, exchange: Exchange) -> None:
        """See Watch."""
        if exchange.key:
            self.unanswered_keys.add(exchange.key)

    async def _strike_request(self, strike: Strike, exchange: Exchange) -> None:
        """Kill the node while it has this request in hand; if it was quicker, its answer has not passed the line."""
        with suppress(TimeoutError):
            async with asyncio.timeout(strike.moment * self._seconds.get(strike.phase, TYPICAL_SECONDS)):
                await exchange.settled.wait()
        await self._kill(strike)
        self._aims.pop(exchange).set()
        await exchange.settled.wait()
        await self._back(strike, landed=not exchange.answered)

    async def _strike_sync(self, strike: Strike, exchange: Exchange) -> None:
        """Kill one of two nodes while an answer between them is under way; its rest does not pass."""
        await asyncio.sleep(self._choice.random() * HEARING_SECONDS)
        await self._kill(strike)
        self._aims.pop(exchange).set()
        await self._back(strike, landed=True)

    async def _strike_commitment(self, strike: Strike, home: int) -> None:
        """Kill the giver when it has heard acceptances of this home, and the home has not heard that they are firm."""
        await asyncio.sleep(strike.moment * HEARING_SECONDS)
        await self._kill(strike)
        pledges = await self._groups[home].client.items("/pledges", phase="accepted")
        await self._back(strike, landed=bool(pledges))

    def _begin(self, phase: str) -> None:
        """A step begins with its first request; what the step before it left undone is done in it."""
        while STEPS.index(self._step) < STEPS.index(phase):
            left, self._planned[self._step] = self._planned[self._step], []
            self._step = STEPS[STEPS.index(self._step) + 1]
            for strike in left:
                self._plan_again(strike)

    def _plan_again(self, strike: Strike) -> None:
        """Now, at the first occasion."""
        strike.skip = 0
        if strike.phase not in (self._step, SYNC) and (strike.phase, self._step) != (COMMIT, ACCEPT):
            strike.phase = self._step
            strike.victim = self._choice.choice(who(self._step, len(self._groups)))
        if self._step == STEPS[-1] and strike.phase == SYNC:
            strike.victim = self._giver  # whoever still has news has it for the giver
        self._planned[self._step].append(strike)

    def _due(self, phase: str, victim: int) -> Strike | None:
        """The strike that this occasion is for, if it does not let it go by; it is carried out from here on."""
        planned = self._planned[self._step]
        for strike in planned if victim not in self._away else ():
            if (strike.phase, strike.victim) == (phase, victim):
                strike.skip -= 1
                if strike.skip >= 0:
                    return None
                planned.remove(strike)
                self._away.add(victim)
                return strike
        return None

    async def _kill(self, strike: Strike) -> None:
        group = self._groups[strike.victim]
        self.nodes[group.name] += 1
        self._lines[strike.victim].mute()
        await group.node.kill()
        self._lines[strike.victim].break_off()

    async def _back(self, strike: Strike, *, landed: bool) -> None:
        """Count the kill, and start the node again; nothing reaches it before it is ready."""
        group = self._groups[strike.victim]
        if landed:
            self.landed[strike.phase] += 1
            count = self.landed.total()
            self._teller.note(f"Kill {count} of {self.total}: {group.name}, inside {strike.phase}.")
        else:
            self.between += 1
            self._plan_again(strike)
        group.node.start()
        await group.node.ready(self._session, self._seconds_max)
        self._away.discard(strike.victim)
        self._lines[strike.victim].mend()


def phase_of(exchange: Exchange) -> str | None:
    """What a member asks for with this request; None for anything else."""
    return asked_for(exchange.path) if exchange.method == "POST" and not exchange.signer else None
