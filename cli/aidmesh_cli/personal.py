"""What is personal about a need or an offer: goes to the group's own vault, never to another group."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from aidmesh_cli.plain import plain_lines
from aidmesh_cli.session import Session

if TYPE_CHECKING:
    from aidmesh_cli import api

F = TypeVar("F", bound=Callable[..., object])

FIELDS: Final = {
    "name": "Whom it is for.",
    "phone": "Their phone number.",
    "email": "Their e-mail address.",
    "address": "Where they live.",
    "contact": "Another way to reach them.",
}
FROM_STDIN: Final = "-"
INSTEAD: Final = "Leave --ask out, and give --name, --phone, --email, --address, --contact or --note."


def personal_options(function: F) -> F:
    """`--name`, `--phone` and so on; `--ask` asks for them, so that they stay out of the shell's history."""
    function = click.option("--ask", is_flag=True, help="Ask for the personal details instead, one after the other.")(
        function
    )
    function = click.option(
        "--note", metavar="TEXT", help="What your group should know; - reads it from standard input."
    )(function)
    for name, purpose in reversed(FIELDS.items()):
        function = click.option(f"--{name}", metavar="TEXT", help=f"{purpose} Stays with your group.")(function)
    return function


def personal_fields(session: Session, given: dict[str, Any]) -> dict[str, Any]:
    """Takes the personal options out of `given`; returns `for` and `note` as the API wants them, if any."""
    person = {name: given.pop(name) for name in FIELDS}
    note, ask = given.pop("note"), given.pop("ask")
    if ask:
        for name, purpose in FIELDS.items():
            person[name] = person[name] or session.ask(f"{name} ({purpose.rstrip('.').lower()}; Enter: none)", INSTEAD)
        note = note or session.ask("note (what your group should know; Enter: none)", INSTEAD)
    if note == FROM_STDIN:
        note = sys.stdin.read().strip()
    known = {name: text for name, text in person.items() if text}
    return {**({"for": known} if known else {}), **({"note": note} if note else {})}


def personal_lines(document: api.NeedShown | api.OfferShown) -> list[tuple[str, object]]:
    """What a node showed of it, as facts."""
    person = document.get("person")
    shown: list[tuple[str, object]] = []
    if isinstance(person, dict):
        shown += [(f"for: {name}", " / ".join(plain_lines(text))) for name, text in person.items() if text]
    if document.get("erased"):
        shown.append(("for", "erased: names and notes are gone for good"))
    if document.get("note"):
        shown.append(("note", " / ".join(plain_lines(document["note"]))))
    return shown
