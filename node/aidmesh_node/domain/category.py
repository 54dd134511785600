"""What kind of help something is. The ids are words of the protocol; their translations live elsewhere."""

from __future__ import annotations

from aidmesh_node.domain.refused import one_of

CATEGORIES = (
    "food",
    "water",
    "shelter",
    "bedding",
    "household",
    "hygiene",
    "clothing",
    "medicine",
    "childcare",
    "transport",
    "tools",
    "energy",
    "money",
    "care",
    "company",
    "work",
    "skills",
    "other",
)


def category_id(text: str) -> str:
    """The category id for what somebody wrote, or Refused "unknown_category" naming all of them."""
    return one_of("category", text.strip().casefold(), CATEGORIES)
