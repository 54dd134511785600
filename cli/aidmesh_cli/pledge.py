"""`aidmesh pledge`: the giver's words first, then those of the need's home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import Document, segment
from aidmesh_cli.listing import paged, show_page
from aidmesh_cli.manual import Noun
from aidmesh_cli.moments import Moment, warn_if_over
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks
from aidmesh_cli.output import Column, print_facts, print_sentence, print_table
from aidmesh_cli.phrases import amount, amount_of, counted, day, short, thing, when
from aidmesh_cli.problems import USAGE, Answered, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.words import CONDITIONS, DECLINE_REASONS, FAILURES, HOWS, OUTCOMES, PHASES, RELEASE_REASONS, Words

if TYPE_CHECKING:
    from aidmesh_cli import api

GIVER: Final = ("giver", "local")
HOME: Final = ("home", "local")
OFFERED: Final = ("offered", "countered")
FIRM: Final = ("committed", "handed_over", "partly_received")
ON_ITS_WAY: Final = ("handed_over", "partly_received")
ARRIVED: Final = (*ON_ITS_WAY, "presumed", "received")
QUANTITY: Final = "NUMBER"


@click.group(short_help="What one group promises another.", cls=Noun, epilog=example("aidmesh pledge list"))
def pledge() -> None:
    """What one group promises another, from the offer to the receipt.

    The giver: offer, revise, commit, withdraw, hand-over. Where the need is: accept, counter, decline, release,
    receive; ask and presume where nobody says what arrived. Either: correct, leave.
    """


@pledge.command("list", epilog=example("aidmesh pledge list --phase offered"))
@click.option("--role", type=click.Choice(["giver", "home", "local"]), help="Whether we give, get, or both.")
@click.option(
    "--phase",
    type=Words(PHASES),
    metavar="PHASE",
    help="offered, countered, accepted, committed, handed_over, received, ...",
)
@click.option("--need", type=Thing("need"), metavar="ID", help="Only pledges for this need.")
@paged
@asks(IDS_ONLY)
def list_(session: Session, /, **params: Any) -> None:
    """List pledges, newest first."""
    show_page(session, "/pledges", params, _print_pledges)


@pledge.command(epilog=example("aidmesh pledge show Blankets"))
@click.argument("id", type=Thing("pledge"))
@asks(ID_ONLY)
def show(session: Session, id: str) -> None:
    """Show one pledge, and what happens next."""
    found = session.get(f"/pledges/{segment(finding.any_of(session, 'pledge', id))}")

    def write() -> None:
        print_facts(_facts(found))
        if found.get("note"):
            print_sentence(found["note"])
        print_sentence(f"Next: {found['next']}")

    session.show(found, write, names=[found["id"]])


@pledge.command(epilog=example("aidmesh pledge offer Blankets --quantity 20 --how pick_up"))
@click.argument("need", type=Thing("board"))
@click.option("--quantity", required=True, metavar=QUANTITY, help="How much, in the unit of the need.")
@click.option("--offer", "offer_", type=Thing("offer"), metavar="ID", help="The offer of ours that it comes from.")
@click.option("--how", type=Words(HOWS), default="deliver", show_default=True, help="deliver, pick_up or remote.")
@click.option("--from", "start", type=Moment(), help="Not before.")
@click.option("--until", type=Moment(ends=True), help="At the latest.")
@speaks(ID_ONLY)
def offer(session: Session, /, need: str, offer_: str | None, start: str | None, **given: Any) -> None:
    """Offer help for a need on the board. It is held for them until they decide."""
    body = {"need": finding.open_need(session, need), "from": start, **given}
    if offer_ is not None:
        body["offer"] = finding.own_offer(session, offer_)
    reply = session.post("/pledges", {name: value for name, value in body.items() if value is not None})
    _tell(session, reply, "Offered")
    warn_if_over(session, given["until"])


@pledge.command(epilog=example("aidmesh pledge revise Blankets --quantity 15"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", metavar=QUANTITY, help="How much instead.")
@click.option("--from", "start", type=Moment(), help="Not before.")
@click.option("--until", type=Moment(ends=True), help="At the latest.")
@speaks(ID_ONLY)
def revise(session: Session, /, id: str, start: str | None, **given: Any) -> None:
    """Offer another amount than before, or another time, until they have accepted."""
    act(session, id, GIVER, OFFERED, "revise", "Revised", _terms(start, given))


@pledge.command(epilog=example("aidmesh pledge commit Blankets"))
@click.argument("id", type=Thing("pledge"))
@speaks(ID_ONLY)
def commit(session: Session, id: str) -> None:
    """Make an accepted pledge firm. The node does this by itself as soon as it hears of the acceptance."""
    act(session, id, GIVER, ("accepted",), "commit", "Committed")


@pledge.command(epilog=example("aidmesh pledge withdraw Blankets"))
@click.argument("id", type=Thing("pledge"))
@speaks(ID_ONLY)
def withdraw(session: Session, id: str) -> None:
    """Withdraw what was not handed over yet."""
    act(session, id, GIVER, (*OFFERED, "accepted", *FIRM), "withdraw", "Withdrew")


@pledge.command("hand-over", epilog=example("aidmesh pledge hand-over Blankets --quantity 20"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", metavar=QUANTITY, help="How much; all that is left, unless you say it.")
@click.option(
    "--outcome", type=Words(OUTCOMES), help="handed (unless you say it), left_as_agreed, picked_up or done_remote."
)
@click.option(
    "--failed",
    type=Words(FAILURES),
    metavar="WHY",
    help="It failed: not_home, bad_address, not_ready, too_far, refused, ...",
)
@speaks(ID_ONLY)
def hand_over(session: Session, /, id: str, **given: Any) -> None:
    """Declare that something was handed over, or why it was not. Why it was not, the other side may say too."""
    failed = given["failed"] is not None
    roles = (*GIVER, "home") if failed else GIVER
    act(session, id, roles, FIRM, "hand-over", "Not handed over" if failed else "Handed over", given)


@pledge.command(epilog=example("aidmesh pledge counter Blankets --quantity 10"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", metavar=QUANTITY, help="How much you would take.")
@click.option("--from", "start", type=Moment(), help="Not before.")
@click.option("--until", type=Moment(ends=True), help="At the latest.")
@speaks(ID_ONLY)
def counter(session: Session, /, id: str, start: str | None, **given: Any) -> None:
    """Ask for another amount than they offer, or for another time."""
    act(session, id, HOME, OFFERED, "counter", "Countered", _terms(start, given))


@pledge.command(epilog=example("aidmesh pledge accept Blankets"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", metavar=QUANTITY, help="How much of it; all, unless you say it.")
@speaks(ID_ONLY)
def accept(session: Session, id: str, quantity: str | None) -> None:
    """Accept what they offer. It is firm once the giver has committed."""
    act(session, id, HOME, OFFERED, "accept", "Accepted", {"quantity": quantity})


@pledge.command(epilog=example("aidmesh pledge decline Blankets --reason already_covered"))
@click.argument("id", type=Thing("pledge"))
@click.option(
    "--reason",
    type=Words(DECLINE_REASONS),
    required=True,
    help="already_covered, not_suitable, timing, person_prefers_other, safety, need_closed or other.",
)
@speaks(ID_ONLY)
def decline(session: Session, id: str, reason: str) -> None:
    """Decline what they offer."""
    act(session, id, HOME, OFFERED, "decline", "Declined", {"reason": reason})


@pledge.command(epilog=example("aidmesh pledge release Blankets --reason found_elsewhere"))
@click.argument("id", type=Thing("pledge"))
@click.option(
    "--reason",
    type=Words(RELEASE_REASONS),
    required=True,
    help="changed_plan, found_elsewhere, unanswered, need_closed or other.",
)
@speaks(ID_ONLY)
def release(session: Session, id: str, reason: str) -> None:
    """Give back what was accepted and did not arrive: it is no longer needed."""
    act(session, id, HOME, ("accepted", *FIRM), "release", "Released", {"reason": reason})


@pledge.command(epilog=example("aidmesh pledge receive Blankets --condition good"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", metavar=QUANTITY, help="How much arrived; all on its way, unless you say it.")
@click.option("--condition", type=Words(CONDITIONS), help="good (unless you say it), damaged, partial or other.")
@speaks(ID_ONLY)
def receive(session: Session, /, id: str, **given: Any) -> None:
    """Confirm what arrived: 0 says that nothing did."""
    act(session, id, HOME, (*ON_ITS_WAY, "presumed"), "receive", "Received", given)


def act(
    session: Session,
    text: str,
    roles: tuple[str, ...],
    phases: tuple[str, ...],
    verb: str,
    done: str,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Post one verb about the pledge that `text` names among those of `roles` in `phases`, and tell what is next."""
    identity = finding.pledge_in(session, text, roles, phases)
    body = {name: value for name, value in (given or {}).items() if value is not None}
    _tell(session, session.post(f"/pledges/{segment(identity)}/{verb}", body), done, body.get("quantity"))


def _terms(start: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    if start is None and all(value is None for value in given.values()):
        raise Failed(USAGE, "What should change?", "Give --quantity NUMBER, --from, --until, or several of them.")
    return {"from": start, **given}


def _tell(session: Session, reply: Document, done: str, quantity: str | None = None) -> None:
    """One line about what was done, with the `quantity` that was said; beside it, what happens next."""
    line, next_step = f"{done}: pledge {short(reply['id'])}.", ""
    if not (session.as_json or session.quiet):
        try:
            found = session.get(f"/pledges/{segment(reply['id'])}")
        except Answered:
            pass  # it is done; only the description is missing
        else:
            much = amount_of(_counting(found) if quantity is None else quantity, found["unit"], thing(found))
            line = f"{done}: pledge {short(found['id'])}, {much} {_between(found)}."
            next_step = found["next"]
    session.answer(reply, line, name=reply["id"])
    if next_step:
        session.tell(f"Next: {next_step}")


def _print_pledges(pledges: list[api.Pledge]) -> None:
    columns = [
        Column("ID"),
        Column("PLEDGE", gives=True),
        Column("QUANTITY", align="right"),
        Column("PHASE"),
        Column("BETWEEN", gives=True),
        Column("CHANGED"),
    ]
    rows = [
        (
            short(one["id"]),
            thing(one),
            _promised(one),
            one["phase"].replace("_", " "),
            _between(one),
            day(one["updated_at"]),
        )
        for one in pledges
    ]
    if rows:
        print_table(columns, rows)


def _promised(one: api.Pledge) -> str:
    """The amount that counts now: firm before accepted before offered."""
    return amount(_counting(one), one["unit"])


def _counting(one: Mapping[str, Any]) -> str:
    known = (one[name] for name in ("committed", "accepted", "offered"))
    return next((str(text) for text in known if text not in (None, "0")), "0")


def _between(one: api.Pledge) -> str:
    peer = one.get("peer_name") or short(one.get("peer"))
    return {"giver": f"to {peer}", "home": f"from {peer}"}.get(one["role"], "within our group")


def _facts(found: api.Pledge) -> list[tuple[str, object]]:
    unit = found["unit"]

    def said(amounted: str) -> str:
        return "" if amounted == "0" else amount(amounted, unit)

    return [
        ("pledge", f"{thing(found)} {_between(found)}"),
        ("id", found["id"]),
        ("need", short(found["need"])),
        ("offer", short(found["offer"])),
        ("phase", found["phase"].replace("_", " ")),
        ("reason", str(found["reason"] or "").replace("_", " ")),
        ("offered", amount(found["offered"], unit)),
        ("accepted", said(found["accepted"])),
        ("committed", said(found["committed"])),
        ("handed over", said(found["handed"])),
        ("on its way", said(found["in_transit"])),
        ("received", said(found["received"])),
        ("presumed", said(found["presumed"])),
        ("asked", _asked(found)),
        ("last attempt", str(found["failure"] or found["outcome"] or "").replace("_", " ")),
        ("how", found["how"].replace("_", " ")),
        ("from", when(found["from"])),
        ("until", when(found["until"])),
        ("changed", when(found["updated_at"])),
    ]


def _asked(found: api.Pledge) -> str:
    return f"{counted(found['asked'], 'time')}, last {when(found['asked_at'])}" if found["asked"] else ""
