"""`aidmesh peer`: the links with other groups."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Final

import click

from aidmesh_cli import finding
from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import segment
from aidmesh_cli.clocks import clock_apart
from aidmesh_cli.manual import Noun
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks
from aidmesh_cli.output import Column, print_facts, print_table
from aidmesh_cli.phrases import short, when
from aidmesh_cli.problems import USAGE, Failed
from aidmesh_cli.session import Session

if TYPE_CHECKING:
    from aidmesh_cli import api

INVITATION_PREFIX: Final = "aidmesh:"
FROM_STDIN: Final = "-"


@click.group(cls=Noun, epilog=example("aidmesh peer list"))
def peer() -> None:
    """The links with other groups.

    One group invites, the other accepts. Then both see the same four words, read them to each other, by phone or
    in person, and both confirm them: so nobody can stand between you.
    """


@peer.command(epilog=example("aidmesh peer invite --expires-hours 24"))
@click.option("--expires-hours", type=click.IntRange(1, 720), default=72, show_default=True, help="How long it works.")
@speaks("Print only the invitation.")
def invite(session: Session, expires_hours: int) -> None:
    """Invite another group. Send them the invitation; it works once."""
    reply = session.post("/peers/invitations", {"expires_hours": expires_hours})
    session.answer(reply, reply["invitation"], name=reply["invitation"])
    session.tell(
        f"Send this to the other group; it works once, until {when(reply['expires'])}. They use it with:",
        "aidmesh peer accept INVITATION",
    )


@peer.command(
    epilog=example(
        "aidmesh peer accept aidmesh:INVITATION --wait 30",
        "aidmesh peer accept Harbour --words 'anchor boat calm dune'",
    )
)
@click.argument("who", type=Thing("peer"), metavar="INVITATION|GROUP")
@click.option("--words", help="The four words, once both groups have read them to each other.")
@speaks("Print only the four words or, with --words, the state of the link.")
def accept(session: Session, who: str, words: str | None) -> None:
    """Accept an invitation, or confirm the four words.

    With an INVITATION (- reads it from standard input) it shows four words. With a GROUP and --words it confirms
    that the other group reads the same ones; both groups must.
    """
    if words is not None:
        _confirm(session, who, words)
        return
    if who == FROM_STDIN:
        who = sys.stdin.readline().strip()
    if not who.startswith(INVITATION_PREFIX):
        raise Failed(
            USAGE,
            f"“{who}” is not an invitation.",
            "An invitation begins with aidmesh: . To confirm the words of a group, name it:",
            then="peer accept GROUP --words WORDS",
        )
    reply = session.post("/peers", {"invitation": who})
    said = " ".join(reply["words"])
    session.answer(reply, f"The four words with {_name(reply)}: {said}", name=said)
    session.tell(
        f"Read them to each other. If {_name(reply)} has the same ones, both confirm:",
        session.command(f"peer accept {short(reply['gid'])} --words {shlex.quote(said)}"),
    )


@peer.command("list", epilog=example("aidmesh peer list"))
@asks(IDS_ONLY)
def list_(session: Session) -> None:
    """List the groups we are linked with."""
    page = session.get("/peers")
    session.show(page, lambda: _print_peers(page["items"]), names=(one["gid"] for one in page["items"]))
    if not page["items"]:
        session.tell("There is no link with another group yet. Invite one:", session.command("peer invite"))


@peer.command(epilog=example("aidmesh peer status Harbour"))
@click.argument("group", type=Thing("peer"))
@asks(ID_ONLY)
def status(session: Session, group: str) -> None:
    """Show how it stands with one group: the words while they wait, contact, and what each holds of the other."""
    found = session.get(f"/peers/{segment(finding.peer(session, group)['gid'])}")
    session.show(found, lambda: print_facts(_facts(found)), names=[found["gid"]])
    if found["state"] == "pending" and not found.get("confirmed"):
        said = " ".join(found["words"] or ())
        session.tell(
            "Read the words to each other. If they are the same, both confirm:",
            session.command(f"peer accept {short(found['gid'])} --words {shlex.quote(said)}"),
        )
    if clock_apart(found):
        session.tell("One of the two clocks is wrong: compare both with a telephone, and set that one.")
        session.tell("Until then nothing is lost: what either group says arrives, in the order in which it was said.")


def _confirm(session: Session, who: str, words: str) -> None:
    known = finding.peer(session, who)
    path = f"/peers/{segment(known['gid'])}"
    reply = session.post(f"{path}/confirm", {"words": words})
    if reply["state"] != "active" and session.wait_seconds:
        now = session.until(lambda: session.get(path), lambda seen: seen["state"] != "pending")
        reply["state"] = now["state"]
    if reply["state"] == "active":
        line = f"Linked with {_name(known)}: both groups have confirmed the words."
    else:
        line = f"Confirmed. {_name(known)} has not confirmed the words yet."
    session.answer(reply, line, name=reply["state"])


def _name(one: api.Peer) -> str:
    return str(one.get("name") or short(one.get("gid")))


def _contact(one: api.Peer) -> str:
    if one["state"] != "active":
        return ""
    if one.get("frozen"):
        return f"frozen: {one['frozen']}"
    last = when(one.get("last_contact"))
    if one.get("reachable"):
        return f"reachable, {last}"
    return f"not reachable since {last}" if last else "never reached"


def _print_peers(peers: list[api.Peer]) -> None:
    columns = [Column("ID"), Column("GROUP", gives=True), Column("STATE", gives=True), Column("CONTACT", gives=True)]
    rows = [(short(one["gid"]), one.get("name"), _state(one), _contact(one)) for one in peers]
    if rows:
        print_table(columns, rows)


def _state(one: api.Peer) -> str:
    if one["state"] != "pending":
        return str(one["state"])
    return "waits for them to confirm" if one.get("confirmed") else "waits for the four words"


def _facts(found: api.PeerShown) -> list[tuple[str, object]]:
    held = found["held"]
    facts: list[tuple[str, object]] = [
        ("group", found.get("name")),
        ("id", found["gid"]),
        ("state", _state(found)),
        ("words", " ".join(found.get("words") or ())),
        ("circle", found.get("circle")),
        ("addresses", ", ".join(found.get("endpoints") or ())),
        ("contact", _contact(found)),
        ("next try", f"in {found['backoff_seconds']} s" if found.get("backoff_seconds") else ""),
        ("trouble", found.get("trouble")),
        ("their clock", clock_apart(found)),
    ]
    if found["state"] == "active":
        facts += [
            ("we hold", f"{held.get('size', 0)} of their {held.get('claimed', 0)} entries"),
            ("they hold", f"{found.get('acknowledged', 0)} of our entries"),
        ]
    facts += [
        ("refused", f"{one.get('code')}: {one.get('detail')} ({one.get('count')} times)")
        for one in found.get("refusals") or ()
    ]
    return facts
