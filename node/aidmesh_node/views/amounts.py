"""What totals mean: exact decimals as text in, the words people read out."""

from __future__ import annotations

from decimal import Decimal

from aidmesh_node.domain.quantity import amount_text


def remaining(quantity: str, *less: str) -> str:
    """What is left of `quantity`, never below zero: "31800" less "200" is "31600"."""
    if less == (quantity,):
        return "0"
    left = Decimal(quantity) - sum(map(Decimal, less))
    return amount_text(left) if left > 0 else "0"


def share_of(whole: str, *parts: str) -> str:
    """none, partial, full or over: how much of `whole` the parts make together."""
    part = sum(map(Decimal, parts))
    if part == 0:
        return "none"
    if part < Decimal(whole):
        return "partial"
    return "full" if part == Decimal(whole) else "over"
