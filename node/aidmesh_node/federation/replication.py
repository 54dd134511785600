"""Following peers at our own pace: one task a peer, each with its own backoff, none waiting for another.

A pull that finds nothing is held by the peer until there is something, so news arrives at once; a wake only says
"look" to a peer that is not on the line. Every wait, answer and retry has a bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from math import inf
from typing import TypeVar

from aidmesh_node.application import inbox
from aidmesh_node.application.ports import Readers, Reading, Work, Writer
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.clock import Clock
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.gossip import Gossip
from aidmesh_node.federation.gossip_heard import GossipHeard
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.intake import Intake, Pulled
from aidmesh_node.federation.links import Link, Links
from aidmesh_node.federation.own_intake import OwnIntake
from aidmesh_node.federation.peer_client import PeerClient, PeerRefused, Unreachable
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.pull import ask_for_news, read_answer
from aidmesh_node.federation.recovery import OwnRecovery
from aidmesh_node.federation.sender import Sender
from aidmesh_node.federation.waiting import first_of
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import Frame
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.request_signing import sign_request
from aidmesh_protocol.statements import EVERYTHING, Vocabulary

log = logging.getLogger(__name__)

T = TypeVar("T")

HELD_SECONDS = 20
"""How long we let a peer hold our question until it has news."""

BACKOFF_SECONDS_MIN = 0.5
BACKOFF_SECONDS_MAX = 300.0
"""After failures we wait longer each time, up to this, so that a dead peer costs next to nothing."""

QUIET_SECONDS_MIN = 0.5
"""From one answer that brought nothing to the next question, so that a peer cannot keep us busy with nothing."""

NEWS_PAUSE_SECONDS = 0.002
"""From news to the next question: first our own people see it. What the peer says meanwhile comes together."""

BATCH_PAUSE_SECONDS = 0.001
"""After a full batch of entries was interpreted: the writer is everybody's, and who waited for it meanwhile does not
share a transaction with the next batch. Showing what came in bulk waits by itself: see views/projector.py."""

WOKEN_SECONDS_MIN = 0.1
"""From a failure to the next question even of a peer that wakes us, so that nobody can make us fail all the time."""

WAKE_ANSWER_BYTES_MAX = 4096


@dataclass(slots=True)
class Contact:
    """How it stands with one peer, for people and for backoff."""

    last: datetime | None = None
    failures: int = 0
    backoff_seconds: float = 0.0
    trouble: str = ""
    at_fault: bool = False
    """The last answer was wrong, not late: the peer cannot talk us out of waiting."""
    unreachable: bool = False
    """The last try found nobody: worth another as soon as the peer speaks to us."""
    clock_ahead_seconds: int | None = None
    """How far their clock was ahead of ours when they last said what time it is."""
    spoke: float = -inf
    """When the peer last asked us something, on the clock that only goes on."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """There is reason not to wait any longer. What is said while a pull is under way counts when it has failed."""

    def is_back(self) -> None:
        """Whom we could not reach has spoken. It may be a moment until they hear us: the backoff begins anew."""
        self.failures = 0
        self.woken.set()


class Replication:
    """Pulls from every active link, and wakes peers that are not waiting."""

    def __init__(
        self,
        gid: str,
        key: SigningKey,
        writer: Writer,
        readers: Readers[Reading],
        links: Links,
        known: Identities,
        publisher: Publisher,
        gossip: Gossip,
        client: PeerClient,
        clock: Clock,
        entropy: Entropy,
        recovery: OwnRecovery,
        vocabulary: Vocabulary = EVERYTHING,
    ) -> None:
        self.recovery = recovery
        self._gid = gid
        self._vocabulary = vocabulary
        self._key = key
        self._writer = writer
        self._readers = readers
        self._links = links
        self._identities = known
        self._publisher = publisher
        self._gossip = gossip
        self._client = client
        self._clock = clock
        self._entropy = entropy
        self._contacts: dict[str, Contact] = {}
        self.arrived = asyncio.Event()
        """Set whenever a pull has brought something: a file may wait for it."""

    def contact(self, gid: str) -> Contact:
        """How it stands with one peer."""
        return self._contacts.setdefault(gid, Contact())

    def wake(self, gid: str) -> None:
        """The peer says there is something new: look now, whatever the backoff, unless its last answer was at fault."""
        contact = self.contact(gid)
        if not contact.at_fault:
            contact.woken.set()

    def is_there(self, gid: str) -> None:
        """The peer has just spoken to us: whom we could not reach is worth trying now. Whoever refused us is not:
        two nodes that refuse each other would wake each other for ever."""
        contact = self.contact(gid)
        contact.spoke = self._clock.monotonic()
        if contact.unreachable:
            contact.is_back()

    async def follow(self, gid: str) -> None:
        """Pull from one peer for ever. Ends only by cancellation."""
        contact = self.contact(gid)
        while True:
            link = self._links.get(gid)
            if link is None or link.state != "active":
                return
            begun = self._clock.monotonic()
            contact.woken.clear()
            try:
                pulled = await self.pull(link, HELD_SECONDS)
            except (Unreachable, PeerRefused, ProtocolError, Unavailable) as error:
                self._failed(link.name, contact, error)
                if contact.unreachable and contact.spoke >= begun:
                    contact.is_back()
            else:
                self._succeeded(link.name, contact, pulled)
                if pulled.entries:
                    self.arrived.set()
                    await self._clock.sleep(NEWS_PAUSE_SECONDS)
                elif self._clock.monotonic() - begun < QUIET_SECONDS_MIN:
                    # An honest peer holds its answer until it has something to say.
                    await self._clock.sleep(QUIET_SECONDS_MIN)
            if contact.backoff_seconds:
                await self._pause(contact)

    async def pull(self, link: Link, wait_seconds: int) -> Pulled:
        """One exchange, then interpretation. Raises Unreachable, PeerRefused, ProtocolError, Unavailable."""
        # What was left when the process died, or when the disk was full: the peer may hold our question for long.
        sender, came_back = self._links.sender(link.gid), 0
        await self.interpret(sender)
        if self._publisher.recovering:
            came_back = await self.recovery.ask(link, partial(self._ask_own, link))
            if not self.recovery.has_heard(link):
                wait_seconds = 0  # what it has said by now is what our own words are read beside
        body, gossiped = await ask_for_news(self._readers, link.gid, sender, wait_seconds, self._gossip)
        intake = self._intake(sender)
        try:
            pulled = await self._over_endpoints(
                link, lambda endpoint: self._exchange(link, endpoint, body, wait_seconds, intake)
            )
            self._gossip.told(link.gid, gossiped)
            if self._publisher.recovering:
                await self.recovery.heard_all_of(link, pulled)
            pulled.entries += came_back
            return pulled
        finally:
            if intake.pulled.clock_ahead_seconds is not None:
                self.contact(link.gid).clock_ahead_seconds = intake.pulled.clock_ahead_seconds
            # Also what came before the line broke.
            await self.interpret(sender)
            if intake.pulled.entries:
                self._links.announce()

    async def take_file(self, frames: AsyncIterator[Frame]) -> tuple[Pulled, ProtocolError | None]:
        """Take in the frames of a file, as those of an answer: what it brought, and why not all of it was read; what
        was complete before that is kept. Raises Unavailable."""
        sender, broken = self._links.file(), None
        intake = self._intake(sender)
        try:
            async for frame in frames:
                await intake.take(frame)
        except ProtocolError as error:
            broken = error
        finally:
            await intake.cut_short()
            await self.interpret(sender)
            if intake.pulled.entries:
                self._links.announce()
        return intake.pulled, broken

    def _intake(self, sender: Sender, kind: type[Intake] = Intake) -> Intake:
        return kind(
            self._gid, sender, self._writer, self._readers, self._identities, self._publisher,
            GossipHeard(self._gossip, sender.name), self._clock, self._interpretation,
        )  # fmt: skip

    async def _ask_own(self, link: Link, body: bytes) -> Pulled:
        intake = self._intake(self._links.sender(link.gid), OwnIntake)
        return await self._over_endpoints(link, lambda endpoint: self._exchange(link, endpoint, body, 0, intake))

    async def interpret(self, sender: Sender) -> None:
        """Interpret whatever has not been of the feeds this sender may bring, unless we are recovering."""
        if self._publisher.recovering:
            return
        for head in self._readers.run_now(lambda reading: reading.feeds.heads()):
            ours = head.owner == self._gid or head.circle not in sender.circles
            more = not ours and head.folded < head.size
            while more:
                job = self._interpretation(head.origin)
                more = job is not None and (await self._writer.run(job)).value
                if more:
                    await self._clock.sleep(BATCH_PAUSE_SECONDS)

    def _interpretation(self, origin: str) -> Callable[[Work], bool] | None:
        """The job that interprets the next entries of one feed, None while we are recovering."""
        if self._publisher.recovering:
            return None
        return partial(inbox.interpret, origin=origin, at=self._clock.now(), vocabulary=self._vocabulary)

    async def send_wake(self, link: Link) -> None:
        """Tell a peer that is not on the line that we have news. Best effort: it is only a hint.

        One whose last answer was wrong is not told: each hint would bring another such answer.
        """
        if not (self._links.is_waiting(link.gid) or self.contact(link.gid).at_fault):
            # Otherwise it will pull when it can.
            with suppress(Unreachable, PeerRefused):
                await self._over_endpoints(link, partial(self._wake, link))

    async def _wake(self, link: Link, endpoint: str, nonce: str | None = None) -> None:
        headers = self._signed(paths.WAKE, link.gid, b"", nonce)
        try:
            await self._client.post(endpoint, paths.WAKE, headers, b"", bytes_max=WAKE_ANSWER_BYTES_MAX)
        except PeerRefused as refused:
            if not self._replaces_time(refused, nonce):
                raise
            await self._wake(link, endpoint, refused.nonce)

    async def _exchange(
        self, link: Link, endpoint: str, body: bytes, wait_seconds: int, intake: Intake, nonce: str | None = None
    ) -> Pulled:
        headers = self._signed(paths.SYNC, link.gid, body, nonce)
        try:
            async with self._client.stream(endpoint, paths.SYNC, headers, body, wait_seconds=wait_seconds) as stream:
                return await read_answer(intake, stream)
        except PeerRefused as refused:
            if not self._replaces_time(refused, nonce):
                raise
            return await self._exchange(link, endpoint, body, wait_seconds, intake, refused.nonce)

    def _replaces_time(self, refused: PeerRefused, nonce: str | None) -> bool:
        """Their clock and ours differ, or they have just started: their nonce replaces the time, once."""
        return refused.code == "clock_skew" and refused.nonce is not None and nonce is None

    async def _over_endpoints(self, link: Link, ask: Callable[[str], Awaitable[T]]) -> T:
        failure: Exception = Unreachable(f"{link.name} has told us no address")
        for endpoint in link.endpoints:
            try:
                return await ask(endpoint)
            except Unreachable as error:
                failure = error
        raise failure

    def _signed(self, path: str, destination: str, body: bytes, nonce: str | None) -> dict[str, str]:
        return sign_request(
            method="POST",
            path=path,
            query="",
            body_sha256=sha256(body).digest(),
            key=self._key,
            gid=self._gid,
            destination_gid=destination,
            created=int(self._clock.now().timestamp()),
            nonce=nonce or self._entropy.secret_text(18),
        )

    def _failed(self, name: str, contact: Contact, error: Exception) -> None:
        contact.failures += 1
        contact.trouble = trouble_of(error)
        contact.at_fault = isinstance(error, ProtocolError)
        contact.unreachable = isinstance(error, Unreachable)
        steps = min(contact.failures - 1, 16)
        longest = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_MIN * 2**steps)
        # Jitter, so that peers who lost each other together do not come back together.
        contact.backoff_seconds = longest * (0.5 + int.from_bytes(self._entropy.bytes(2), "big") / 131072)
        why = error.code if isinstance(error, PeerRefused | ProtocolError) else type(error).__name__
        log.info("pull from %s failed (%s), next try in %.1f s", name, why, contact.backoff_seconds)

    def _succeeded(self, name: str, contact: Contact, pulled: Pulled) -> None:
        contact.last = self._clock.now()
        contact.at_fault = contact.unreachable = False
        contact.trouble = trouble_of(pulled.refused[0]) if pulled.refused else ""
        contact.failures = contact.failures + 1 if pulled.refused else 0
        contact.backoff_seconds = 0.0
        if pulled.refused:
            self._failed(name, contact, pulled.refused[0])

    async def _pause(self, contact: Contact) -> None:
        """Wait out the backoff, or until the peer wakes us."""
        await self._clock.sleep(min(WOKEN_SECONDS_MIN, contact.backoff_seconds))
        await first_of(self._clock.sleep(contact.backoff_seconds), contact.woken.wait())


def trouble_of(error: Exception) -> str:
    """What people are told of a try that failed. That a program is too old is what only they can change."""
    if isinstance(error, ProtocolError):
        if error.code == "upgrade_required":
            return (
                "They say something that takes a newer aidmesh than this node runs: update it, and it is fetched again."
            )
        return error.detail
    if isinstance(error, PeerRefused) and error.code == "upgrade_required":
        return "Their node says that ours is too old for it: update aidmesh here, and it is asked again."
    return str(error)
