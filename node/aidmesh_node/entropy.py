"""Randomness, injected at `main`. The only module of the node that asks the operating system for it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from uuid import UUID

_VERSION_MASK = 0xF << 76 | 0x3 << 62
_VERSION_4 = 0x4 << 76 | 0x2 << 62
"""RFC 9562 §4: version and variant bits of a random id."""


class Entropy:
    """Ids, secrets and nonces from one source of random bytes; tests give a seeded source."""

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self.bytes = source

    def uuid(self) -> UUID:
        """A random (version 4) id."""
        return self.uuids(1)[0]

    def uuids(self, count: int) -> list[UUID]:
        """Random ids from one draw: each draw lets go of the interpreter, which under load costs more than it."""
        drawn = self.bytes(16 * count)
        numbers = (int.from_bytes(drawn[at : at + 16], "big") for at in range(0, len(drawn), 16))
        return [UUID(int=number & ~_VERSION_MASK | _VERSION_4) for number in numbers]

    def secret_text(self, count: int = 20) -> str:
        """`count` random bytes as lower-case base32 without padding: safe to read aloud and to type."""
        return base64.b32encode(self.bytes(count)).decode("ascii").rstrip("=").lower()
