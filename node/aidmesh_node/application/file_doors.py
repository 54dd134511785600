"""What the HTTP rim may ask about files that carry news where no network does."""

from __future__ import annotations

from typing import Protocol


class FileDoors(Protocol):
    """Implemented by the federation. Ids name files on their way in or out; LookupError for one that is not there."""

    async def sizes(self, circle: bytes) -> str:
        """What we hold of a circle, as a line of text for whoever packs a file for us."""
        ...

    async def pack(self, circle: bytes, since: str | None, bytes_max: int | None) -> dict[str, object]:
        """{id, bytes, entries, feeds, left, next, unsigned}: a file for a circle, ready to be fetched; `next` is what
        the file after it goes on from, None when it holds all. Raises Refused."""
        ...

    async def piece(self, id: str, at: int) -> tuple[bytes, int]:
        """The next bytes of a file, and how many it has."""
        ...

    async def let_go(self, id: str) -> None:
        """A file that nobody wants any more."""
        ...

    async def receive(self, id: str | None, at: int, data: bytes) -> dict[str, object]:
        """{id, bytes}: the next bytes of a file that somebody brings; without an id it is a new one. Raises Refused
        for a gap, Unavailable when the disk is full."""
        ...

    async def inspect(self, id: str) -> dict[str, object]:
        """What is in a file that was brought, and what of it is new here; nothing is taken in. Raises Refused."""
        ...

    async def read(self, id: str) -> dict[str, object]:
        """Take in a file that was brought: what it brought, and what became of it. Raises Refused, Unavailable."""
        ...
