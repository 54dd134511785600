"""Publishing, in this order: rows, mark, signature, served, stored checkpoint. Never contradicts what was signed.

If the process dies between any two steps nothing needs mending: committed rows are never discarded, and signing the
same size and root again gives the same bytes; so peers need not wait until the signature is stored. After every start
a feed that was ever signed is not signed again until a peer has shown its newest checkpoint of it (SPEC §16).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from functools import partial

from aidmesh_node.application import own_feeds
from aidmesh_node.application.mark import MarkConflict, MarkFile, MarkValue
from aidmesh_node.application.ports import (
    Done,
    FeedHead,
    Readers,
    Reading,
    Work,
    Writer,
)
from aidmesh_node.application.publication import Publication
from aidmesh_node.clock import Clock
from aidmesh_node.domain import own_feed
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.mark_mover import MarkMover
from aidmesh_node.federation.own_standing import OwnFeed, mark_of, stand_at_start
from aidmesh_node.federation.tree_reading import root_at
from aidmesh_protocol import checkpoint
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint, open_checkpoint
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.merkle import Frontier

log = logging.getLogger(__name__)

LOAD_PAUSE_SECONDS = 0.05
"""Under load one round decides on, and one signature covers, all that came meanwhile."""

LOAD_EVENTS = 4
"""More events than this decided on at once is load; below it the group is quiet and is published at once."""

PART_KEY_BYTES = 16

Appended = tuple[int, int, list[FeedHead]]
"""The position decided up to, how many events that were, and our feeds with entries that are not signed."""


class Publisher:
    """Our own feeds: what stands in the rows, what may be signed, what is served."""

    def __init__(
        self,
        gid: str,
        key: SigningKey,
        writer: Writer,
        readers: Readers[Reading],
        mark: MarkFile,
        publication: Publication,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._gid = gid
        self._key = key
        self._writer = writer
        self._readers = readers
        self._mover = MarkMover(mark, clock)
        self._publication = publication
        self._clock = clock
        self._entropy = entropy
        self._feeds: dict[str, OwnFeed] = {}
        self.lost: dict[str, str] = {}
        """What is known of feeds of ours that are not in this home: why, by origin, or by its hash in hex."""
        self._publishing = asyncio.Lock()
        self._round_at = float("-inf")
        self._round_events = 0
        self._decided = 0
        self._unfinished = True
        self._unstored: dict[int, VerifiedCheckpoint] = {}
        self._swaps: list[tuple[OwnFeed, MarkValue, Future[None]]] = []
        self._served = asyncio.Event()

    async def start(self, circles: Iterable[bytes]) -> None:
        """Compare the mark with the rows of every own feed, before anything else happens.

        `circles` are those whose agreement is in force: their feeds count as known even before their first row.
        """
        marks = await asyncio.to_thread(self._mover.mark.read)
        has_mark = marks is not None
        left = dict(marks or {})
        if has_mark:
            await self._writer.run(lambda work: [own_feeds.open_circle_feed(work, self._gid, c) for c in circles])

        stand = partial(stand_at_start, gid=self._gid, key=self.key, left=left, has_mark=has_mark)
        for feed in await self._readers.run(stand):
            self._feeds[feed.head.origin] = feed
        self.lost = {name: f"the mark knows a feed of ours ({name[:12]}…) that is not in this home" for name in left}
        if self.recovering:
            log.error("this node signs nothing: %s", self.recovering)

    @property
    def key(self) -> VerifyKey:
        """What others check our signatures with."""
        return self._key.verify_key

    @property
    def recovering(self) -> str:
        """Why this node signs nothing until its entries are recovered, or "" when all is well."""
        if not self.lost and all(feed.standing != own_feed.RECOVERING for feed in self._feeds.values()):
            return ""
        return "; ".join(dict.fromkeys([*(feed.reason for feed in self.recovering_feeds()), *self.lost.values()]))

    def recovering_feeds(self) -> list[OwnFeed]:
        """Those of our feeds that are not to be signed until their entries are back."""
        return [feed for feed in self._feeds.values() if feed.standing == own_feed.RECOVERING]

    @property
    def unsigned(self) -> list[str]:
        """Origins with entries that wait for a peer to show what it last saw of us."""
        return [
            feed.head.origin
            for feed in self._feeds.values()
            if not feed.fresh
            and feed.standing != own_feed.CLOSED
            and feed.head.size > (feed.served.size if feed.served else 0)
        ]

    def served(self, origin: str) -> VerifiedCheckpoint | None:
        """The checkpoint peers may have: its entries are durable, marked and signed."""
        feed = self._feeds.get(origin)
        return feed.served if feed else None

    def served_to(self, circles: Collection[bytes]) -> Iterator[tuple[bytes, VerifiedCheckpoint]]:
        """(origin hash, checkpoint) of every feed a member of these circles may have; our identity is always one."""
        for feed in self._feeds.values():
            if feed.served is not None and (feed.head.circle is None or feed.head.circle in circles):
                yield feed.head.origin_hash, feed.served

    def origin_to(self, circle: bytes) -> str:
        """The feed in which this circle hears of us now, "" while there is none."""
        feeds = [feed.head for feed in self._feeds.values() if feed.head.circle == circle]
        return max(feeds, key=lambda head: head.generation).origin if feeds else ""

    def next_served(self) -> asyncio.Event:
        """An event that is set as soon as anything more is served than now."""
        return self._served

    async def publish(self) -> bool:
        """`serve_news`, then `store`. True when anything new is served."""
        progress = await self.serve_news()
        await self.store()
        return progress

    async def store(self) -> None:
        """Store the newest signature of each feed that is served. Until then a restart makes the same bytes again."""
        unstored, self._unstored = self._unstored, {}

        def keep(work: Work) -> None:
            for feed, signed in unstored.items():
                work.feeds.store_checkpoint(feed, signed.note, signed.size)

        try:
            if unstored:
                await self._writer.run(keep)
        except BaseException:
            self._unstored = unstored | self._unstored
            raise

    async def serve_news(self, *, if_behind: bool = False) -> bool:
        """Decide on all new events, append, sign and serve. True when anything new is served. `if_behind`: not when all
        was decided on and no round has failed since; what is not signed then waits for a peer, who brings it about."""
        progress = False
        async with self._publishing:
            more = not if_behind or self._unfinished or self._decided < self._writer.position
            if more:
                if (pause := self._pause()) > 0:
                    await self._clock.sleep(pause)
                self._begin_round()
            while more and not self.recovering:
                decided, served = await self._round()
                progress, more = progress or served, decided == own_feeds.EVENTS_MAX
        return progress

    async def serve_along(self) -> bool:
        """The same for the command that is handed to the writer in this turn of the loop: decided on in its own
        transaction. What came behind it is left to `serve_news`. Only while `goes_along`."""
        async with self._publishing:
            self._begin_round()
            return (await self._round())[1]

    @property
    def goes_along(self) -> bool:
        """Whether nothing is being published. Under load one decision and one signature for many commands cost less."""
        return not self._publishing.locked() and self._pause() <= 0 and not self.recovering

    @property
    def unstored(self) -> bool:
        """Whether a signature that is served is not stored yet."""
        return bool(self._unstored)

    def _begin_round(self) -> None:
        self._round_at, self._round_events = self._clock.monotonic(), 0

    def _pause(self) -> float:
        """Seconds until the next round under load; 0 when there is none."""
        left = self._round_at + LOAD_PAUSE_SECONDS - self._clock.monotonic()
        return max(0.0, left) if self._round_events > LOAD_EVENTS else 0.0

    async def _round(self) -> tuple[int, bool]:
        """Decide on the next events and sign what waits for it: how many events that were, whether anything is served
        that was not."""
        self._unfinished = True
        await self._all_marked()  # what a round that was cancelled has begun
        self._decided, decided, waiting = (await self._writer.run(self._append, self._mark_ahead)).value
        self._round_events += decided
        await self._all_marked()
        served = [await self._sign(head) for head in waiting]
        self._unfinished = False
        return decided, any(served)

    def _append(self, work: Work) -> Appended:
        reached, decided = own_feeds.publish_some(
            work, self._publication, self._gid, lambda: self._entropy.bytes(PART_KEY_BYTES), self._decided
        )
        return reached, decided, [h for h in work.feeds.heads(owner=self._gid) if h.size > h.signed_size]

    async def _sign(self, head: FeedHead) -> bool:
        feed = self._feeds.get(head.origin)
        if feed is None:
            fresh = own_feed.fresh_at_start(known_at_start=False)
            feed = self._feeds[head.origin] = OwnFeed(head, None, own_feed.NEW, "", fresh, None)
        feed.head = head
        if not self._may_sign(feed):
            return False
        root = Frontier.decode(head.frontier).root()
        if feed.serves(head.size, root) or (feed.served is not None and head.size < feed.served.size):
            return False  # served already, only not stored yet
        value = mark_of(head, root, self._decided)
        if not feed.is_marked(value):
            self._swap(feed, value)
            await self._all_marked()
        if not self._may_sign(feed):
            return False  # heard while the mark was moved; a mark that is ahead of the signature harms nobody
        # SPEC §16a, §16b: rows and mark are durable, and the mark never says two roots of one size.
        signed = checkpoint.sign(Checkpoint(head.origin, head.size, root), self._key)
        feed.served = self._unstored[head.feed] = signed
        self._wake()
        return True

    def _mark_ahead(self, done: Done[Appended]) -> None:
        """On the writer's thread, when the rows are durable: the mark need not wait until the loop has time for it. On
        a quick disk it is moved then and there, which takes less than another thread takes to get the interpreter."""
        for head in done.value[2]:
            feed = self._feeds.get(head.origin)
            if (
                self._mover.closed
                or feed is None
                or not self._may_sign(feed)
                or (feed.mark is not None and head.size <= feed.mark.size)
            ):
                continue
            value = mark_of(head, Frontier.decode(head.frontier).root(), done.position)
            self._swap(feed, value, here=True)

    def _swap(self, feed: OwnFeed, value: MarkValue, *, here: bool = False) -> None:
        moved = self._mover.move(feed.head.origin_hash.hex(), feed.mark, value, here=here)
        self._swaps.append((feed, value, moved))

    async def _all_marked(self) -> None:
        """All that were begun, whatever becomes of one: what we take for the mark must be what it is."""
        while self._swaps:
            feed, value, swap = self._swaps[-1]
            try:
                await self._marked(feed, value, swap)
            finally:
                if swap.done():
                    self._swaps.pop()

    async def _marked(self, feed: OwnFeed, value: MarkValue, swap: Future[None]) -> None:
        """The mark is durable, or somebody else has moved it and this feed is not signed any more."""
        try:
            await asyncio.wrap_future(swap)
            feed.mark = value
        except MarkConflict as conflict:
            feed.recover(f"another copy of this node has published: {conflict}")
            log.error("this node signs nothing: %s", feed.reason)

    def _may_sign(self, feed: OwnFeed) -> bool:
        return not self.recovering and own_feed.may_sign(feed.standing, feed.fresh)

    def close(self) -> None:
        """Finish moving the mark, and move it no more."""
        self._mover.close()

    async def hear_checkpoint(self, shown: Checkpoint, note: bytes, live: Collection[bytes] | None = None) -> None:
        """A peer shows what it has seen of one of our feeds. With our signature beyond our rows: we were restored.

        `live`: the circles of the peer that says so in a request it has just signed. Without it the words may be old,
        as those of any answer may: they can show that we are behind, never that we are not.
        """
        feed = self._feeds.get(shown.origin)
        if feed is not None and feed.fresh and feed.serves(shown.size, shown.root):
            return  # nothing it could tell us: not worth checking a signature
        try:
            signed = open_checkpoint(note, shown.origin, self._key.verify_key)
        except ProtocolError:
            return  # SPEC §16: an unsigned claim never moves us.
        if feed is not None and feed.standing == own_feed.CLOSED:
            return  # what others have beyond our rows is known to be lost
        if feed is None:
            self.lost[shown.origin] = f"a peer shows our signature on a feed that is not in this home ({shown.origin})"
            return
        ours = await self._root_at(feed, signed.size)
        verdict, reason = own_feed.hear_checkpoint(
            rows_size=feed.head.size, root_at=lambda _: ours, shown_size=signed.size, shown_root=signed.root
        )
        if verdict == own_feed.RECOVERING:
            if feed.standing != verdict:
                log.error("this node signs nothing: %s", reason)
            feed.recover(reason)
            # Known from now on, also if this peer is never reached again.
            await self._writer.run(lambda work: work.feeds.store_claim(feed.head.feed, note, signed.size))
        elif feed.hears(live):
            await self._agreed(feed, live)

    async def hear_size(self, origin_hash: bytes, size: int, root: bytes, live: Collection[bytes]) -> None:
        """A peer says in a request of its own how much it holds of one of our feeds: none of it, most often.

        An unsigned claim may show that we are in order, never that we are not. Its checkpoints are heard first.
        """
        for feed in self._feeds.values():
            waits = feed.head.origin_hash == origin_hash and not feed.fresh and feed.hears(live)
            if waits and size <= feed.head.size and await self._root_at(feed, size) == root:
                await self._agreed(feed, live)

    async def _agreed(self, feed: OwnFeed, live: Collection[bytes] | None) -> None:
        """Those who speak know of nothing beyond our rows."""
        if feed.standing == own_feed.RECOVERING:
            feed.confirmed |= set(live or ())
        elif not feed.fresh:
            feed.fresh = True
            await self.publish()

    async def reread(self, changed: Collection[FeedHead]) -> None:
        """A recovery has changed these rows of ours: go on from what is there now, and what the mark says now."""
        marks = await asyncio.to_thread(self._mover.mark.read) or {}
        for head in changed:
            feed, name = self._feeds.get(head.origin), head.origin_hash.hex()
            if feed is None:
                feed = self._feeds[head.origin] = OwnFeed(head, None, own_feed.NEW, "", True, None)
                if self.lost.get(name) or self.lost.get(head.origin):
                    feed.recover("a feed of ours was not here")
            self.lost.pop(name, None)
            self.lost.pop(head.origin, None)
            feed.head, feed.mark = head, marks.get(name)
            note = head.checkpoint
            feed.served = open_checkpoint(note, head.origin, self._key.verify_key) if note else None
        self._decided, self._unfinished = 0, True

    def closed(self, head: FeedHead) -> None:
        """This feed of ours goes on in a later generation, and is never signed again."""
        self._feeds[head.origin].standing = own_feed.CLOSED

    def recovered(self) -> None:
        """Everything is back, read, and confirmed by those it is for, or by an operator: we go on from our rows."""
        for feed in self.recovering_feeds():
            feed.standing, feed.reason, feed.fresh = own_feed.ACTIVE, "", True

    async def _root_at(self, feed: OwnFeed, size: int) -> bytes | None:
        return await self._readers.run(lambda reading: root_at(reading.feeds, feed.head, size))

    def wake_waiting(self) -> None:
        """Whoever waits for news may look again: there is something else to tell."""
        self._wake()

    def _wake(self) -> None:
        served, self._served = self._served, asyncio.Event()
        served.set()
