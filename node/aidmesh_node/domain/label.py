"""Short names that may be shared as they are: an item, an area. Never a place for personal details."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from aidmesh_node.domain.refused import Refused, shortened

LABEL_CHARACTERS_MAX = 80
"""Long enough for any item of a warehouse list, too short for a story about somebody."""

LABELS_REMEMBERED = 1_024
"""A group writes the same items and areas again and again; each needs to be looked at once."""

_CONTACT = re.compile(r"@|(?:\+|\b)[0-9](?:[ ()/-]?[0-9]){6,}")
_HOUSE = re.compile(r"[0-9]{1,4}[a-zA-Z]?[ ,]+\w{2,}")
"""A house number before a street: "12 Rua das Flores", not "District 9"."""

_REORDERING = re.compile("[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Line ends, and bidi overrides and isolates that let a name look like another. Plain direction marks stay.
"""

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)


@lru_cache(maxsize=LABELS_REMEMBERED)
def label(what: str, text: str | None) -> str | None:
    """`text` as one trimmed line in NFC, None when empty.

    Refused when it is too long, has control characters, or holds something like a phone number or an
    e-mail address, or begins like a street address: labels are shown to other groups, and who shares them reviews
    them, but at midnight.
    """
    if text is None:
        return None
    line = " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())
    if not line:
        return None
    if len(line) > LABEL_CHARACTERS_MAX:
        raise Refused(
            "bad_" + what,
            f"The {what} “{shortened(line, 30)}” is longer than {LABEL_CHARACTERS_MAX} characters.",
            "Use a short name here; details go into the note, which stays with your group.",
        )
    if not (line.isascii() and line.isprintable()) and _hides_something(line):
        raise Refused("bad_" + what, f"The {what} has characters that cannot be shown.", "Type it again.")
    if what == "area" and _HOUSE.match(line):
        raise Refused(
            "bad_area",
            "The area looks like an address with a house number.",
            "Other groups see it. Name the neighbourhood; the address goes into the contact fields.",
        )
    if _CONTACT.search(line):
        raise Refused(
            "bad_" + what,
            f"The {what} looks like it holds a phone number or an e-mail address.",
            "Other groups see it. Put contact details into the contact fields; those stay with you.",
        )
    return line


def _hides_something(line: str) -> bool:
    unseen = any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in line)
    return unseen or _REORDERING.search(line) is not None


def language_tag(text: str | None) -> str | None:
    """A BCP 47 language tag such as "en" or "pt-BR", None when not given."""
    if text is None or not text.strip():
        return None
    if not _LANGUAGE.fullmatch(text.strip()):
        raise Refused(
            "bad_language",
            f"“{shortened(text)}” is not a language tag.",
            "Use a tag such as en, es or pt-BR.",
        )
    return text.strip()
