"""What a group says about a circle it belongs to (SPEC §5.4, §14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import Signatures, TermsBytes
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
