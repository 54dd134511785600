"""Use cases on pledges: get, act, commit. Each settles the need and the offer it touches in the same transaction.

Across groups only our own side acts here; what the other side says comes in through the inbox and is settled by the
same function, so that the totals of needs and offers can never drift from their pledges.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require_own
from aidmesh_node.domain import pledge_rules
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import Quantity, amount_text
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import ANY_TIME, Window

SURPLUS_TIMES_MAX = 10
"""A hand-over or receipt may differ from the promise; beyond this factor somebody has mistyped."""


@dataclass(frozen=True, slots=True)
class SharedNeed:
    """A peer's need as our board knows it: whose, in which circle, and the entry that showed it."""

    subject: UUID
    circle: str
    peer: str
    unit: str
    entry: str


@dataclass(frozen=True, slots=True)
class OfferPledge:
    """A promise of `amount` towards a need: our own (its id) or one shared with us."""

    need: UUID | SharedNeed
    amount: Decimal
    offer: UUID | None = None
    how: str = "deliver"
    window: Window = ANY_TIME


def offer_pledge(work: Work, by: Act, pledge_id: UUID, post: OfferPledge) -> dict[str, object]:
    """Promise something particular; what it takes of an offer is held from this transaction on."""
    offer = work.get(Offer, post.offer) if post.offer else None
    if offer is not None:
        require_own(by, offer, "pledge from an offer of others")
    if isinstance(post.need, SharedNeed):
        shared = post.need
        pledge = Pledge.offer(
            pledge_id,
            replace(by, cause=shared.entry),
            role=GIVER,
            need_id=shared.subject,
            quantity=Quantity(post.amount, shared.unit),
            offer_id=post.offer,
            circle=shared.circle,
            peer=shared.peer,
            how=post.how,
            window=post.window,
        )
    else:
        need = work.get(Need, post.need)
        need.check_pledge(need.unit)
        pledge = Pledge.offer(
            pledge_id,
            by,
            role=LOCAL,
            need_id=need.id,
            quantity=Quantity(post.amount, need.unit),
            offer_id=post.offer,
            how=post.how,
            window=post.window,
        )
    if offer is not None:
        offer.check_pledge(pledge.unit)
    settle(work, by, pledge, PledgeState())
    return told(pledge)


def revise_pledge(
    work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None, window: Window = ANY_TIME
) -> dict[str, object]:
    """The giver changes the quantity, the time or both, before it is accepted."""
    with giver_acts(work, by, pledge_id, "change this pledge") as pledge:
        pledge.revise(by, pledge.state.offered if amount is None else amount, window=window)
    return told(pledge)


def commit_pledge(work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None) -> dict[str, object]:
    """The giver makes the acceptance firm by hand; the node does it by itself when the hold stands."""
    with giver_acts(work, by, pledge_id, "make this pledge firm") as pledge:
        pledge.commit(replace(by, cause=pledge.heard_at), amount)
    return told(pledge)


def withdraw_pledge(work: Work, by: Act, pledge_id: UUID, reason: str = "none") -> dict[str, object]:
    """The giver takes back what has not been handed over. Needs no reason."""
    with giver_acts(work, by, pledge_id, "withdraw this pledge") as pledge:
        pledge.withdraw(by, reason)
    return told(pledge)


def hand_over(
    work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None, outcome: str = "handed"
) -> dict[str, object]:
    """The giver declares what left its hands: all that is still to be handed over unless something else is said."""
    with giver_acts(work, by, pledge_id, "declare a hand-over") as pledge:
        if amount is None:
            pledge_rules.may_hand_over(pledge.state)
            amount = pledge.state.booking.committed
            if not amount:
                raise Refused(
                    "nothing_left",
                    "Nothing of this pledge is left to hand over.",
                    "If something did leave your hands, say how much.",
                )
        check_plausible(amount, pledge.state.giver.committed, pledge.unit)
        pledge.hand_over(by, amount, outcome)
    return told(pledge)


def fail_hand_over(work: Work, by: Act, pledge_id: UUID, reason: str) -> dict[str, object]:
    """It was tried in vain, or nobody came, as either side saw it; no quantity moves and nobody is blamed."""
    if work.get(Pledge, pledge_id).role == HOME:
        with home_acts(work, by, pledge_id, "record a hand-over that failed") as pledge:
            pledge.miss_hand_over(by, reason)
    else:
        with giver_acts(work, by, pledge_id, "record a hand-over that failed") as pledge:
            pledge.fail_hand_over(by, reason)
    return told(pledge)


def counter_pledge(
    work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None, window: Window = ANY_TIME
) -> dict[str, object]:
    """The home proposes another quantity, another time, or both."""
    with home_acts(work, by, pledge_id, "make a counter-proposal") as pledge:
        wanted = pledge.state.offered if amount is None else amount
        pledge.counter(replace(by, cause=pledge.heard_at), wanted, window=window)
    return told(pledge)


def accept_pledge(work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None) -> dict[str, object]:
    """The home accepts, never more than its need still lacks; inside one group this makes the pledge firm."""
    with home_acts(work, by, pledge_id, "accept this pledge") as pledge:
        need = work.get(Need, pledge.need_id)
        most = min(pledge.state.offered, need.acceptable)
        pledge.accept(replace(by, cause=pledge.heard_at), most if amount is None and most > 0 else amount)
    return told(pledge)


def decline_pledge(work: Work, by: Act, pledge_id: UUID, reason: str) -> dict[str, object]:
    """The home says no, before acceptance."""
    with home_acts(work, by, pledge_id, "decline this pledge") as pledge:
        pledge.decline(replace(by, cause=pledge.heard_at), reason)
    return told(pledge)


def release_pledge(work: Work, by: Act, pledge_id: UUID, reason: str) -> dict[str, object]:
    """The home gives an acceptance back: what has not been received is no longer expected."""
    with home_acts(work, by, pledge_id, "release this pledge") as pledge:
        pledge.release(by, reason)
    return told(pledge)


def receive_pledge(
    work: Work, by: Act, pledge_id: UUID, amount: Decimal | None = None, condition: str = "good"
) -> dict[str, object]:
    """The home confirms what arrived: all that is on its way unless something else is said."""
    with home_acts(work, by, pledge_id, "confirm what arrived") as pledge:
        if amount is None:
            amount = pledge.state.in_transit
            if not amount:
                raise Refused(
                    "nothing_in_transit",
                    "Nothing of this pledge has been declared handed over yet.",
                    "If something did arrive, say how much.",
                )
        check_plausible(amount, max(pledge.state.home.accepted, pledge.state.handed), pledge.unit)
        pledge.receive(by, amount, condition)
    return told(pledge)


def check_plausible(amount: Decimal, promised: Decimal, unit: str) -> None:
    """More than was promised may arrive, and counts; many times more is a slip of the keyboard, said once for all."""
    if promised and amount > promised * SURPLUS_TIMES_MAX:
        raise Refused(
            "far_more_than_promised",
            f"{amount_text(amount)} {unit} is over {SURPLUS_TIMES_MAX} times the {amount_text(promised)} promised.",
            "Check the number. If it is right, post the surplus as a pledge of its own.",
        )


def let_go_of(work: Work, by: Act, need: Need) -> None:
    """The need is closed: decline what is only offered, release what was accepted. What was handed over counts."""
    for pledge_id in sorted(need.open_pledges):
        with changing(work, by, pledge_id) as pledge:
            if pledge.state.live_remainder:
                pledge.release(by, "need_closed")
            else:
                pledge.decline(replace(by, cause=pledge.heard_at), "need_closed")


def withdraw_uncommitted(work: Work, by: Act, offer: Offer) -> None:
    """The offer is withdrawn: take back what was only offered; what was committed still stands."""
    for pledge_id in sorted(offer.open_pledges):
        with changing(work, by, pledge_id) as pledge:
            if not pledge.state.giver.commitment:
                pledge.withdraw(by, "offer_withdrawn")


@contextmanager
def changing(work: Work, by: Act, pledge_id: UUID) -> Iterator[Pledge]:
    """The pledge to act on; afterwards its need and offer are settled and everything is committed together."""
    pledge = work.get(Pledge, pledge_id)
    before = pledge.state
    yield pledge
    settle(work, by, pledge, before)


def settle(work: Work, by: Act, pledge: Pledge, before: PledgeState) -> None:
    """Move the totals of our need and our offer by what this pledge changed, and commit all three."""
    touched: list[Recorded] = [pledge]
    if pledge.role != GIVER:
        need = work.get(Need, pledge.need_id)
        need.cover(by, pledge.id, before.coverage, pledge.state.coverage)
        touched.append(need)
    if pledge.offer_id is not None and pledge.role in (GIVER, LOCAL):
        offer = work.get(Offer, pledge.offer_id)
        offer.book(by, pledge.id, before.booking, pledge.state.booking)
        touched.append(offer)
    work.commit(*touched)


@contextmanager
def giver_acts(work: Work, by: Act, pledge_id: UUID, deed: str) -> Iterator[Pledge]:
    """The pledge for its giver: whoever made it, or a coordinator. Raises Refused for others."""
    with changing(work, by, pledge_id) as pledge:
        require_own(by, pledge, deed)
        yield pledge


@contextmanager
def home_acts(work: Work, by: Act, pledge_id: UUID, deed: str) -> Iterator[Pledge]:
    """The pledge for its home: whoever posted the need, or a coordinator. Raises Refused for others."""
    with changing(work, by, pledge_id) as pledge:
        if pledge.role != GIVER:
            require_own(by, work.get(Need, pledge.need_id), deed)
        yield pledge


def told(pledge: Pledge) -> dict[str, object]:
    """What a caller is told after a command on a pledge."""
    return {"id": pledge.id.hex, "version": pledge.version, "phase": pledge.state.phase}
