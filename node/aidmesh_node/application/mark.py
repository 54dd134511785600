"""What the publisher asks of the mark: the note, outside home and backups, of what this node last let itself sign.
Implemented by storage.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class MarkConflict(Exception):
    """The mark does not say what the caller expected, or the swap would take it back."""


class MarkValue(NamedTuple):
    """What this node last let itself sign of one own feed: size, root (64 hex), generation; and how far its log had
    come then, 0 where that was not kept."""

    size: int
    root: str
    generation: int
    log: int = 0


class MarkFile(Protocol):
    """The guard outside home and backups. A swap is durable when it returns."""

    def read(self) -> dict[str, MarkValue] | None:
        """Origin hash (hex) -> value; None when no mark was ever written. Raises Damaged."""

    def swap(self, origin: str, expected: MarkValue | None, new: MarkValue) -> None:
        """Compare and swap. After a crash inside, the mark is the old one or the new one, never a mixture.

        Raises MarkConflict, Damaged, Unavailable."""
