"""Dates as people type them, in the time zone of this machine, to the UTC times the API takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

import click

from aidmesh_cli.phrases import LAST_MINUTE, when
from aidmesh_cli.session import Session

FIRST_MINUTE: Final = time(0)


class Moment(click.ParamType[str]):
    """`2026-12-01`, `2026-12-01 14:00` or RFC 3339. A bare date is its first minute, or with `ends` its last."""

    name = "date"

    def __init__(self, *, ends: bool = False) -> None:
        self._edge = LAST_MINUTE if ends else FIRST_MINUTE

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = value.strip()
        try:
            if len(text) == len("2026-12-01"):
                moment = datetime.combine(date.fromisoformat(text), self._edge)
            else:
                moment = datetime.fromisoformat(text)
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        except (ValueError, OverflowError):
            self.fail(f"“{value}” is no date: write 2026-12-01, or “2026-12-01 14:00”.", param, ctx)


def warn_if_over(session: Session, until: str | None) -> None:
    """Say so when a time is over already by this machine's clock, which may be wrong: the node decides."""
    if until is not None and datetime.fromisoformat(until) < datetime.now(UTC):
        session.tell(f"Note: by the clock of this machine {when(until)} is over already. Was that what you meant?")


class Day(click.ParamType[str]):
    """`2026-12-01`: a whole day, the same everywhere."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            self.fail(f"“{value}” is no date: write 2026-12-01.", param, ctx)
