"""Every run of two pledges towards one need, searched exhaustively over the very functions the node uses.

Statements travel as first-in-first-out logs that are delivered late, in any interleaving, twice, or never. A
restore loses what a node said and nobody heard; what a peer holds comes back before the node acts again. A
pledge is explored once on its own; two pledges are then combined through what they share, the need and, with
one giver, the stock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from aidmesh_node.domain import pledge_rules
from aidmesh_node.domain.pledge_fold import Booking, Coverage, GiverSide, HomeSide, PledgeState
from aidmesh_node.domain.quantity import ZERO
from aidmesh_node.domain.refused import Refused

Statement = tuple[str | int | Decimal, ...]
Log = tuple[Statement, ...]


class Local(NamedTuple):
    """One pledge at both nodes: what each side has heard of the other, and what is still under way.

    `surplus` says of each receipt how much it was beyond what was still expected: a physical fact, no
    promise.
    """

    giver_heard: GiverSide = GiverSide()
    to_home: Log = ()
    home_heard: HomeSide = HomeSide()
    to_giver: Log = ()
    surplus: tuple[Decimal, ...] = ()


class Move(NamedTuple):
    """One step of one pledge: who, what, where it leads; whether it asks the need or the stock for more, and
    whether it makes the promises on either grow."""

    actor: str
    what: Statement
    after: int
    asks: str
    grows: bool


@dataclass(frozen=True)
class Rules:
    """What the nodes go by; a mutant replaces one of them."""

    coverage: Callable[[PledgeState], Coverage] = lambda state: state.coverage
    booking: Callable[[PledgeState], Booking] = lambda state: state.booking
    firm: Callable[[PledgeState], Decimal] = lambda state: state.committed
    guards_need: bool = True
    guards_offer: bool = True


EVERY_PART = frozenset({"accept", "commit", "hand_over", "receive"})


@dataclass(frozen=True)
class Bounds:
    """How much each run may contain. `partial`: the statements that may also be for less than the whole, or
    for more where that is a physical fact.
    """

    quantities: tuple[int, ...] = (1, 2, 3)
    revisions: int = 2
    counters: bool = True
    partial: frozenset[str] = EVERY_PART
    attempts: int = 2
    receipts: int = 2
    restores: bool = True
    most: int = 3


def fold_giver(side: GiverSide, said: Statement) -> GiverSide:
    return getattr(side, str(said[0]))(*said[1:])  # type: ignore[no-any-return]


def fold_home(side: HomeSide, said: Statement) -> HomeSide:
    return getattr(side, str(said[0]))(*said[1:])  # type: ignore[no-any-return]


def at_home(local: Local) -> PledgeState:
    side = local.home_heard
    for said in local.to_giver:
        side = fold_home(side, said)
    return PledgeState(local.giver_heard, side)


def at_giver(local: Local) -> PledgeState:
    side = local.giver_heard
    for said in local.to_home:
        side = fold_giver(side, said)
    return PledgeState(side, local.home_heard)


class Violation(Exception):
    """The model broke a promise; `trace` is the shortest way there."""

    def __init__(self, what: str, trace: list[str] | None = None) -> None:
        super().__init__("\n  ".join([what, *(trace or [])]))
        self.what = what
        self.trace = trace or []


@dataclass
class PledgeGraph:
    """All states of one pledge and the moves between them, numbered. `cover` and `book` are what the rules
    under test say (the nodes' guards use them), `promised` and `taken` what is true (the invariants use
    those).
    """

    bounds: Bounds
    rules: Rules = field(default_factory=Rules)
    states: list[Local] = field(default_factory=list)
    moves: list[list[Move]] = field(default_factory=list)
    cover: list[Coverage] = field(default_factory=list)
    book: list[Booking] = field(default_factory=list)
    promised: list[Decimal] = field(default_factory=list)
    taken: list[Decimal] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    _numbers: dict[Local, int] = field(default_factory=dict)

    def build(self) -> PledgeGraph:
        self._number(Local())
        at = 0
        while at < len(self.states):
            self.moves.append([self._move(at, who, what, after) for who, what, after in self._steps(at)])
            at += 1
        return self

    def _number(self, local: Local) -> int:
        known = self._numbers.get(local)
        if known is not None:
            return known
        number = self._numbers[local] = len(self.states)
        home, giver = at_home(local), at_giver(local)
        self.states.append(local)
        self.cover.append(self.rules.coverage(home))
        self.book.append(self.rules.booking(giver))
        self.promised.append(home.coverage.reserved + home.received - sum(local.surplus, ZERO))
        self.taken.append(giver.booking.total)
        self.ended.append(home.ended and giver.ended and not local.to_home and not local.to_giver)
        self._check(local, home, giver)
        return number

    def _move(self, before: int, actor: str, what: Statement, local: Local) -> Move:
        after = self._number(local)
        more_need = self.cover[after].reserved > self.cover[before].reserved
        more_stock = self.book[after].total > self.book[before].total
        asks = ""
        if actor == "home" and more_need and self.rules.guards_need:
            asks = "need"
        if actor == "giver" and more_stock and self.rules.guards_offer:
            asks = "stock"
        grows = not actor.endswith("restored") and (more_stock or self.promised[after] > self.promised[before])
        return Move(actor, what, after, asks, grows)

    def _check(self, local: Local, home: PledgeState, giver: PledgeState) -> None:
        firm = self.rules.firm(home)
        if firm > 0 and not giver.giver.commitment:
            raise Violation(f"the home plans on {firm} that the giver never made firm: {local}")
        if not local.to_home and not local.to_giver and home != giver:
            raise Violation(f"both heard everything and disagree: {local}")
        if giver.giver.committed > giver.offered or home.accepted > home.offered:
            raise Violation(f"not offered >= accepted >= committed: {local}")

    def _steps(self, number: int) -> Iterator[tuple[str, Statement, Local]]:
        local = self.states[number]
        home, giver = at_home(local), at_giver(local)
        for said in self._giver_could_say(giver):
            yield "giver", said, local._replace(to_home=(*local.to_home, said))
        for said in self._home_could_say(home):
            surplus = local.surplus
            if said[0] == "receive":
                surplus += (max(ZERO, Decimal(said[2]) - home.live_remainder),)
            yield "home", said, local._replace(to_giver=(*local.to_giver, said), surplus=surplus)
        if local.to_home:
            said, rest = local.to_home[0], local.to_home[1:]
            yield (
                "heard at home",
                said,
                local._replace(giver_heard=self._hear_giver(home, said), to_home=rest),
            )
        if local.to_giver:
            said, rest = local.to_giver[0], local.to_giver[1:]
            yield (
                "heard at giver",
                said,
                local._replace(home_heard=self._hear_home(giver, said), to_giver=rest),
            )
        if self.bounds.restores:
            for kept in range(len(local.to_home)):
                yield "giver restored", (kept,), local._replace(to_home=local.to_home[:kept])
            for kept in range(len(local.to_giver)):
                left = local._replace(to_giver=local.to_giver[:kept])
                yield (
                    "home restored",
                    (kept,),
                    left._replace(surplus=local.surplus[: at_home(left).home.receipts]),
                )

    def _hear_giver(self, view: PledgeState, said: Statement) -> GiverSide:
        after = fold_giver(view.giver, said)
        if said[0] == "commit":
            pledge_rules.heard_commit(view, int(said[1]), Decimal(said[2]))
        if fold_giver(after, said) != after:
            raise Violation(f"hearing {said} twice changed something")
        return after

    def _hear_home(self, view: PledgeState, said: Statement) -> HomeSide:
        after = fold_home(view.home, said)
        if said[0] in ("counter", "decline"):
            pledge_rules.heard_answer(view, int(said[1]))
        elif said[0] == "accept":
            pledge_rules.heard_answer(view, int(said[2]), Decimal(said[3]))
        if fold_home(after, said) != after:
            raise Violation(f"hearing {said} twice changed something")
        return after

    def _giver_could_say(self, view: PledgeState) -> Iterator[Statement]:
        side, amounts = view.giver, [Decimal(amount) for amount in self.bounds.quantities]
        if not side.offers:
            yield from (("offer", amount) for amount in amounts)
            return
        if side.revision < self.bounds.revisions:
            for amount in amounts:
                if allowed(pledge_rules.may_revise, view, amount):
                    yield "revise", side.revision + 1, amount
        for amount in amounts:
            if self._fits("commit", amount, view.accepted) and allowed(pledge_rules.may_commit, view, None, amount):
                yield "commit", view.home.acceptance, amount
        if allowed(pledge_rules.may_withdraw, view):
            yield ("withdraw",)
        if side.attempts < self.bounds.attempts and allowed(pledge_rules.may_hand_over, view):
            for amount in amounts:
                rest = side.committed - side.handed
                if side.handed + amount <= self.bounds.most and self._fits("hand_over", amount, rest):
                    yield "hand_over", side.attempts + 1, amount

    def _home_could_say(self, view: PledgeState) -> Iterator[Statement]:
        side, amounts = view.home, [Decimal(amount) for amount in self.bounds.quantities]
        if not view.giver.offers:
            return
        live = view.giver.revision
        for amount in amounts:
            if self.bounds.counters and allowed(pledge_rules.may_counter, view, live, amount):
                yield "counter", live, amount
            if self._fits("accept", amount, view.offered) and allowed(pledge_rules.may_accept, view, live, amount):
                yield "accept", side.acceptance + 1, live, amount
            if side.receipts < self.bounds.receipts and allowed(pledge_rules.may_receive, view):
                rest = view.live_remainder
                if side.received + amount <= self.bounds.most and self._fits("receive", amount, rest):
                    yield "receive", side.receipts + 1, amount
        if allowed(pledge_rules.may_decline, view, live):
            yield "decline", live
        if allowed(pledge_rules.may_release, view, None):
            yield "release", side.acceptance

    def _fits(self, what: str, amount: Decimal, whole: Decimal) -> bool:
        return what in self.bounds.partial or amount == whole

    def states_that_cannot_end(self) -> list[int]:
        """States from which moves that ask nothing of need or stock cannot end the pledge. Nothing else can
        stop such moves, so if there is no such state, any number of pledges can always all be ended.
        """
        back: list[list[int]] = [[] for _ in self.states]
        for number, moves in enumerate(self.moves):
            for move in moves:
                if not move.asks and not move.actor.endswith("restored"):
                    back[move.after].append(number)
        reached = {number for number, ended in enumerate(self.ended) if ended}
        todo = deque(reached)
        while todo:
            for number in back[todo.popleft()]:
                if number not in reached:
                    reached.add(number)
                    todo.append(number)
        return [number for number in range(len(self.states)) if number not in reached]


def allowed(guard: Callable[..., object], *args: object) -> bool:
    try:
        guard(*args)
    except Refused:
        return False
    return True


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
                before.received + beside.received,
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
