"""What a group says about a circle it belongs to (SPEC §5.4, §14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import FeedEntries, Generation, Key32, Signatures, TermsBytes
from aidmesh_protocol.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class CircleOpened(Statement):
    """Entry 0 of a circle feed: the terms' bytes and every party's signature, as `(gid, signature)`."""

    TYPE: ClassVar[str] = "circle.opened"

    terms: TermsBytes
    signatures: Signatures


@dataclass(frozen=True, slots=True)
class ShareAcknowledged(Statement):
    """We no longer show what was taken back. Refs: the revocation; subject: the revoked subject."""

    TYPE: ClassVar[str] = "share.acknowledged"
    REFS_MIN: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class FeedReset(Statement):
    """Entry 1 of a feed that was begun anew: the generation before it, how many of its entries the group still knows,
    and their root. Whatever came after those is lost to the group that said it.
    """

    TYPE: ClassVar[str] = "feed.reset"

    generation: Generation
    size: FeedEntries
    root: Key32
