"""`aidmesh need`: what keeps a need from being forgotten after it was posted, and the words before an emergency."""

from __future__ import annotations

from typing import Any, Final

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import Document, segment
from aidmesh_cli.moments import Moment
from aidmesh_cli.need import need
from aidmesh_cli.options import ID_ONLY, asks, example, speaks
from aidmesh_cli.output import print_sentence
from aidmesh_cli.phrases import counted, number, short, when
from aidmesh_cli.session import Session
from aidmesh_cli.sharing import acknowledge_emergency, advice_option, consent_options, what_leaves
from aidmesh_cli.words import CONTACT_OUTCOMES, URGENCIES, URGENCY_REASONS, Words

__all__ = ["need"]

TRIES_ENOUGH: Final = 3
"""Calls in vain after which another way is suggested."""


@need.command(epilog=example("aidmesh need review Blankets --next 2026-12-05"))
@click.argument("id", type=Thing("need"))
@click.option("--next", "next_", type=Moment(), help="When to look at it again: within 30 days.")
@speaks(ID_ONLY)
def review(session: Session, id: str, next_: str | None) -> None:
    """Say that you looked at a need and it stays as it is. Its clock begins anew."""
    reply = _act(session, id, "review", {"next": next_})
    told = f" Next look: {when(next_)}." if next_ else ""
    session.answer(reply, f"Reviewed need {short(reply['id'])}.{told}", name=reply["id"])


@need.command("contact-attempt", epilog=example("aidmesh need contact-attempt Blankets --outcome no_answer"))
@click.argument("id", type=Thing("need"))
@click.option(
    "--outcome", type=Words(CONTACT_OUTCOMES), required=True, help="reached, no_answer, message_left or wrong_contact."
)
@speaks(ID_ONLY)
def contact_attempt(session: Session, id: str, outcome: str) -> None:
    """Record that you tried to reach whom a need is for. That never closes it."""
    reply = _act(session, id, "contact-attempt", {"outcome": outcome})
    session.answer(reply, f"Recorded a call for need {short(reply['id'])}.", name=reply["id"])
    tries = reply.get("unanswered")
    if isinstance(tries, int) and tries >= TRIES_ENOUGH:
        rest = session.command(f"need review {short(reply['id'])} --next DATE")
        session.tell(f"{tries} tries in a row were in vain: try a text or a neighbour, or let it rest:", rest)


@need.command(epilog=example("aidmesh need extend Blankets --until 2026-12-20"))
@click.argument("id", type=Thing("need"))
@click.option("--until", required=True, type=Moment(ends=True), help="When it ends now: later than before.")
@speaks(ID_ONLY)
def extend(session: Session, id: str, until: str) -> None:
    """Say that a need is still wanted, until then. Other groups see the new date."""
    reply = _act(session, id, "extend", {"until": until})
    session.answer(reply, f"Extended need {short(reply['id'])} until {when(until)}.", name=reply["id"])


@need.command(epilog=example("aidmesh need amend Blankets --quantity 15"))
@click.argument("id", type=Thing("need"))
@click.option("--quantity", required=True, metavar="NUMBER", help="How much is wanted in all, as a number.")
@speaks(ID_ONLY)
def amend(session: Session, id: str, quantity: str) -> None:
    """Ask for more or less, never for less than has arrived and is promised."""
    reply = _act(session, id, "amend", {"quantity": quantity})
    session.answer(reply, f"Amended need {short(reply['id'])}: {number(quantity)}.", name=reply["id"])


@need.command(epilog=example("aidmesh need urgency Blankets high --reason worse"))
@click.argument("id", type=Thing("need"))
@click.argument("urgency", type=Words(URGENCIES))
@click.option("--reason", type=Words(URGENCY_REASONS), required=True, help="worse, better, more_known or mistaken.")
@advice_option
@speaks(ID_ONLY)
def urgency(session: Session, id: str, urgency: str, reason: str, advice_acknowledged: bool) -> None:
    """Say that a need is more or less urgent than was thought.

    URGENCY is low, normal, high, or emergency when a life is in danger. All clocks of the need begin anew. When an
    emergency is over, what was shared because of it is taken back.
    """
    body = {"urgency": urgency, "reason": reason, **acknowledge_emergency(session, urgency, advice_acknowledged)}
    reply = _act(session, id, "urgency", body)
    session.answer(reply, f"Need {short(reply['id'])} is now {urgency}.", name=reply["id"])


@need.command("share-wider", epilog=example("aidmesh need share-wider Insulin --consent by_phone"))
@click.argument("id", type=Thing("need"))
@consent_options
@speaks(ID_ONLY)
def share_wider(session: Session, /, id: str, **consent: Any) -> None:
    """Show an emergency to every group you are connected with.

    The consent is to just that; an earlier one, to one group, does not count. When the emergency is over, it is taken
    back from them.
    """
    known = {name: value for name, value in consent.items() if value is not None}
    reply = _act(session, id, "share-wider", {"consent": known})
    groups = counted(len(reply.get("circles") or ()), "more group")
    session.answer(reply, f"Shared need {short(reply['id'])} with {groups}.", name=reply["id"])
    session.tell(what_leaves(reply))


@need.command(epilog=example("aidmesh need reopen Tarps"))
@click.argument("id", type=Thing("need"))
@speaks(ID_ONLY)
def reopen(session: Session, id: str) -> None:
    """Open a need again that was closed in the last 30 days. It is then shared with nobody."""
    reply = session.post(f"/needs/{segment(finding.closed_need(session, id))}/reopen")
    session.answer(reply, f"Reopened need {short(reply['id'])}.", name=reply["id"])
    share = session.command(f"need share {short(reply['id'])} --consent HOW")
    session.tell("No other group sees it now. Show it again:", share)


@need.command("emergency-advice", epilog=example("aidmesh need emergency-advice"))
@asks("Print only the number to call.")
def emergency_advice(session: Session) -> None:
    """Show what to read out before a need is posted as an emergency."""
    found = session.get("/emergency-advice")
    session.show(found, lambda: print_sentence(found["text"]), names=[found["number"]])


def _act(session: Session, text: str, verb: str, given: dict[str, Any]) -> Document:
    body = {name: value for name, value in given.items() if value is not None}
    return session.post(f"/needs/{segment(finding.own_need(session, text))}/{verb}", body)
