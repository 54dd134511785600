"""Taking in the frames of one answer, or of a file: verify each package with its parts, store it in one transaction.

The order of the checks is SPEC §13a. Every feed stands for itself (SPEC §13b): after its first fault the rest of that
feed in this answer is passed over. What one answer can make us hold, store as evidence or compute has a bound, so a
hostile peer costs no more than an honest one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from aidmesh_node.application import inbox, own_feeds, space
from aidmesh_node.application.arrival import Arrival, Columns, checked, trusted, verify, verify_late
from aidmesh_node.application.ports import FeedConflict, Readers, Reading, Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.federation import identities
from aidmesh_node.federation.feed_arriving import FeedArriving, refused
from aidmesh_node.federation.generations import begins_anew
from aidmesh_node.federation.gossip_heard import GossipHeard
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.sender import Sender
from aidmesh_node.federation.storing import Storing
from aidmesh_node.federation.tree_reading import check_no_fork
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    ColumnFrame,
    End,
    Erased,
    Fork,
    Frame,
    Head,
    Heads,
    Ident,
    Inclusion,
    More,
    PackageFrame,
    PartFrame,
    encode_frame,
)
from aidmesh_protocol.checkpoint import parse_unverified
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import weigh
from aidmesh_protocol.identity import origin_hash, parse_origin
from aidmesh_protocol.limits import INDEX_MAX

BULK_ENTRIES_MIN = 32
"""Packages from this size on are stored several at once (`storing.py`) while the next one is verified, and everybody
else has a turn after each: it takes a millisecond or two. Verifying in a thread takes longer for all: two threads of
one interpreter wait for each other more than they gain."""

PARTS_BYTES_MAX = 1024 * 1024
"""Bytes of parts collected with one package: four times what a full package of everyday statements has. Parts beyond
are stored one by one, so that no answer makes us hold more."""

FAULTS_MAX = 8
"""Faults in one answer, each kept in a transaction, before the rest of it is not read: two groups share few feeds."""

IDLE_FRAMES_MAX = 256
"""Frames of one answer that tell nothing, or what it has told already: an old answer sent again has some, an endless
one is a way to keep us reading."""


class Abandoned(ProtocolError):
    """The last of too many faults: kept already, and nothing after it is read."""


@dataclass(slots=True)
class Pulled:
    """What one pull brought. `refused` are the faults found, each already kept as evidence."""

    entries: int = 0
    more: bool = False
    gaps: set[bytes] = field(default_factory=set)
    """Origin hashes of feeds of which a file goes on from more than we hold: it is read again when that has come."""
    clock_ahead_seconds: int | None = None
    """How far the peer's clock is ahead of ours, as it says; unsigned, and only for people to read."""
    refused: list[ProtocolError] = field(default_factory=list)


class Intake:
    """Reads the frames of one answer of one peer, or of one file."""

    _accept = staticmethod(inbox.accept)
    """How what was verified is stored."""

    def __init__(
        self,
        gid: str,
        sender: Sender,
        writer: Writer,
        readers: Readers[Reading],
        known: Identities,
        publisher: Publisher,
        heard: GossipHeard,
        clock: Clock,
        interpretation: Callable[[str], Callable[[Work], object] | None],
    ) -> None:
        """`interpretation(origin)` is the job that interprets the next entries of a feed, None while it may not."""
        self._gid = gid
        self._sender = sender
        self._writer = writer
        self._readers = readers
        self._identities = known
        self._publisher = publisher
        self._heard = heard
        self._clock = clock
        self._interpretation = interpretation
        self._feeds: dict[bytes, FeedArriving] = {}
        self._collecting: FeedArriving | None = None
        self._refused: set[bytes] = set()
        self._storing = Storing(writer, self._refused, self._accept)
        self._told: set[str] = set()
        self._idle_left = IDLE_FRAMES_MAX
        self.pulled = Pulled()

    async def take(self, frame: Frame) -> None:
        """Take the next frame. Faults of one feed are kept, and passed over. Raises Abandoned after too many."""
        match frame:
            case PartFrame():
                await self._guard(frame.origin_hash, self._part(frame), frame)
            case ColumnFrame():
                await self._guard(frame.origin_hash, self._column(frame), frame)
            case PackageFrame():
                await self.flush()
                await self._guard(frame.package.origin_hash, self._package(frame), frame)
            case CheckpointFrame():
                await self._settle()
                await self._guard(None, self._checkpoint(frame.note), frame)
            case Heads() | Fork() | Inclusion():
                await self._guard(None, self._gossiped(frame), frame)
            case Ident() if self._first(f"IDENT {frame.entries[0].hex()}"):
                await self._guard(None, self._ident(frame), frame)
            case More() if self._first("MORE"):
                self.pulled.more = True
            case End():
                await self._settle()
                await self._keep_claims()
            case Erased():
                # What we asked for is gone; facts, which is what we ask for, never are.
                self._idle()
            case Head():
                # Nothing we rely on.
                self.pulled.clock_ahead_seconds = frame.created - int(self._clock.now().timestamp())
            case _:
                # SIZES too: an answer may be an old one, so what a peer holds of ours it says in its own requests.
                self._idle()

    async def flush(self) -> None:
        """Have the package collected so far, if any, verified and stored."""
        feed, self._collecting = self._collecting, None
        if feed is not None and feed.package is not None:
            frame, columns = feed.package, feed.columns
            feed.collect(None)
            await self._guard(feed.head.origin_hash, self._store(feed, frame, columns), frame)
            if len(frame.package.entries) >= BULK_ENTRIES_MIN:
                await asyncio.sleep(0)

    async def _settle(self) -> None:
        """As `flush`, and everything is stored on return."""
        await self.flush()
        self.pulled.entries += await self._storing.finish()

    async def cut_short(self) -> None:
        """The answer or file ended too early: keep the package collected so far if its parts are all there, else none
        of it (SPEC §8.5a).

        Entries without their parts would stand: only what has no meaning yet is asked for again.
        """
        if self._collecting is not None and not self._collecting.is_whole():
            self._collecting = None
        await self._settle()
        await self._keep_claims()

    async def _keep_claims(self) -> None:
        claims = [feed for feed in self._feeds.values() if feed.claim]

        def keep(work: Work) -> None:
            for feed in claims:
                held = 0 if feed.head.origin_hash in self._refused else feed.trusted.frontier.size
                inbox.store_checkpoint(work, feed.head.feed, feed.offered, held)
                feed.claim = False

        if claims:
            await self._writer.run(keep)

    async def _gossiped(self, frame: Heads | Fork | Inclusion) -> None:
        await self._settle()
        if not await self._heard.hear(frame, self._feeds):
            self._idle()

    def _first(self, what: str) -> bool:
        """Whether this is the first of its kind in this answer."""
        first = what not in self._told
        self._told.add(what)
        return first

    def _idle(self) -> None:
        # A file has an end; and what is read a second time tells nothing new, all of it.
        self._idle_left -= not self._sender.is_file
        if self._idle_left < 0:
            raise ProtocolError("malformed", "an answer that goes on without telling anything")

    async def _guard(self, feed: bytes | None, step: Awaitable[None], frame: Frame | None) -> None:
        try:
            await step
        except FeedConflict:
            pass  # another pull of the same feed was faster, or froze it; the next one goes on from there
        except ProtocolError as error:
            if feed is not None:
                self._refused.add(feed)
            if self._collecting is not None and self._collecting.head.origin_hash == feed:
                self._collecting = None
            # The bytes that were wrong, unless the error itself holds better proof.
            blobs = error.evidence or (() if frame is None else (encode_frame(frame),))
            await self.refuse(feed, ProtocolError(error.code, error.detail, blobs))
            if len(self.pulled.refused) >= FAULTS_MAX:
                raise Abandoned(error.code, f"too many faults in one answer, the last: {error.detail}") from error

    async def _checkpoint(self, note: bytes) -> None:
        shown = parse_unverified(note)
        origin = parse_origin(shown.origin)
        if origin.gid == self._gid:
            if self._sender.is_file:
                # What it has of ours is for others.
                self._refused.add(origin_hash(shown.origin))
            # Each may cost a signature check; an honest peer shows one of each feed.
            if self._first(shown.origin):
                await self._publisher.hear_checkpoint(shown, note)
                await self._heard.hear_own(note)
            else:
                self._idle()
            return
        hashed = origin_hash(shown.origin)
        if hashed in self._refused:
            self._idle()
            return
        try:
            circle = self._sender.check(origin)
            if self._readers.run_now(lambda reading: begins_anew(reading, origin, note)):
                # SPEC §16.4a: before anything is kept of a feed we did not expect.
                checked(note, shown.origin, self._identities.known(origin.gid).key)
            await self._offer(shown.origin, note, origin.gid, circle)
        except ProtocolError:
            # The packages that follow would be refused for the same reason.
            self._refused.add(hashed)
            self._feeds.pop(hashed, None)
            raise

    async def _offer(self, origin: str, note: bytes, owner: str, circle: bytes) -> None:
        head = self._readers.run_now(lambda reading: reading.feeds.head(origin))
        if head is None:
            generation = parse_origin(origin).generation
            opening = partial(own_feeds.open_feed, origin=origin, owner=owner, circle=circle, generation=generation)
            head = (await self._writer.run(opening)).value
        if head.frozen is not None:
            raise ProtocolError(head.frozen, "this feed is frozen since its owner contradicted itself", (note,))
        known, key = head, self._identities.known(owner).key
        self._readers.run_now(lambda reading: space.check(reading, known.feed))
        checkpoint = checked(note, origin, key)
        feed = trusted(known, key)
        weight = weigh(feed, checkpoint)
        if weight == "stale" and feed.checkpoint is not None:
            newest = feed.checkpoint
            await self._readers.run(lambda reading: check_no_fork(reading.feeds, known, newest, checkpoint))
        erased = self._readers.run_now(lambda reading: frozenset(reading.feeds.erased(known.feed, 0, INDEX_MAX)))
        self._feeds[known.origin_hash] = FeedArriving(known, feed, checkpoint, weight == "larger", erased)

    async def _package(self, frame: PackageFrame) -> None:
        hashed = frame.package.origin_hash
        if hashed in self._refused:
            return
        feed = self._feeds.get(hashed)
        if feed is None:
            raise ProtocolError("unknown_feed", "entries of a feed without its checkpoint")
        if self._sender.is_file and frame.package.start > feed.trusted.frontier.size:
            # No fault: files are read in any order.
            self.pulled.gaps.add(hashed)
            return
        feed.collect(frame)
        self._collecting = feed

    async def _part(self, frame: PartFrame) -> None:
        if frame.origin_hash in self._refused:
            return
        feed = self._collecting
        if feed is None or not feed.awaits(frame.origin_hash, frame.index, frame.index + 1):
            await self._late_part(frame)
            return
        if not any(parts := feed.without_erased(frame.tag, frame.index, (frame.part,))):
            self._idle()
            return
        feed.add(frame.tag, frame.index, parts)
        if feed.parts_bytes > PARTS_BYTES_MAX:
            await self.flush()

    async def _column(self, frame: ColumnFrame) -> None:
        feed, hashed, stop = self._collecting, frame.origin_hash, frame.start + len(frame.parts)
        if not any(frame.parts):
            self._idle()
        elif feed is None or hashed in self._refused or not feed.awaits(hashed, frame.start, stop):
            for index, part in enumerate(frame.parts, frame.start):
                if part is not None:
                    await self._part(PartFrame(hashed, index, frame.tag, part))
        else:
            feed.add(frame.tag, frame.start, feed.without_erased(frame.tag, frame.start, frame.parts))
            if feed.parts_bytes > PARTS_BYTES_MAX:
                await self.flush()

    async def _late_part(self, frame: PartFrame) -> None:
        """A part of an entry that is already here. One that is here too changes nothing, and costs no transaction."""

        if frame.origin_hash in self.pulled.gaps:
            return

        def missing(reading: Reading) -> tuple[int, bytes | None]:
            head = reading.feeds.head_by_hash(frame.origin_hash)
            entries = reading.feeds.entries(head.feed, frame.index, frame.index + 1) if head else []
            if head is None or head.owner not in self._sender.groups or not entries:
                raise ProtocolError("unknown_feed", "a part of an entry that is not here")
            space.check(reading, head.feed)
            held = not reading.feeds.missing_parts(head.feed, [(frame.index, frame.tag)])
            return head.feed, None if held else entries[0]

        def put(work: Work) -> None:
            work.feeds.put_part(feed, frame.index, frame.tag, frame.part)
            space.take(work, feed, len(frame.part))

        await self._settle()
        feed, entry = await self._readers.run(missing)
        if entry is None:
            self._idle()
        else:
            verify_late(entry, frame)
            await self._writer.run(put)
            self.pulled.entries += 1

    async def _store(self, feed: FeedArriving, frame: PackageFrame, columns: Columns) -> None:
        try:
            arrival = verify(feed.head, feed.trusted, feed.offered, frame.package, columns)
        except ProtocolError as error:
            # Two notes prove a fork by themselves; everything else is the package's fault.
            proof = error.evidence if error.code == "fork_detected" else refused(feed, frame, columns)
            raise ProtocolError(error.code, error.detail, proof) from error
        if not arrival.package.entries:
            self._idle()
        elif len(frame.package.entries) >= BULK_ENTRIES_MIN:
            feed.trusted = arrival.extension.feed
            await self._storing.add(feed, arrival)
        else:
            await self._settle()
            await self._keep(arrival, feed.head.origin)
            feed.trusted, feed.claim = arrival.extension.feed, False
            self.pulled.entries += len(arrival.package.entries)

    async def _keep(self, arrival: Arrival, origin: str) -> None:
        """Store and interpret at once what is little: asked for together, both share one fsync and are seen together.
        The one may still fail without the other."""
        store, interpret = partial(self._accept, arrival=arrival), self._interpretation(origin)
        if interpret is None:
            await self._writer.run(store)
            return
        for outcome in await self._writer.run_both(store, interpret):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _ident(self, frame: Ident) -> None:
        introduction = identities.introduce(frame)
        gid = introduction.identity.gid
        if self._sender.is_file and gid == self._gid:
            return
        if gid not in self._sender.groups:
            raise ProtocolError("unknown_feed", "the identity of a group that is in no circle with us")
        if (await self._writer.run(lambda work: identities.keep(work, introduction))).value:
            await self._identities.load(gid)
            self.pulled.entries += 1

    async def refuse(self, hashed: bytes | None, error: ProtocolError) -> None:
        """Keep the evidence of a fault; a feed whose owner contradicted itself is frozen for good."""
        self.pulled.refused.append(error)
        at = self._clock.now()

        def keep(work: Work) -> None:
            head = work.feeds.head_by_hash(hashed) if hashed else None
            work.evidence.keep(
                self._sender.name, error.code, error.detail, error.evidence, at, head.feed if head else None
            )
            if error.code == "fork_detected":
                for note in error.evidence:
                    forked = work.feeds.head(parse_unverified(note).origin)
                    if forked is not None:
                        work.feeds.freeze(forked.feed, error.code)

        await self._writer.run(keep)
        await self._heard.refused(error, self._feeds.get(hashed) if hashed else None)
