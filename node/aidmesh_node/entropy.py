"""Randomness, injected at `main`. The only module of the node that asks the operating system for it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from uuid import UUID

_VERSION_MASK = 0xF << 76 | 0x3 << 62
_VERSION_4 = 0x4 << 76 | 0x2 << 62
"""RFC 9562 §4: version and variant bits of a random id."""

_RANDOM_BYTES = 14
"""Of the 16 bytes of an id; the first two say which run of 256 ids it is of, and its place there."""


def was_drawn(id: UUID) -> bool:
    """Whether the id is a random one, as `Entropy` makes them: nothing had it before. Derived ids are version 5."""
    return id.int & _VERSION_MASK == _VERSION_4


class Entropy:
    """Ids, secrets and nonces from one source of random bytes; tests give a seeded source."""

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self.bytes = source
        self._place = 0

    def uuid(self) -> UUID:
        """A random (version 4) id."""
        return self.uuids(1)[0]

    def uuids(self, count: int) -> list[UUID]:
        """Random ids from one draw: each draw lets go of the interpreter, which under load costs more than it.

        256 in a row share their first byte, which is random, and are ordered by their second: so they lie side by
        side in every index, where ids that are random all through would touch a page each. The beginnings that
        people type still tell them apart.
        """
        drawn = self.bytes(_RANDOM_BYTES * count)
        ids = []
        for at in range(0, len(drawn), _RANDOM_BYTES):
            if self._place % 256 == 0:
                self._place = self.bytes(1)[0] << 8
            random = int.from_bytes(drawn[at : at + _RANDOM_BYTES], "big")
            ids.append(UUID(int=self._place << 112 | random & ~_VERSION_MASK | _VERSION_4))
            self._place += 1
        return ids

    def secret_text(self, count: int = 20) -> str:
        """`count` random bytes as lower-case base32 without padding: safe to read aloud and to type."""
        return base64.b32encode(self.bytes(count)).decode("ascii").rstrip("=").lower()
