"""What the HTTP rim may ask of the federation: the doors peers knock at, and what operators do about peers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
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

    async def confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """{gid, name, state}: our people say that the four words are the same, looking at the link at one of
        `versions` (None: any). Raises Refused, NotFound, MovedOn."""
        ...

    async def try_invite(self, hours: int | None) -> dict[str, object]:
        """{addresses, expires_hours}: what an invitation made now would say; none is made. Raises Refused."""
        ...

    async def try_accept(self, invitation: str) -> dict[str, object]:
        """{gid, addresses}: whom accepting would ask, and where; nobody is asked. Raises Refused."""
        ...

    async def try_confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """A dry run of `confirm`: nothing is signed for good, and nobody is told. Raises as it does."""
        ...

    def health(self, gid: str) -> Mapping[str, object]:
        """{last_contact, reachable, backoff_seconds, trouble, acknowledged, clock_ahead_seconds} of one peer.
        Raises nothing."""
        ...

    async def store_disclosures(self) -> None:
        """Write down which parts went to whom, as far as that was not done yet. Raises Unavailable."""
        ...

    def recovery(self) -> Mapping[str, object]:
        """{feeds: [{peer, held, known, confirmed}], unknown_feeds}: what is missing of our own. Raises nothing."""
        ...

    async def begin_anew(self, by: Act) -> None:
        """An operator goes on without what is missing, in new feeds. Raises Refused when nothing is."""
        ...

    def standing(self) -> Mapping[str, object]:
        """{standing, standing_reason, signing, unsigned_feeds} of our own feeds. Raises nothing."""
        ...
