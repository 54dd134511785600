"""Every run of one pledge, explored exhaustively over the very functions the node uses.

Statements travel as first-in-first-out logs that are delivered late, in any interleaving, twice, or never. A
restore loses what a node said and nobody heard; what a peer holds comes back before the node acts again. Two
pledges are combined in pledge_search.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from aidmesh_node.domain import arrival_rules, pledge_rules
from aidmesh_node.domain.pledge_fold import Booking, Coverage, GiverSide, HomeSide, PledgeState
from aidmesh_node.domain.quantity import ZERO
from aidmesh_node.domain.refused import Refused

Statement = tuple[str | int | Decimal, ...]
Log = tuple[Statement, ...]

HANDED_AT = datetime(2026, 11, 22, tzinfo=UTC)
LATER = HANDED_AT + arrival_rules.PRESUMED_AFTER
ASKED = (HANDED_AT, LATER)
"""Time and asking are not the model's: a presumption may come at once, which allows more than the node does."""


class Local(NamedTuple):
    """One pledge at both nodes: what each side has heard of the other, and what is still under way.

    `surplus` says after each receipt and each correction of one how much arrived all in all beyond what was still
    expected: a physical fact, no promise.
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
    presumptions: int = 0
    corrections: int = 0
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
        self.promised.append(home.coverage.reserved + home.arrived - (local.surplus or (ZERO,))[-1])
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
        if home.presumed and home.arrived > home.handed:
            raise Violation(f"more is presumed and received than was handed over: {local}")

    def _steps(self, number: int) -> Iterator[tuple[str, Statement, Local]]:
        local = self.states[number]
        home, giver = at_home(local), at_giver(local)
        for said in self._giver_could_say(giver):
            yield "giver", said, local._replace(to_home=(*local.to_home, said))
        for said in self._home_could_say(home):
            surplus = local.surplus
            if said[0] in ("receive", "correct_receipt"):
                surplus += (surplus_after(home, (surplus or (ZERO,))[-1], said),)
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
                    left._replace(surplus=local.surplus[: physical_words(at_home(left).home)]),
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
        elif said[0] == "presume":
            arrival_rules.heard_presume(view, Decimal(said[2]), int(said[3]))
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
        if side.corrections < self.bounds.corrections:
            for amount in (ZERO, *amounts):
                if allowed(arrival_rules.may_correct_hand_over, view, amount):
                    yield "correct_hand_over", side.corrections + 1, amount

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
        yield from self._home_could_settle(view)

    def _home_could_settle(self, view: PledgeState) -> Iterator[Statement]:
        side = view.home
        if side.presumptions < self.bounds.presumptions and allowed(
            arrival_rules.may_presume, view, HANDED_AT, ASKED, LATER
        ):
            yield "presume", *arrival_rules.may_presume(view, HANDED_AT, ASKED, LATER)
        if view.presumed and side.receipts < self.bounds.receipts:
            yield "receive", side.receipts + 1, ZERO
        if side.corrections < self.bounds.corrections:
            for amount in map(Decimal, (0, *self.bounds.quantities)):
                if allowed(arrival_rules.may_correct_receipt, view, amount):
                    yield "correct_receipt", side.corrections + 1, amount

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


def physical_words(side: HomeSide) -> int:
    """How often the home has said what arrived."""
    return side.receipts + side.corrections


def surplus_after(home: PledgeState, surplus: Decimal, said: Statement) -> Decimal:
    """What has arrived beyond what was expected, once this is said too: a fact may add to it, a correction takes away
    from it first."""
    total = Decimal(said[2]) + (home.received if said[0] == "receive" else ZERO)
    if total < home.received:
        return max(ZERO, surplus - (home.received - total))
    return surplus + max(ZERO, total - home.received - home.presumed - home.live_remainder)


def allowed(guard: Callable[..., object], *args: object) -> bool:
    try:
        guard(*args)
    except Refused:
        return False
    return True
