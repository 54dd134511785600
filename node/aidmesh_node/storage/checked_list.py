"""A list of records of one length that only grows, kept in one file or in several that hold the same: what was erased
must not come back because a backup of one of them was.

Each record has a check. Appended, fsynced, then believed; an unfinished record at the end, left by a crash, is none.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.storage.files import fsync, fsync_directory, private_directory, private_file, write_all

CHECK_BYTES = 8


class CheckedList:
    """Written by one thread. `records` is what any of the files holds; one that lacks some is completed at once."""

    def __init__(
        self, paths: Sequence[Path], magic: bytes, record_bytes: int, what: str, *, read_only: bool = False
    ) -> None:
        self._paths = tuple(paths)
        self._magic = magic
        self._what = what
        self._stride = record_bytes + CHECK_BYTES
        held = {path: self._read(path) for path in self._paths}
        self._lengths = {path: length for path, (_, length) in held.items()}
        self.records: dict[bytes, None] = {}
        for records, _ in held.values():
            self.records.update(dict.fromkeys(records))
        for path, (records, _) in held.items() if not read_only else ():
            here = set(records)
            self._append(path, [record for record in self.records if record not in here])

    def append(self, records: Collection[bytes]) -> None:
        """Durable in every file on return. Those that are there already are not written again. Raises OSError."""
        new = [record for record in dict.fromkeys(records) if record not in self.records]
        for path in self._paths:
            self._append(path, new)
        self.records.update(dict.fromkeys(new))

    def _append(self, path: Path, records: Sequence[bytes]) -> None:
        if not records:
            return
        private_directory(path.parent)
        private_file(path)
        length = self._lengths[path]
        content = b"".join(record + check_of(record) for record in records)
        content = content if length else self._magic + content
        descriptor = os.open(path, os.O_RDWR)
        try:
            # What an earlier, failed write left behind goes first.
            os.ftruncate(descriptor, length)
            write_all(descriptor, content, length)
            fsync(descriptor)
        finally:
            os.close(descriptor)
        fsync_directory(path.parent)
        self._lengths[path] = length + len(content)

    def _read(self, path: Path) -> tuple[list[bytes], int]:
        """The records, and where the list ends: an unfinished record behind it is not one."""
        content = path.read_bytes() if path.exists() else b""
        if not content.startswith(self._magic):
            if self._magic.startswith(content):
                return [], 0  # the process died while making it
            raise Damaged(path.name, "byte 0", f"this is not a list of {self._what}: restore it from its backup")
        end = end_of_records(content, len(self._magic), self._stride)
        records = []
        for offset in range(len(self._magic), end, self._stride):
            checked = content[offset : offset + self._stride]
            record = checked[:-CHECK_BYTES]
            if checked[-CHECK_BYTES:] != check_of(record):
                # Guessing here could show what somebody asked to be forgotten.
                raise Damaged(path.name, f"byte {offset}", "a record is damaged: restore the list from its backup")
            records.append(record)
        return records, end


def end_of_records(content: bytes, start: int, record_bytes: int) -> int:
    """Where the last whole record ends."""
    end = len(content) - (len(content) - start) % record_bytes
    # A power cut can leave the file longer but its last blocks never written: zeros.
    while end > start and not any(content[end - record_bytes : end]):
        end -= record_bytes
    return end


def check_of(content: bytes) -> bytes:
    """What guards a record against bad disks, not forgers."""
    return sha256(content).digest()[:CHECK_BYTES]
