"""home/person.keys: one 32-byte key per person, and erased.persons: whose key was destroyed for ever. That list lies
in the home and a second time beside the mark, where no restored backup of the home reaches.

A file of its own, so that its backup can be replaced instead of accumulated: destroying a key here then
reaches the old backups of everything else. Append, fsync, then the rows that need the key: never the other
way round.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import UUID

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Erased
from aidmesh_node.storage.checked_list import CHECK_BYTES, CheckedList, check_of, end_of_records
from aidmesh_node.storage.files import fsync, private_file, replace_file, write_all

MAGIC = b"aidmesh person keys 1\n"
ERASED_NAME = "erased.persons"
ERASED_MAGIC = b"aidmesh erased persons 1\n"
PERSON_BYTES = 16
KEY_BYTES = 32
RECORD_BYTES = PERSON_BYTES + KEY_BYTES + CHECK_BYTES


class PersonKeys:
    """Written by the writer's thread alone; ``key`` and ``is_erased`` may be asked from any thread.

    ``damaged`` lists byte offsets of records whose check fails. They are kept as they are (one bit may be all
    that is wrong) and never used; an unfinished record at the end, left by a crash, is cut off."""

    def __init__(
        self, path: Path, entropy: Callable[[int], bytes], *, read_only: bool = False, beside_mark: Path | None = None
    ) -> None:
        """`beside_mark`: the folder of the mark, None where there is none."""
        self.path = path
        self.erased_path = path.with_name(ERASED_NAME)
        self.damaged: tuple[int, ...] = ()
        self._entropy = entropy
        self._keys: dict[UUID, bytes] = {}
        self._staged: dict[UUID, bytes] = {}
        self._read_only = read_only
        paths = [self.erased_path, *([] if beside_mark is None else [beside_mark / ERASED_NAME])]
        self._erasures = CheckedList(paths, ERASED_MAGIC, PERSON_BYTES, "erased persons", read_only=read_only)
        self._erased = {UUID(bytes=person) for person in self._erasures.records}
        self._length = self._load()
        # An erasure that a crash or a restored backup of this file has undone is done again.
        again = self._erased & self._keys.keys()
        for person in again:
            del self._keys[person]
        if again and not read_only:
            self._rewrite(again)

    def is_erased(self, person: UUID) -> bool:
        return person in self._erased

    def persons(self) -> frozenset[UUID]:
        """Everyone who has a durable key."""
        return frozenset(self._keys)

    def key(self, person: UUID) -> bytes | None:
        """The person's key, or None when there is none. Raises Erased."""
        if person in self._erased:
            raise Erased(person)
        return self._keys.get(person) or self._staged.get(person)

    def make(self, person: UUID) -> bytes:
        """The person's key, drawn now if need be; not durable before ``flush``. Raises Erased."""
        key = self.key(person)
        if key is None:
            key = self._staged[person] = self._entropy(KEY_BYTES)
        return key

    def staged(self) -> int:
        """How many keys were drawn and are not durable: give it back to ``rewind`` when a job is rolled back."""
        return len(self._staged)

    def rewind(self, staged: int) -> None:
        """Forget the keys drawn since; the rows that use them, the caller has rolled back."""
        for person in list(self._staged)[staged:]:
            del self._staged[person]

    def flush(self) -> None:
        """Make all new keys durable: one write, one fsync. On OSError they are forgotten, as are the rows
        that use them (the caller rolls back). FsyncFailed means: stop, the file's state is unknown."""
        staged, self._staged = self._staged, {}
        if not staged:
            return
        records = b"".join(_record(person, key) for person, key in staged.items())
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            # What an earlier, failed write left behind goes first.
            os.ftruncate(descriptor, self._length)
            write_all(descriptor, records, self._length)
            fsync(descriptor)
        finally:
            os.close(descriptor)
        self._length += len(records)
        self._keys.update(staged)

    def erase(self, persons: Collection[UUID]) -> None:
        """Destroy keys; durable on return. The list is written first, so a crash in between is finished at
        the next start. Whoever is on the list stays erased."""
        new = [person for person in persons if person not in self._erased]
        if not new:
            return
        self._erasures.append([person.bytes for person in new])
        self._erased.update(new)
        for person in new:
            self._staged.pop(person, None)
            self._keys.pop(person, None)
        self._rewrite(new)

    def _load(self) -> int:
        if not self._read_only and (not self.path.exists() or self.path.stat().st_size < len(MAGIC)):
            # Shorter than its header: the process died while making it, before anything could depend on it.
            replace_file(self.path, MAGIC)
        if not self._read_only:
            private_file(self.path)
        content = self.path.read_bytes() if self.path.exists() else MAGIC
        if not content.startswith(MAGIC):
            raise Damaged(self.path.name, "byte 0", "this is not a file of person keys: restore it from its backup")
        end = end_of_records(content, len(MAGIC), RECORD_BYTES)
        if end < len(content) and not self._read_only:
            with self.path.open("r+b") as file:
                file.truncate(end)
                fsync(file.fileno())
        damaged = []
        for offset in range(len(MAGIC), end, RECORD_BYTES):
            record = content[offset : offset + RECORD_BYTES]
            if record[-CHECK_BYTES:] == check_of(record[:-CHECK_BYTES]):
                self._keys[UUID(bytes=record[:PERSON_BYTES])] = record[PERSON_BYTES:-CHECK_BYTES]
            else:
                damaged.append(offset)
        self.damaged = tuple(damaged)
        return end

    def _rewrite(self, without: Collection[UUID]) -> None:
        gone = {person.bytes for person in without}
        content = self.path.read_bytes()
        records = [content[at : at + RECORD_BYTES] for at in range(len(MAGIC), self._length, RECORD_BYTES)]
        kept = b"".join(record for record in records if not _belongs_to(gone, record))
        replace_file(self.path, MAGIC + kept)
        self._length = len(MAGIC) + len(kept)


def _belongs_to(persons: set[bytes], record: bytes) -> bool:
    person, key, check = record[:PERSON_BYTES], record[PERSON_BYTES:-CHECK_BYTES], record[-CHECK_BYTES:]
    if person in persons:
        return True
    # A damaged record may be theirs although its id no longer says so: the check still knows.
    return check != check_of(person + key) and any(check == check_of(one + key) for one in persons)


def _record(person: UUID, key: bytes) -> bytes:
    return person.bytes + key + check_of(person.bytes + key)
