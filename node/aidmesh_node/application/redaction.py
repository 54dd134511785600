"""What a circle may see of a need or an offer: level 1 of the privacy ladder, and nothing else (SPEC §5.5d).

Category, item, quantity, urgency, window, coarse area. Item and area are short labels that a coordinator has typed or
picked from the group's list, and that the coordinator who shares is shown once more. Whoever adds a field here decides
that strangers may read it.
"""

from __future__ import annotations

from decimal import Decimal

from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.domain.window import Window
from aidmesh_protocol.statements import (
    NeedShared,
    NeedUpdated,
    NeedView,
    OfferShared,
    OfferUpdated,
    OfferView,
)


def need_shared(need: Need) -> NeedShared:
    """The redacted view of a need, with what is still open."""
    view = NeedView(need.category, need.item, need.urgency, *epoch_minutes(need.window), need.area)
    return NeedShared(amount_text(need.quantity), need.unit, amount_text(need.acceptable), view)


def need_updated(need: Need) -> NeedUpdated:
    """The totals of a need; what is presumed to have arrived is wanted from nobody else, so it counts as received."""
    return NeedUpdated(amount_text(need.quantity), amount_text(need.arrived), amount_text(need.reserved))


def offer_shared(offer: Offer) -> OfferShared:
    """The redacted view of an offer, with what is still available."""
    view = OfferView(offer.category, offer.item, *epoch_minutes(offer.window), offer.area, offer.mode)
    return OfferShared(_text(offer.quantity), offer.unit, _text(offer.available), view)


def offer_updated(offer: Offer) -> OfferUpdated:
    """The totals of an offer."""
    return OfferUpdated(_text(offer.quantity), _text(offer.available))


def shown(statement: NeedShared | OfferShared) -> dict[str, object]:
    """What others will read, in words for the one who shares."""
    view = statement.view
    assert view is not None  # what we publish always has its view
    told: dict[str, object] = {
        "category": view.category,
        "item": view.item,
        "quantity": statement.quantity,
        "unit": statement.unit,
        "area": view.area,
    }
    return told | ({"urgency": view.urgency} if isinstance(view, NeedView) else {"mode": view.mode})


def epoch_minutes(window: Window) -> tuple[int | None, int | None]:
    """A window as the wire knows it: whole minutes since 1970, the start rounded down and the end up."""
    start, end = window.start, window.end
    return (
        None if start is None else max(0, int(start.timestamp()) // 60),
        None if end is None else max(0, -(-int(end.timestamp()) // 60)),
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)
