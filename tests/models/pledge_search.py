"""Every run of two pledges towards one need: the moves of each, and what they share, the need and, with one giver,
the stock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from aidmesh_node.domain import pledge_rules
from aidmesh_node.domain.quantity import ZERO
from tests.models.pledge_model import Move, PledgeGraph, Violation

Pair = tuple[int, int]
"""Two pledges, by their numbers in the graph."""


@dataclass
class Search:
    """Both pledges together: one need, and either two givers with a stock each or one giver with one stock."""

    graph: PledgeGraph
    need: int
    stocks: tuple[int, ...]
    transitions: int = 0

    def run(self) -> int:
        """Visit every reachable pair of states; the number of them. Raises Violation with the shortest trace."""
        start = (0, 0)
        parents: dict[Pair, tuple[Pair, int, Move] | None] = {start: None}
        todo = deque([start])
        while todo:
            pair = todo.popleft()
            for which, move in self._steps(pair):
                self.transitions += 1
                after = (move.after, pair[1]) if which == 0 else (pair[0], move.after)
                broken = self._broken(pair, after) if move.grows else ""
                if self._symmetric and after[0] > after[1]:
                    after = (after[1], after[0])
                if after not in parents:
                    parents[after] = (pair, which, move)
                    todo.append(after)
                if broken:
                    raise Violation(broken, trace_of(parents, after))
        return len(parents)

    def _steps(self, pair: Pair) -> Iterator[tuple[int, Move]]:
        for which in (0, 1):
            here, other = pair[which], pair[1 - which]
            for move in self.graph.moves[here]:
                if not move.asks or self._has_room(which, here, other, move):
                    yield which, move

    @property
    def _symmetric(self) -> bool:
        """Two pledges in the same position may be swapped: one giver, or two with equal stocks."""
        return len(set(self.stocks)) == 1

    def _has_room(self, which: int, here: int, other: int, move: Move) -> bool:
        graph = self.graph
        if move.asks == "need":
            before, beside = graph.cover[here], graph.cover[other]
            more, room = pledge_rules.room_in_need(
                Decimal(self.need),
                before.reserved + beside.reserved,
                before.arrived + beside.arrived,
                before,
                graph.cover[move.after],
            )
            return more <= room
        stock = Decimal(self.stocks[which % len(self.stocks)])
        booked = graph.book[here].total + (graph.book[other].total if len(self.stocks) == 1 else ZERO)
        taken, left = pledge_rules.room_in_offer(stock, booked, graph.book[here], graph.book[move.after])
        return left is None or taken <= left

    def _broken(self, before: Pair, after: Pair) -> str:
        """Nothing but a restore may over-promise: that can bring back what a lost release or withdrawal had
        ended, and from there on no step may add to it.
        """
        was = self._over(before)
        for name, amount in self._over(after).items():
            if amount > max(ZERO, was[name]):
                return f"{name} is over-promised by {amount}"
        return ""

    def _over(self, pair: Pair) -> dict[str, Decimal]:
        first, second = pair
        taken = self.graph.taken
        over = {"the need": self.graph.promised[first] + self.graph.promised[second] - self.need}
        if len(self.stocks) == 1:
            over["the stock"] = taken[first] + taken[second] - self.stocks[0]
        else:
            over |= {f"stock {n + 1}": taken[at] - self.stocks[n] for n, at in enumerate(pair)}
        return over


def trace_of(parents: dict[Pair, tuple[Pair, int, Move] | None], pair: Pair) -> list[str]:
    """The steps to `pair`, each with the numbers of both pledges before it (symmetric pairs are sorted)."""
    steps: list[str] = []
    step = parents[pair]
    while step is not None:
        before, which, move = step
        steps.append(f"{before}: pledge {before[which]}, {move.actor}: {' '.join(str(word) for word in move.what)}")
        step = parents[before]
    return steps[::-1]
