"""`share` and `unshare`, the same for needs and offers: with whom, and what is said afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aidmesh_cli.candidates import Thing
from aidmesh_cli.output import say
from aidmesh_cli.phrases import amount
from aidmesh_cli.problems import FAILURE, USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.words import CONSENTS, Words

if TYPE_CHECKING:
    from aidmesh_cli import api

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


def consent_options(function: F) -> F:
    """`--consent` and what was agreed to; the fields of a consent as the API wants them."""
    for option in (
        click.option("--person-knows/--person-unaware", default=None, help="With proxy: whether they know of it."),
        click.option("--language", default="en", show_default=True, metavar="TAG", help="In which language."),
        click.option(
            "--consent-text", "text_version", default="v1", show_default=True, help="The text they agreed to."
        ),
        click.option(
            "--consent",
            "given",
            type=Words(CONSENTS),
            required=True,
            metavar="HOW",
            help="How whom it is for agreed: self, by_phone or proxy.",
        ),
    ):
        function = option(function)
    return function


def advice_option(function: F) -> F:
    """`--advice-acknowledged`: without it an emergency is not saved."""
    return click.option(
        "--advice-acknowledged", is_flag=True, help="With emergency: whom to call has been read out to them."
    )(function)


def acknowledge_emergency(session: Session, urgency: str, acknowledged: bool) -> dict[str, bool]:
    """What says to the node that the advice was read out; for an emergency only. Shows it first, and asks."""
    if urgency != "emergency":
        return {}
    advice = str(session.get("/emergency-advice")["text"])
    if not acknowledged:
        if not (session.interactive and sys.stdin.isatty()):
            raise Failed(USAGE, advice, "When that is done, say so: --advice-acknowledged")
        say(advice)
        if not click.confirm("Has this been read out, and shall it be saved?", err=True):
            raise Failed(FAILURE, "Nothing was done.", then="need emergency-advice")
    return {"emergency_advice_acknowledged": True}


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
