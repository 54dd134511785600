"""`aidmesh board`: what is open now, ours and what other groups show us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aidmesh_cli.manual import Page
from aidmesh_cli.offer import available
from aidmesh_cli.options import IDS_ONLY, asks, example
from aidmesh_cli.output import Column, print_table
from aidmesh_cli.phrases import group, of_amount, short, thing, when
from aidmesh_cli.session import Session
from aidmesh_cli.words import CATEGORIES, Words

if TYPE_CHECKING:
    from aidmesh_cli import api


@click.command(
    cls=Page,
    epilog=example("aidmesh board", "aidmesh board --category bedding --json"),
    short_help="What is open now, ours and other groups'.",
)
@click.option("--item", help="Only this item.")
@click.option("--category", type=Words(CATEGORIES), help="Only this category.")
@asks(IDS_ONLY)
def board(session: Session, item: str | None, category: str | None) -> None:
    """What is open now: the needs and offers of our group, and those that other groups show us."""
    shown = session.until(
        lambda: session.get("/board", {"item": item, "category": category}),
        lambda seen: bool(seen["needs"] or seen["offers"]),
    )
    everything = [*shown["needs"], *shown["offers"]]
    session.show(shown, lambda: _print_board(shown), names=(one["id"] for one in everything))
    if not everything:
        session.tell("There is nothing on the board.")
    elif any(not one["ours"] for one in shown["needs"]):
        session.tell("To help:", session.command("pledge offer ID --quantity NUMBER"))


def _print_board(shown: api.Board) -> None:
    if shown["needs"]:
        _print_needs(shown["needs"])
    if shown["needs"] and shown["offers"]:
        click.echo()
    if shown["offers"]:
        _print_offers(shown["offers"])


def _print_needs(needs: list[api.Need]) -> None:
    columns = [
        Column("ID"),
        Column("NEED", gives=True),
        Column("STILL OPEN", align="right"),
        Column("URGENCY"),
        Column("UNTIL"),
        Column("GROUP", gives=True),
    ]
    rows = [
        (
            short(one["id"]),
            thing(one),
            of_amount(one["open"], one["quantity"], one["unit"]),
            one["urgency"],
            when(one["until"]),
            group(one),
        )
        for one in needs
    ]
    print_table(columns, rows)


def _print_offers(offers: list[api.Offer]) -> None:
    columns = [
        Column("ID"),
        Column("OFFER", gives=True),
        Column("AVAILABLE", align="right"),
        Column("MODE"),
        Column("UNTIL"),
        Column("GROUP", gives=True),
    ]
    rows = [
        (short(one["id"]), thing(one), available(one), one["mode"], when(one["until"]), group(one)) for one in offers
    ]
    print_table(columns, rows)
