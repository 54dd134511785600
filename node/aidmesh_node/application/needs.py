"""Use cases on needs: get, act, commit. Names, contacts and notes go to the vault, never into an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from aidmesh_node.application import pledges, redaction
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require, require_own
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.need_closing import JUST_CLOSED, Closing
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import ANY_TIME, Window


@dataclass(frozen=True, slots=True)
class PostNeed:
    """What somebody asks for. `private` holds names, contacts and free text by field name: vault only. `advice` is
    what was read out before it was saved as an emergency.
    """

    category: str
    quantity: Quantity
    item: str | None = None
    urgency: str = "normal"
    window: Window = ANY_TIME
    area: str | None = None
    language: str | None = None
    private: Mapping[str, str] = field(default_factory=dict)
    advice: EmergencyAdvice | None = None


def post_need(work: Work, by: Act, need_id: UUID, person: UUID, post: PostNeed) -> dict[str, object]:
    """A need of `person`, durable with its private fields in one transaction."""
    need = Need.post(
        need_id,
        by,
        person=person,
        category=post.category,
        item=post.item,
        quantity=post.quantity,
        urgency=post.urgency,
        window=post.window,
        area=post.area,
        language=post.language,
        advice=post.advice,
    )
    if post.private:
        work.vault.put(person, need_id, post.private)
    work.commit(need)
    return told(need)


def share_need(work: Work, by: Act, need_id: UUID, circle: bytes, consent: Consent) -> dict[str, object]:
    """Let the redacted view of this need go to one circle. Publication decides again when it leaves.

    Sharing is the review: the coordinator on record as the actor is told exactly what others will read (`leaves`).
    """
    require(by, "coordinator", "share a need")
    need = work.get(Need, need_id)
    need.share(by, circle.hex(), consent)
    work.commit(need)
    return {**told(need), "leaves": redaction.shown(redaction.need_shared(need))}


def unshare_need(work: Work, by: Act, need_id: UUID, circle: bytes) -> dict[str, object]:
    """Take a share back: our own views stop at once, peers are told and acknowledge."""
    require(by, "coordinator", "take a share back")
    need = work.get(Need, need_id)
    need.unshare(by, circle.hex())
    work.commit(need)
    return told(need)


def withdraw_need(work: Work, by: Act, need_id: UUID) -> dict[str, object]:
    """The person no longer wants it; open pledges are released with thanks."""
    need = work.get(Need, need_id)
    require_own(by, need, "withdraw this need")
    need.withdraw(by)
    pledges.let_go_of(work, by, need)
    work.commit(need)
    return told(need)


def close_need(work: Work, by: Act, need_id: UUID, reason: str, said: Closing = JUST_CLOSED) -> dict[str, object]:
    """Close with one of the named reasons and what goes with it; open pledges are released or declined."""
    require(by, "coordinator", "close a need")
    need = work.get(Need, need_id)
    if said.of is not None and work.get(Need, said.of).closed_reason == "duplicate":
        raise Refused(
            "duplicate_of_a_duplicate",
            "The need you named was itself closed as a duplicate.",
            "Name the one that stays.",
        )
    need.close(by, reason, said)
    pledges.let_go_of(work, by, need)
    work.commit(need)
    return told(need)


def told(need: Need) -> dict[str, object]:
    """What a caller is told after a command on a need."""
    return {"id": need.id.hex, "version": need.version, "state": need.state}
