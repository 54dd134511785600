"""NotFound: somebody asked for a thing this node does not have."""

from __future__ import annotations

from uuid import UUID


class NotFound(Exception):
    """``kind`` is the noun ("need", "offer", ...); ``id`` what was asked for."""

    def __init__(self, kind: str, id: UUID | str) -> None:
        super().__init__(f"no {kind} {id.hex if isinstance(id, UUID) else id}")
        self.kind = kind
        self.id = id
