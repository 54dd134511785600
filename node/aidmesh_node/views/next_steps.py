"""One sentence for people: what happens next with a pledge, and who acts. Derived from its phase and our side
of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aidmesh_node.domain.quantity import amount_text


def next_step(pledge: Mapping[str, Any]) -> str:
    """`pledge` has the columns of the pledges table and `peer_name`; the sentence is in plain English."""
    tell = _TELLERS.get(pledge["phase"])
    return "" if tell is None else tell(pledge, pledge["role"], pledge["peer_name"] or "the other group")


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
    proposed, offered = _amount(pledge, "proposed"), _amount(pledge, "offered")
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
    committed = _amount(pledge, "committed")
    if role == "giver":
        return f"Hand over {committed} to {peer}, then declare the hand-over here."
    if role == "home":
        return f"{peer} hands over {committed}; confirm here what arrives."
    return f"Hand over {committed}, declare it here, and confirm what arrives."


def _handed_over(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    handed, left = _amount(pledge, "handed"), _still_to_hand_over(pledge)
    rest = f" {left} are still to be handed over." if left else ""
    if role == "giver":
        return f"Wait: {peer} confirms that {handed} arrived.{rest}"
    if role == "home":
        return f"{peer} says {handed} were handed over: confirm what arrived.{rest}"
    return f"Confirm that {handed} arrived.{rest}"


def _partly_received(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    remainder = _amount(pledge, "remainder")
    on_its_way = pledge["in_transit"] != "0"
    if role == "giver":
        if on_its_way:
            return f"Wait: {peer} confirms the {_amount(pledge, 'in_transit')} still on their way."
        return f"Hand over the remaining {remainder} to {peer}, or withdraw them."
    if on_its_way:
        return f"Confirm what arrived of the {_amount(pledge, 'in_transit')} still on their way."
    if role == "home":
        return f"{peer} hands over the remaining {remainder}; release them if they are no longer needed."
    return f"Hand over the remaining {remainder}, or release them if they are no longer needed."


def _received(pledge: Mapping[str, Any], role: str, peer: str) -> str:
    if pledge["discrepancy"]:
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
    "received": _received,
    "declined": _declined,
    "released": _released,
    "withdrawn": _withdrawn,
}
