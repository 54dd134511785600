"""The few words of a table that may be shown to others: what it is, how much, roughly where.

Decides nothing about people: a text that could be an exact place or a contact does not become a label.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from aidmesh_node.domain.label import label
from aidmesh_node.domain.quantity import Quantity, parse_amount
from aidmesh_node.domain.units import UNITS, unit_code
from aidmesh_node.exchange.columns import Cells, put
from aidmesh_node.exchange.report import Unreadable

ITEM_CHARS_MAX = 64
AREA_CHARS_MAX = 40
AREA_WORDS_MAX = 4

# A word of the item's name (its beginning is enough) -> category; the first line that fits decides.
_CATEGORIES = (
    ("hygiene", "hygien|soap|sanitar|sanitiz|diaper|toilet|higiene"),
    ("bedding", "blanket|bedding|mattress|sleeping|pillow|frazada|colcha"),
    ("household", "kitchen|cooking|utensil|stove|household|cocina"),
    ("water", "jerry|jerrycan|water|bucket|bidon"),
    ("shelter", "tent|tents|tarp|plastic sheet|sheeting|shelter|housing|mosquito|tienda|lona"),
    ("medicine", "medic|first aid|prescription|bandage|mask"),
    ("food", "food|rice|flour|bean|lentil|grocer|canned|comida|arroz"),
    ("clothing", "cloth|laundry|shoe|coat|jacket|ropa"),
    ("energy", "lamp|lantern|solar|batter|generator|fuel|candle"),
    ("tools", "tool|shovel|hammer|herramienta"),
    ("childcare", "child care|childcare|babysit"),
    ("transport", "transport|ride|vehicle|fare"),
    ("money", "money|cash|financial|rent"),
)
_WORDS = tuple((category, re.compile(rf"\b(?:{words})")) for category, words in _CATEGORIES)
_EXACT_PLACE = re.compile(r"[\d@,;:/#&]")
_STORE = re.compile(r"\b(?:warehouse|depot|store)\b", re.IGNORECASE)


def one_line(text: str) -> str:
    """NFC, one space between words, without control characters and marks that turn the writing direction."""
    plain = "".join(c if c in "\u200c\u200d" else _visible(c) for c in unicodedata.normalize("NFC", text))
    return " ".join(plain.split())  # the joiners kept above belong to the spelling of Persian and Indic words


def _visible(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
        case _:
            return character


def category_of(*texts: str) -> str:
    """The category of the first text that names one we know, else "other"."""
    for text in texts:
        folded = text.casefold()
        for category, words in _WORDS:
            if words.search(folded):
                return category
    return "other"


def coarse_area(place: str) -> str | None:
    """The area of a warehouse or facility: its name without that word ("Ainaro Warehouse" -> "Ainaro").

    A name that then ends in "National" is the store of a whole country: "National". None for what could be an
    exact place or a person's: not named a warehouse, depot or store, with digits or separators, longer than
    four words or 40 characters.
    """
    name = one_line(place)
    words = _STORE.sub(" ", name).split()
    if not _STORE.search(name):
        return None
    if words and words[-1].casefold() == "national":
        return "National"
    area = " ".join(words)
    if not area or len(words) > AREA_WORDS_MAX or len(area) > AREA_CHARS_MAX or _EXACT_PLACE.search(area):
        return None
    return label("area", area)


def read_item(cells: Cells, column: str, private: dict[str, str]) -> str | None:
    """The item's label; the whole name goes to the vault too when it is longer than a label."""
    full = one_line(cells.text(column))
    if len(full) > ITEM_CHARS_MAX:
        put(private, "item", full)
    short = full if len(full) <= ITEM_CHARS_MAX else full[: ITEM_CHARS_MAX - 1].rstrip() + "…"

    def parse(_: str) -> str:
        item = label("item", short)
        if item is None:
            raise Unreadable("The row names no item.", "Write what is needed or offered, such as Blankets.")
        return item

    return cells.read(column, parse, show=False)  # a label that is refused may hold a contact


def read_quantity(cells: Cells, amount_column: str, unit_column: str) -> Quantity | None:
    """Amount and unit from two columns; a problem for each of them that cannot be read."""

    def parse_unit(text: str) -> str:
        if not text:
            raise Unreadable("The unit is missing.", f"Use one of: {', '.join(UNITS)}.")
        return unit_code(text)

    unit = cells.read(unit_column, parse_unit)

    def parse_number(text: str) -> Decimal:
        if not text:
            raise Unreadable("The quantity is missing.", "Write how much, as a number above 0.")
        return parse_amount(text, unit)

    amount = cells.read(amount_column, parse_number)
    return None if unit is None or amount is None else Quantity(amount, unit)
