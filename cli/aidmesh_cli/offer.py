"""`aidmesh offer`: what somebody can give, lend or do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import segment
from aidmesh_cli.listing import paged, show_page, whose
from aidmesh_cli.manual import Noun
from aidmesh_cli.moments import Moment, warn_if_over
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks
from aidmesh_cli.output import Column, print_facts, print_sentence, print_table
from aidmesh_cli.personal import personal_fields, personal_lines, personal_options
from aidmesh_cli.phrases import amount, amount_of, ended, group, of_amount, short, state, thing, when
from aidmesh_cli.problems import USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.sharing import audience, audience_options, shared_with, what_leaves
from aidmesh_cli.words import CATEGORIES, MODES, UNITS, Words

if TYPE_CHECKING:
    from aidmesh_cli import api


@click.group(short_help="What somebody can give, lend or do.", cls=Noun, epilog=example("aidmesh offer list --ours"))
def offer() -> None:
    """What somebody can give, lend or do, and how much of it is still free."""


@offer.command(epilog=example("aidmesh offer post Blankets --category bedding --quantity 500 --area Dili"))
@click.argument("item", required=False)
@click.option(
    "--category",
    type=Words(CATEGORIES),
    required=True,
    help="food, water, shelter, bedding, household, hygiene, ... or other.",
)
@click.option("--quantity", metavar="NUMBER", help="How much, such as 500 or 2.5.")
@click.option("--unlimited", is_flag=True, help="As much as anyone needs, such as advice.")
@click.option(
    "--unit",
    type=Words(UNITS),
    default="item",
    show_default=True,
    help="item, kg, l, m2, hour, meal, trip, night, request.",
)
@click.option("--mode", type=Words(MODES), default="give", show_default=True, help="give, lend or swap.")
@click.option("--from", "start", type=Moment(), help="Not before: 2026-12-01 or “2026-12-01 14:00”.")
@click.option("--until", type=Moment(ends=True), help="At the latest.")
@click.option("--area", help="Roughly where: a place name, never an address.")
@personal_options
@speaks(ID_ONLY)
def post(
    session: Session, /, item: str | None, quantity: str | None, unlimited: bool, start: str | None, **given: Any
) -> None:
    """Post an offer. Nobody outside your group sees it until it is shared.

    ITEM is a short name such as Blankets. Personal details and the note never leave your group.
    """
    if unlimited == (quantity is not None):
        raise Failed(USAGE, "How much is offered?", "Give --quantity NUMBER, or --unlimited; one of the two.")
    private = personal_fields(session, given)
    body = {"item": item, "from": start, **given}
    known = {name: it for name, it in body.items() if it is not None}
    reply = session.post("/offers", {**known, "quantity": quantity, **private})
    what = amount_of(quantity, given["unit"], item or given["category"])
    session.answer(reply, f"Posted offer {short(reply['id'])}: {what}.", name=reply["id"])
    warn_if_over(session, given["until"])
    session.tell("Show it to another group:", session.command(f"offer share {short(reply['id'])}"))


@offer.command("list", epilog=example("aidmesh offer list --state open --ours"))
@click.option("--state", "state_", type=click.Choice(["open", "closed"]), help="Only those.")
@whose
@paged
@asks(IDS_ONLY)
def list_(session: Session, state_: str | None, ours: str | None, limit: int | None, cursor: str | None) -> None:
    """List offers, newest first: ours and those that other groups show us."""
    params = {"state": state_, "ours": ours, "limit": limit, "cursor": cursor}
    show_page(session, "/offers", params, _print_offers)


@offer.command(epilog=example("aidmesh offer show Blankets"))
@click.argument("id", type=Thing("offer"))
@asks(ID_ONLY)
def show(session: Session, id: str) -> None:
    """Show one offer."""
    found = session.get(f"/offers/{segment(finding.any_of(session, 'offer', id))}")

    def write() -> None:
        print_facts(_facts(found))
        if found.get("next"):
            print_sentence(f"Next: {found['next']}")

    session.show(found, write, names=[found["id"]])


@offer.command(epilog=example("aidmesh offer share Blankets --with Harbour"))
@click.argument("id", type=Thing("offer"))
@audience_options
@speaks(ID_ONLY)
def share(session: Session, id: str, peer: str | None, circle: str | None) -> None:
    """Show an offer to another group: category, item, quantity, time and area. Never names or notes.

    Item and area are shown as they were written: look that they name nobody and no address.
    """
    reply = session.post(f"/offers/{segment(finding.own_offer(session, id))}/share", audience(peer, circle))
    session.answer(reply, f"Shared offer {short(reply['id'])}.", name=reply["id"])
    session.tell(what_leaves(reply))


@offer.command(epilog=example("aidmesh offer unshare Blankets --with Harbour"))
@click.argument("id", type=Thing("offer"))
@audience_options
@speaks(ID_ONLY)
def unshare(session: Session, id: str, peer: str | None, circle: str | None) -> None:
    """Take back what was shown to another group. Their node confirms that it shows it no more."""
    reply = session.post(f"/offers/{segment(finding.own_offer(session, id))}/unshare", audience(peer, circle))
    session.answer(reply, f"Took back offer {short(reply['id'])}.", name=reply["id"])


@offer.command(epilog=example("aidmesh offer withdraw Blankets"))
@click.argument("id", type=Thing("offer"))
@speaks(ID_ONLY)
def withdraw(session: Session, id: str) -> None:
    """Withdraw an offer. What was already promised from it stays promised."""
    reply = session.post(f"/offers/{segment(finding.own_offer(session, id))}/withdraw")
    session.answer(reply, f"Withdrew offer {short(reply['id'])}.", name=reply["id"])


def available(one: api.Offer) -> str:
    """What is still free, of how much."""
    if one["quantity"] is None or one["available"] is None:
        return amount(one["quantity"], one["unit"])
    return of_amount(one["available"], one["quantity"], one["unit"])


def _print_offers(offers: list[api.Offer]) -> None:
    columns = [
        Column("ID"),
        Column("OFFER", gives=True),
        Column("AVAILABLE", align="right"),
        Column("STATE", gives=True),
        Column("UNTIL"),
        Column("GROUP", gives=True),
    ]
    rows = [
        (short(one["id"]), thing(one), available(one), _standing(one), when(one["until"]), group(one)) for one in offers
    ]
    if rows:
        print_table(columns, rows)


def _standing(one: api.Offer) -> str:
    """open, why it is closed, or that nobody has confirmed lately that it is there."""
    return "ask first" if one["stale"] else ended(one)


def _facts(found: api.OfferShown) -> list[tuple[str, object]]:
    unit = found["unit"]

    def own(booked: str | None) -> str:
        return "" if booked is None else amount(booked, unit)

    return [
        ("offer", f"{thing(found)} ({found['category']})"),
        ("id", found["id"]),
        ("group", group(found)),
        ("state", state(found)),
        ("available", available(found)),
        ("held", own(found["held"])),
        ("promised", own(found["committed"])),
        ("handed over", own(found["drawn"])),
        ("mode", found["mode"]),
        ("from", when(found["from"])),
        ("until", when(found["until"])),
        ("area", found["area"]),
        ("shared with", shared_with(found)),
        *personal_lines(found),
        ("posted", when(found["posted_at"])),
        ("confirmed", when(found.get("confirmed_at"))),
    ]
