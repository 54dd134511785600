"""A hostile group: real keys of its own, a pairing that people confirmed, and then any bytes it likes.

Stands in the in-memory network where a node's federation stands. Signs what it wants to have signed, well-formed or not.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import EvidenceRow, FeedHead
from aidmesh_node.federation.intake import Pulled
from aidmesh_protocol import canonical, checkpoint, paths
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    CheckpointFrame,
    End,
    Frame,
    Ident,
    PackageFrame,
    PartFrame,
    Sizes,
    decode_bundle,
    encode_bundle,
    encode_frame,
)
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Part, Ref, SealedEntry
from aidmesh_protocol.feed import Package, package_stop
from aidmesh_protocol.identity import Inception, group_id, incept, next_key_hash
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.merkle import EMPTY_ROOT, Frontier, Node, consistency_proof, leaf_hash, subtree_reader
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash
from aidmesh_protocol.request_signing import sign_request
from aidmesh_protocol.statements import GroupDescribed, NeedShared, NeedView, Statement, seal
from aidmesh_protocol.terms import circle_id, sign_terms
from aidmesh_protocol.words import commitment, four_words
from tests.support.federation import Group, Mesh

NO_KEY = bytes(16)
HOUR = 498_728


@dataclass(slots=True)
class RawFeed:
    """A feed in the hand of its owner: any entry can be appended, any checkpoint and package made of it."""

    origin: str
    key: SigningKey
    sealed: list[SealedEntry] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    _frontiers: dict[int, Frontier] = field(default_factory=lambda: {0: Frontier.empty()})
    _nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def hash(self) -> bytes:
        return origin_hash(self.origin)

    @property
    def size(self) -> int:
        return len(self.sealed)

    def append(self, *sealed: SealedEntry | bytes) -> int:
        """Append entries (bare bytes: without parts). Returns the index of the last."""
        for each in sealed:
            whole = each if isinstance(each, SealedEntry) else SealedEntry(each, ())
            self.sealed.append(whole)
            self.leaves.append(leaf_hash(whole.entry))
        return self.size - 1

    def ref(self, index: int) -> Ref:
        return Ref(self.hash, index, self.leaves[index])

    def frontier(self, size: int) -> Frontier:
        known = max(each for each in self._frontiers if each <= size)
        grown, nodes = self._frontiers[known].extend(self.leaves[known:size])
        self._nodes.update({(node[0], node[1]): node[2] for node in map(_plain, nodes)})
        self._frontiers[size] = grown
        return grown

    def root(self, size: int | None = None) -> bytes:
        return self.frontier(self.size if size is None else size).root()

    def note(self, size: int | None = None, *, root: bytes | None = None, key: SigningKey | None = None) -> bytes:
        """A signed checkpoint, of the truth unless told otherwise."""
        size = self.size if size is None else size
        root = root or (self.root(size) if size else EMPTY_ROOT)
        return checkpoint.sign(Checkpoint(self.origin, size, root), key or self.key).note

    def proof(self, stop: int, size: int) -> tuple[bytes, ...]:
        self.frontier(size)
        reader = subtree_reader(lambda a, b: self.leaves[a:b], lambda level, index: self._nodes.get((level, index)))
        return tuple(consistency_proof(stop, size, reader)) if stop < size else ()

    def package(self, start: int, stop: int | None = None, size: int | None = None) -> Package:
        """Entries [start, stop) with their proof to `size`; the whole rest unless told otherwise."""
        size = self.size if size is None else size
        stop = package_stop(start, size) if stop is None else stop
        entries = tuple(each.entry for each in self.sealed[start:stop])
        return Package(self.hash, start, entries, self.proof(stop, size))

    def part(self, index: int, tag: str = FACTS) -> PartFrame:
        return PartFrame(self.hash, index, tag, dict(self.sealed[index].parts)[tag])

    def frames(self, start: int = 0, size: int | None = None, *, without: Iterable[tuple[int, str]] = ()) -> list[Frame]:
        """What an honest node would send from `start` on, but for the parts named in `without`."""
        size, left = self.size if size is None else size, set(without)
        frames: list[Frame] = [CheckpointFrame(self.note(size))]
        while start < size:
            stop = package_stop(start, size)
            frames.append(PackageFrame(self.package(start, stop, size)))
            for index in range(start, stop):
                frames += [self.part(index, tag) for tag, _ in self.sealed[index].parts if (index, tag) not in left]
            start = stop
        return frames


class RawPeer:
    """One hostile group. `pair` makes it a peer of a node; from then on it answers what `answers` says."""

    def __init__(self, mesh: Mesh, name: str = "mallory") -> None:
        self.mesh = mesh
        self.name = name
        self.random = random.Random(name)
        self.endpoint = f"http://{name}.test"
        self.key, self.witness, self.next = (SigningKey.from_seed(self.bytes(32)) for _ in range(3))
        inception = Inception(
            self.key.verify_key.raw, self.witness.verify_key.raw, self.bytes(32), next_key_hash(self.next.verify_key)
        )
        first = incept(inception, self.bytes(16), HOUR)
        self.gid = group_id(first.entry)
        self.identity = RawFeed(identity_origin(self.gid), self.key)
        self.identity.append(first, self.seal(GroupDescribed(name, (self.endpoint,)), subject=bytes(16)))
        self.circle = b""
        self.feed = RawFeed("", self.key)
        self.answers: list[bytes] | None = None
        self.asked: list[PeerRequest] = []
        self.woken = 0
        self._terms = b""

    def bytes(self, count: int) -> bytes:
        return self.random.randbytes(count)

    # Saying things.

    def seal(
        self, statement: Statement, *, subject: bytes | None = None, refs: Sequence[Ref] = (), hour: int = HOUR
    ) -> SealedEntry:
        """A statement as an entry, with fresh ids unless told otherwise."""
        return seal(
            statement,
            statement_id=self.bytes(16),
            subject_id=self.bytes(16) if subject is None else subject,
            hour=hour,
            refs=tuple(refs),
            part_keys=lambda: self.bytes(16),
        )

    def say(self, statement: Statement, *, subject: bytes | None = None, refs: Sequence[Ref] = ()) -> int:
        """Append a statement to the circle feed; its index."""
        return self.feed.append(self.seal(statement, subject=subject, refs=refs))

    def raw_entry(
        self,
        kind: str,
        facts: object = (),
        view: object = None,
        *,
        schema: int = 1,
        subject: bytes | None = None,
        refs: Sequence[Ref] = (),
        flags: int = 0,
        hour: int = HOUR,
    ) -> SealedEntry:
        """Any entry with any content of its parts: values are encoded canonically, bytes go in as they are."""
        bodies = [(tag, body) for tag, body in ((FACTS, facts), (VIEW, view)) if body is not None]
        parts = [
            Part(tag, self.bytes(16), body if isinstance(body, bytes) else canonical.encode(_listed(body)))
            for tag, body in bodies
        ]
        entry = Entry(
            kind,
            schema,
            self.bytes(16),
            self.bytes(16) if subject is None else subject,
            hour,
            tuple(part.header(kind, schema) for part in parts),
            tuple(refs),
            flags,
        )
        return SealedEntry(entry.encode(), tuple((part.tag, part.encode()) for part in parts))

    def need(self, item: str = "Tents", quantity: str = "5") -> SealedEntry:
        """A perfectly good need."""
        view = NeedView("shelter", item, "normal", None, None, None)
        return self.seal(NeedShared(quantity, "item", quantity, view))

    # Pairing, as the guest.

    def ident(self) -> Ident:
        feed = self.identity
        parts = tuple((index, tag, part) for index, each in enumerate(feed.sealed) for tag, part in each.parts)
        return Ident(feed.note(), 0, tuple(each.entry for each in feed.sealed), (), parts)

    async def meet(self, host: Group) -> tuple[str, ...]:
        """Redeem an invitation of `host`; the words both screens show."""
        text = str(host.federation.invite(None)["invitation"])
        invitation = _invitation(text)
        nonce = self.bytes(32)
        bundle = b"".join(encode_bundle([self.ident()]))
        hello = messages.Hello(invitation.secret, bundle, commitment(nonce))
        await host.federation.pair(messages.encode(hello))
        shown = messages.decode(
            await host.federation.pair(messages.encode(messages.Reveal(self.gid, invitation.secret, nonce)))
        )
        assert isinstance(shown, messages.RevealAnswer)
        self.mesh.network.nodes[self.endpoint] = self  # type: ignore[assignment]
        return four_words(self.gid, host.node.gid, nonce, shown.nonce)

    async def pair_with(self, host: Group) -> None:
        """The whole pairing: the host's people are deceived, the words are the same. Ends with an active link."""
        words = await self.meet(host)
        await host.federation.confirm(host.act("operator"), self.gid, words)
        link = host.federation.links.get(self.gid)
        assert link is not None and link.state == "active" and link.circle is not None
        self.circle = link.circle
        self.feed = RawFeed(circle_origin(self.gid, self.circle), self.key)
        await host.federation.publisher.publish()

    # The doors of a federation.

    async def pair(self, body: bytes) -> bytes:
        message = messages.decode(body)
        assert isinstance(message, messages.Sign)
        self._terms = message.terms
        assert circle_id(message.terms)
        return messages.encode(messages.SignAnswer(sign_terms(message.terms, self.gid, self.key)))

    def wake(self, request: PeerRequest) -> None:
        self.woken += 1

    async def sync(self, request: PeerRequest) -> AsyncIterator[bytes]:
        self.asked.append(request)
        for piece in self._honest(request.body) if self.answers is None else self.answers:
            yield piece

    def _honest(self, body: bytes) -> list[bytes]:
        held = {}
        for frame in decode_bundle(body, bytes_max=BUNDLE_BYTES_ONLINE_MAX):
            if isinstance(frame, Sizes):
                held = {hashed: size for hashed, size, _ in frame.feeds}
        return bundle(*self.feed.frames(held.get(self.feed.hash, 0)))

    # Hostile answers and requests.

    async def shows(self, group: Group, *frames: Frame | bytes) -> Pulled:
        """`group` pulls once and gets these frames (bytes: as they are) between magic and END. Raises as `pull`."""
        return await self.sends(group, *bundle(*frames))

    async def sends(self, group: Group, *pieces: bytes) -> Pulled:
        """`group` pulls once and gets exactly these bytes."""
        self.answers = list(pieces)
        try:
            return await self.pulled_by(group)
        finally:
            self.answers = None

    async def pulled_by(self, group: Group) -> Pulled:
        link = group.federation.links.get(self.gid)
        assert link is not None
        return await group.federation.replication.pull(link, 0)

    def request(
        self,
        group: Group,
        body: bytes | Iterable[Frame] = (),
        *,
        path: str = paths.SYNC,
        key: SigningKey | None = None,
        gid: str = "",
        destination: str = "",
        created: int | None = None,
        nonce: str = "",
    ) -> PeerRequest:
        """A signed request to `group`, good unless told otherwise."""
        data = body if isinstance(body, bytes) else b"".join(bundle(*body))
        headers = sign_request(
            method="POST",
            path=path,
            query="",
            body_sha256=sha256(data).digest(),
            key=key or self.key,
            gid=gid or self.gid,
            destination_gid=destination or group.node.gid,
            created=int(self.mesh.clock.now().timestamp()) if created is None else created,
            nonce=nonce or self.bytes(16).hex(),
        )
        return PeerRequest("POST", path, "", tuple(headers.items()), data)

    async def asks(self, group: Group, *frames: Frame) -> list[Frame]:
        """The frames of `group`'s answer to a good request with these frames. Raises ProtocolError."""
        return await send(group, self.request(group, [Ask(BUNDLE_BYTES_ONLINE_MAX, 0), *frames]))


async def send(group: Group, request: PeerRequest) -> list[Frame]:
    """The frames of `group`'s answer to a request. Raises ProtocolError."""
    pieces = [piece async for piece in group.federation.sync(request)]
    return decode_bundle(b"".join(pieces), bytes_max=BUNDLE_BYTES_ONLINE_MAX)


def bundle(*frames: Frame | bytes) -> list[bytes]:
    """Frames (bytes: already encoded, or no frame at all) as the pieces of one answer."""
    return [MAGIC, *(each if isinstance(each, bytes) else encode_frame(each) for each in frames), encode_frame(End())]


def raw_frame(payload: bytes, *, flags: int = 0, length: int | None = None) -> bytes:
    """A frame of any payload, with any flags and any stated length."""
    return (len(payload) if length is None else length).to_bytes(4, "big") + bytes((flags,)) + payload


async def evidence(group: Group, peer: str) -> list[EvidenceRow]:
    """Everything kept about the faults of one peer, oldest first."""
    return (await group.node.writer.run(lambda work: work.evidence.kept(peer))).value


async def head(group: Group, origin: str) -> FeedHead | None:
    """A feed as the group's node holds it."""
    return (await group.node.writer.run(lambda work: work.feeds.head(origin))).value


def _listed(body: object) -> canonical.Encodable:
    return list(body) if isinstance(body, tuple) else body  # type: ignore[return-value]


def _plain(node: Node) -> Node:
    return node


def _invitation(text: str):  # type: ignore[no-untyped-def]
    from aidmesh_protocol.invitation import parse

    return parse(text)
