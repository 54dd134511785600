"""Use cases on what comes after a hand-over: asking, presuming, setting right, leaving it at that.

Each is one transaction with the totals it moves. A person does every one of them; nothing here happens by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from uuid import UUID

from aidmesh_node.application.pledges import check_plausible, giver_acts, home_acts, told
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.refused import Refused, one_of

SIDES = (GIVER, HOME)

Acting = Callable[[Work, Act, UUID, str], AbstractContextManager[Pledge]]


def ask_receipt(work: Work, by: Act, pledge_id: UUID, how: str = "other") -> dict[str, object]:
    """The home has asked in vain what arrived: an attempt, with its time."""
    with home_acts(work, by, pledge_id, "record that somebody was asked") as pledge:
        pledge.ask_receipt(by, how)
    return {**told(pledge), "asked": len(pledge.asked)}


def presume_receipt(work: Work, by: Act, pledge_id: UUID) -> dict[str, object]:
    """The home takes what was handed over to have arrived, after a week and two attempts to ask."""
    require(by, "coordinator", "presume that something arrived")
    with home_acts(work, by, pledge_id, "presume that it arrived") as pledge:
        pledge.presume_receipt(by)
    return told(pledge)


def correct(work: Work, by: Act, pledge_id: UUID, amount: Decimal, side: str | None = None) -> dict[str, object]:
    """Set right what our side has said was handed over (giver) or received (home): so much, all in all."""
    with own_side(work, by, pledge_id, side, "correct this") as (pledge, ours):
        promised = max(pledge.state.home.accepted, pledge.state.giver.committed)
        check_plausible(amount, promised, pledge.unit)
        pledge.correct(by, ours, amount)
    return told(pledge)


def leave_discrepancy(work: Work, by: Act, pledge_id: UUID) -> dict[str, object]:
    """Our side leaves it at two figures that differ; neither changes."""
    with own_side(work, by, pledge_id, None, "leave it at that", either=True) as (pledge, ours):
        pledge.leave_discrepancy(by, ours)
    return told(pledge)


@contextmanager
def own_side(
    work: Work, by: Act, pledge_id: UUID, side: str | None, deed: str, *, either: bool = False
) -> Iterator[tuple[Pledge, str]]:
    """The pledge and the side we speak for. Inside one group `side` must say which, unless it may be `either`."""
    if side is not None:
        one_of("side of a pledge", side, SIDES)
    role = work.get(Pledge, pledge_id).role
    ours = side or (role if role != LOCAL else HOME)
    if role == LOCAL and side is None and not either:
        raise Refused(
            "which_side",
            "Both sides of this pledge are your group's.",
            "Say which figure is wrong: giver (what was handed over) or home (what was received).",
        )
    if role not in (LOCAL, ours):
        raise Refused("not_yours", "Only the other group can speak for that side.", "Leave the side out.")
    acting: Acting = giver_acts if ours == GIVER else home_acts
    with acting(work, by, pledge_id, deed) as pledge:
        yield pledge, ours
