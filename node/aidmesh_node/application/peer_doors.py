"""What the HTTP rim may ask of the federation: the doors peers knock at, and what operators do about peers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aidmesh_node.domain.act import Act


@dataclass(frozen=True, slots=True)
class PeerRequest:
    """A peer's request as received: raw path and query, every header line, the whole body."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class PeerDoors(Protocol):
    """Implemented by the federation. Every call may raise ProtocolError unless it says otherwise."""

    @property
    def recovering(self) -> str:
        """Why this node signs nothing until its entries are recovered, or "". Raises nothing."""
        ...

    def well_known(self) -> dict[str, object]:
        """GET /.well-known/aidmesh. Raises nothing."""
        ...

    def info(self) -> dict[str, object]:
        """GET /aidmesh/1/info. Raises nothing."""
        ...

    def sync(self, request: PeerRequest) -> AsyncIterator[bytes]:
        """POST /aidmesh/1/sync: the pieces of the answer; raises before the first piece or not at all."""
        ...

    def wake(self, request: PeerRequest) -> None:
        """POST /aidmesh/1/wake."""
        ...

    async def pair(self, body: bytes, source: str = "") -> bytes:
        """POST /aidmesh/1/pair: one pairing question; `source` is the address it came from. Raises Refused too."""
        ...

    def publish_along(self) -> None:
        """A command is about to be handed to the writer: what it lets leave may go into the same transaction."""
        ...

    def invite(self, hours: int | None) -> dict[str, object]:
        """{invitation, expires}: a new invitation for another group. Raises Refused."""
        ...

    async def accept(self, by: Act, invitation: str) -> dict[str, object]:
        """{gid, name, state, words}: redeem another group's invitation. Raises Refused, Unavailable."""
        ...

    async def confirm(self, by: Act, gid: str, words: Sequence[str]) -> dict[str, object]:
        """{gid, name, state}: our people say that the four words are the same. Raises Refused, NotFound."""
        ...

    def health(self, gid: str) -> Mapping[str, object]:
        """{last_contact, reachable, backoff_seconds, trouble, acknowledged} of one peer. Raises nothing."""
        ...

    def standing(self) -> Mapping[str, object]:
        """{standing, standing_reason, signing, unsigned_feeds} of our own feeds. Raises nothing."""
        ...
