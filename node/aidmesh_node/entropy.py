"""Randomness, injected at `main`. The only module of the node that asks the operating system for it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from uuid import UUID


class Entropy:
    """Ids, secrets and nonces from one source of random bytes; tests give a seeded source."""

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self.bytes = source

    def uuid(self) -> UUID:
        """A random (version 4) id."""
        return UUID(bytes=self.bytes(16), version=4)

    def secret_text(self, count: int = 20) -> str:
        """`count` random bytes as lower-case base32 without padding: safe to read aloud and to type."""
        return base64.b32encode(self.bytes(count)).decode("ascii").rstrip("=").lower()
