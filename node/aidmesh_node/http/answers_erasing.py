"""The JSON that is answered about erasing, one struct each."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from aidmesh_node.http.answers import Answer, Changed
from aidmesh_node.http.answers_node import MemberChanged
from aidmesh_node.http.fields import CircleId, Gid, Id, Position, SchemaVersion, Text, Time

Elsewhere = Annotated[Text, Meta(description="What erasing cannot reach, in plain words: show it to whoever asked.")]


class ThingErased(Changed, frozen=True):
    """A need or an offer whose words are gone here; other groups are asked to erase what they had of it."""

    erased: Literal[True]
    forgotten: Annotated[bool, Meta(description="Whether the person was forgotten too.")]
    circles: Annotated[list[CircleId], Meta(description="Those it was ever shared with.")]
    elsewhere: Elsewhere


class MemberForgotten(MemberChanged, frozen=True):
    """A former member whose name and contact nobody can read any more."""

    forgotten: Literal[True]
    elsewhere: Elsewhere


class ErasureOfGroup(Answer, frozen=True):
    """How it stands with one other group. To the hour."""

    peer: Gid
    peer_name: Text | None
    had_it: Annotated[Time | None, Meta(description="When parts of it first went there; null: never from here.")]
    confirmed: Annotated[Time | None, Meta(description="When they said that it is erased there; null: not yet.")]


class ErasureAsked(Answer, frozen=True):
    """What one circle was asked to erase."""

    kind: Literal["need", "offer"] | None
    id: Id | None
    circle: CircleId
    asked: Time
    groups: list[ErasureOfGroup]
    outstanding: Annotated[bool, Meta(description="Whether a group has not confirmed yet.")]


class Erasures(Answer, frozen=True):
    """What others were asked to erase, the newest first; at most 500."""

    schema_version: SchemaVersion
    items: list[ErasureAsked]
    position: Position
