"""Who may say what about a pledge, and when. Pure; the fold itself is pledge_fold.py.

`may_*` guard our own acts and speak to a person. `heard_*` judge a peer's statement against our own side,
which we know completely: only what a node following the protocol could never say is illegal, whatever crossed
on the way.
"""

from __future__ import annotations

from decimal import Decimal

from aidmesh_node.domain.pledge_fold import (
    ACCEPTED,
    COUNTERED,
    RELEASED,
    REVISIONS_MAX,
    Booking,
    Coverage,
    PledgeState,
)
from aidmesh_node.domain.quantity import ZERO, amount_text
from aidmesh_node.domain.refused import Refused, illegal


def may_revise(state: PledgeState, quantity: Decimal, timed: bool = False) -> int:
    """The number of the next revision; `timed`: it changes the time too."""
    _refuse_if_over(state)
    if state.giver.commitment or state.acceptance_live:
        raise Refused(
            "already_accepted",
            "They have already accepted this pledge, so it can no longer be changed.",
            "Withdraw it and make a new one, or make a second pledge for the difference.",
        )
    if quantity == state.offered and not timed:
        raise Refused("nothing_changed", f"The pledge already says {amount_text(quantity)}.")
    if state.giver.revision >= REVISIONS_MAX:
        raise Refused("too_many_revisions", "This pledge was changed too often.", "Withdraw it and make a new one.")
    return state.giver.revision + 1


def may_commit(state: PledgeState, acceptance: int | None, quantity: Decimal | None) -> tuple[int, Decimal]:
    """The acceptance answered and the quantity made firm: all that was accepted unless less is said."""
    if state.giver.commitment:
        raise Refused("already_committed", "This pledge is already firm.")
    _refuse_if_over(state)
    if not state.acceptance_live or acceptance not in (None, state.home.acceptance):
        raise Refused(
            "not_accepted",
            "There is no acceptance of this pledge that could be made firm.",
            "Wait until the other group accepts it.",
        )
    accepted = state.home.accepted
    if quantity is not None and quantity > accepted:
        raise Refused(
            "more_than_accepted",
            f"They accepted {amount_text(accepted)}; you cannot make {amount_text(quantity)} firm.",
            f"Commit {amount_text(accepted)} or less.",
        )
    return state.home.acceptance, accepted if quantity is None else quantity


def may_withdraw(state: PledgeState) -> None:
    """Allowed, without a reason, for whatever has not been handed over."""
    _refuse_if_over(state)
    undeclared = min(state.home.counted, state.committed) - state.handed
    if state.commitment_live and undeclared > 0:
        raise Refused(
            "hand_over_first",
            f"They have confirmed that {amount_text(undeclared)} arrived that you have not recorded.",
            "Record that hand-over first; then withdraw the rest.",
        )
    if state.commitment_live and state.handed >= state.committed:
        raise Refused(
            "handed_over",
            "Everything you promised has been handed over, so there is nothing left to withdraw.",
        )


def may_hand_over(state: PledgeState) -> int:
    """The number of the next hand-over. A physical fact: allowed also when a release or withdrawal crossed
    it.
    """
    if not state.giver.commitment:
        raise Refused(
            "not_committed",
            "This pledge is not firm yet, so nothing can be handed over for it.",
            "Wait until it is accepted and committed.",
        )
    return state.giver.attempts + 1


def may_counter(state: PledgeState, revision: int | None, quantity: Decimal, timed: bool = False) -> int:
    """The revision countered; `timed`: another time is proposed."""
    live = _live_revision(state, revision)
    if state.home.word == COUNTERED and state.answered:
        raise Refused(
            "already_countered",
            "You have already made a counter-proposal to this offer.",
            "Wait for their answer, or accept or decline what they offer now.",
        )
    if quantity == state.offered and not timed:
        raise Refused("nothing_changed", f"They already offer {amount_text(quantity)}.", "Accept it instead.")
    return live


def may_decline(state: PledgeState, revision: int | None) -> int:
    """The revision declined; only before acceptance."""
    return _live_revision(state, revision)


def may_accept(state: PledgeState, revision: int | None, quantity: Decimal | None) -> tuple[int, int, Decimal]:
    """The acceptance's number, the revision accepted and the quantity: all that is offered unless less is
    said.
    """
    live = _live_revision(state, revision)
    if quantity is not None and quantity > state.offered:
        raise Refused(
            "more_than_offered",
            f"They offer {amount_text(state.offered)}; you cannot accept {amount_text(quantity)}.",
            f"Accept {amount_text(state.offered)} or less.",
        )
    return state.home.acceptance + 1, live, state.offered if quantity is None else quantity


def may_release(state: PledgeState, acceptance: int | None) -> int:
    """The acceptance given back, for whatever has not been received."""
    if acceptance not in (None, state.home.acceptance) or not state.home.acceptance:
        raise Refused("not_accepted", "There is no acceptance of this pledge that could be released.")
    if state.home.word == RELEASED:
        raise Refused("already_released", "You have already released this pledge.")
    if not state.live_remainder:
        raise Refused("nothing_left", "Nothing of this pledge is still expected, so there is nothing to release.")
    return state.home.acceptance


def may_receive(state: PledgeState) -> int:
    """The number of the next receipt. A physical fact: allowed also after a release or withdrawal."""
    if not state.home.acceptance:
        raise Refused(
            "not_accepted",
            "Your group has not accepted this pledge, so nothing can have arrived for it.",
            "Accept the pledge first, then confirm what arrived.",
        )
    return state.home.receipts + 1


def heard_commit(state: PledgeState, acceptance: int, quantity: Decimal) -> None:
    """At the home: the acceptance exists, is about the giver's last revision, and covers the quantity."""
    home = state.home
    given = acceptance == home.acceptance and home.word in (ACCEPTED, RELEASED)
    if not given or home.revision != state.giver.revision:
        raise illegal(f"They made a pledge firm that we had not accepted (acceptance {acceptance}).")
    if quantity > home.accepted:
        raise illegal(f"They made {amount_text(quantity)} firm where we had accepted {amount_text(home.accepted)}.")


def heard_answer(state: PledgeState, revision: int, quantity: Decimal | None = None) -> None:
    """At the giver: the revision answered exists; an acceptance is not for more than it offered."""
    if not 1 <= revision <= state.giver.revision:
        raise illegal(f"They answered revision {revision} of a pledge; we never made it.")
    if quantity is not None and quantity > state.giver.offers[revision - 1]:
        offered = amount_text(state.giver.offers[revision - 1])
        raise illegal(f"They accepted {amount_text(quantity)} where we had offered {offered}.")


def room_in_need(
    quantity: Decimal, reserved: Decimal, arrived: Decimal, before: Coverage, after: Coverage
) -> tuple[Decimal, Decimal]:
    """How much more an act would promise of a need, and how much may be: refuse it when more > room. `arrived` is what
    the need has received or presumes to have: what turns out not to have arrived is promised still, not anew.
    """
    come = after.arrived - before.arrived
    more = after.reserved - before.reserved + min(ZERO, come)
    return more, max(ZERO, quantity - arrived - max(ZERO, come) - reserved)


def room_in_offer(
    capacity: Decimal | None, booked: Decimal, before: Booking, after: Booking
) -> tuple[Decimal, Decimal | None]:
    """How much more an act would take of an offer, and how much is left (None: inexhaustible)."""
    return after.total - before.total, None if capacity is None else max(ZERO, capacity - booked)


def _live_revision(state: PledgeState, revision: int | None) -> int:
    """The revision an answer is about; refuses when there is nothing to answer or it changed meanwhile."""
    _refuse_if_over(state)
    if state.giver.commitment or state.acceptance_live:
        raise Refused(
            "already_accepted",
            "Your group has already accepted this pledge.",
            "Release it if it is no longer needed.",
        )
    if revision not in (None, state.giver.revision):
        raise Refused(
            "revised",
            f"They have changed their pledge meanwhile; it now says {amount_text(state.offered)}.",
            "Look at it again, then answer.",
        )
    return state.giver.revision


def _refuse_if_over(state: PledgeState) -> None:
    if state.giver.withdrawn:
        raise Refused("withdrawn", "This pledge has been withdrawn.", "A new pledge can be made.")
    if state.released:
        raise Refused("released", "This pledge has been released: it is no longer needed.", "A new pledge can be made.")
    if state.declined:
        raise Refused("declined", "This pledge has been declined.", "A new pledge can be made.")
