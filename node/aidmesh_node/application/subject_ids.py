"""Ids in feeds: one per circle and thing, not linkable between circles without the group's subject key.

The same event gets the same statement id for ever, so publishing it twice is impossible, also after a restore.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from uuid import UUID

ID_BYTES = 16


class SubjectIds:
    """Derives ids from the group's secret subject key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def subject(self, circle: bytes, aggregate: UUID) -> bytes:
        """The id under which this circle knows one of our aggregates."""
        return self._derive(b"subject", circle, aggregate.bytes)

    def statement(self, circle: bytes, event_id: bytes) -> bytes:
        """The id of what we say to this circle because of one event."""
        return self._derive(b"statement", circle, event_id)

    def namespace(self, purpose: str) -> UUID:
        """A secret of this home that ids of one purpose are derived from: nobody can test guesses against them."""
        return UUID(bytes=self._derive(b"namespace", b"", purpose.encode()), version=5)

    def _derive(self, purpose: bytes, circle: bytes, name: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + circle + name, sha256)[:ID_BYTES]


def heard_pledge_id(circle: bytes, subject: bytes) -> UUID:
    """Our id for a pledge that a peer offered: derived, so that hearing it again finds the same aggregate."""
    return UUID(bytes=sha256(b"aidmesh heard pledge\0" + circle + subject).digest()[:16], version=5)
