"""The vault: names, contacts and free text, each field encrypted under its person's key.

Nothing in here ever reaches an event, a feed or a log in the clear.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from uuid import UUID

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Erased
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.sealed import NotAuthentic, seal, unseal

TABLE = "vault"


class SqliteVaultReader:
    """Opens records on any connection; the keys are in memory."""

    def __init__(self, connection: sqlite3.Connection, keys: PersonKeys) -> None:
        self._connection = connection
        self._keys = keys

    def is_erased(self, person: UUID) -> bool:
        return self._keys.is_erased(person)

    def open(self, person: UUID, record: UUID) -> dict[str, str]:
        if self.is_erased(person):
            raise Erased(person)
        rows = self._connection.execute(
            "SELECT field, nonce, ciphertext FROM vault WHERE person=? AND record=? ORDER BY field",
            (person.bytes, record.bytes),
        ).fetchall()
        return {field: self._open(person, record, field, nonce, sealed) for field, nonce, sealed in rows}

    def _open(self, person: UUID, record: UUID, field: str, nonce: bytes, ciphertext: bytes) -> str:
        key = self._keys.key(person)
        if key is None:
            raise Damaged(self._keys.path.name, f"person {person.hex}", "the key is missing: restore the file")
        try:
            return unseal(key, nonce, ciphertext, _context(person, record, field)).decode()
        except NotAuthentic as error:
            name = f"person {person.hex} record {record.hex} field {field}"
            raise Damaged(TABLE, name, "the row, or the person's key, is not what was stored") from error


class SqliteVault(SqliteVaultReader):
    """Writes within the writer's transaction; keys and erasures are staged until just before its COMMIT."""

    def __init__(self, connection: sqlite3.Connection, keys: PersonKeys, entropy: Callable[[int], bytes]) -> None:
        super().__init__(connection, keys)
        self._entropy = entropy
        self._erasing: list[UUID] = []

    def is_erased(self, person: UUID) -> bool:
        return person in self._erasing or super().is_erased(person)

    def put(self, person: UUID, record: UUID, fields: Mapping[str, str]) -> None:
        if self.is_erased(person):
            raise Erased(person)
        key = self._keys.make(person)
        rows = [
            (
                person.bytes,
                record.bytes,
                field,
                *seal(key, text.encode(), _context(person, record, field), self._entropy),
            )
            for field, text in fields.items()
        ]
        self._connection.executemany("INSERT OR REPLACE INTO vault VALUES (?,?,?,?,?)", rows)

    def remove(self, person: UUID, record: UUID) -> None:
        self._connection.execute("DELETE FROM vault WHERE person=? AND record=?", (person.bytes, record.bytes))

    def erase(self, person: UUID) -> None:
        self._connection.execute("DELETE FROM vault WHERE person=?", (person.bytes,))
        self._erasing.append(person)

    def staged(self) -> tuple[int, int]:
        """How many erasures and keys are staged: give it back to ``rewind`` when a job is rolled back."""
        return len(self._erasing), self._keys.staged()

    def rewind(self, staged: tuple[int, int] = (0, 0)) -> None:
        erasing, keys = staged
        del self._erasing[erasing:]
        self._keys.rewind(keys)

    def flush(self) -> bool:
        """Make new keys and erasures durable, before COMMIT; True when somebody was erased. Raises OSError."""
        erasing, self._erasing = self._erasing, []
        self._keys.flush()
        self._keys.erase(erasing)
        return bool(erasing)


def _context(person: UUID, record: UUID, field: str) -> bytes:
    # Both ids have 16 bytes, so the three parts cannot run into each other.
    return person.bytes + record.bytes + field.encode()
