"""Text of others made harmless for a terminal: no escape, no hidden or reordered character reaches it."""

from __future__ import annotations

import unicodedata
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

MARKS_MAX: Final = 8
"""Marks upon one letter: no script needs more, and a pile of them covers the lines above and below."""

_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Persian, Indic scripts and emoji are not readable without them, and they move nothing."""

_BLANKS: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that show nothing, so that a name could be empty and not look it."""


def plain(value: object) -> str:
    """`value` as one line: C0 and C1 controls, bidirectional and invisible characters, lone surrogates replaced."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return _thinned("".join(map(_plain, text)))


def plain_lines(value: object) -> list[str]:
    """Prose line by line, each harmless. Only a line feed begins a new line."""
    return [plain(line) for line in str(value).replace("\r\n", "\n").split("\n")]


def _plain(character: str) -> str:
    if character in _JOINERS:
        return character
    if character in _BLANKS:
        return REPLACEMENT
    match unicodedata.category(character):
        case "Cc":
            return " " if character in "\t\n\r" else REPLACEMENT
        case "Zl" | "Zp" | "Zs":
            return " "
        case "Cf" | "Cs" | "Co" | "Cn":
            return REPLACEMENT
    return character


def _thinned(text: str) -> str:
    """Without the marks and joiners beyond MARKS_MAX in a row."""
    kept: list[str] = []
    ridden = 0
    for character in text:
        rides = character in _JOINERS or unicodedata.category(character) in ("Mn", "Me")
        ridden = ridden + 1 if rides else 0
        if ridden <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)
