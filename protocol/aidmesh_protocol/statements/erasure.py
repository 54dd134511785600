"""What is said when parts are erased: by the group that wrote them, and by each that held them (SPEC §5.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import ErasedParts, Generation
from aidmesh_protocol.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class PartsErased(Statement):
    """Parts that we wrote into our feed of this circle and generation, as `(index, tag)`: whoever holds them deletes
    them. Subject: what they were about."""

    TYPE: ClassVar[str] = "parts.erased"
    ERASES: ClassVar[bool] = True

    generation: Generation
    parts: ErasedParts


@dataclass(frozen=True, slots=True)
class ErasureAcknowledged(Statement):
    """We hold none of these parts any more, and take none of them in again. Refs: the `parts.erased`; its subject."""

    TYPE: ClassVar[str] = "erasure.acknowledged"
    REFS_MIN: ClassVar[int] = 1
