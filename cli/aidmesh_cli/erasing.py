"""`need erase`, `offer erase`, `member forget`, `erasure list`: what should not be known any more."""

from __future__ import annotations

from typing import Any

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import Document, segment
from aidmesh_cli.manual import Noun
from aidmesh_cli.member import find_member, member
from aidmesh_cli.need_care import need
from aidmesh_cli.offer_care import offer
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks, yes_option
from aidmesh_cli.output import Column, print_sentence, print_table
from aidmesh_cli.phrases import day, short
from aidmesh_cli.session import Session

__all__ = ["erasure", "member", "need", "offer"]

PERSON_HELP = "Also forget whom it is for: name, contact, notes, and what was shared of everything else of theirs."


@need.command(epilog=example("aidmesh need erase Blankets --yes"))
@click.argument("id", type=Thing("need"))
@click.option("--person", is_flag=True, help=PERSON_HELP)
@yes_option
@speaks(ID_ONLY)
def erase(session: Session, id: str, person: bool) -> None:
    """Erase what was shared of a need, for good: here, and at every group that had it.

    It is taken back, its item and area are overwritten, and other groups are asked to erase them and to confirm it.
    Quantities and pledges stay. What somebody wrote down or printed, no command reaches.
    """
    identity = finding.own_need(session, id)
    session.confirm(f"Erase what was shared of need {short(identity)}, for good?")
    _erased(session, session.post(f"/needs/{segment(identity)}/erase", {"forget_person": person}), "need")


@offer.command("erase", epilog=example("aidmesh offer erase Tents --yes"))
@click.argument("id", type=Thing("offer"))
@click.option("--person", is_flag=True, help=PERSON_HELP)
@yes_option
@speaks(ID_ONLY)
def erase_offer(session: Session, id: str, person: bool) -> None:
    """Erase what was shared of an offer, for good: here, and at every group that had it. As for a need."""
    identity = finding.own_offer(session, id)
    session.confirm(f"Erase what was shared of offer {short(identity)}, for good?")
    _erased(session, session.post(f"/offers/{segment(identity)}/erase", {"forget_person": person}), "offer")


@member.command(epilog=example("aidmesh member forget 'Ana Silva' --yes"))
@click.argument("id", type=Thing("member"))
@yes_option
@speaks(ID_ONLY)
def forget(session: Session, id: str) -> None:
    """Forget the name and contact of somebody who has no access any more. What they did stays, without a name."""
    identity = find_member(session, id)
    session.confirm(f"Forget who member {short(identity)} was, for good?")
    reply = session.post(f"/members/{segment(identity)}/forget")
    session.answer(reply, f"Forgot who member {short(identity)} was.", name=identity)
    session.tell(reply.get("elsewhere", ""))


@click.group(short_help="What other groups were asked to erase.", cls=Noun, epilog=example("aidmesh erasure list"))
def erasure() -> None:
    """What other groups were asked to erase, who had it, and who has confirmed."""


@erasure.command("list", epilog=example("aidmesh erasure list"))
@asks(IDS_ONLY)
def list_(session: Session) -> None:
    """List what other groups were asked to erase, newest first. For coordinators.

    A confirmation is a promise of that group: nobody can check it from here, nor reach what its people wrote down.
    """
    page = session.get("/erasures")
    session.show(page, lambda: _print_erasures(page["items"]), names=[one["id"] or "" for one in page["items"]])


def _erased(session: Session, reply: Document, kind: str) -> None:
    session.answer(reply, f"Erased what was shared of {kind} {short(reply['id'])}.", name=reply["id"])
    session.tell(reply.get("elsewhere", ""))
    if reply.get("circles"):
        session.tell("Who has confirmed:", session.command("erasure list"))


def _print_erasures(asked: list[dict[str, Any]]) -> None:
    columns = [Column("WHAT"), Column("ASKED"), Column("GROUP", gives=True), Column("HAD IT"), Column("CONFIRMED")]
    rows = [
        (
            f"{one['kind'] or 'unknown'} {short(one['id'] or '')}",
            day(one["asked"]),
            group["peer_name"] or short(group["peer"]),
            day(group["had_it"]) if group["had_it"] else "not from us",
            day(group["confirmed"]) if group["confirmed"] else "NOT YET",
        )
        for one in asked
        for group in one["groups"]
    ]
    if rows:
        print_table(columns, rows)
    else:
        print_sentence("No other group was asked to erase anything.")
