"""A hostile group: real keys of its own, a pairing that people confirmed, and then any bytes it likes.

Stands in the in-memory network where a node's federation stands; signs what it likes, well-formed or not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import EvidenceRow, FeedHead
from aidmesh_node.federation.intake import Pulled
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    End,
    Frame,
    Sizes,
    decode_bundle,
    encode_frame,
)
from aidmesh_protocol.entry import Ref
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.request_signing import sign_request
from aidmesh_protocol.statements import Statement
from tests.support.federation import DrivenClock, Group, Mesh
from tests.support.raw_feed import RawFeed
from tests.support.raw_group import RawGroup
from tests.support.stories import on_board, post_need, share


class StillClock(DrivenClock):
    """Measured time stands still while `tick_seconds` is 0, so that a bucket empties."""

    tick_seconds = 0.1

    def monotonic(self) -> float:
        self._ticks += self.tick_seconds
        return self._ticks


class RawPeer(RawGroup):
    """One hostile group in a mesh. `pair_with` makes it a peer of a node; then it answers what `answers` says."""

    def __init__(self, mesh: Mesh, name: str = "mallory") -> None:
        super().__init__(name, f"http://{name}.test")
        self.mesh = mesh
        self.circle = b""
        self.feed = RawFeed("", self.key)
        self.answers: list[bytes] | None = None
        self.asked: list[PeerRequest] = []
        self.woken = 0

    def say(self, statement: Statement, *, subject: bytes | None = None, refs: Sequence[Ref] = ()) -> int:
        """Append a statement to the circle feed; its index."""
        return self.feed.append(self.seal(statement, subject=subject, refs=refs))

    async def meet(self, host: Group) -> tuple[str, ...]:
        """Redeem an invitation of `host`; the words both screens show."""
        invitation = str(host.federation.invite(None)["invitation"])
        words = await self.redeem(invitation, host.federation.pair)
        self.mesh.network.nodes[self.endpoint] = self  # type: ignore[assignment]
        return words

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
    kept: list[object] = field(default_factory=list)
    """What must not end before the story does."""
    _told: int = 0

    @property
    def with_bob(self) -> bytes:
        """The circle of alice's and bob's groups."""
        link = self.alice.federation.links.get(self.bob.node.gid)
        assert link is not None and link.circle is not None
        return link.circle

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
