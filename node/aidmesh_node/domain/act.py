"""Who does something, when, and on whose behalf. Every command takes one; none reads a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

ROLES = ("operator", "coordinator", "member")
"""Roles a person can have, highest first. Acts also carry NODE and PEER."""

NODE = "node"
"""The role of what the node does by itself: commit to a live acceptance, let an offer lapse."""

PEER = "peer"
"""The role of an act recorded from a peer's statement."""

AGAIN = "peer-again"
"""The same after a restore, where we may have answered it in what was lost: nothing is answered by itself."""

RECOVERED = "recovered"
"""The role of an act of our own that was lost and came back out of our own feed. It is a fact: no guard asks it, and
publication never says it a second time."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act: `actor` is a member id (None for the node itself and for peers), `at` an aware UTC time.

    `heard=True` means recorded from an entry: a peer's, or, in the role RECOVERED, our own that came back; `cause` then
    is "<origin hash hex>:<index>".
    Publication never publishes what was heard.
    """

    id: UUID
    at: datetime
    actor: UUID | None
    role: str
    on_behalf_of: UUID | None = None
    cause: str | None = None
    heard: bool = False
