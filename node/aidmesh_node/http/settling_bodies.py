"""The JSON bodies of what comes after a hand-over, disputes too; see bodies.py for what they are made of."""

from __future__ import annotations

from aidmesh_node.http.bodies import Strict
from aidmesh_node.http.fields import About, AmountOrZero, AskedHow, Prose, Resolution, Side


class ReceiptAsked(Strict, frozen=True):
    how: AskedHow = "other"


class Corrected(Strict, frozen=True):
    """So much, all in all. `side` (giver, home) only where both are ours."""

    quantity: AmountOrZero
    side: Side | None = None


class DisputeOpened(Strict, frozen=True):
    """`text` stays in the vault of this node. `side` (giver, home) only where both are ours."""

    about: About
    text: Prose | None = None
    side: Side | None = None


class StatementAdded(Strict, frozen=True):
    """`text` stays in the vault of this node."""

    text: Prose


class DisputeResolved(Strict, frozen=True):
    how: Resolution
