"""Gossip: what this node has seen signed of the feeds it shares with a peer, and the forks it can prove (SPEC §9.5).

Says to a peer only what that peer may see: feeds of the circles both are in, and the identities of whoever writes them.
Believes nothing that is not signed by the feed's owner, and accuses by nothing but a proof that holds.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from aidmesh_node.application.forks import fork_id_of, keep_fork
from aidmesh_node.application.ports import FeedHead, FeedReads, Readers, Reading, Work, Writer
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.fork import Fork as ForkRecord
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.fork_making import alike, find_fork, fork_by_path
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.publisher import Publisher
from aidmesh_protocol import merkle
from aidmesh_protocol.bundle import Fork, Frame, Heads, Inclusion, WantedEntry
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint, open_checkpoint, parse_unverified
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.fork_file import decode_fork_file
from aidmesh_protocol.fork_proof import ForkProof, convict
from aidmesh_protocol.identity import identity_origin, parse_origin
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.limits import EXCHANGE_FORKS_MAX, FRAME_PAYLOADS_MAX, HEADS_MAX

log = logging.getLogger(__name__)

COMPARED_MAX = 4_096
"""Checkpoints remembered as being of the history we hold, so that they are not compared at every exchange."""

DOUBTS_MAX = 64
"""Feeds of which a path is asked for: one for each that a peer has just contradicted."""

ENVELOPE_BYTES = 8
"""Of each note in a HEADS frame: its length, and its share of the array's."""


@dataclass(frozen=True, slots=True)
class KnownFork:
    """A fork that was proven: who is to be told."""

    origin: str
    circle: bytes | None
    proof: ForkProof


class Gossip:
    """One node's ear and mouth for what others have signed."""

    def __init__(
        self,
        gid: str,
        key: VerifyKey,
        writer: Writer,
        readers: Readers[Reading],
        links: Links,
        known: Identities,
        publisher: Publisher,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._gid = gid
        self._key = key
        self._writer = writer
        self._readers = readers
        self._links = links
        self._identities = known
        self._publisher = publisher
        self._clock = clock
        self._entropy = entropy
        self._forks: dict[str, KnownFork] = {}
        self._told: set[tuple[str, str]] = set()
        self._compared: dict[tuple[str, int, bytes], None] = {}
        self._doubts: dict[tuple[str, bytes], int] = {}

    async def load(self) -> None:
        """Read the forks that are known, before anything is signed: a forked feed of our own is signed no more."""

        def read(work: Work) -> list[KnownFork]:
            return [
                KnownFork(head.origin, head.circle, decode_fork_file(bytes.fromhex(fork.proof)))
                for head in work.feeds.heads()
                if (fork := work.find(ForkRecord, fork_id_of(head))) is not None
            ]

        for fork in (await self._writer.run(read)).value:
            self._forks[fork.origin] = fork
            await self._stop_own(fork.proof)

    # What a peer is told.

    def says(self, peer: str, kinds: Collection[int] = (Heads.KIND, Fork.KIND)) -> list[Frame]:
        """HEADS and the FORKs that this peer has not been told since our start, of the kinds it reads."""
        frames: list[Frame] = []
        if Heads.KIND in kinds and (notes := self._readers.run_now(lambda reading: self._notes(reading.feeds, peer))):
            frames.append(Heads(notes))
        if Fork.KIND in kinds:
            frames += map(Fork, self._untold(peer))
        return frames

    def has_news(self, peer: str) -> bool:
        """Whether there is a fork to tell this peer of."""
        return any(True for _ in self._untold(peer))

    def told(self, peer: str, frames: Iterable[Frame]) -> None:
        """The peer has these frames."""
        self._told |= {(peer, convict(frame.proof).origin) for frame in frames if isinstance(frame, Fork)}

    def _notes(self, feeds: FeedReads, peer: str) -> tuple[bytes, ...]:
        notes, left = list[bytes](), FRAME_PAYLOADS_MAX[Heads.NAME]
        for head in shared_heads(feeds, self._links.circles_with(peer)):
            if head.owner == peer or head.origin in self._forks:
                continue  # of their own feeds they hear by CHECKPOINT; of a forked one the proof says more
            # Also what we hold: a larger one that we have only heard of may be of another history.
            for note in (head.checkpoint, head.claimed if head.claimed_size > head.signed_size else None):
                if note is not None and len(notes) < HEADS_MAX and len(note) + ENVELOPE_BYTES <= left:
                    notes.append(note)
                    left -= len(note) + ENVELOPE_BYTES
        return tuple(notes)

    def _untold(self, peer: str) -> list[ForkProof]:
        if not self._forks:
            return []
        circles = self._links.circles_with(peer)
        shared = {head.origin for head in self._readers.run_now(lambda r: shared_heads(r.feeds, circles))}
        untold = [
            fork.proof
            for fork in self._forks.values()
            if fork.origin in shared and (peer, fork.origin) not in self._told
        ]
        return untold[:EXCHANGE_FORKS_MAX]

    # What a peer tells.

    async def hear_notes(self, peer: str, notes: Sequence[bytes]) -> None:
        """Compare checkpoints a peer has seen with what we hold. Raises ProtocolError("malformed") for what is none."""
        fresh = [(shown, note) for note in notes if not self._known(shown := parse_unverified(note))]
        circles = self._links.circles_with(peer)
        if not fresh:
            return
        shared = {head.origin: head for head in self._readers.run_now(lambda r: shared_heads(r.feeds, circles))}
        for shown, note in fresh:
            head = shared.get(shown.origin)
            if head is not None and head.origin not in self._forks and _tells(head, shown, peer):
                await self._compare(peer, shown, note)

    async def hear_fork(self, peer: str, proof: ForkProof) -> None:
        """A peer says that it can prove a fork. Raises ProtocolError when it cannot."""
        # Only of feeds we hold, and so under keys that were admitted before: judging any other would cost milliseconds.
        origin = parse_unverified(proof.larger).origin
        if origin in self._forks or self._readers.run_now(lambda reading: reading.feeds.head(origin)) is None:
            self._told.add((peer, origin))
            return
        try:
            convict(proof)
        except ProtocolError as error:
            if error.code == "upgrade_required":
                return  # we cannot judge it; whoever can will tell us in their words
            raise
        self._told.add((peer, origin))
        await self._keep(proof, peer)

    async def hear_conflict(self, notes: Iterable[bytes]) -> None:
        """Taking in a feed has found these signed notes to contradict each other, or what we hold: prove it."""
        for note in notes:
            shown = parse_unverified(note)
            if shown.origin not in self._forks:
                await self._compare(None, shown, note)

    # A larger checkpoint whose entries do not follow on ours: its owner, or whoever serves it, has to show a path.

    def doubt(self, peer: str, head: FeedHead) -> None:
        """What this peer shows of a feed does not go on from what its owner signed before: ask how it begins."""
        if head.signed_size and head.origin not in self._forks and len(self._doubts) < DOUBTS_MAX:
            self._doubts[peer, head.origin_hash] = head.signed_size - 1

    def wanted(self, peer: str) -> list[WantedEntry]:
        """The entries to ask this peer for: an inclusion proof of the last one we hold shows the path from there."""
        return [(hashed, index) for (who, hashed), index in self._doubts.items() if who == peer]

    async def hear_inclusion(self, peer: str, frame: Inclusion, offered: VerifiedCheckpoint) -> bool:
        """The answer to `wanted`, under a checkpoint that was opened; False if we have not asked. Raises ProtocolError
        when it shows nothing."""
        if self._doubts.get((peer, frame.origin_hash)) != frame.index or frame.size != offered.size:
            return False
        leaf = merkle.leaf_hash(frame.entry)
        merkle.verify_inclusion(frame.index, frame.size, leaf, frame.proof, offered.root)
        del self._doubts[peer, frame.origin_hash]
        path = merkle.inclusion_to_consistency(frame.index, leaf, frame.proof)

        def make(reading: Reading) -> ForkProof | None:
            head = reading.feeds.head(offered.origin)
            if head is None or head.signed_size != frame.index + 1 or frame.size <= head.signed_size:
                return None  # it has moved on meanwhile
            return fork_by_path(reading.feeds, head, offered.key, offered, path)

        proof = await self._readers.run(make)
        if proof is not None:
            await self._keep(proof, None)
        return True

    # What becomes of it.

    def _known(self, shown: Checkpoint) -> bool:
        return (shown.origin, shown.size, shown.root) in self._compared

    async def _compare(self, peer: str | None, shown: Checkpoint, note: bytes) -> None:
        owner = parse_origin(shown.origin).gid
        identity = None if owner == self._gid else await self._identities.load(owner)
        key = self._key if identity is None else identity.key
        try:
            opened = open_checkpoint(note, shown.origin, key)
        except ProtocolError:
            return  # not signed by whom we know under this name: it says nothing about them

        def look(reading: Reading) -> tuple[FeedHead | None, ForkProof | None]:
            head = reading.feeds.head(opened.origin)
            return head, None if head is None else find_fork(reading.feeds, head, key, opened)

        head, proof = await self._readers.run(look)
        if proof is not None:
            await self._keep(proof, None)
        elif head is not None and opened.size <= head.signed_size:
            self._remember(opened)
        elif head is not None and peer is not None and owner not in (peer, self._gid):
            # What its owner has signed is more than we hold: people see that something is missing.
            feed = head.feed
            if opened.size > max(head.size, head.claimed_size):
                await self._writer.run(lambda work: work.feeds.store_claim(feed, opened.note, opened.size))

    def _remember(self, opened: Checkpoint) -> None:
        while len(self._compared) >= COMPARED_MAX:
            del self._compared[next(iter(self._compared))]
        self._compared[opened.origin, opened.size, opened.root] = None

    async def _keep(self, proof: ForkProof, peer: str | None) -> None:
        by = Act(self._entropy.uuid(), self._clock.now(), None, NODE)

        def keep(work: Work) -> tuple[ForkRecord | None, FeedHead | None]:
            origin = convict(proof).origin
            head = work.feeds.head(origin)
            shown_by = peer if peer is not None and self._links.get(peer) is not None else None  # not by a file
            return keep_fork(work, by, self._gid, proof, alike(work.feeds, proof), shown_by), head

        fork, head = (await self._writer.run(keep)).value
        if fork is None or head is None:
            return
        self._forks[fork.origin] = KnownFork(fork.origin, head.circle, proof)
        name = "our own group" if fork.gid == self._gid else f"group {fork.gid}"
        log.error("FORK: %s has signed two histories of %s: see `aidmesh fork show %s`",
                  name, fork.origin, fork.id.hex)  # fmt: skip
        await self._stop_own(proof)
        # Peers that wait for news are told at once.
        self._publisher.wake_waiting()

    async def _stop_own(self, proof: ForkProof) -> None:
        """A feed of ours that was signed twice is signed no more: another copy of this node has, or has our key."""
        convicted = convict(proof)
        if convicted.gid == self._gid:
            for signed in (convicted.smaller, convicted.larger):
                await self._publisher.hear_checkpoint(signed, signed.note)


def _tells(head: FeedHead, shown: Checkpoint, peer: str) -> bool:
    """Whether a checkpoint can tell us anything, before a signature is checked for it."""
    for note in filter(None, (head.checkpoint, head.claimed)):
        known = parse_unverified(note)
        if known.size == shown.size:
            return known.root != shown.root
    # What a peer signed itself and we do not have yet it is about to send us.
    return shown.size < head.signed_size or head.owner != peer


def shared_heads(feeds: FeedReads, circles: Collection[bytes]) -> list[FeedHead]:
    """The feeds that a peer in these circles may see as well as we, and no other (SPEC §9.5a): those of the circles,
    and their writers' identities."""
    in_circles = [head for circle in sorted(circles) for head in feeds.heads(circle=circle)]
    writers = (feeds.head(identity_origin(gid)) for gid in sorted({head.owner for head in in_circles}))
    return [*(head for head in writers if head is not None), *in_circles]
