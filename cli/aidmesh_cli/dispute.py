"""`aidmesh dispute`: something about a pledge that people want looked at."""

from __future__ import annotations

from typing import Any, Final

import click

from aidmesh_cli import api, finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import segment
from aidmesh_cli.listing import paged, show_page
from aidmesh_cli.manual import Noun
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks
from aidmesh_cli.output import Column, print_facts, print_sentence, print_table
from aidmesh_cli.phrases import day, short, when
from aidmesh_cli.pledge import ARRIVED, FIRM, GIVER
from aidmesh_cli.session import Session
from aidmesh_cli.words import DISPUTED, RESOLUTIONS, SIDES, Words

ACCEPTED: Final = ("accepted", *FIRM, *ARRIVED)


@click.group(
    short_help="Something about a pledge that people want looked at.",
    cls=Noun,
    epilog=example("aidmesh dispute list --state open"),
)
def dispute() -> None:
    """Something about a pledge that people want looked at. It is over when both groups say so.

    The other group hears one word: what it is about. What you write never leaves your group. Of somebody's
    conduct nothing at all leaves it, and only coordinators can read it.
    """


@dispute.command("open", epilog=example("aidmesh dispute open Blankets --about not_received"))
@click.argument("pledge", type=Thing("pledge"))
@click.option(
    "--about", type=Words(DISPUTED), required=True, help="quantity, quality, not_received, not_sent, conduct or money."
)
@click.option("--text", help="What happened, in your words. It stays in your group.")
@click.option("--side", type=Words(SIDES), help="Who opens it, where both are yours: giver or home.")
@speaks(ID_ONLY)
def open_(session: Session, /, pledge: str, **given: Any) -> None:
    """Open a dispute about a pledge."""
    path = f"/pledges/{segment(finding.pledge_in(session, pledge, (*GIVER, 'home'), ACCEPTED))}/disputes"
    reply = session.post(path, {name: value for name, value in given.items() if value is not None})
    line = f"Opened dispute {short(reply['id'])} about {given['about'].replace('_', ' ')}."
    session.answer(reply, line, name=reply["id"])


@dispute.command("list", epilog=example("aidmesh dispute list --state open"))
@click.option("--state", type=click.Choice(["open", "resolved"]), help="Only those.")
@click.option("--pledge", type=Thing("pledge"), metavar="ID", help="Only those about this pledge.")
@paged
@asks(IDS_ONLY)
def list_(session: Session, /, **params: Any) -> None:
    """List disputes, newest first. For coordinators."""
    show_page(session, "/disputes", params, _print_disputes)


@dispute.command(epilog=example("aidmesh dispute show 1a2b3c4d"))
@click.argument("id", type=Thing("dispute"))
@asks(ID_ONLY)
def show(session: Session, id: str) -> None:
    """Show one dispute and what was written about it. For coordinators."""
    found: api.DisputeShown = session.get(f"/disputes/{segment(id)}")

    def write() -> None:
        print_facts(_facts(found))
        for said in found["statements"]:
            print_sentence(f"{when(said['at'])}: {said['text'] or '(erased)'}")
        if found["next"]:
            print_sentence(f"Next: {found['next']}")

    session.show(found, write, names=[found["id"]])


@dispute.command(epilog=example("aidmesh dispute add 1a2b3c4d --text 'Two boxes were wet'"))
@click.argument("id", type=Thing("dispute"))
@click.option("--text", required=True, help="What is to be said. It stays in your group.")
@speaks(ID_ONLY)
def add(session: Session, id: str, text: str) -> None:
    """Add to a dispute what is to be said about it."""
    reply = session.post(f"/disputes/{segment(id)}/add", {"text": text})
    session.answer(reply, f"Added to dispute {short(reply['id'])}.", name=reply["id"])


@dispute.command(epilog=example("aidmesh dispute resolve 1a2b3c4d --how explained"))
@click.argument("id", type=Thing("dispute"))
@click.option(
    "--how",
    type=Words(RESOLUTIONS),
    required=True,
    help="explained, made_good, corrected, left, withdrawn or other.",
)
@speaks(ID_ONLY)
def resolve(session: Session, id: str, how: str) -> None:
    """Say that a dispute is over for your group. For both it is once the other group has said so too."""
    reply = session.post(f"/disputes/{segment(id)}/resolve", {"how": how})
    over = "It is over." if reply.get("state") == "resolved" else "It is over once the other group says so too."
    session.answer(reply, f"Resolved dispute {short(reply['id'])}. {over}", name=reply["id"])


def _print_disputes(disputes: list[api.Dispute]) -> None:
    columns = [
        Column("ID"),
        Column("PLEDGE"),
        Column("ABOUT"),
        Column("OPENED BY", gives=True),
        Column("STATE"),
        Column("SINCE"),
    ]
    rows = [
        (
            short(one["id"]),
            short(one["pledge"]),
            one["about"].replace("_", " "),
            _opened_by(one),
            one["state"],
            day(one["opened_at"]),
        )
        for one in disputes
    ]
    if rows:
        print_table(columns, rows)


def _opened_by(one: api.Dispute) -> str:
    return "us" if one["ours"] else str(one["peer_name"] or short(one["peer"]))


def _facts(found: api.DisputeShown) -> list[tuple[str, object]]:
    return [
        ("dispute", found["about"].replace("_", " ")),
        ("id", found["id"]),
        ("pledge", short(found["pledge"])),
        ("opened by", f"{_opened_by(found)} ({found['opened_by']})"),
        ("state", found["state"]),
        ("for us", str(found["resolved_by_us"] or "open").replace("_", " ")),
        ("for them", str(found["resolved_by_them"] or ("open" if found["peer"] else "")).replace("_", " ")),
        ("since", when(found["opened_at"])),
    ]
