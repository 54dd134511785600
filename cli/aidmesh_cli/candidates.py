"""What a shell is offered for an id: the things a running node knows, if it answers at once; else nothing, silently."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from aidmesh_cli.phrases import amount, short, thing
from aidmesh_cli.plain import plain

SECONDS_MAX: Final = 0.5
"""Somebody has pressed a key and waits."""
LISTED_MAX: Final = 200
HELP_CHARACTERS_MAX: Final = 40

QUESTIONS: Final = {
    "need": ("/needs", "items", {"state": "open"}),
    "board": ("/board", "needs", {}),
    "offer": ("/offers", "items", {"state": "open"}),
    "pledge": ("/pledges", "items", {}),
    "dispute": ("/disputes", "items", {"state": "open"}),
    "fork": ("/forks", "items", {"state": "open"}),
    "member": ("/members", "items", None),
    "peer": ("/peers", "items", None),
}
"""What to ask for, where the answer has it, and what to narrow it to; None: it takes no parameters."""

_WORD: Final = re.compile(r"[^\W_][\w.-]{0,39}")
"""A name that a shell takes for one word and nothing else; all others go by their id."""


class Thing(click.ParamType[str]):
    """The id of a need, offer, pledge, dispute, fork, member or peer, its beginning, or its name."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from aidmesh_cli.problems import Failed

        try:
            known = _ask(self.kind, ctx.params)
        except Failed:
            return []
        return offered(known, incomplete)


def offered(known: list[dict[str, Any]], incomplete: str) -> list[CompletionItem[str]]:
    """One candidate for each thing that `incomplete` may begin: its name if only it has that, else its id."""
    names = Counter(_name(one).casefold() for one in known)
    found: dict[str, CompletionItem[str]] = {}
    for one in known:
        name, identity = _name(one), short(one.get("id") or one.get("gid"))
        whole = name if names[name.casefold()] == 1 and _WORD.fullmatch(name) else identity
        for value in (whole, identity):
            if _WORD.fullmatch(value) and value.casefold().startswith(incomplete.casefold()):
                found.setdefault(value, CompletionItem(value, help=_described(one, name)))
                break
    return list(found.values())


def _ask(kind: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Raises Failed."""
    from aidmesh_cli.client import Client
    from aidmesh_cli.options import HOME_VARIABLE
    from aidmesh_cli.target import Where, find_target

    home, node = given.get("home"), given.get("node")
    if home is None and node is None and (variable := os.environ.get(HOME_VARIABLE)):
        home = Path(variable)
    path, name, narrowed = QUESTIONS[kind]
    params: dict[str, object] = dict(narrowed or {})
    if narrowed is not None and path != "/board":
        params["limit"] = LISTED_MAX
    client = Client(find_target(Where(home, node, given.get("token_file"))), "", seconds_max=SECONDS_MAX)
    items = client.get(path, params).get(name)
    return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []


def _name(one: Mapping[str, Any]) -> str:
    return str(one.get("name") or thing(one))


def _described(one: Mapping[str, Any], name: str) -> str:
    much = amount(one.get("quantity", one.get("offered")), one.get("unit")) if one.get("unit") else ""
    whose = str(one.get("group_name") or one.get("peer_name") or "")
    told = plain(", ".join(text for text in (f"{much} {name}".strip(), whose) if text))
    return told[:HELP_CHARACTERS_MAX]
