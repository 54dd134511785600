"""The JSON that is answered about a node that was restored."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from aidmesh_node.http.answers import Answer
from aidmesh_node.http.fields import Count, Position, SchemaVersion, Text, Time


class RecoveringFeed(Answer, frozen=True):
    """One of our own feeds that is not whole."""

    peer: Annotated[Text | None, Meta(description="Whom it is for; null for what all groups read of us.")]
    held: Annotated[int, Meta(description="Entries that are here.", ge=0)]
    known: Annotated[int, Meta(description="Entries that are known to have been signed.", ge=0)]
    confirmed: Annotated[bool, Meta(description="Whether those it is for have shown that they know of no more.")]


class RecoveryTask(Answer, frozen=True):
    """Something a coordinator should look at."""

    number: Annotated[int, Meta(ge=1)]
    kind: Literal["changed_twice", "not_understood", "orphaned"]
    thing: Annotated[str, Meta(description="The id of what it is about, empty for nothing that is here.")]
    words: Text
    done: bool


class RecoveryShown(Answer, frozen=True):
    """How far a restored node has come, or the last time it was one."""

    schema_version: SchemaVersion
    state: Literal["never", "recovering", "recovered", "begun_anew"]
    reason: Text | None
    began_at: Time | None
    ended_at: Time | None
    statements: Annotated[int, Meta(description="Statements of ours that came back.", ge=0)]
    records: Annotated[int, Meta(description="What was recorded again because of them.", ge=0)]
    lost: Annotated[int, Meta(description="About how many records did not come back, as far as it is known.", ge=0)]
    tasks: list[RecoveryTask]
    more_tasks: Count
    feeds: list[RecoveringFeed]
    unknown_feeds: Annotated[int, Meta(description="Feeds of ours of which nothing is here but that they were.", ge=0)]


class TaskFinished(Answer, frozen=True):
    """A task that was looked at."""

    number: Annotated[int, Meta(ge=1)]
    position: Position
