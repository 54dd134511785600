"""A hostile group: real keys of its own, a pairing that people confirmed, and then any bytes it likes.

Stands in the in-memory network where a node's federation stands; signs what it likes, well-formed or not.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgpack

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import EvidenceRow, FeedHead
from aidmesh_node.federation.intake import Pulled
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    End,
    Frame,
    Ident,
    Sizes,
    decode_bundle,
    encode_bundle,
    encode_frame,
)
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Part, Ref, SealedEntry
from aidmesh_protocol.identity import Inception, group_id, incept, next_key_hash
from aidmesh_protocol.invitation import parse
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.origin import circle_origin, identity_origin
from aidmesh_protocol.request_signing import sign_request
from aidmesh_protocol.statements import GroupDescribed, NeedShared, NeedView, Statement, seal
from aidmesh_protocol.terms import sign_terms
from aidmesh_protocol.words import commitment, four_words
from tests.support.federation import DrivenClock, Group, Mesh
from tests.support.raw_feed import RawFeed
from tests.support.stories import on_board, post_need, share

HOUR = 498_728


class StillClock(DrivenClock):
    """Measured time stands still while `tick_seconds` is 0, so that a bucket empties."""

    tick_seconds = 0.1

    def monotonic(self) -> float:
        self._ticks += self.tick_seconds
        return self._ticks


class RawPeer:
    """One hostile group. `pair` makes it a peer of a node; from then on it answers what `answers` says."""

    def __init__(self, mesh: Mesh, name: str = "mallory") -> None:
        self.mesh = mesh
        self.name = name
        self.random = random.Random(name)
        self.endpoint = f"http://{name}.test"
        self.key, self.witness, self.next = (SigningKey.from_seed(self.draw(32)) for _ in range(3))
        inception = Inception(
            self.key.verify_key.raw, self.witness.verify_key.raw, self.draw(32), next_key_hash(self.next.verify_key)
        )
        first = incept(inception, self.draw(16), HOUR)
        self.gid = group_id(first.entry)
        self.identity = RawFeed(identity_origin(self.gid), self.key)
        self.identity.append(first, self.seal(GroupDescribed(name, (self.endpoint,)), subject=bytes(16)))
        self.circle = b""
        self.feed = RawFeed("", self.key)
        self.answers: list[bytes] | None = None
        self.asked: list[PeerRequest] = []
        self.woken = 0

    def draw(self, count: int) -> bytes:
        return self.random.randbytes(count)

    # Saying things.

    def seal(
        self, statement: Statement, *, subject: bytes | None = None, refs: Sequence[Ref] = (), hour: int = HOUR
    ) -> SealedEntry:
        """A statement as an entry, with fresh ids unless told otherwise."""
        return seal(
            statement,
            statement_id=self.draw(16),
            subject_id=self.draw(16) if subject is None else subject,
            hour=hour,
            refs=tuple(refs),
            part_keys=lambda: self.draw(16),
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
        """Any entry with any content of its parts: values are packed as they are, bytes are the content itself."""
        bodies = [(tag, body) for tag, body in ((FACTS, facts), (VIEW, view)) if body is not None]
        parts = [
            Part(tag, self.draw(16), body if isinstance(body, bytes) else msgpack.packb(body))
            for tag, body in bodies
        ]
        entry = Entry(
            kind,
            schema,
            self.draw(16),
            self.draw(16) if subject is None else subject,
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
        invitation = parse(text)
        nonce = self.draw(32)
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
            nonce=nonce or self.draw(16).hex(),
        )
        return PeerRequest("POST", path, "", tuple(headers.items()), data)

    async def asks(self, group: Group, *frames: Frame) -> list[Frame]:
        """The frames of `group`'s answer to a good request with these frames. Raises ProtocolError."""
        return await send(group, self.request(group, [Ask(BUNDLE_BYTES_ONLINE_MAX, 0), *frames]))


@dataclass(slots=True)
class Town:
    """Alice's group is attacked; bob's group is honest and goes on telling alice of its needs."""

    mesh: Mesh
    alice: Group
    bob: Group
    _told: int = 0

    async def mallory(self, name: str = "mallory") -> RawPeer:
        """A hostile peer of alice's group."""
        peer = RawPeer(self.mesh, name)
        await peer.pair_with(self.alice)
        return peer

    async def good_news(self, group: Group | None = None) -> bool:
        """Whether the next need of bob's group still becomes visible at alice's (or another peer of bob's)."""
        group = group or self.alice
        link = self.bob.federation.links.get(group.node.gid)
        assert link is not None and link.circle is not None
        self._told += 1
        item = f"Lamps {self._told}"
        await share(self.bob, await post_need(self.bob, 3, item), link.circle)
        await self.bob.federation.publisher.publish()
        back = group.federation.links.get(self.bob.node.gid)
        assert back is not None
        await group.federation.replication.pull(back, 0)
        return item in {need["item"] for need in (await on_board(group)).values()}


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """Alice's and bob's groups, paired, each with a running node."""
    mesh = Mesh(folder)
    mesh.clock = StillClock()
    async with mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        yield Town(mesh, alice, bob)


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
