"""Lists: their options, one page of them, and its last line."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from aidmesh_cli.session import Session

F = TypeVar("F", bound=Callable[..., object])

PAGE_MAX = 500


def paged(function: F) -> F:
    """`--limit` and `--cursor`."""
    function = click.option("--cursor", metavar="TEXT", help="Go on where an earlier list ended.")(function)
    return click.option(
        "--limit", type=click.IntRange(1, PAGE_MAX), help=f"How many at most, up to {PAGE_MAX} (default 100)."
    )(function)


def whose(function: F) -> F:
    """`--ours` or `--theirs`."""
    function = click.option("--theirs", "ours", flag_value="false", help="Only those of other groups.")(function)
    return click.option("--ours", "ours", flag_value="true", default=None, help="Only those of our group.")(function)


def show_page(session: Session, path: str, params: Mapping[str, Any], write: Callable[[Any], None]) -> None:
    """One page of what is at `path`, and that there is more, if there is."""
    page = session.until(lambda: session.get(path, params), lambda seen: bool(seen["items"]))
    session.show(page, lambda: write(page["items"]), names=(one["id"] for one in page["items"]))
    if page.get("cursor"):
        session.tell("There are more. Give the same command again, with:", f"--cursor {shlex.quote(page['cursor'])}")
    elif not page.get("items"):
        session.tell("There is nothing to list.")
