"""How items are compared: what people mean is the same whatever the case and the spaces."""

from __future__ import annotations

from functools import lru_cache

ITEMS_KEPT = 1_024
"""Most of what groups ask each other for is the same few hundred things."""


@lru_cache(maxsize=ITEMS_KEPT)
def item_key(item: str) -> str:
    """The form in which two spellings of one item are equal."""
    return " ".join(item.casefold().split())


def key_or_none(item: str | None) -> str | None:
    """As `item_key`; None where no item is named."""
    return None if item is None else item_key(item)
