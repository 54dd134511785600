"""Tables and facts for people, JSON for programs. Never wider than the terminal or, without one, 80 columns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from aidmesh_cli.plain import plain
from aidmesh_cli.wrapping import columns, wrapped

if TYPE_CHECKING:
    from rich.console import Console

TABLE_COLUMNS_MIN: Final = 60
"""On a narrower screen, such as a phone's, the columns of a table stand below each other."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. One that `gives` is shortened when the line would get too long."""

    title: str
    align: Literal["left", "right"] = "left"
    gives: bool = False


class Whole(str):
    """A value that is never broken over lines, such as a path of this machine that somebody will copy."""


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object, ASCII only, so that no terminal takes a part of it for a command."""
    print(json.dumps(document, indent=2, ensure_ascii=True))


def print_table(columns_: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """One line each, never wrapped; on a narrow screen one block each."""
    if columns(sys.stdout) < TABLE_COLUMNS_MIN:
        _print_blocks(columns_, rows)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns_:
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
    known = [(plain(name), value) for name, value in facts if value is not None and plain(value)]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        lead = f"{name:<{width}}  "
        if isinstance(value, Whole):
            print(lead + plain(value))
        else:
            _print_wrapped(lead, plain(value))


def print_sentence(text: str) -> None:
    """Prose, wrapped between words."""
    _print_wrapped("", plain(text))


def print_command(command: str, *, lead: str = "  ", err: bool = False) -> None:
    """A command to type next, on a line of its own and never broken: somebody will copy it."""
    print(lead + plain(command), file=sys.stderr if err else sys.stdout)


def say(sentence: str, *, lead: str = "", rest: str | None = None) -> None:
    """Prose for stderr, wrapped between words; `lead` and `rest` begin the first and the other lines."""
    for line in wrapped(plain(sentence), columns(sys.stderr), lead, lead if rest is None else rest):
        print(line, file=sys.stderr, flush=True)


def is_plain(stream: TextIO) -> bool:
    """Whether `stream` gets neither colour nor anything that moves."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not stream.isatty()


def console(stream: TextIO) -> Console:
    """A rich console that obeys `is_plain` and nothing else."""
    from rich.console import Console

    simple = is_plain(stream)
    return Console(
        file=stream,
        width=columns(stream),
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


def _print_blocks(columns_: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    for number, row in enumerate(rows):
        if number:
            print()
        print_facts([(column.title.lower(), value) for column, value in zip(columns_, row, strict=True)])


def _print_wrapped(lead: str, text: str) -> None:
    for line in wrapped(text, columns(sys.stdout), lead):
        print(line)
