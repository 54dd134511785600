"""`aidmesh offer`, once it is there for a while: confirm, extend, reopen, close."""

from __future__ import annotations

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import segment
from aidmesh_cli.moments import Moment
from aidmesh_cli.offer import offer
from aidmesh_cli.options import ID_ONLY, example, speaks
from aidmesh_cli.phrases import short, when
from aidmesh_cli.session import Session
from aidmesh_cli.words import OFFER_CLOSE_REASONS, Words

__all__ = ["offer"]


@offer.command(epilog=example("aidmesh offer confirm Blankets"))
@click.argument("id", type=Thing("offer"))
@speaks(ID_ONLY)
def confirm(session: Session, id: str) -> None:
    """Confirm that an offer is still there. The node asks about it every 30 days, about food every 3."""
    reply = session.post(f"/offers/{segment(finding.own_offer(session, id))}/confirm")
    session.answer(reply, f"Confirmed offer {short(reply['id'])}: it is still there.", name=reply["id"])


@offer.command(epilog=example("aidmesh offer extend Tents --until 2026-12-31"))
@click.argument("id", type=Thing("offer"))
@click.option("--until", type=Moment(ends=True), required=True, help="The new last day.")
@speaks(ID_ONLY)
def extend(session: Session, id: str, until: str) -> None:
    """Let an offer end later than was said. Groups it is shared with see the new end."""
    path = f"/offers/{segment(finding.own_offer(session, id))}/extend"
    reply = session.post(path, {"until": until})
    session.answer(reply, f"Extended offer {short(reply['id'])} until {when(until)}.", name=reply["id"])


@offer.command(epilog=example("aidmesh offer reopen Tents --until 2026-12-31"))
@click.argument("id", type=Thing("offer"))
@click.option("--until", type=Moment(ends=True), help="The last day; as before, unless you say it.")
@speaks(ID_ONLY)
def reopen(session: Session, id: str, until: str | None) -> None:
    """Reopen a closed offer, for 30 days after it was closed. Other groups see it once it is shared again."""
    path = f"/offers/{segment(finding.closed_offer(session, id))}/reopen"
    reply = session.post(path, {} if until is None else {"until": until})
    session.answer(reply, f"Reopened offer {short(reply['id'])}.", name=reply["id"])
    share = session.command(f"offer share {short(reply['id'])}")
    session.tell("No other group sees it now. Show it again:", share)


@offer.command(epilog=example("aidmesh offer close Tents --reason superseded"))
@click.argument("id", type=Thing("offer"))
@click.option(
    "--reason",
    type=Words(OFFER_CLOSE_REASONS),
    required=True,
    help="exhausted (nothing is left) or superseded (another takes its place).",
)
@speaks(ID_ONLY)
def close(session: Session, id: str, reason: str) -> None:
    """Close an offer. What was already promised from it stays promised."""
    reply = session.post(f"/offers/{segment(finding.own_offer(session, id))}/close", {"reason": reason})
    session.answer(reply, f"Closed offer {short(reply['id'])}: {reason}.", name=reply["id"])
