"""`aidmesh recover`: a node that was restored from a backup or copied, and what became of what it had said since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from aidmesh_cli.client import Document
from aidmesh_cli.manual import Noun
from aidmesh_cli.options import asks, example, speaks, yes_option
from aidmesh_cli.output import print_facts, print_sentence
from aidmesh_cli.phrases import counted, when
from aidmesh_cli.problems import FAILURE
from aidmesh_cli.session import Session

WAIT_SECONDS = 60
"""Unless --wait says something longer."""


@click.group(cls=Noun, epilog=example("aidmesh recover status"))
def recover() -> None:
    """A node that was restored from a backup, or copied.

    Such a node notices that it has said more than it remembers. It asks the other groups, who keep what they were
    told, reads it, and goes on as the same group. Until then you can work; other groups hear of it afterwards.
    """


@recover.command(epilog=example("aidmesh recover status"))
@asks("Print only the state: never, recovering, recovered or begun_anew.")
def status(session: Session) -> None:
    """Show how far it has come: what is missing, what came back, what is lost, and what to look at."""
    found = session.get("/recovery")
    session.show(found, lambda: _write(session, found), names=[found["state"]])


@recover.command(epilog=example("aidmesh recover wait --wait 300"))
@asks("Print only the state, as soon as it is over.")
def wait(session: Session) -> None:
    """Wait until everything is back, for a minute or as long as --wait says, and exit with 1 if it is not."""
    session.wait_at_least(WAIT_SECONDS)
    found = session.until(lambda: session.get("/recovery"), lambda seen: seen["state"] != "recovering")
    session.show(found, lambda: _write(session, found), names=[found["state"]])
    if found["state"] == "recovering":
        click.get_current_context().exit(FAILURE)


@recover.command(epilog=example("aidmesh recover override --yes"))
@yes_option
@speaks("Print only the state.")
def override(session: Session) -> None:
    """Go on without what is not here. For when nobody who has it can be reached, or never will be.

    What other groups were told and this node does not know any more is shown nowhere any longer; what is open here is
    said again. It cannot be taken back, so first see whether the other groups can be reached: it costs nothing to wait.
    """
    if not session.dry_run:
        found = session.get("/recovery")
        missing = sum(feed["known"] - feed["held"] for feed in found["feeds"])
        lacking = f"{counted(missing, 'statement')} of your group" if missing else "what other groups may still have"
        session.confirm(f"Go on for good without {lacking}?")
    reply = session.post("/recovery/override")
    session.answer(reply, "Begun anew. What is open here is said again to the other groups.", name=reply["state"])
    if reply["tasks"]:
        session.tell("There is something to look at:", session.command("recover status"))


@recover.command(epilog=example("aidmesh recover done 1"))
@click.argument("number", type=click.IntRange(1), metavar="NUMBER")
@speaks("Print only the number.")
def done(session: Session, number: int) -> None:
    """Say that you have looked at one of the things that `recover status` lists."""
    reply = session.post(f"/recovery/tasks/{number}/done")
    session.answer(reply, f"Done: {number}.", name=str(number))


def _write(session: Session, found: Document) -> None:
    if found["state"] == "never":
        print_sentence("This node was never restored: nothing is missing.")
        return
    facts: list[tuple[str, object]] = [
        ("state", _STATES.get(found["state"], found["state"])),
        ("because", found["reason"]),
        ("since", when(found["began_at"])),
        ("until", found["ended_at"] and when(found["ended_at"])),
        ("came back", counted(found["statements"], "statement")),
        ("lost", _lost(found)),
    ]
    facts += [(f"to {feed['peer'] or 'everybody'}", _feed(feed)) for feed in found["feeds"]]
    if found["unknown_feeds"]:
        facts.append(("unknown", f"{counted(found['unknown_feeds'], 'group')} it has spoken to is not known here"))
    print_facts(facts)
    for task in found["tasks"]:
        if not task["done"]:
            about = f" ({task['thing'][:8]})" if task["thing"] else ""
            print_sentence(f"Look at {task['number']}{about}: {task['words']}")
    if found["more_tasks"]:
        print_sentence(f"And {counted(found['more_tasks'], 'more thing')} like these.")
    if any(not task["done"] for task in found["tasks"]):
        session.tell("When you have looked at one:", session.command("recover done NUMBER"))
    if found["state"] == "recovering":
        session.tell("It goes on by itself as soon as the other groups can be reached.")
        session.tell("Only if they never will be:", session.command("recover override"))


_STATES = {
    "recovering": "getting back what other groups keep of it; you can work meanwhile",
    "recovered": "over: everything it had told other groups is back",
    "begun_anew": "over: it went on without what was missing",
}


def _lost(found: Document) -> str:
    if found["state"] == "recovering":
        return ""
    if not found["lost"]:
        return "nothing that is known of; what nobody was told since the copy was made is not here"
    return f"about {counted(found['lost'], 'record')} that no other group was told of: enter them again"


def _feed(feed: Mapping[str, Any]) -> str:
    here = f"{feed['held']} of {counted(feed['known'], 'statement')} here"
    return here if not feed["confirmed"] else f"{here}, confirmed"
