"""The JSON that is answered about disputes, one struct each: what the API document says of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from aidmesh_node.http.answers import Answer, Cursor
from aidmesh_node.http.fields import About, Gid, Id, Position, Resolution, SchemaVersion, Side, Text, Time, Version

State = Annotated[Literal["open", "resolved"], Meta(description="Resolved: both groups say that it is over.")]


class Dispute(Answer, frozen=True):
    """Something about a pledge that people want looked at. Nobody is accused by it being open."""

    id: Id
    pledge: Id
    about: About
    opened_by: Annotated[Side, Meta(description="The side of the pledge that opened it.")]
    ours: Annotated[bool, Meta(description="Whether our group opened it.")]
    peer: Annotated[Gid | None, Meta(description="The other group; null where nobody else hears of it.")]
    peer_name: Text | None
    state: State
    resolved_by_us: Annotated[Resolution | None, Meta(description="How it was resolved, as we see it.")]
    resolved_by_them: Annotated[Resolution | None, Meta(description="How it was resolved, as they see it.")]
    version: Version
    opened_at: Time
    next: Annotated[str, Meta(description="One sentence for people: what happens next, and who acts.")]


class Statement(Answer, frozen=True):
    """What somebody of our group wrote about it; it never leaves this node. `text` is null once it was erased."""

    by: Id | None
    at: Time
    text: Text | None


class DisputeShown(Dispute, frozen=True, kw_only=True):
    """One dispute, whole."""

    schema_version: SchemaVersion
    statements: list[Statement]


class DisputePage(Answer, frozen=True):
    """Newest first."""

    schema_version: SchemaVersion
    items: list[Dispute]
    position: Position
    cursor: Cursor


class DisputeChanged(Answer, frozen=True):
    """A dispute after a command. Durable: it survives a power cut."""

    id: Id
    version: Version
    about: About
    state: State
    position: Position
