"""Recording an import: every row in one transaction, or none. The same import again changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft, OfferDraft, Plan, person_id
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer


def import_drafts(
    work: Work, by: Act, plan: Plan, namespace: UUID, advice: EmergencyAdvice | None = None
) -> dict[str, object]:
    """Post what is new of a plan. Answers the new ids, how many rows were known already, and the plan's notes.

    Rows that say emergency are taken only with the `advice` that was acknowledged.
    """
    require(by, "coordinator", "import a file")
    needs = [draft for draft in plan.needs if work.find(Need, draft.id) is None]
    offers = [draft for draft in plan.offers if work.find(Offer, draft.id) is None]
    before: list[tuple[NeedDraft | OfferDraft, Need | Offer | None]] = [
        *((draft, work.find(Need, draft.id)) for draft in plan.needs),
        *((draft, work.find(Offer, draft.id)) for draft in plan.offers),
    ]
    differing = [draft.id.hex for draft, known in before if known is not None and _differs(known, draft)]
    for need_draft in needs:
        _post_need(work, by, need_draft, namespace, advice)
    for offer_draft in offers:
        _post_offer(work, by, offer_draft, namespace)
    corrected = (
        [f"{len(differing)} rows say something else than when they were imported; those were left as they are."]
        if differing
        else []
    )
    return {
        "needs": [draft.id.hex for draft in needs],
        "offers": [draft.id.hex for draft in offers],
        "unchanged": len(plan.needs) + len(plan.offers) - len(needs) - len(offers),
        "shifted_days": plan.shifted_days,
        "differing": differing,
        "notes": [*plan.notes, *corrected],
    }


def _differs(known: Need | Offer, draft: NeedDraft | OfferDraft) -> bool:
    """Whether a row that was imported before now says something else, names and notes apart."""
    return (known.category, known.item, known.quantity, known.unit, known.area) != (
        draft.category,
        draft.item,
        draft.quantity.amount,
        draft.quantity.unit,
        draft.area,
    )


def _post_need(work: Work, by: Act, draft: NeedDraft, namespace: UUID, advice: EmergencyAdvice | None) -> None:
    need = Need.post(
        draft.id,
        _as_posted(by, draft.posted_on),
        person=_keep_private(work, draft, namespace),
        category=draft.category,
        item=draft.item,
        quantity=draft.quantity,
        urgency=draft.urgency,
        window=draft.window,
        area=draft.area,
        advice=advice,
    )
    if draft.closed_reason:
        need.close_as_imported(by, draft.closed_reason)
    work.commit(need)


def _post_offer(work: Work, by: Act, draft: OfferDraft, namespace: UUID) -> None:
    offer = Offer.post(
        draft.id,
        _as_posted(by, draft.posted_on),
        person=_keep_private(work, draft, namespace),
        category=draft.category,
        item=draft.item,
        quantity=draft.quantity,
        window=draft.window,
        area=draft.area,
        mode=draft.mode,
    )
    work.commit(offer)


def _keep_private(work: Work, draft: NeedDraft | OfferDraft, namespace: UUID) -> UUID | None:
    """Names, contacts and free text of a row, in the vault under the row's person."""
    if draft.person_key is None:
        return None
    person = person_id(namespace, draft.person_key)
    if draft.private:
        work.vault.put(person, draft.id, draft.private)
    return person


def _as_posted(by: Act, posted_on: datetime | None) -> Act:
    """The row keeps the day on which it was first asked, never one in the future."""
    return by if posted_on is None or posted_on > by.at else replace(by, at=posted_on)
