"""Asking a peer for the entries of our own feeds, which it keeps as it keeps all it was sent: SPEC §16.3.

The same intake as for everything else, under our own keys; what does not belong to our own feeds is passed over.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from aidmesh_node.application import own_feeds
from aidmesh_node.application.arrival import Arrival, checked, trusted
from aidmesh_node.application.ports import FeedHead
from aidmesh_node.federation.feed_arriving import FeedArriving
from aidmesh_node.federation.intake import Intake
from aidmesh_node.federation.tree_reading import check_no_fork, size_of
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    ColumnFrame,
    End,
    Fork,
    Frame,
    Heads,
    Ident,
    Inclusion,
    PartFrame,
    Reads,
    Sizes,
    encode_frame,
)
from aidmesh_protocol.checkpoint import parse_unverified
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import weigh
from aidmesh_protocol.identity import origin_hash
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.origin import parse_origin


def ask_for_own(heads: Collection[FeedHead]) -> bytes:
    """The body of a sync request for what a peer keeps of these feeds of ours."""
    frames: list[Frame] = [
        Ask(BUNDLE_BYTES_ONLINE_MAX, 0),
        Sizes(tuple(size_of(head) for head in heads)),
        Reads((ColumnFrame.KIND,)),
        End(),
    ]
    return MAGIC + b"".join(map(encode_frame, frames))


class OwnIntake(Intake):
    """Reads the frames of one answer to `ask_for_own`."""

    _accept = staticmethod(own_feeds.take_back)

    async def _checkpoint(self, note: bytes) -> None:
        shown = parse_unverified(note)
        origin = parse_origin(shown.origin)
        if origin.gid != self._gid:
            self._refused.add(origin_hash(shown.origin))
            return
        await self._publisher.hear_checkpoint(shown, note)
        head = self._readers.run_now(lambda reading: reading.feeds.head(shown.origin))
        if head is None:
            raise ProtocolError("unknown_feed", "a feed of ours in a circle that is not known here")
        checkpoint = checked(note, shown.origin, self._publisher.key)
        feed = trusted(head, self._publisher.key)
        weight = weigh(feed, checkpoint)
        if feed.checkpoint is not None and weight != "larger":
            check = partial(check_no_fork, head=head, newest=feed.checkpoint, shown=checkpoint)
            await self._readers.run(lambda reading: check(reading.feeds))
        self._feeds[head.origin_hash] = FeedArriving(head, feed, checkpoint, weight == "larger")

    async def _keep(self, arrival: Arrival, origin: str) -> None:
        """Stored, and not interpreted: these are our own words."""
        await self._writer.run(partial(own_feeds.take_back, arrival=arrival))

    async def _gossiped(self, frame: Heads | Fork | Inclusion) -> None:
        """Not what was asked for."""

    async def _ident(self, frame: Ident) -> None:
        """Not what was asked for."""

    async def _late_part(self, frame: PartFrame) -> None:
        """What we hold we hold with its parts."""
        self._idle()
