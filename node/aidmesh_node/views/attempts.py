"""What came of a hand-over, in words: how it was done, or why it was not and what can be done now.

Attempts are told as they were, and counted; nobody is blamed, ranked or remembered for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DONE = {
    "handed": "were handed over",
    "left_as_agreed": "were left where you had agreed",
    "picked_up": "were picked up",
    "done_remote": "were done from afar",
}

FAILED = {
    "not_home": "nobody was at home",
    "bad_address": "the address was not right",
    "not_ready": "it was not ready",
    "too_far": "it was too far",
    "refused": "it was not wanted there",
    "unsafe": "it was not safe",
    "carrier_did_not_come": "nobody came to carry it",
    "other": "it did not work out",
}

TRY_AGAIN = {
    "not_home": "agree on a time when somebody is there, then try again",
    "bad_address": "ask once more where it should go, then try again",
    "not_ready": "agree on another day, then try again",
    "too_far": "look for somebody nearer, or agree on a place half-way",
    "refused": "ask what would help instead, or let go of it",
    "unsafe": "do not go again before a coordinator has looked at it, and never alone",
    "carrier_did_not_come": "look for somebody else to carry it, then try again",
    "other": "talk with each other, then try again",
}


def last_attempt(pledge: Mapping[str, Any]) -> str:
    """A sentence on the last attempt if it failed, with what to do now; else ""."""
    why = pledge["failure"]
    if why is None:
        return ""
    times = pledge["failures"]
    which = "The last attempt" if times == 1 else f"The last of {times} attempts that failed"
    return f" {which}: {FAILED[why]}. That happens: {TRY_AGAIN[why]}."


def left_hands(pledge: Mapping[str, Any]) -> str:
    """How the last hand-over was done: "were left where you had agreed"."""
    return DONE[pledge["outcome"] or "handed"]


def discrepancy_note(pledge: Mapping[str, Any], side: str, peer: str) -> str | None:
    """Both figures and how to settle them, in words; None while they agree, or once our side has left it at that."""
    left = pledge["left_by"].split()
    if not pledge["discrepancy"] or side in left:
        return None
    unit = pledge["unit"]
    arrived = f"{pledge['received']} {unit} received"
    if pledge["presumed"] != "0":
        arrived += f" ({pledge['presumed']} {unit} more presumed)"
    note = (
        f"{pledge['handed']} {unit} handed over, {arrived}: the two figures differ. That happens, and nobody is "
        "accused. Whoever miscounted corrects their figure; or leave it at that."
    )
    return f"{note} {peer} leaves it at that." if left else note
