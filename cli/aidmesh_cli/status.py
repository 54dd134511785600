"""`aidmesh status`: how it stands with the node, and what waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aidmesh_cli.clocks import clock_apart
from aidmesh_cli.finding import LISTED_MAX
from aidmesh_cli.manual import Page
from aidmesh_cli.options import asks, example
from aidmesh_cli.output import print_command, print_facts, print_sentence
from aidmesh_cli.phrases import counted, short, tally
from aidmesh_cli.problems import Answered
from aidmesh_cli.session import Session

if TYPE_CHECKING:
    from aidmesh_cli import api


@click.command(cls=Page, epilog=example("aidmesh status --home harbour"), short_help="How it stands with the node.")
@asks("Print only the standing: active, new or recovering.")
def status(session: Session) -> None:
    """Show how it stands with the node: its group, its counts, its links, and what to do next."""
    found = session.get("/status")
    session.show(found, lambda: _write(session, found), names=[found["standing"]])


def _write(session: Session, found: api.Status) -> None:
    peers: list[api.Peer] = session.get("/peers")["items"]
    counts = found["counts"]
    facts: list[tuple[str, object]] = [
        ("group", f"{found['group']['name']} ({short(found['group']['gid'])})"),
        ("address", found.get("url") or f"http://{found['listen']}"),
        ("standing", _standing(found)),
        ("clock", found["clock"]["words"]),
        ("needs", tally(counts["needs"])),
        ("offers", tally(counts["offers"])),
        ("pledges", tally(counts["pledges"])),
        ("groups", _links(peers)),
        ("waits for", _incomplete(found)),
    ]
    print_facts(facts)
    for step, command in _next_steps(session, found, peers):
        print_sentence(f"Next: {step}")
        if command:
            print_command(session.command(command), lead="      ")


def _standing(found: api.Status) -> str:
    if found["standing"] == "active" and found["signing"]:
        return "in order; it signs what it says"
    if found["standing"] == "active":
        return f"in order; {counted(len(found['unsigned_feeds']), 'feed')} not signed yet"
    return "recovering: it signs nothing"


def _links(peers: list[api.Peer]) -> str:
    states: dict[str, int] = {}
    for one in peers:
        word = {"active": "linked", "pending": "not confirmed"}.get(one["state"], one["state"])
        states[word] = states.get(word, 0) + 1
    away = sum(1 for one in peers if one["state"] == "active" and not one.get("reachable"))
    return tally(states) + (f" ({away} not reachable now)" if away else "")


def _incomplete(found: api.Status) -> str:
    missing = sum(feed.get("incomplete") or 0 for feed in found["feeds"])
    return f"{counted(missing, 'entry', 'entries')} of other groups" if missing else ""


def _next_steps(session: Session, found: api.Status, peers: list[api.Peer]) -> list[tuple[str, str]]:
    """(what waits for somebody, the command for it)"""
    steps: list[tuple[str, str]] = []
    if found["standing"] == "recovering":
        reason = str(found.get("standing_reason") or "this node was restored or copied").rstrip(".")
        steps.append((f"{reason}.", "recover status"))
    for one in peers:
        name, look = one.get("name") or short(one["gid"]), f"peer status {short(one['gid'])}"
        if one["state"] == "pending" and not one.get("confirmed"):
            steps.append((f"compare the four words with {name}", look))
        if clock_apart(one):
            steps.append((f"the clock of {name} is {clock_apart(one)}; find out which is wrong", look))
        if one.get("frozen"):
            steps.append((f"nothing more is taken from {name} ({one['frozen']})", look))
    if found["forks"]:
        steps.append((f"somebody signed two histories of {counted(found['forks'], 'feed')}; look which", "fork list"))
    untouched = _untouched(session)
    if untouched:
        steps.append((f"look after what nobody has touched ({untouched})", "need list --untouched"))
    for role, phase, what in (
        ("home", "offered", "accept or decline what is offered"),
        ("giver", "countered", "answer what they propose instead"),
        ("giver", "accepted", "commit what was accepted, or withdraw it"),
        ("giver", "committed", "hand over what was promised"),
        ("home", "handed_over", "confirm what arrived"),
    ):
        waiting = _waiting(session, role, phase)
        if waiting:
            steps.append((f"{what} ({waiting})", f"pledge list --role {role} --phase {phase}"))
    if not steps and not peers:
        steps.append(("link with another group", "peer invite"))
    return steps


def _untouched(session: Session) -> str:
    """ "3 needs, 1 an emergency", or "" when none waits."""
    try:
        page = session.get("/needs", {"untouched": "true", "limit": LISTED_MAX})
    except Answered:
        return ""
    urgent = sum(one["urgency"] == "emergency" for one in page["items"])
    told = counted(len(page["items"]), "need") if page["items"] else ""
    return f"{told}, {counted(urgent, 'emergency', 'emergencies')}" if urgent else told


def _waiting(session: Session, role: str, phase: str) -> str:
    """ "3 pledges", or "" when none waits."""
    try:
        page = session.get("/pledges", {"role": role, "phase": phase, "limit": LISTED_MAX})
    except Answered:
        return ""  # the rest of the status is worth showing all the same
    count = len(page["items"])
    if not count:
        return ""
    return counted(count, "pledge") if count < LISTED_MAX else f"{count} pledges or more"
