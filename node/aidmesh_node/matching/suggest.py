"""Which open offer could cover which open need: greedy, exact, the same answer for the same board.

Only proposes: nothing is promised until a person pledges. Knows no names, and never the reasons of a person.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from aidmesh_node.domain.quantity import amount_text

URGENCY_ORDER = ("emergency", "high", "normal", "low")
NEVER_ENDS = datetime.max.replace(tzinfo=UTC)
WITHOUT_END = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class OpenNeed:
    """What is still wanted of a need; `until` None: no last day."""

    id: UUID
    item: str | None
    category: str
    unit: str
    amount_open: Decimal
    urgency: str
    until: datetime | None
    area: str | None


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """What is still to be had of an offer; `available` None: as much as anybody needs. `stale`: nobody has confirmed
    lately that it is still there.
    """

    id: UUID
    item: str | None
    unit: str
    available: Decimal | None
    until: datetime | None
    area: str | None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Give `amount` of this offer to this need; `reasons` in plain words for whoever decides."""

    need_id: UUID
    offer_id: UUID
    amount: Decimal
    reasons: tuple[str, ...]


@dataclass(slots=True)
class _Stock:
    """An offer while its amount is being given out."""

    offer: OpenOffer
    area: str | None
    left: Decimal


@dataclass(slots=True)
class _Queue:
    """Stocks in their order; what is empty at the front is passed once and never looked at again."""

    stocks: list[_Stock] = field(default_factory=list)
    first: int = 0

    def next(self) -> _Stock | None:
        while self.first < len(self.stocks):
            if self.stocks[self.first].left:
                return self.stocks[self.first]
            self.first += 1
        return None


def suggest(needs: Sequence[OpenNeed], offers: Sequence[OpenOffer]) -> list[Suggestion]:
    """Split offers among needs of the same item and unit, most urgent need first; in the order of the needs.

    A need takes from its own area first, then what ends soonest, then the largest, and last what nobody has confirmed
    lately. No need gets more than it
    has open and no offer gives more than it has; of each item and unit, as much is given as both sides allow.
    What has no item is left to people.
    """
    stocks: dict[tuple[str, str], list[_Stock]] = defaultdict(list)
    for offer in sorted(offers, key=_offer_order):
        left = WITHOUT_END if offer.available is None else offer.available
        if offer.item and left > 0:
            stocks[folded(offer.item), offer.unit].append(_Stock(offer, _area(offer.area), left))
    everywhere = {kind: _Queue(of_kind) for kind, of_kind in stocks.items()}
    nearby: dict[tuple[str, str, str | None], _Queue] = defaultdict(_Queue)
    for kind, of_kind in stocks.items():
        for stock in of_kind:
            if stock.offer.stale:
                continue  # near or far, it comes after everything that is known to be there
            nearby[(*kind, stock.area)].stocks.append(stock)

    suggestions: list[Suggestion] = []
    for need in sorted(needs, key=_need_order):
        if not need.item:
            continue
        kind = (folded(need.item), need.unit)
        area = _area(need.area)
        queues = [nearby[(*kind, area)]] if area and (*kind, area) in nearby else []
        queues += [everywhere[kind]] if kind in everywhere else []
        suggestions += _cover(need, queues, area)
    return suggestions


def folded(item: str) -> str:
    """How items are compared: NFC, one space between words, no case."""
    return " ".join(unicodedata.normalize("NFC", item).split()).casefold()


def _cover(need: OpenNeed, queues: Iterable[_Queue], area: str | None) -> list[Suggestion]:
    """Take from the queues, one after the other, until the need is covered or nothing is left."""
    taken: list[Suggestion] = []
    wanted = need.amount_open
    for queue in queues:
        while wanted > 0 and (stock := queue.next()):
            amount = min(wanted, stock.left)
            wanted -= amount
            stock.left -= amount
            reasons = _reasons(need, stock.offer, area is not None and stock.area == area, wanted)
            taken.append(Suggestion(need.id, stock.offer.id, amount, reasons))
    return taken


def _reasons(need: OpenNeed, offer: OpenOffer, near: bool, still_wanted: Decimal) -> tuple[str, ...]:
    reasons = [f"same item: {need.item}", f"same unit: {need.unit}"]
    if near:
        reasons.append(f"same area: {need.area}")
    if need.urgency in ("emergency", "high"):
        reasons.append(f"urgent: {need.urgency}")
    if offer.stale:
        reasons.append("ask first: nobody has confirmed lately that it is still there")
    if offer.until is not None:
        reasons.append(f"the offer ends on {offer.until.date()}")
    reasons.append(
        "covers what is open" if not still_wanted else f"{amount_text(still_wanted)} {need.unit} would stay open"
    )
    return tuple(reasons)


def _area(area: str | None) -> str | None:
    return folded(area) or None if area else None


def _need_order(need: OpenNeed) -> tuple[int, datetime, UUID]:
    return URGENCY_ORDER.index(need.urgency), need.until or NEVER_ENDS, need.id


def _offer_order(offer: OpenOffer) -> tuple[bool, datetime, Decimal, UUID]:
    available = WITHOUT_END if offer.available is None else offer.available
    return offer.stale, offer.until or NEVER_ENDS, -available, offer.id
