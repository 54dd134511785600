"""Tables and facts for people, JSON for programs. Never wider than the terminal or, without one, 80 columns."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from aidmesh_cli.plain import plain

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS_WITHOUT_TERMINAL: Final = 80
COLUMNS_MAX: Final = 120
"""Wider lines are hard to follow from one end to the other."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. One that `gives` is shortened when the line would get too long."""

    title: str
    align: Literal["left", "right"] = "left"
    gives: bool = False


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object, ASCII only, so that no terminal takes a part of it for a command."""
    print(json.dumps(document, indent=2, ensure_ascii=True))


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """One line each, never wrapped."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # no_wrap is the text's own: rich shortens first what it may wrap.
        table.add_column(
            Text(column.title, no_wrap=True), justify=column.align, no_wrap=not column.gives, overflow="ellipsis"
        )
    for row in rows:
        cells = (plain("" if value is None else value) for value in row)
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
    _print(table)


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """`name  value`, long values wrapped below themselves; facts without a value are left out."""
    known = [(name, "" if value is None else plain(value)) for name, value in facts]
    shown = [(name, value) for name, value in known if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        _print_wrapped(f"{name:<{width}}  ", value)


def print_sentence(text: str) -> None:
    """Prose, wrapped between words."""
    _print_wrapped("", plain(text))


def is_plain(stream: TextIO) -> bool:
    """Whether `stream` gets neither colour nor anything that moves."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not stream.isatty()


def console(stream: TextIO) -> Console:
    """A rich console that obeys `is_plain` and nothing else."""
    from rich.console import Console

    simple = is_plain(stream)
    return Console(
        file=stream,
        width=_columns(stream),
        force_terminal=not simple,
        no_color=simple,
        color_system=None if simple else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _print(what: Any) -> None:
    # rich pads cells; what is copied from a terminal should not end in spaces.
    printer = console(sys.stdout)
    with printer.capture() as captured:
        printer.print(what)
    for line in captured.get().splitlines():
        print(line.rstrip())


def _print_wrapped(lead: str, text: str) -> None:
    # An id or an address is never broken: somebody will want to copy it.
    lines = textwrap.wrap(
        text,
        _columns(sys.stdout),
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines or [lead.rstrip()]:
        print(line)


def _columns(stream: TextIO) -> int:
    if not stream.isatty():
        return COLUMNS_WITHOUT_TERMINAL
    try:
        return min(os.get_terminal_size(stream.fileno()).columns or COLUMNS_WITHOUT_TERMINAL, COLUMNS_MAX)
    except OSError:
        return COLUMNS_WITHOUT_TERMINAL
