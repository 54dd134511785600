"""What a peer says about a pledge, recorded and settled, and what our node answers by itself.

The giver's node commits at once when its live offer is accepted: the goods are still held. The home's node declines
what is promised to a need that is closed or no longer shared. Everything else waits for a person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from aidmesh_node.application.disputes import hear_dispute
from aidmesh_node.application.pledges import changing, settle
from aidmesh_node.application.ports import Work
from aidmesh_node.application.subject_ids import heard_pledge_id
from aidmesh_node.domain.act import NODE, PEER, RECOVERED, Act
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge import GIVER, HOME, Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused, illegal
from aidmesh_node.domain.window import Window
from aidmesh_protocol import statements as said


def hear_offer(work: Work, by: Act, peer: str, circle: bytes, subject: bytes, offered: said.PledgeOffered) -> None:
    """A peer pledges towards one of our needs. Unknown needs are illegal; closed ones are declined, politely."""
    known = work.subjects.find(circle, offered.need_subject)
    if known is None or known.kind != "need":
        raise illegal("They pledged towards a need that we never shared with this circle.")
    pledge_id = heard_pledge_id(circle, subject)
    named = work.subjects.find(circle, subject)
    if named is not None and named.aggregate_id != pledge_id:
        raise illegal("They offered a pledge under an id that already names something of ours.")
    if work.find(Pledge, pledge_id) is not None:
        return
    need = work.get(Need, known.aggregate_id)
    pledge = Pledge.offer(
        pledge_id,
        by,
        role=HOME,
        need_id=need.id,
        quantity=Quantity(Decimal(offered.quantity), offered.unit),
        circle=circle.hex(),
        peer=peer,
        how=offered.how,
        window=window(offered.from_minute, offered.until_minute),
    )
    work.subjects.put(circle, subject, "pledge", pledge_id)
    if by.role == PEER:
        answer_by_itself(work, _answer(by), pledge)
    settle(work, by, pledge, PledgeState())


def answer_by_itself(work: Work, by: Act, pledge: Pledge) -> None:
    """What our node says without asking anybody: firm is what was accepted, no is said to what cannot be taken."""
    if pledge.role == GIVER:
        if pledge.state.acceptance_live and not pledge.state.giver.commitment:
            pledge.commit(by)
    elif pledge.role == HOME and pledge.circle is not None and pledge.state.phase == "offered":
        reason = _cannot_take(work.get(Need, pledge.need_id), pledge, bytes.fromhex(pledge.circle))
        if reason:
            pledge.decline(by, reason)


def hear(work: Work, by: Act, peer: str, circle: bytes, subject: bytes, statement: object) -> None:
    """Any later statement about a pledge. Raises Refused("illegal") for what no honest node could have said: it
    is left out of the fold (SPEC §15.2a)."""
    known = work.subjects.find(circle, subject)
    if known is None or known.kind != "pledge":
        raise illegal("They spoke of a pledge that nobody offered in this circle.")
    about = work.get(Pledge, known.aggregate_id)
    if about.peer != peer:
        raise illegal("They spoke of a pledge between other groups.")
    if isinstance(statement, said.DisputeOpened | said.DisputeResolved):
        hear_dispute(work, by, about, speaker(by, about), statement)
        return
    with changing(work, by, known.aggregate_id) as pledge:
        _record(pledge, by, statement)
        if by.role == PEER and pledge.role == GIVER:
            answer_by_itself(work, _answer(by), pledge)


def _record(pledge: Pledge, by: Act, statement: object) -> None:
    theirs = speaker(by, pledge)
    match statement:
        case said.PledgeRevised():
            pledge.revise(by, Decimal(statement.quantity), statement.revision)
        case said.PledgeCommitted():
            pledge.commit(by, Decimal(statement.quantity), statement.acceptance)
        case said.PledgeWithdrawn():
            pledge.withdraw(by, statement.reason)
        case said.HandoverDeclared():
            pledge.hand_over(by, Decimal(statement.quantity), statement.outcome, statement.number)
        case said.HandoverFailed():
            pledge.fail_hand_over(by, statement.reason, statement.number)
        case said.PledgeCountered():
            pledge.counter(by, Decimal(statement.quantity), statement.revision)
        case said.PledgeDeclined():
            pledge.decline(by, statement.reason, statement.revision)
        case said.PledgeAccepted():
            pledge.accept(by, Decimal(statement.quantity), statement.revision, statement.acceptance)
        case said.PledgeReleased():
            pledge.release(by, statement.reason, statement.acceptance)
        case said.ReceiptConfirmed():
            pledge.receive(by, Decimal(statement.quantity), statement.condition, statement.number)
        case said.HandoverProposed():
            pledge.propose_time(by, theirs, window(statement.from_minute, statement.until_minute), statement.revision)
        case said.HandoverMissed():
            pledge.miss_hand_over(by, statement.reason, statement.number)
        case said.HandoverCorrected():
            pledge.correct(by, GIVER, Decimal(statement.quantity), statement.number)
        case said.ReceiptCorrected():
            pledge.correct(by, HOME, Decimal(statement.quantity), statement.number)
        case said.ReceiptPresumed():
            pledge.presume_receipt(by, Decimal(statement.quantity), statement.corrections, statement.number)
        case said.DiscrepancyLeft():
            pledge.leave_discrepancy(by, theirs, (Decimal(statement.handed), Decimal(statement.received)))
        case _:
            raise Refused("illegal", f"{type(statement).__name__} is not about a pledge.")


def speaker(by: Act, pledge: Pledge) -> str:
    """The side whose words an act records: the other one's, unless our own have come back."""
    if by.role == RECOVERED:
        return pledge.role
    return GIVER if pledge.role == HOME else HOME


def _cannot_take(need: Need, pledge: Pledge, circle: bytes) -> str:
    """The reason to decline at once, or ""."""
    if not need.is_open:
        return "need_closed"
    share = need.shares.get(circle.hex())
    if share is None or not share.live:
        return "share_revoked"
    return "not_suitable" if pledge.unit != need.unit else ""


def _answer(by: Act) -> Act:
    return replace(by, role=NODE, heard=False)


def window(start: int | None, end: int | None) -> Window:
    """A window from minutes since 1970."""
    return Window(_moment(start), _moment(end))


def _moment(minute: int | None) -> datetime | None:
    if minute is None:
        return None
    try:
        return datetime.fromtimestamp(minute * 60, UTC)
    except (ValueError, OverflowError):
        # The wire reaches further than calendars do: beyond the year 9999 an end is as good as open.
        return None
