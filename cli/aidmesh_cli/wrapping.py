"""How wide text is on a screen, and prose in lines that fit. Measures cells, so that 毛布 takes four."""

from __future__ import annotations

import os
from typing import Final, TextIO

COLUMNS_WITHOUT_TERMINAL: Final = 80
COLUMNS_MAX: Final = 120
"""Wider lines are hard to follow from one end to the other."""
COLUMNS_MIN: Final = 20
"""Below this nothing can be laid out; the terminal breaks the lines itself."""
WHOLE_CHARACTERS_MAX: Final = 300
"""An id, an address or a path stays whole, as somebody may want to copy it; what is longer than this is none."""


def columns(stream: TextIO) -> int:
    """The width to write for: what COLUMNS says, else the terminal's, else 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and len(said) < 6:
        return max(COLUMNS_MIN, min(int(said), COLUMNS_MAX))
    if not stream.isatty():
        return COLUMNS_WITHOUT_TERMINAL
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        found = 0
    return max(COLUMNS_MIN, min(found or COLUMNS_WITHOUT_TERMINAL, COLUMNS_MAX))


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """`text` broken between words into lines of at most `width` cells; `first` begins the first line, `rest` the
    others (by default blanks below `first`). A word too wide for its line is broken, unless it may be a path."""
    from rich.cells import cell_len

    rest = " " * cell_len(first) if rest is None else rest
    lines: list[str] = []
    line, room = first, width - cell_len(first)
    empty = True
    for word in text.split():
        for piece in _pieces(word, max(1, width - max(cell_len(first), cell_len(rest)))):
            cells = cell_len(piece)
            if not empty and cells + 1 > room:
                lines.append(line)
                line, room, empty = rest, width - cell_len(rest), True
            line += piece if empty else f" {piece}"
            room -= cells if empty else cells + 1
            empty = False
    return [*lines, line.rstrip()]


def _pieces(word: str, width: int) -> list[str]:
    from rich.cells import cell_len

    if cell_len(word) <= width or (word.isascii() and len(word) <= WHOLE_CHARACTERS_MAX):
        return [word]
    pieces, cells = [""], 0
    for character in word:
        wide = cell_len(character)
        if cells + wide > width:
            pieces.append("")
            cells = 0
        pieces[-1] += character
        cells += wide
    return pieces
