"""A peer one version back: what is newer than its frames it skips, and it never says that it reads more.

It is written from SPEC.md's table as it was before COLUMN and READS, and reads an answer by its bytes alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import msgpack

from aidmesh_protocol.bundle import Ask, Sizes
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.merkle import Frontier, leaf_hash
from tests.support.federation import Group
from tests.support.raw_peer import RawPeer

NEWEST_KIND = 14
PACKAGE, PART = 4, 5


@dataclass(slots=True)
class Held:
    """One feed of the other side as the old peer holds it: entries, and parts by index and tag."""

    entries: list[bytes] = field(default_factory=list)
    parts: dict[tuple[int, str], bytes] = field(default_factory=dict)

    @property
    def root(self) -> bytes:
        return Frontier.empty().extend(map(leaf_hash, self.entries))[0].root()


class OldPeer(RawPeer):
    """Pulls as the version before did."""

    held: dict[bytes, Held]
    skipped: list[int]

    async def pulls(self, group: Group) -> dict[bytes, Held]:
        """Ask for news; what it holds of each feed since."""
        if not hasattr(self, "held"):
            self.held, self.skipped = {}, []
        sizes = Sizes(tuple((feed, len(held.entries), held.root) for feed, held in self.held.items()))
        request = self.request(group, [Ask(BUNDLE_BYTES_ONLINE_MAX, 0), sizes])
        data = b"".join([piece async for piece in group.federation.sync(request)])
        for kind, values in frames(data):
            if kind > NEWEST_KIND:
                self.skipped.append(kind)
            elif kind == PACKAGE:
                feed, start, entries, _ = values
                held = self.held.setdefault(feed, Held())
                held.entries[start:] = entries
            elif kind == PART:
                feed, index, tag, part = values
                self.held[feed].parts[index, tag] = part
        return self.held


def frames(data: bytes) -> list[tuple[int, list[Any]]]:
    """Kind and fields of every frame, whatever the kind (SPEC §8.1)."""
    assert data.startswith(b"AIDMESH1\n")
    at, found = 9, []
    while at < len(data):
        length, flags = int.from_bytes(data[at : at + 4], "big"), data[at + 4]
        payload = data[at + 5 : at + 5 + length]
        kind, *values = msgpack.unpackb(zlib.decompress(payload) if flags else payload)
        found.append((kind, values))
        at += 5 + length
    return found
