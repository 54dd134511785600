"""Verifying what a peer sent, before anything of it is stored: pure, so it runs off the writer's thread.

Unverified bytes and verified entries are different types: only `verify` makes an Arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from aidmesh_node.application.ports import FeedHead, NewPackage
from aidmesh_protocol.bundle import PartFrame
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint
from aidmesh_protocol.entry import Entry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import Extension, Package, TrustedFeed, extend
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.many_entries import Columns
from aidmesh_protocol.merkle import Frontier

CHECKED_MAX = 256
"""Checkpoints kept, of some 400 bytes each: one or two for every feed that peers are likely to add to."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Entries that lead to a signed checkpoint, with the parts that came along, bytes as received."""

    feed: int
    start: int
    package: NewPackage
    extension: Extension
    checkpoint: VerifiedCheckpoint


@lru_cache(maxsize=CHECKED_MAX)
def checked(note: bytes, origin: str, key: VerifyKey) -> VerifiedCheckpoint:
    """`open_checkpoint`, once for the same bytes: each feed's newest is looked at again whenever more arrives."""
    return open_checkpoint(note, origin, key)


def trusted(head: FeedHead, key: VerifyKey) -> TrustedFeed:
    """The feed as we hold it. Our own rows were verified when they came, and `aidmesh verify` does it again."""
    newest = head.claimed if head.claimed_size > head.signed_size else head.checkpoint
    checkpoint = checked(newest, head.origin, key) if newest else None
    return TrustedFeed(head.origin, key, Frontier.decode(head.frontier), checkpoint)


def verify(
    head: FeedHead, feed: TrustedFeed, checkpoint: VerifiedCheckpoint, package: Package, columns: Columns
) -> Arrival:
    """Check a package and its parts against a checkpoint of the feed. Raises ProtocolError as `feed.extend`."""
    extension = extend(feed, package, checkpoint, columns)
    new = NewPackage(package.entries[extension.skipped :], extension.leaf_hashes, extension.columns)
    return Arrival(head.feed, feed.frontier.size, new, extension, checkpoint)


def verify_late(entry: bytes, part: PartFrame) -> None:
    """Check a part of an entry we already hold. Raises ProtocolError("proof_invalid") if it is another one's."""
    check_part(Entry.decode(entry), part.tag, part.part)


__all__ = ["Arrival", "Columns", "ProtocolError", "trusted", "verify", "verify_late"]
