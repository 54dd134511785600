"""Text of others made harmless for a terminal: no escape, no hidden or reordered character reaches it."""

from __future__ import annotations

import unicodedata
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Persian, Indic scripts and emoji are not readable without them, and they move nothing."""


def plain(value: object) -> str:
    """`value` as one line: C0 and C1 controls, bidirectional and invisible characters, lone surrogates replaced."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_plain, text))


def plain_lines(value: object) -> list[str]:
    """Prose line by line, each harmless. Only a line feed begins a new line."""
    return [plain(line) for line in str(value).replace("\r\n", "\n").split("\n")]


def _plain(character: str) -> str:
    if character in _JOINERS:
        return character
    match unicodedata.category(character):
        case "Cc":
            return " " if character in "\t\n\r" else REPLACEMENT
        case "Zl" | "Zp":
            return " "
        case "Cf" | "Cs" | "Co" | "Cn":
            return REPLACEMENT
    return character
