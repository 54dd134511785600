"""`aidmesh need`: what somebody needs."""

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
from aidmesh_cli.output import Column, print_facts, print_table
from aidmesh_cli.personal import personal_fields, personal_lines, personal_options
from aidmesh_cli.phrases import amount, amount_of, ended, group, of_amount, short, state, thing, when
from aidmesh_cli.session import Session
from aidmesh_cli.sharing import (
    acknowledge_emergency,
    advice_option,
    audience,
    audience_options,
    consent_options,
    shared_with,
    what_leaves,
)
from aidmesh_cli.words import CATEGORIES, CLOSE_REASONS, UNITS, URGENCIES, Words

if TYPE_CHECKING:
    from aidmesh_cli import api


@click.group(
    short_help="What somebody needs.",
    cls=Noun,
    epilog=example("aidmesh need list --state open", "aidmesh need show Blankets"),
)
def need() -> None:
    """What somebody needs, and how much of it has arrived."""


@need.command(
    epilog=example(
        "aidmesh need post Blankets --category bedding --quantity 20 \\",
        "    --urgency high --until 2026-12-01 --area Lospalos",
        "aidmesh need post Soup --category food --quantity 12 --unit meal --dry-run",
    )
)
@click.argument("item", required=False)
@click.option(
    "--category",
    type=Words(CATEGORIES),
    required=True,
    help="food, water, shelter, bedding, household, hygiene, ... or other.",
)
@click.option("--quantity", required=True, metavar="NUMBER", help="How much, such as 20 or 2.5.")
@click.option(
    "--unit",
    type=Words(UNITS),
    default="item",
    show_default=True,
    help="item, kg, l, m2, hour, meal, trip, night, request.",
)
@click.option(
    "--urgency", type=Words(URGENCIES), default="normal", show_default=True, help="low, normal, high or emergency."
)
@click.option("--from", "start", type=Moment(), help="Not before: 2026-12-01 or “2026-12-01 14:00”.")
@click.option("--until", type=Moment(ends=True), help="At the latest.")
@click.option("--area", help="Roughly where: a place name, never an address.")
@click.option("--language", metavar="TAG", help="The language of whom it is for: en, pt-BR.")
@advice_option
@click.option("--on-behalf", is_flag=True, help="It is for somebody else, who asked you to post it.")
@personal_options
@speaks(ID_ONLY)
def post(session: Session, /, item: str | None, start: str | None, advice_acknowledged: bool, **given: Any) -> None:
    """Post a need. Nobody outside your group sees it until it is shared.

    ITEM is a short name such as Blankets. Personal details and the note never leave your group. An emergency is when a
    life is in danger: it is saved only after whom to call has been read out.
    """
    given |= acknowledge_emergency(session, given["urgency"], advice_acknowledged)
    private = personal_fields(session, given)
    body = {"item": item, "from": start, **given}
    reply = session.post("/needs", {**{name: it for name, it in body.items() if it is not None}, **private})
    what = amount_of(given["quantity"], given["unit"], item or given["category"])
    session.answer(reply, f"Posted need {short(reply['id'])}: {what}.", name=reply["id"])
    warn_if_over(session, given["until"])
    session.tell("Show it to another group:", session.command(f"need share {short(reply['id'])} --consent HOW"))


@need.command(
    "list",
    epilog=example(
        "aidmesh need list",
        "aidmesh need list --state open --theirs --quiet",
        "aidmesh need list --untouched",
    ),
)
@click.option("--state", "state_", type=click.Choice(["open", "closed"]), help="Only those.")
@click.option("--untouched", is_flag=True, help="Only ours that wait for somebody, the longest overdue first.")
@whose
@paged
@asks(IDS_ONLY)
def list_(
    session: Session, state_: str | None, untouched: bool, ours: str | None, limit: int | None, cursor: str | None
) -> None:
    """List needs, emergencies and then the newest first: ours and those that other groups show us.

    A need is untouched when nobody has done anything about it for 48 hours, an emergency for 4.
    """
    params = {"state": state_, "ours": ours, "limit": limit, "cursor": cursor}
    if untouched:
        show_page(session, "/needs", {**params, "untouched": "true"}, _print_untouched)
    else:
        show_page(session, "/needs", params, _print_needs)


@need.command(epilog=example("aidmesh need show Blankets", "aidmesh need show Blankets --json"))
@click.argument("id", type=Thing("need"))
@asks(ID_ONLY)
def show(session: Session, id: str) -> None:
    """Show one need."""
    found = session.get(f"/needs/{segment(finding.any_of(session, 'need', id))}")
    session.show(found, lambda: print_facts(_facts(found)), names=[found["id"]])


@need.command(
    epilog=example(
        "aidmesh need share Blankets --with Hillside --consent by_phone --dry-run",
        "aidmesh need share Blankets --with Hillside --consent by_phone",
    )
)
@click.argument("id", type=Thing("need"))
@audience_options
@consent_options
@speaks(ID_ONLY)
def share(session: Session, /, id: str, peer: str | None, circle: str | None, **consent: Any) -> None:
    """Show a need to another group: category, item, quantity, urgency, time and area. Never names or notes.

    Item and area are shown as they were written: look that they name nobody and no address.
    """
    known = {name: value for name, value in consent.items() if value is not None}
    identity = finding.own_need(session, id)
    reply = session.post(f"/needs/{segment(identity)}/share", {"consent": known, **audience(peer, circle)})
    session.answer(reply, f"Shared need {short(reply['id'])}.", name=reply["id"])
    session.tell(what_leaves(reply))


@need.command(epilog=example("aidmesh need unshare Blankets --with Hillside"))
@click.argument("id", type=Thing("need"))
@audience_options
@speaks(ID_ONLY)
def unshare(session: Session, id: str, peer: str | None, circle: str | None) -> None:
    """Take back what was shown to another group. Their node confirms that it shows it no more."""
    reply = session.post(f"/needs/{segment(finding.own_need(session, id))}/unshare", audience(peer, circle))
    session.answer(reply, f"Took back need {short(reply['id'])}.", name=reply["id"])


@need.command(epilog=example("aidmesh need withdraw Blankets"))
@click.argument("id", type=Thing("need"))
@speaks(ID_ONLY)
def withdraw(session: Session, id: str) -> None:
    """Withdraw a need: whom it is for no longer wants it."""
    reply = session.post(f"/needs/{segment(finding.own_need(session, id))}/withdraw")
    session.answer(reply, f"Withdrew need {short(reply['id'])}.", name=reply["id"])


@need.command(epilog=example("aidmesh need close Blankets --reason met"))
@click.argument("id", type=Thing("need"))
@click.option(
    "--reason",
    type=Words(CLOSE_REASONS),
    required=True,
    help="met, partly_met, no_longer_wanted, done_by_others, duplicate, referred, out_of_scope, unreachable or "
    "entered_in_error.",
)
@click.option("--of", metavar="ID", help="With duplicate: the need that stays.")
@click.option("--to", metavar="NAME", help="With referred or out_of_scope: the group or service they turn to.")
@click.option("--consent", metavar="HOW", help="With referred: how they agreed to that: self, by_phone or proxy.")
@click.option("--consent-text", default="v1", show_default=True, help="The text they agreed to.")
@click.option("--language", default="en", show_default=True, metavar="TAG", help="In which language.")
@click.option("--person-knows/--person-unaware", default=None, help="With proxy: whether they know of it.")
@click.option("--referral-offered", is_flag=True, help="With out_of_scope: another place to turn to was offered.")
@speaks(ID_ONLY)
def close(session: Session, /, id: str, reason: str, of: str | None, to: str | None, **given: Any) -> None:
    """Close a need, with the reason. Whoever it is for withdraws it; expire it does by itself, after a warning.

    Unreachable takes three recorded calls in a row without an answer. A closed need can be reopened for 30 days.
    """
    identity = finding.own_need(session, id)
    body: dict[str, Any] = {"reason": reason}
    if of is not None:
        body["of"] = finding.any_of(session, "need", of)
    if to is not None:
        body["to"] = to
    if given["referral_offered"]:
        body["referral_offered"] = True
    if given["consent"] is not None:
        consent = {"given": given["consent"], "text_version": given["consent_text"], "language": given["language"]}
        knows = given["person_knows"]
        body["consent"] = consent if knows is None else {**consent, "person_knows": knows}
    reply = session.post(f"/needs/{segment(identity)}/close", body)
    session.answer(reply, f"Closed need {short(reply['id'])}: {reason.replace('_', ' ')}.", name=reply["id"])


def _print_needs(needs: list[api.Need]) -> None:
    columns = [
        Column("ID"),
        Column("NEED", gives=True),
        Column("RECEIVED", align="right"),
        Column("STATE", gives=True),
        Column("UNTIL"),
        Column("GROUP", gives=True),
    ]
    rows = [
        (
            short(one["id"]),
            thing(one),
            of_amount(one["received"], one["quantity"], one["unit"]),
            ended(one),
            when(one["until"]),
            group(one),
        )
        for one in needs
    ]
    if rows:
        print_table(columns, rows)


def _print_untouched(needs: list[api.Need]) -> None:
    columns = [Column("ID"), Column("NEED", gives=True), Column("URGENCY"), Column("DUE"), Column("NEXT", gives=True)]
    rows = [
        (short(one["id"]), thing(one), one["urgency"], when(one["next_action_at"]), one["next_action"]) for one in needs
    ]
    if rows:
        print_table(columns, rows)


def _facts(found: api.NeedShown) -> list[tuple[str, object]]:
    unit = found["unit"]
    return [
        ("need", f"{thing(found)} ({found['category']})"),
        ("id", found["id"]),
        ("group", group(found)),
        ("state", state(found)),
        ("received", of_amount(found["received"], found["quantity"], unit)),
        ("promised", amount(found["reserved"], unit)),
        ("still open", amount(found["open"], unit)),
        ("urgency", found["urgency"]),
        ("next", found.get("next_action")),
        ("by", when(found.get("next_action_at"))),
        ("from", when(found["from"])),
        ("until", when(found["until"])),
        ("area", found["area"]),
        ("shared with", shared_with(found)),
        *personal_lines(found),
        ("posted", when(found["posted_at"])),
    ]
