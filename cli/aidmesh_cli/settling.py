"""`aidmesh pledge`, after the hand-over: ask, presume, correct, leave."""

from __future__ import annotations

import click

from aidmesh_cli.candidates import Thing
from aidmesh_cli.options import ID_ONLY, example, speaks
from aidmesh_cli.pledge import ARRIVED, GIVER, HOME, ON_ITS_WAY, QUANTITY, act, pledge
from aidmesh_cli.session import Session
from aidmesh_cli.words import ASKED_HOWS, SIDES, Words

__all__ = ["pledge"]


@pledge.command(epilog=example("aidmesh pledge ask Blankets --how phone"))
@click.argument("id", type=Thing("pledge"))
@click.option("--how", type=Words(ASKED_HOWS), help="phone, message, visit or other.")
@speaks(ID_ONLY)
def ask(session: Session, id: str, how: str | None) -> None:
    """Record that you asked what arrived, and got no answer yet. Two attempts are needed to presume it."""
    act(session, id, HOME, ON_ITS_WAY, "ask", "Asked about", {"how": how})


@pledge.command(epilog=example("aidmesh pledge presume Blankets"))
@click.argument("id", type=Thing("pledge"))
@speaks(ID_ONLY)
def presume(session: Session, id: str) -> None:
    """Presume that what was handed over has arrived: a week later, and after two attempts to ask.

    It is counted apart from what was received. Whatever somebody confirms later replaces it.
    """
    act(session, id, HOME, ON_ITS_WAY, "presume", "Presumed")


@pledge.command(epilog=example("aidmesh pledge correct Blankets --quantity 18 --side home"))
@click.argument("id", type=Thing("pledge"))
@click.option("--quantity", required=True, metavar=QUANTITY, help="How much it was, all in all; 0 for nothing.")
@click.option(
    "--side",
    type=Words(SIDES),
    help="Which figure, where both are yours: giver (handed over) or home (received).",
)
@speaks(ID_ONLY)
def correct(session: Session, id: str, quantity: str, side: str | None) -> None:
    """Correct what your group said was handed over, or was received."""
    act(session, id, (*GIVER, "home"), ARRIVED, "correct", "Corrected", {"quantity": quantity, "side": side})


@pledge.command(epilog=example("aidmesh pledge leave Blankets"))
@click.argument("id", type=Thing("pledge"))
@speaks(ID_ONLY)
def leave(session: Session, id: str) -> None:
    """Leave it at that: what was handed over and what was received differ, and nothing more is done about it."""
    act(session, id, (*GIVER, "home"), ARRIVED, "leave", "Left as it is")
