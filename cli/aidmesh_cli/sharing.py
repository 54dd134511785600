"""`share` and `unshare`, the same for needs and offers: with whom, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from aidmesh_cli.candidates import Thing
from aidmesh_cli.phrases import amount

F = TypeVar("F", bound=Callable[..., object])


def audience_options(function: F) -> F:
    """`--with` and `--circle`; neither: the only circle there is."""
    function = click.option("--circle", metavar="ID", help="The circle, by the beginning of its id.")(function)
    return click.option(
        "--with",
        "peer",
        type=Thing("peer"),
        metavar="PEER",
        help="The other group, by name or id; not needed if there is only one.",
    )(function)


def audience(peer: str | None, circle: str | None) -> dict[str, str]:
    """Whom it is about, as the API wants it."""
    given = {"peer": peer, "circle": circle}
    return {name: text for name, text in given.items() if text is not None}


def what_leaves(reply: Mapping[str, Any]) -> str:
    """Exactly what others now read, for the one who has just shared it."""
    leaves = reply.get("leaves")
    if not isinstance(leaves, Mapping):
        return ""
    told = [str(leaves.get("item") or ""), amount(leaves.get("quantity"), leaves.get("unit")), leaves.get("category")]
    told += [f"urgency {leaves['urgency']}" if leaves.get("urgency") else "", leaves.get("area")]
    return f"Others read: {', '.join(str(text) for text in told if text)}. If that names somebody, take it back."


def shared_with(document: Mapping[str, Any]) -> str:
    """ "Hillside, Riverside (taken back, not yet confirmed)" """
    return ", ".join(_shared(share) for share in document.get("shared_with") or ())


def _shared(share: Mapping[str, Any]) -> str:
    name = str(share.get("peer_name") or str(share.get("circle"))[:8])
    if share.get("state") == "shared":
        return name
    return f"{name} (taken back, {'confirmed' if share.get('acknowledged') else 'not yet confirmed'})"
