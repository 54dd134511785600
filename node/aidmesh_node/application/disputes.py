"""Use cases on disputes: opened, written about, resolved, by people only. What they write goes to the vault.

Nothing about somebody's conduct leaves the node or is shown to other members: coordinators read it, and whoever wrote
it may add to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require, require_own
from aidmesh_node.application.settling import own_side
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.dispute import NUMBER_MAX, Dispute, check_disputable, dispute_id
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.refused import Refused, illegal
from aidmesh_protocol import statements as said

TEXT = "text"
"""The field of a statement in the vault."""


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """What it is `about`, and what somebody wrote. `side` only where both are ours."""

    about: str
    text: str | None = None
    side: str | None = None


def open_dispute(work: Work, by: Act, pledge_id: UUID, record: UUID, wanted: OpenDispute) -> dict[str, object]:
    """Somebody wants this looked at. One at a time about the same thing."""
    with own_side(work, by, pledge_id, wanted.side, "open a dispute", either=True) as (pledge, side):
        check_disputable(pledge)
        dispute = Dispute.open(by, pledge, side, _next_number(work, pledge, side, wanted.about), wanted.about)
    if wanted.text is not None:
        _write(work, by, dispute, record, wanted.text)
    work.commit(dispute)
    return told(dispute)


def add_statement(work: Work, by: Act, dispute_id: UUID, record: UUID, text: str) -> dict[str, object]:
    """What somebody has to say about it. Raises NotFound as `check_known`."""
    dispute = check_known(work, by, dispute_id)
    _write(work, by, dispute, record, text)
    work.commit(dispute)
    return told(dispute)


def check_known(work: Work, by: Act, dispute_id: UUID) -> Dispute:
    """The dispute. Raises NotFound for members who did not open it: not theirs to know of."""
    dispute = work.get(Dispute, dispute_id)
    try:
        require_own(by, dispute, "add to this dispute")
    except Refused:
        raise NotFound("dispute", dispute_id) from None
    return dispute


def resolve_dispute(work: Work, by: Act, dispute_id: UUID, how: str) -> dict[str, object]:
    """For our group it is over; for both once the other has said so too."""
    require(by, "coordinator", "resolve a dispute")
    dispute = work.get(Dispute, dispute_id)
    dispute.resolve(by, how)
    work.commit(dispute)
    return told(dispute)


def hear_dispute(
    work: Work, by: Act, pledge: Pledge, theirs: str, statement: said.DisputeOpened | said.DisputeResolved
) -> None:
    """What the other side, `theirs`, says. Raises Refused("illegal") for a resolution of what nobody opened."""
    if not pledge.state.home.acceptance:
        raise illegal("They spoke of a dispute about a pledge that was never accepted.")
    if isinstance(statement, said.DisputeOpened):
        if work.find(Dispute, dispute_id(pledge.id, theirs, statement.number, statement.about)) is None:
            work.commit(Dispute.open(by, pledge, theirs, statement.number, statement.about))
        return
    dispute = work.find(Dispute, dispute_id(pledge.id, statement.opened_by, statement.number, ""))
    if dispute is None:
        raise illegal("They resolved a dispute that nobody opened.")
    dispute.resolve(by, statement.how, theirs)
    work.commit(dispute)


def told(dispute: Dispute) -> dict[str, object]:
    """What a caller is told after a command on a dispute."""
    return {
        "id": dispute.id.hex,
        "version": dispute.version,
        "about": dispute.about,
        "state": "resolved" if dispute.is_over else "open",
    }


def _next_number(work: Work, pledge: Pledge, side: str, about: str) -> int:
    for number in range(1, NUMBER_MAX + 1):
        before = work.find(Dispute, dispute_id(pledge.id, side, number, about))
        if before is None:
            return number
        if before.about == about and not before.is_over:
            raise Refused("already_open", "A dispute about this is open.", "Add what is to be said to that one.")
    raise Refused(
        "too_many_disputes",
        f"Your side has opened {NUMBER_MAX} disputes about this pledge.",
        "Talk with the other group, or resolve those that are open.",
    )


def _write(work: Work, by: Act, dispute: Dispute, record: UUID, text: str) -> None:
    # To the vault and nowhere else: no feed ever has it (SPEC §15.5a).
    dispute.add_statement(by, record)
    work.vault.put(dispute.id, record, {TEXT: text})
