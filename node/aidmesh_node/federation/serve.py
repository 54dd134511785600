"""Answering peers: what a sync answer holds, frame by frame. Serves only what is durable, marked and signed.

A peer sees the feeds of the circles it is in and nothing else, not even a count. Reads a page at a time, so that
neither side ever holds a bundle in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice

from aidmesh_node.application.ports import FeedReads, Readers, Reading
from aidmesh_node.clock import Clock
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.carrying import Carrying
from aidmesh_node.federation.gossip import Gossip
from aidmesh_node.federation.ledger import Ledger
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.mirror import asked_of_own, frames_of_own
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.recovery import OwnRecovery
from aidmesh_node.federation.seen import newest_note
from aidmesh_node.federation.serve_pages import page_of
from aidmesh_node.federation.sync_request import SyncRequest, read_request
from aidmesh_node.federation.tree_reading import proof_of, size_of
from aidmesh_node.federation.waiting import first_of
from aidmesh_protocol.bundle import (
    MAGIC,
    CheckpointFrame,
    ColumnFrame,
    End,
    Erased,
    Fork,
    Frame,
    Head,
    Ident,
    Inclusion,
    More,
    PartFrame,
    Sizes,
    Want,
    WantedEntry,
    WantedPart,
    encode_frame,
)
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, parse_unverified
from aidmesh_protocol.entry import ERASABLE_TAGS, VIEW
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import identity_origin, parse_origin

FRAMING_BYTES = 64
"""What an answer has besides what is counted: the magic, MORE and END."""

PIECE_BYTES = 32 * 1024
"""Frames are sent in pieces of this size: one small answer is one write here and one read there."""

BUNDLE_TTL_SECONDS = 3600

ANSWERS_MAX = 8
"""Answers to one peer under way at once. Each keeps a page in memory for as long as the peer takes to read it."""

WANTED_PAGE = 32
"""Parts or entries read at once for a peer that misses them."""

READ_HERE_MAX = 16
"""Entries read on the event loop itself: so few cost less than a reader's thread and the way back."""


class SyncServer:
    """Builds sync answers for authenticated peers."""

    def __init__(
        self,
        gid: str,
        readers: Readers[Reading],
        publisher: Publisher,
        links: Links,
        gossip: Gossip,
        ledger: Ledger,
        carrying: Carrying,
        clock: Clock,
        entropy: Entropy,
        recovery: OwnRecovery,
    ) -> None:
        self._recovery = recovery
        self._gid = gid
        self._readers = readers
        self._publisher = publisher
        self._links = links
        self._gossip = gossip
        self._ledger = ledger
        self._carrying = carrying
        self._clock = clock
        self._entropy = entropy
        self._closing = asyncio.Event()
        self._under_way: dict[str, int] = {}

    def close(self) -> None:
        """Hold nothing back any more: the node is stopping, and peers should not wait for it."""
        self._closing.set()

    async def answer(self, peer: str, body: bytes) -> AsyncGenerator[bytes, None]:
        """The bundle for one peer. Raises ProtocolError before the first byte, or not at all."""
        if self._under_way.get(peer, 0) >= ANSWERS_MAX:
            raise ProtocolError("rate", "you have not read our earlier answers yet")
        self._under_way[peer] = self._under_way.get(peer, 0) + 1
        try:
            async with aclosing(self._answer(peer, body)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._under_way[peer] -= 1

    async def _answer(self, peer: str, body: bytes) -> AsyncGenerator[bytes, None]:
        request = read_request(body)
        circles = self._links.circles_with(peer)
        for note in request.notes:
            shown = parse_unverified(note)
            if parse_origin(shown.origin).gid == self._gid:
                await self._publisher.hear_checkpoint(shown, note, circles)
        for origin_hash, (size, root) in request.sizes.items():
            await self._publisher.hear_size(origin_hash, size, root, circles)
        await self._gossip.hear_notes(peer, [*request.notes, *request.heads])
        for proof in request.forks:
            await self._gossip.hear_fork(peer, proof)
        if self._publisher.recovering:
            await self._recovery.go_on()
        served = self._served(peer)
        for origin_hash, checkpoint in served.items():
            if origin_hash in request.sizes:
                # Nobody holds more of a feed than we have served.
                held = min(request.sizes[origin_hash][0], checkpoint.size)
                self._links.acknowledged(peer, origin_hash, held)
                self._ledger.holds(peer, origin_hash, held)
        if own := self._readers.run_now(lambda reading: asked_of_own(reading, peer, request.sizes)):
            # SPEC §16.3a: also while we are recovering: two that were restored must not wait for each other.
            yield self._begin(0)
            async for data in frames_of_own(
                self._readers, own, request.sizes, request.budget_bytes, ColumnFrame.KIND in request.reads
            ):
                yield data
            yield encode_frame(End())
            return
        if self._publisher.recovering:
            raise ProtocolError("recovering", "this node was restored and signs nothing until its entries are back")
        wanted = _Wanted(request.want)
        first = await self._missing(peer, served, wanted)
        if not first:
            await self._wait(peer, request)
        gathered = bytearray()
        async for frame in self._frames(peer, request, first, wanted):
            gathered += frame
            if len(gathered) >= PIECE_BYTES:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)

    async def _missing(self, peer: str, served: Mapping[bytes, VerifiedCheckpoint], wanted: _Wanted) -> list[bytes]:
        """The next of what the peer misses and may have, as frames; [] when there is no more."""
        while page := wanted.page():
            if frames := await self._readers.run(partial(_wanted_of, self._carrying, served, page)):
                for frame in frames:
                    if isinstance(frame, PartFrame) and frame.tag in ERASABLE_TAGS:
                        self._ledger.went(peer, frame.origin_hash, [(frame.index, frame.index + 1)])
                return [encode_frame(frame) for frame in frames]
        return []

    def _served(self, peer: str) -> dict[bytes, VerifiedCheckpoint]:
        return self._carrying.served_to(peer)

    async def _wait(self, peer: str, request: SyncRequest) -> None:
        """Hold the answer until we serve more than the peer holds, its patience ends, or it asks once more."""
        end = self._clock.monotonic() + request.wait_seconds
        while (left := end - self._clock.monotonic()) > 0 and not self._closing.is_set():
            served, carried = self._publisher.next_served(), self._links.next_carried()
            if self._news(peer, request):
                return
            with self._links.holding(peer) as replaced:
                await first_of(
                    served.wait(), carried.wait(), self._closing.wait(), self._clock.sleep(left), replaced.wait()
                )
            if replaced.is_set():
                return

    def _news(self, peer: str, request: SyncRequest) -> bool:
        return (Fork.KIND in request.reads and self._gossip.has_news(peer)) or any(
            served.size > request.sizes.get(origin_hash, (0, b""))[0]
            for origin_hash, served in self._served(peer).items()
        )

    def _begin(self, feeds: int) -> bytes:
        now = int(self._clock.now().timestamp())
        return MAGIC + encode_frame(Head(self._entropy.bytes(16), self._gid, now, BUNDLE_TTL_SECONDS, feeds))

    async def _frames(
        self, peer: str, request: SyncRequest, missed: list[bytes], wanted: _Wanted
    ) -> AsyncIterator[bytes]:
        served = self._served(peer)
        gossiped = self._gossip.says(peer, request.reads)
        held = self._readers.run_now(lambda reading: list(_held_of(reading.feeds, peer)))
        opening = self._begin(len(served)) + b"".join(map(encode_frame, [*held, *gossiped]))
        yield opening
        left, more, told = request.budget_bytes - len(opening) - FRAMING_BYTES, 0, not request.budget_bytes
        while missed and (left > 0 or not told):
            for data in missed:
                left -= len(data)
                if left < 0 and told:
                    break
                told = True
                yield data
            missed = await self._missing(peer, served, wanted)
        for origin_hash, checkpoint in served.items():
            at = request.sizes.get(origin_hash, (0, b""))[0]
            if at >= checkpoint.size:
                continue
            if parse_origin(checkpoint.origin).kind == "id":
                ident = encode_frame(await self._readers.run(partial(ident_of, checkpoint)))
                yield ident
                left -= len(ident)
                continue
            # SPEC §8.3a: before the packages that lead to it.
            note = encode_frame(CheckpointFrame(checkpoint.note))
            yield note
            left -= len(note)
            while at < checkpoint.size and (left > 0 or not told):
                # SPEC §8.4c: COLUMNs only for who reads them.
                read = partial(page_of, checkpoint, at, ColumnFrame.KIND in request.reads, carrying=self._carrying)
                few = checkpoint.size - at <= READ_HERE_MAX
                page = self._readers.run_now(read) if few else await self._readers.run(read)
                left -= len(page.data)
                if left < 0 and told:
                    break  # SPEC §8.4d: only the first may be more than was asked for, or nobody would ever get on
                told = True
                self._ledger.went(peer, origin_hash, page.disclosed, page.stop)
                yield page.data
                at = page.stop
            more += checkpoint.size - at
        if more:
            yield encode_frame(More(more))
        yield encode_frame(End())
        self._gossip.told(peer, gossiped)


def ident_of(checkpoint: VerifiedCheckpoint, reading: Reading) -> Ident:
    """A whole identity feed, up to a checkpoint."""
    feeds = reading.feeds
    head = feeds.head(checkpoint.origin)
    assert head is not None
    entries = tuple(feeds.entries(head.feed, 0, checkpoint.size))
    parts = tuple((row.entry_index, row.tag, row.part) for row in feeds.parts(head.feed, 0, checkpoint.size))
    return Ident(checkpoint.note, 0, entries, (), parts)


def own_ident(reading: Reading, gid: str, checkpoint: VerifiedCheckpoint) -> Ident:
    """Our identity feed whole, as pairing sends it."""
    assert checkpoint.origin == identity_origin(gid)
    return ident_of(checkpoint, reading)


def _held_of(feeds: FeedReads, owner: str) -> Iterator[Frame]:
    """What we hold of the peer's own feeds, and of no others (SPEC §8.3b): its acknowledgement, and after its restart
    the proof of what it signed."""
    heads = feeds.heads(owner=owner)
    yield Sizes(tuple(size_of(head) for head in heads))
    # The newest one seen, not the newest one complete: what counts is what its owner has signed.
    yield from (CheckpointFrame(note) for note in map(newest_note, heads) if note)


class _Wanted:
    """What one request misses, each thing once, page by page."""

    def __init__(self, want: Want) -> None:
        rows: tuple[WantedPart | WantedEntry, ...] = (*want.parts, *want.entries)
        self._left = iter(dict.fromkeys(rows))

    def page(self) -> list[WantedPart | WantedEntry]:
        return list(islice(self._left, WANTED_PAGE))


def _wanted_of(
    carrying: Carrying,
    served: Mapping[bytes, VerifiedCheckpoint],
    page: Sequence[WantedPart | WantedEntry],
    reading: Reading,
) -> list[Frame]:
    """Parts and single entries a peer misses. What is withheld, or not for it, is simply not there; what was erased it
    is told."""
    feeds, frames, told = reading.feeds, list[Frame](), set[bytes]()
    erased: list[WantedPart] = []
    for origin_hash, index, *tag in page:
        checkpoint, head = served.get(origin_hash), feeds.head_by_hash(origin_hash)
        if checkpoint is None or head is None or index >= checkpoint.size:
            continue
        if tag:
            rows = feeds.parts(head.feed, index, index + 1)
            if tag[0] == VIEW and carrying.hidden(feeds, head, index, index + 1):
                continue
            frames += [PartFrame(origin_hash, index, row.tag, row.part) for row in rows if row.tag == tag[0]]
            if (index, tag[0]) in feeds.erased(head.feed, index, index + 1):
                erased.append((origin_hash, index, tag[0]))
            continue
        if origin_hash not in told:
            frames.append(CheckpointFrame(checkpoint.note))
            told.add(origin_hash)
        (entry,) = feeds.entries(head.feed, index, index + 1)
        proof = proof_of(feeds, head.feed, index, checkpoint.size)
        frames.append(Inclusion(origin_hash, index, checkpoint.size, entry, proof))
    return [*frames, Erased(tuple(erased))] if erased else frames
