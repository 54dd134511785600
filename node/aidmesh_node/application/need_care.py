"""Use cases that keep a need from being forgotten: look again, call, extend, change, reopen. Get, act, commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from aidmesh_node.application import redaction
from aidmesh_node.application.needs import told
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require, require_own
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.refused import Refused


def review_need(work: Work, by: Act, need_id: UUID, next_at: datetime | None) -> dict[str, object]:
    """Somebody looked at it; its clock begins anew, or it is looked at again at `next_at`."""
    need = work.get(Need, need_id)
    require_own(by, need, "review this need")
    need.review(by, next_at)
    work.commit(need)
    return told(need)


def record_contact(work: Work, by: Act, need_id: UUID, outcome: str) -> dict[str, object]:
    """Somebody tried to reach whom it is for. Answers how many tries in a row were in vain."""
    need = work.get(Need, need_id)
    require_own(by, need, "record a call about this need")
    need.record_contact(by, outcome)
    work.commit(need)
    return {**told(need), "unanswered": need.unanswered}


def extend_need(work: Work, by: Act, need_id: UUID, until: datetime) -> dict[str, object]:
    """It is still wanted, until then; those it is shared with see the new date."""
    need = work.get(Need, need_id)
    require_own(by, need, "extend this need")
    need.extend(by, until)
    work.commit(need)
    return told(need)


def amend_need(work: Work, by: Act, need_id: UUID, amount: Decimal) -> dict[str, object]:
    """More or less is wanted, never less than has arrived and is promised."""
    need = work.get(Need, need_id)
    require_own(by, need, "amend this need")
    need.amend(by, amount)
    work.commit(need)
    return told(need)


def change_urgency(
    work: Work, by: Act, need_id: UUID, urgency: str, reason: str, advice: EmergencyAdvice | None
) -> dict[str, object]:
    """More or less urgent than was thought; with the `advice` that was acknowledged, an emergency."""
    need = work.get(Need, need_id)
    require_own(by, need, "change how urgent this need is")
    need.change_urgency(by, urgency, reason, advice)
    work.commit(need)
    return told(need)


def share_wider(work: Work, by: Act, need_id: UUID, circles: Sequence[bytes], consent: Consent) -> dict[str, object]:
    """Let an emergency go to every circle at once, with the person's consent to just that."""
    require(by, "coordinator", "share a need")
    need = work.get(Need, need_id)
    new = [circle.hex() for circle in circles if not (known := need.shares.get(circle.hex())) or not known.live]
    if need.is_open and not new:
        raise Refused("already_shared", "This is already shared with every group you are connected with.")
    # One is named even when there is none to add, so that a need that is closed, or no emergency, says so.
    for circle in new or [circle.hex() for circle in circles]:
        need.share(by, circle, consent, because_of_emergency=True)
    work.commit(need)
    return {**told(need), "circles": new, "leaves": redaction.shown(redaction.need_shared(need))}


def reopen_need(work: Work, by: Act, need_id: UUID) -> dict[str, object]:
    """Open again within 30 days, and shared with nobody: share it anew with whoever may know."""
    need = work.get(Need, need_id)
    require_own(by, need, "reopen this need")
    need.reopen(by)
    work.commit(need)
    return told(need)
