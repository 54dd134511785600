"""What peers may have from us: our own feeds and, of the other members of a circle, what we hold complete.

Membership decides, never who wrote it; sizes are exchanged, not messages, so nothing is sent to whom holds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from aidmesh_node.application.arrival import checked
from aidmesh_node.application.ports import FeedHead, FeedReads, Readers, Reading
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.publisher import Publisher
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError

REVOKED = b".share_revoked"
"""Part of the type of a statement that takes a share back: looked for in the bytes before an entry is decoded."""

SCANNED_ENTRIES = 4_096


class Carrying:
    """Reads what this node serves and carries."""

    def __init__(
        self, gid: str, readers: Readers[Reading], publisher: Publisher, links: Links, known: Identities
    ) -> None:
        self._gid = gid
        self._readers = readers
        self._publisher = publisher
        self._links = links
        self._identities = known
        self._revoked: dict[int, tuple[int, dict[bytes, int]]] = {}

    def served_to(self, peer: str) -> dict[bytes, VerifiedCheckpoint]:
        """By origin hash, all that this peer is ever told of (SPEC §8.4b)."""
        circles = self._links.circles_with(peer)
        served = dict(self._publisher.served_to(circles))
        others = frozenset().union(*map(self._links.members, circles)) - {self._gid, peer}
        if others:  # between two groups there is nothing to carry
            served |= self._readers.run_now(lambda reading: dict(self._of_others(reading.feeds, others, circles)))
        return served

    def _of_others(
        self, feeds: FeedReads, others: frozenset[str], circles: frozenset[bytes]
    ) -> Iterator[tuple[bytes, VerifiedCheckpoint]]:
        for head in feeds.heads():
            if head.owner in others and (head.circle is None or head.circle in circles):
                checkpoint = self.checkpoint(head)
                if checkpoint is not None:
                    yield head.origin_hash, checkpoint

    def checkpoint(self, head: FeedHead) -> VerifiedCheckpoint | None:
        """Up to where others may have a feed from us: ours when served, another's when held (SPEC §9.3)."""
        if head.owner == self._gid:
            return self._publisher.served(head.origin)
        if head.checkpoint is None or head.frozen is not None:
            return None
        try:
            return checked(head.checkpoint, head.origin, self._identities.known(head.owner).key)
        except ProtocolError:
            return None  # its key is not known here any more

    def hidden(self, feeds: FeedReads, head: FeedHead, start: int, stop: int) -> frozenset[int]:
        """Indexes in [start, stop) of entries whose view their owner has taken back: who carries it for them serves it
        no more either (SPEC §15.3a). Of our own feeds such parts are withheld where they lie."""
        if head.owner == self._gid:
            return frozenset()
        revoked = self._revoked_in(feeds, head)
        if not revoked:
            return frozenset()
        entries = enumerate(feeds.entries(head.feed, start, stop), start)
        return frozenset(index for index, data in entries if revoked.get(Entry.decode(data).subject_id, -1) > index)

    def _revoked_in(self, feeds: FeedReads, head: FeedHead) -> dict[bytes, int]:
        """By subject, the index of the last entry that takes its share back; looks at each entry once."""
        at, known = self._revoked.get(head.feed, (0, {}))
        if at < head.size:
            found = dict(known)
            for start in range(at, head.size, SCANNED_ENTRIES):
                stop = min(head.size, start + SCANNED_ENTRIES)
                for index, data in enumerate(feeds.entries(head.feed, start, stop), start):
                    if REVOKED in data and (entry := Entry.decode(data)).type.encode().endswith(REVOKED):
                        found[entry.subject_id] = index
            known = found
            self._revoked[head.feed] = (head.size, known)
        return known
