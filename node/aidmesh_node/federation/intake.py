"""Taking in the frames of one answer: verify each package with its parts, then store it in one transaction.

Every feed stands for itself: after its first fault the rest of that feed in this answer is passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aidmesh_node.application import inbox, own_feeds
from aidmesh_node.application.arrival import trusted, verify, verify_late
from aidmesh_node.application.ports import FeedConflict, FeedHead, Readers, Reading, Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.federation import identities
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.links import Link
from aidmesh_node.federation.publisher import Publisher
from aidmesh_protocol.bundle import CheckpointFrame, End, Frame, Ident, More, PackageFrame, PartFrame, Sizes
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint, parse_unverified
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import TrustedFeed, weigh
from aidmesh_protocol.identity import circle_origin, origin_hash, parse_origin

THREADED_ENTRIES_MIN = 32
"""Packages from this size on are verified in a thread: below it the switch costs more than the hashing."""


@dataclass(slots=True)
class Pulled:
    """What one pull brought. `refused` are the faults found, each already kept as evidence."""

    entries: int = 0
    more: bool = False
    refused: list[ProtocolError] = field(default_factory=list)


@dataclass(slots=True)
class _Feed:
    """One feed while an answer is read: as trusted so far, the checkpoint offered, the package being collected."""

    head: FeedHead
    trusted: TrustedFeed
    offered: VerifiedCheckpoint
    claim: bool
    """The checkpoint is newer than any we have stored: what its owner signed is kept even if no entries follow."""
    package: PackageFrame | None = None
    parts: list[PartFrame] = field(default_factory=list)


class Intake:
    """Reads the frames of one answer of one peer."""

    def __init__(
        self,
        gid: str,
        link: Link,
        writer: Writer,
        readers: Readers[Reading],
        known: Identities,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._gid = gid
        self._link = link
        self._writer = writer
        self._readers = readers
        self._identities = known
        self._publisher = publisher
        self._clock = clock
        self._feeds: dict[bytes, _Feed] = {}
        self._collecting: _Feed | None = None
        self._refused: set[bytes] = set()
        self.pulled = Pulled()

    async def take(self, frame: Frame) -> None:
        """Take the next frame. Faults of one feed are kept and passed over; nothing else is raised."""
        match frame:
            case PartFrame():
                await self._guard(frame.origin_hash, self._part(frame))
            case PackageFrame():
                await self.flush()
                await self._guard(frame.package.origin_hash, self._package(frame))
            case CheckpointFrame():
                await self.flush()
                await self._guard(None, self._checkpoint(frame.note))
            case Ident():
                await self._guard(None, self._ident(frame))
            case Sizes():
                pass  # an answer may be an old one: what a peer holds of ours it says in its own requests
            case More():
                self.pulled.more = True
            case End():
                await self.flush()
                await self._keep_claims()
            case _:
                pass  # HEAD says nothing we rely on; INCLUSION is for those who ask for single entries

    async def flush(self) -> None:
        """Verify and store the package collected so far, if any."""
        feed, self._collecting = self._collecting, None
        if feed is not None and feed.package is not None:
            await self._guard(feed.head.origin_hash, self._store(feed))

    async def _keep_claims(self) -> None:
        claims = [feed for feed in self._feeds.values() if feed.claim]

        def keep(work: Work) -> None:
            for feed in claims:
                inbox.store_checkpoint(work, feed.head.feed, feed.offered, feed.trusted.frontier.size)

        if claims:
            await self._writer.run(keep)

    async def cut_short(self) -> None:
        """The answer ended too early: keep the package collected so far if its parts are all there, else none of it.

        Entries without their parts would stand: only what has no meaning yet is asked for again.
        """
        feed = self._collecting
        if feed is not None and feed.package is not None and _is_whole(feed.package, feed.parts):
            await self.flush()
        self._collecting = None

    async def _guard(self, feed: bytes | None, step: object) -> None:
        try:
            await step  # type: ignore[misc]
        except ProtocolError as error:
            if feed is not None:
                self._refused.add(feed)
            await self.refuse(feed, error)

    async def _checkpoint(self, note: bytes) -> None:
        shown = parse_unverified(note)
        origin = parse_origin(shown.origin)
        if origin.gid == self._gid:
            await self._publisher.hear_checkpoint(shown, note)
            return
        circle = self._link.circle
        if origin.gid != self._link.gid or circle is None or shown.origin != circle_origin(origin.gid, circle):
            raise ProtocolError("unknown_feed", "a checkpoint of a feed that is not between our groups", (note,))
        hashed = origin_hash(shown.origin)
        if hashed in self._refused:
            return
        try:
            await self._offer(shown.origin, note)
        except ProtocolError:
            self._refused.add(hashed)
            raise

    async def _offer(self, origin: str, note: bytes) -> None:
        circle = self._link.circle
        head = await self._readers.run(lambda reading: reading.feeds.head(origin))
        if head is None:
            head = (await self._writer.run(lambda w: own_feeds.open_feed(w, origin, self._link.gid, circle))).value
        if head.frozen is not None:
            raise ProtocolError(head.frozen, "this feed is frozen since its owner contradicted itself", (note,))
        key = self._identities.known(self._link.gid).key
        checkpoint = open_checkpoint(note, origin, key)
        feed = trusted(head, key)
        claim = weigh(feed, checkpoint) == "larger"
        self._feeds[head.origin_hash] = _Feed(head, feed, checkpoint, claim)

    async def _package(self, frame: PackageFrame) -> None:
        hashed = frame.package.origin_hash
        if hashed in self._refused:
            return
        feed = self._feeds.get(hashed)
        if feed is None:
            raise ProtocolError("unknown_feed", "entries of a feed without its checkpoint")
        feed.package, feed.parts = frame, []
        self._collecting = feed

    async def _part(self, frame: PartFrame) -> None:
        feed = self._collecting
        if feed is not None and feed.head.origin_hash == frame.origin_hash:
            feed.parts.append(frame)
        elif frame.origin_hash not in self._refused:
            await self._late_part(frame)

    async def _late_part(self, frame: PartFrame) -> None:
        """A part we asked for: of an entry that is already here."""

        def keep(work: Work) -> None:
            head = work.feeds.head_by_hash(frame.origin_hash)
            entries = work.feeds.entries(head.feed, frame.index, frame.index + 1) if head else []
            if head is None or head.owner != self._link.gid or not entries:
                raise ProtocolError("unknown_feed", "a part of an entry that is not here")
            verify_late(entries[0], frame)
            work.feeds.put_part(head.feed, frame.index, frame.tag, frame.part)

        await self._writer.run(keep)
        self.pulled.entries += 1

    async def _store(self, feed: _Feed) -> None:
        assert feed.package is not None
        package = feed.package.package
        if len(package.entries) < THREADED_ENTRIES_MIN:
            arrival = verify(feed.head, feed.trusted, feed.offered, package, feed.parts)
        else:
            arrival = await asyncio.to_thread(verify, feed.head, feed.trusted, feed.offered, package, feed.parts)
        feed.package, feed.parts = None, []
        if arrival.entries:
            try:
                await self._writer.run(lambda work: inbox.accept(work, arrival))
            except FeedConflict:
                return  # another pull of the same feed was faster; the next one goes on from there
            feed.trusted, feed.claim = arrival.extension.feed, False
            self.pulled.entries += len(arrival.entries)

    async def _ident(self, frame: Ident) -> None:
        introduction = identities.introduce(frame)
        if introduction.identity.gid != self._link.gid:
            raise ProtocolError("unknown_feed", "the identity of a group that is not the one we asked")
        await self._writer.run(lambda work: identities.keep(work, introduction))
        await self._identities.load(self._link.gid)
        self.pulled.entries += 1

    async def refuse(self, hashed: bytes | None, error: ProtocolError) -> None:
        """Keep the evidence of a fault; a feed whose owner contradicted itself is frozen for good."""
        self.pulled.refused.append(error)
        at = self._clock.now()

        def keep(work: Work) -> None:
            head = work.feeds.head_by_hash(hashed) if hashed else None
            work.evidence.keep(
                self._link.gid, error.code, error.detail, error.evidence, at, head.feed if head else None
            )
            if error.code == "fork_detected":
                for note in error.evidence:
                    forked = work.feeds.head(parse_unverified(note).origin)
                    if forked is not None:
                        work.feeds.freeze(forked.feed, error.code)

        await self._writer.run(keep)


def _is_whole(frame: PackageFrame, parts: Sequence[PartFrame]) -> bool:
    package = frame.package
    arrived = {(part.index, part.tag) for part in parts}
    try:
        entries = [Entry.decode(entry) for entry in package.entries]
    except ProtocolError:
        return False
    return arrived >= {
        (index, header.tag) for index, entry in enumerate(entries, package.start) for header in entry.parts
    }
