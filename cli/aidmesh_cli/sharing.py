"""`share` and `unshare`, the same for needs and offers: with whom, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aidmesh_cli.phrases import amount

if TYPE_CHECKING:
    from aidmesh_cli import api

F = TypeVar("F", bound=Callable[..., object])


def audience_options(function: F) -> F:
    """`--with` and `--circle`; neither: the only circle there is."""
    function = click.option("--circle", metavar="ID", help="The circle, by the beginning of its id.")(function)
    return click.option(
        "--with", "peer", metavar="PEER", help="The other group, by name or id; not needed if there is only one."
    )(function)


def audience(peer: str | None, circle: str | None) -> dict[str, str]:
    """Whom it is about, as the API wants it."""
    given = {"peer": peer, "circle": circle}
    return {name: text for name, text in given.items() if text is not None}


def what_leaves(reply: Mapping[str, Any]) -> str:
    """Exactly what others now read, for the one who has just shared it."""
    leaves: api.Leaves | None = reply.get("leaves")
    if leaves is None:
        return ""
    told = [str(leaves.get("item") or ""), amount(leaves.get("quantity"), leaves.get("unit")), leaves["category"]]
    told += [f"urgency {leaves['urgency']}" if leaves.get("urgency") else "", leaves["area"] or ""]
    return f"Others read: {', '.join(str(text) for text in told if text)}. If that names somebody, take it back."


def shared_with(document: api.Need | api.Offer) -> str:
    """ "Hillside, Riverside (taken back, not yet confirmed)" """
    return ", ".join(_shared(share) for share in document.get("shared_with") or ())


def _shared(share: api.SharedWith) -> str:
    name = str(share.get("peer_name") or str(share.get("circle"))[:8])
    if share.get("state") == "shared":
        return name
    return f"{name} (taken back, {'confirmed' if share.get('acknowledged') else 'not yet confirmed'})"
