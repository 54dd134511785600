"""The units aid is counted in, and the words people write for them."""

from __future__ import annotations

from aidmesh_node.domain.refused import Refused, shortened

UNITS = ("item", "kg", "l", "m2", "hour", "meal", "trip", "night", "request")
"""Unit codes, in the order they are shown."""

WHOLE_UNITS = frozenset({"item", "meal", "trip", "night", "request"})
"""Units that are only counted in whole numbers: nobody hands over half a blanket."""

_ALIASES = {
    "item": "item items piece pieces pc pcs unit units each ea set sets kit kits",
    "kg": "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
    "l": "l litre litres liter liters ltr",
    "m2": "m2 m² sqm sq.m square-metre square-metres square-meter square-meters",
    "hour": "hour hours h hr hrs",
    "meal": "meal meals portion portions",
    "trip": "trip trips ride rides",
    "night": "night nights",
    "request": "request requests",
}

_CODES = {alias: code for code, aliases in _ALIASES.items() for alias in aliases.split()}


def unit_code(text: str) -> str:
    """The unit code for what somebody wrote ("Litres" -> "l"). Refused "unknown_unit" names the codes."""
    code = _CODES.get("-".join(text.casefold().split()))
    if code is None:
        raise Refused("unknown_unit", f"“{shortened(text)}” is not a known unit.", f"Use one of: {', '.join(UNITS)}.")
    return code
