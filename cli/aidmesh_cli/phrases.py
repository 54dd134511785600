"""Amounts, times and states as people read them. What a word means is the node's business."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aidmesh_cli import api

ID_SHOWN: Final = 8
"""Characters of an id in tables: enough to tell a group's things apart, few enough to type."""

LAST_MINUTE: Final = time(23, 59)
COUNTED: Final = "item"
WORDS: Final = frozenset({"hour", "meal", "trip", "night", "request"})
"""Units that are words, and so have a plural."""


def short(identity: object) -> str:
    """The part of an id that tables show."""
    return str(identity or "")[:ID_SHOWN]


def number(text: object) -> str:
    """A decimal string with thousands separators: "31800" -> "31,800", "2.5" stays."""
    given = str(text)
    whole, point, rest = given.partition(".")
    if not (whole.isascii() and whole.isdigit()):
        return given
    return f"{int(whole):,}{point}{rest}"


def amount(text: object, unit: object) -> str:
    """A quantity with its unit; things that are just counted have none. None: as much as anyone needs."""
    if text is None:
        return "any amount"
    return number(text) if unit == COUNTED else f"{number(text)} {_unit(text, unit)}"


def amount_of(text: object, unit: object, what: str) -> str:
    """ "20 Blankets", "12 meals of Soup" """
    return f"{amount(text, unit)} {what}" if text is not None and unit == COUNTED else f"{amount(text, unit)} of {what}"


def of_amount(part: object, whole: object, unit: object) -> str:
    """ "5,100 of 6,000 m2" """
    return f"{number(part)} of {amount(whole, unit)}"


def when(text: object) -> str:
    """An RFC 3339 time in the time zone of this machine; a whole day is just its date."""
    if not isinstance(text, str):
        return ""
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return text
    if moment.time().replace(second=0) in (time(0), LAST_MINUTE):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M}"


def day(text: object) -> str:
    """The date of `when`."""
    return when(text)[:10]


def thing(document: Mapping[str, object]) -> str:
    """What a need, offer or pledge is about."""
    return str(document.get("item") or document.get("category") or "")


def state(document: api.Need | api.Offer) -> str:
    """ "open", or how it ended."""
    reason = document.get("closed_reason")
    words = f"{document.get('state')}: {reason}" if reason else str(document.get("state"))
    return words.replace("_", " ")


def ended(document: api.Need | api.Offer) -> str:
    """ "open", or only why it is not any more: for tables."""
    return str(document.get("closed_reason") or document.get("state")).replace("_", " ")


def group(document: api.Need | api.Offer) -> str:
    """Whose it is."""
    return "us" if document.get("ours") else str(document.get("group_name") or short(document.get("group")))


def _unit(text: object, unit: object) -> str:
    return f"{unit}s" if unit in WORDS and text != "1" else str(unit)


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 need", "3 needs" """
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def length(count: int) -> str:
    """Bytes of a file: "812 bytes", "5.8 kB", "1.2 MB" """
    if count < 1000:
        return counted(count, "byte")
    for unit in ("kB", "MB"):
        count_of = count / (1000 if unit == "kB" else 1_000_000)
        if count_of < 1000:
            return f"{count_of:.1f} {unit}"
    return f"{count / 1_000_000_000:.1f} GB"


def counts(checked: Mapping[str, int]) -> str:
    """ "1 feed, 18 entries" from names in the plural."""
    return ", ".join(f"{count:,} {_singular(name) if count == 1 else name}" for name, count in checked.items())


def _singular(plural: str) -> str:
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


def tally(counts: Mapping[str, int]) -> str:
    """ "2 open, 1 closed", or "none" """
    told = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return ", ".join(told) or "none"
