"""The reason and outcome codes of a pledge: words of the protocol, shown to people in their own language."""

from __future__ import annotations

from collections.abc import Sequence

from aidmesh_node.domain.act import Act
from aidmesh_node.domain.refused import one_of

HOWS = ("deliver", "pick_up", "remote")
OUTCOMES = ("handed", "left_as_agreed", "picked_up", "done_remote")
FAILURES = (
    "not_home",
    "bad_address",
    "not_ready",
    "too_far",
    "refused",
    "unsafe",
    "carrier_did_not_come",
    "other",
)
WITHDRAW_REASONS = ("none", "lapsed", "offer_withdrawn")
DECLINE_REASONS = (
    "already_covered",
    "not_suitable",
    "timing",
    "person_prefers_other",
    "safety",
    "need_closed",
    "share_revoked",
    "other",
)
RELEASE_REASONS = ("changed_plan", "found_elsewhere", "unanswered", "need_closed", "other")
CONDITIONS = ("good", "damaged", "partial", "other")


def word_of(by: Act, what: str, value: str, allowed: Sequence[str], unknown: str) -> str:
    """`value` if it is allowed. A member's unknown word is refused; a peer's is read as `unknown`, since a
    newer node may know more words than we do and its statement still counts.
    """
    if by.heard and value not in allowed:
        return unknown
    return one_of(what, value, allowed)
