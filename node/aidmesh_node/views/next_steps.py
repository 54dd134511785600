"""One sentence for people: what happens next with a pledge, and who acts. Derived from its phase and our side
of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from aidmesh_node.domain.arrival_rules import ATTEMPTS_MIN, PRESUMED_AFTER
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.views.attempts import discrepancy_note, last_attempt, left_hands
from aidmesh_node.views.times import time_text


def next_step(pledge: Mapping[str, Any]) -> str:
    """`pledge` has the columns of the pledges table and `peer_name`; the sentence is in plain English."""
    tell = _TELLERS.get(pledge["phase"])
    return "" if tell is None else tell(pledge, pledge["role"], pledge["peer_name"] or "the other group")


def note(pledge: Mapping[str, Any]) -> str | None:
    """What both sides should look at together, without an accusation; None when there is nothing."""
    side = "giver" if pledge["role"] == "giver" else "home"
    return discrepancy_note(pledge, side, pledge["peer_name"] or "the other group")


def presume_from(pledge: Mapping[str, Any]) -> str | None:
    """From when on the home may presume what nobody confirms; None where nothing is on its way, or for givers."""
    if pledge["role"] == "giver" or pledge["in_transit"] == "0" or pledge["handed_at"] is None:
        return None
    return time_text(datetime.fromisoformat(pledge["handed_at"]) + PRESUMED_AFTER)


def _unconfirmed(pledge: Mapping[str, Any]) -> str:
    """What the home can do while nobody confirms."""
    since = presume_from(pledge)
    if since is None:
        return ""
    asked = f"asked {pledge['asked']} of {ATTEMPTS_MIN} times so far"
    return f" If nobody tells you, ask, and record it ({asked}); from {since[:10]} on it can be presumed."


def _when(pledge: Mapping[str, Any]) -> str:
    """The time the home would rather have, if it named one."""
    start, end = pledge["proposed_starts"], pledge["proposed_ends"]
    spans = [
        f"from {start[:16].replace('T', ' ')}" if start else "",
        f"until {end[:16].replace('T', ' ')}" if end else "",
    ]
    told = " ".join(span for span in spans if span)
    return f", {told} UTC" if told else ""


def _amount(pledge: Mapping[str, Any], column: str) -> str:
    return f"{pledge[column]} {pledge['unit']}"


def _still_to_hand_over(pledge: Mapping[str, Any]) -> str | None:
    left = Decimal(pledge["committed"]) - max(Decimal(pledge["handed"]), Decimal(pledge["received"]))
    return f"{amount_text(left)} {pledge['unit']}" if left > 0 else None


def _offered(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    offered = _amount(pledge, "offered")
    if role == "giver":
        return f"Wait: {peer} decides whether to accept {offered}; until then it is held for them."
    if role == "home":
        return f"Your group decides: accept {offered}, propose another amount, or decline."
    return f"Your coordinator decides: accept {offered}, which makes it firm, or decline."


def _countered(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    proposed, offered = _amount(pledge, "proposed") + _when(pledge), _amount(pledge, "offered")
    if role == "giver":
        return f"{peer} proposes {proposed} instead of {offered}: revise your pledge to that, or withdraw it."
    if role == "home":
        return f"Wait: {peer} answers your proposal of {proposed}; you can still accept {offered} or decline."
    return f"The giver answers the proposal of {proposed}: revise the pledge, or withdraw it."


def _accepted(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    accepted = _amount(pledge, "accepted")
    if role == "giver":
        return f"{peer} accepted {accepted}: your node makes it firm; if it does not, commit it or withdraw."
    if role == "home":
        return f"Wait: {peer} makes {accepted} firm; do not plan on it before that."
    return f"The giver makes {accepted} firm by committing it."


def _committed(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    committed, failed = _amount(pledge, "committed"), last_attempt(pledge)
    if role == "giver":
        return f"Hand over {committed} to {peer}, then declare the hand-over here.{failed}"
    if role == "home":
        return f"{peer} hands over {committed}; confirm here what arrives.{failed}"
    return f"Hand over {committed}, declare it here, and confirm what arrives.{failed}"


def _handed_over(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    handed, left = _amount(pledge, "handed"), _still_to_hand_over(pledge)
    rest = f" {left} are still to be handed over.{last_attempt(pledge)}" if left else ""
    if role == "giver":
        return f"Wait: {peer} confirms that {handed} arrived.{rest}"
    rest += _unconfirmed(pledge)
    if role == "home":
        return f"{peer} says {handed} {left_hands(pledge)}: confirm what arrived.{rest}"
    return f"{handed} {left_hands(pledge)}: confirm what arrived.{rest}"


def _partly_received(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    remainder = _amount(pledge, "remainder")
    on_its_way = pledge["in_transit"] != "0"
    if role == "giver":
        if on_its_way:
            return f"Wait: {peer} confirms the {_amount(pledge, 'in_transit')} still on their way."
        return f"Hand over the remaining {remainder} to {peer}, or withdraw them.{last_attempt(pledge)}"
    if on_its_way:
        on_way = _amount(pledge, "in_transit")
        return f"Confirm what arrived of the {on_way} still on their way.{_unconfirmed(pledge)}"
    if role == "home":
        return f"{peer} hands over the remaining {remainder}; release them if they are no longer needed."
    return f"Hand over the remaining {remainder}, or release them if they are no longer needed."


def _presumed(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    presumed = _amount(pledge, "presumed")
    if role == "giver":
        return f"Nothing to do: nobody has confirmed {presumed}; {peer} asked, and presumes that they arrived."
    return f"Nobody has confirmed {presumed}: they are presumed to have arrived. If somebody tells you, confirm that."


def _received(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    if note(pledge) is not None:
        handed, received = _amount(pledge, "handed"), _amount(pledge, "received")
        whom = "the giver" if role == "local" else peer
        return f"Done, but {handed} were handed over and {received} received: talk to {whom} about it."
    return f"Done: {_amount(pledge, 'received')} arrived. Say thanks."


def _declined(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    if role == "giver":
        return f"Nothing more to do: {peer} declined, and what was held is free again."
    return "Nothing more to do: the pledge was declined."


def _released(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    if role == "giver":
        return f"Nothing more to do: {peer} no longer needs it, and your goods are free again."
    return "Nothing more to do: the pledge was released; the need looks for help again."


def _withdrawn(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    if role == "giver":
        return "Nothing more to do: the pledge was withdrawn, and your goods are free again."
    if role == "home":
        return f"Nothing more to do: {peer} withdrew the pledge; the need looks for help again."
    return "Nothing more to do: the pledge was withdrawn; the need looks for help again."


_TELLERS = {
    "offered": _offered,
    "countered": _countered,
    "accepted": _accepted,
    "committed": _committed,
    "handed_over": _handed_over,
    "partly_received": _partly_received,
    "presumed": _presumed,
    "received": _received,
    "declined": _declined,
    "released": _released,
    "withdrawn": _withdrawn,
}
