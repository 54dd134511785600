"""The JSON that is answered about forks, one struct each: what the API document says of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from aidmesh_node.http.answers import Answer, Cursor
from aidmesh_node.http.fields import (
    Count,
    ForkResolution,
    Gid,
    Id,
    Origin,
    Position,
    SchemaVersion,
    Text,
    Time,
    Version,
)


class Fork(Answer, frozen=True):
    """A group has signed two histories of one feed, and there is proof. The feed stands still; both stay readable."""

    id: Id
    origin: Origin
    gid: Gid
    group_name: Text | None
    ours: Annotated[bool, Meta(description="It is a feed of our own: somebody else signs with our key.")]
    smaller: Annotated[Count, Meta(description="Entries of the shorter of the two histories that were signed.")]
    larger: Annotated[Count, Meta(description="Entries of the longer one.")]
    alike: Annotated[Count, Meta(description="How many entries both begin with, as far as is known here.")]
    shown_by: Annotated[Gid | None, Meta(description="Who showed us the proof; null when this node found it.")]
    found_at: Time
    state: Annotated[Literal["open", "resolved"], Meta(description="Resolved: our people have said what they think.")]
    resolution: Annotated[ForkResolution | None, Meta(description="What our people make of it.")]
    resolved_at: Time | None
    version: Version
    next: Annotated[str, Meta(description="One sentence for people: what to do now.")]


class ForkShown(Fork, frozen=True, kw_only=True):
    """One fork, with its proof."""

    schema_version: SchemaVersion
    tells: Annotated[str, Meta(description="What the proof shows, in one sentence.")]
    proof: Annotated[
        str, Meta(description="The proof as a file, in base64: anybody can check it, with `protocol/verify.py` too.")
    ]


class ForkPage(Answer, frozen=True):
    """Newest first."""

    schema_version: SchemaVersion
    items: list[Fork]
    position: Position
    cursor: Cursor


class ForkChanged(Answer, frozen=True):
    """A fork after a command. Durable: it survives a power cut."""

    id: Id
    version: Version
    origin: Origin
    resolution: ForkResolution
    position: Position
