"""What files on their way in or out need of storage: named places for bytes that are too many to hold."""

from __future__ import annotations

from typing import Protocol


class Spool(Protocol):
    """Private files by id (32 hex digits). Blocking: call it off the event loop. Bytes survive a crash only once they
    are `keep`-t; everything else is gone after a restart."""

    def create(self) -> str:
        """A new, empty file; its id. The oldest that nobody asked to keep go, so that only a few are there."""

    def append(self, id: str, at: int, data: bytes) -> int:
        """Write at `at`, at most the size so far: the size afterwards. The same again changes nothing. Raises
        LookupError, ValueError, Unavailable when the disk is full."""

    def read(self, id: str, at: int, count: int) -> bytes:
        """At most `count` bytes from `at`; b"" at the end. Raises LookupError."""

    def size(self, id: str) -> int:
        """Raises LookupError."""

    def keep(self, id: str) -> bool:
        """Keep it over a restart, durably; False, and nothing is kept, when there are too many already."""

    def kept(self) -> list[str]:
        """Those kept, oldest first."""

    def remove(self, id: str) -> None:
        """Gone; once more changes nothing."""
