"""Use cases on offers: get, act, commit. Who gives and how to reach them goes to the vault, never into an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aidmesh_node.application import pledges, redaction
from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require, require_own
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import ANY_TIME, Window


@dataclass(frozen=True, slots=True)
class PostOffer:
    """What somebody can give. `quantity` None: as much as anyone needs, counted in `unit`."""

    category: str
    quantity: Quantity | None
    unit: str
    item: str | None = None
    window: Window = ANY_TIME
    area: str | None = None
    mode: str = "give"
    private: Mapping[str, str] = field(default_factory=dict)


def post_offer(work: Work, by: Act, offer_id: UUID, person: UUID, post: PostOffer) -> dict[str, object]:
    """An offer of `person`, durable with its private fields in one transaction."""
    offer = Offer.post(
        offer_id,
        by,
        person=person,
        category=post.category,
        item=post.item,
        quantity=post.quantity,
        unit=post.unit,
        window=post.window,
        area=post.area,
        mode=post.mode,
    )
    if post.private:
        work.vault.put(person, offer_id, post.private)
    work.commit(offer)
    return told(offer)


def share_offer(work: Work, by: Act, offer_id: UUID, circle: bytes) -> dict[str, object]:
    """Let the redacted view of this offer go to one circle. Sharing is the review, as for needs."""
    require(by, "coordinator", "share an offer")
    offer = work.get(Offer, offer_id)
    offer.share(by, circle.hex())
    work.commit(offer)
    return {**told(offer), "leaves": redaction.shown(redaction.offer_shared(offer))}


def unshare_offer(work: Work, by: Act, offer_id: UUID, circle: bytes) -> dict[str, object]:
    """Take a share back: our own views stop at once, peers are told and acknowledge."""
    require(by, "coordinator", "take a share back")
    offer = work.get(Offer, offer_id)
    offer.unshare(by, circle.hex())
    work.commit(offer)
    return told(offer)


def withdraw_offer(work: Work, by: Act, offer_id: UUID) -> dict[str, object]:
    """No longer on offer: what was only offered is withdrawn; what was committed still stands."""
    offer = work.get(Offer, offer_id)
    require_own(by, offer, "withdraw this offer")
    offer.withdraw(by)
    pledges.withdraw_uncommitted(work, by, offer)
    work.commit(offer)
    return told(offer)


def close_offer(work: Work, by: Act, offer_id: UUID, reason: str) -> dict[str, object]:
    """Nothing is left of it, or another takes its place: as withdrawn, what was committed still stands."""
    offer = work.get(Offer, offer_id)
    require_own(by, offer, "close this offer")
    offer.close(by, reason)
    pledges.withdraw_uncommitted(work, by, offer)
    work.commit(offer)
    return told(offer)


def confirm_offer(work: Work, by: Act, offer_id: UUID) -> dict[str, object]:
    """Somebody says that it is still there."""
    offer = work.get(Offer, offer_id)
    require_own(by, offer, "confirm that this is still there")
    offer.confirm_available(by)
    work.commit(offer)
    return told(offer)


def extend_offer(work: Work, by: Act, offer_id: UUID, until: datetime) -> dict[str, object]:
    """It is there for longer; whoever it is shared with is shown the new end."""
    offer = work.get(Offer, offer_id)
    require_own(by, offer, "extend this offer")
    offer.extend(by, until)
    work.commit(offer)
    return told(offer)


def reopen_offer(work: Work, by: Act, offer_id: UUID, until: datetime | None = None) -> dict[str, object]:
    """It is there after all. Nobody else is shown it before a coordinator shares it again."""
    offer = work.get(Offer, offer_id)
    require_own(by, offer, "reopen this offer")
    offer.reopen(by, until)
    work.commit(offer)
    return told(offer)


def told(offer: Offer) -> dict[str, object]:
    """What a caller is told after a command on an offer."""
    return {"id": offer.id.hex, "version": offer.version, "state": offer.state}
