"""erasure.list: which parts of feeds were erased, and which of our own things with their words. Outlives the database.

In the home, and a second time beside the mark, where no restored backup of the home reaches. A database that is older
than the list is brought up to it when it is opened (`erasing.py`), before anything of it is served.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from aidmesh_node.storage.checked_list import CheckedList

NAME = "erasure.list"
MAGIC = b"aidmesh erasures 1\n"
RECORD_BYTES = 1 + 32 + 8 + 1

PART, THING = b"p", b"t"

TAGS = ("view", "text", "sealed")
"""Tags of parts that can be erased. A record holds the place in here: never reorder."""

ErasedPart = tuple[bytes, int, str]
"""Origin hash, index, tag."""


class ErasureList:
    """Written by the writer's thread alone."""

    def __init__(self, folders: Iterable[Path], *, read_only: bool = False) -> None:
        """`folders`: the home, and that of the mark."""
        paths = [folder / NAME for folder in folders]
        self._list = CheckedList(paths, MAGIC, RECORD_BYTES, "erasures", read_only=read_only)

    @property
    def parts(self) -> list[ErasedPart]:
        return [
            (record[1:33], int.from_bytes(record[33:41], "big"), TAGS[record[41]])
            for record in self._list.records
            if record[:1] == PART
        ]

    @property
    def things(self) -> list[UUID]:
        return [UUID(bytes=record[1:17]) for record in self._list.records if record[:1] == THING]

    def add(self, parts: Iterable[ErasedPart], things: Iterable[UUID]) -> None:
        """Durable on return, before the database's COMMIT: after a crash in between it is erased at the next start."""
        named = [PART + hashed + index.to_bytes(8, "big") + bytes([TAGS.index(tag)]) for hashed, index, tag in parts]
        self._list.append([*named, *(THING + thing.bytes.ljust(RECORD_BYTES - 1, b"\0") for thing in things)])
