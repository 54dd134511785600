"""Everything between this node and its peers, in one place: the doors peers knock at, and the tasks that follow them.

Framework-free: the HTTP rim translates, tests call it directly. One peer's trouble stays in that peer's task.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from aidmesh_node.application.deadlines import Deadlines
from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.refused import Refused
from aidmesh_node.federation.bundles import Bundles
from aidmesh_node.federation.gossip import Gossip
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.ledger import Ledger
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.pairing import EXPIRY_HOURS_DEFAULT, Pairing
from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from aidmesh_node.federation.peer_rates import PeerRates
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.replication import Replication
from aidmesh_node.federation.request_auth import RequestAuth
from aidmesh_node.federation.serve import SyncServer
from aidmesh_node.federation.waiting import first_of
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import origin_hash
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX, PAIRING_BYTES_MAX, SYNC_BODY_BYTES_MAX

log = logging.getLogger(__name__)

VERSIONS = (1,)

PUBLISH = "publish"
"""The task that publishes."""

STORE_PAUSE_SECONDS = 0.005
"""From serving a signature to storing it."""

SIGNATURE_RETRY_SECONDS = 2.0
"""How often a confirmed pairing asks whether the other side has confirmed too."""


@dataclass(slots=True)
class Federation:
    """The parts, and the tasks that keep them going between `start` and `stop`."""

    gid: str
    publisher: Publisher
    links: Links
    identities: Identities
    pairing: Pairing
    gossip: Gossip
    replication: Replication
    server: SyncServer
    ledger: Ledger
    auth: RequestAuth
    rates: PeerRates
    deadlines: Deadlines
    bundles: Bundles
    clock: Clock
    endpoints: tuple[str, ...]
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _along: set[asyncio.Task[None]] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self) -> None:
        """Read links and identities, compare mark and rows. Nothing runs by itself yet."""
        await self.links.refresh()
        await self.identities.load_all()
        await self.publisher.start([link.circle for link in self.links.active() if link.circle])
        await self.gossip.load()
        await self.replication.recovery.begin()

    def start(self) -> None:
        """Publish, follow every active link, finish pairings, let go of what nobody answers: until `stop`."""
        self.replication.recovery.wake = self._send_wakes
        self._run(PUBLISH, self._publish_always())
        self._run("lapse", self._lapse_always())
        self._run("links", self._mind_links())
        self._run("files", self.bundles.read_kept_always())
        # Peers that gave up on us should look now: until they ask, we do not know what they have seen of us.
        self._send_wakes()

    async def stop(self) -> None:
        """End all tasks; what was accepted stays."""
        self.server.close()
        tasks = [*self._tasks.values(), *self._along]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        with suppress(Unavailable):
            # Else the peers say it at their next question.
            await self.ledger.store()

    def news(self) -> None:
        """Our log has grown: look whether something is to be published. Call on the event loop's thread."""
        self._changed.set()

    # The doors.

    @property
    def recovering(self) -> str:
        """Why this node signs nothing until its entries are recovered, or ""."""
        return self.publisher.recovering

    def well_known(self) -> dict[str, object]:
        """GET /.well-known/aidmesh."""
        return {"gid": self.gid, "versions": list(VERSIONS)}

    def info(self) -> dict[str, object]:
        """GET /aidmesh/1/info: versions, limits, our time."""
        return {
            "gid": self.gid,
            "versions": list(VERSIONS),
            "time": int(self.clock.now().timestamp()),
            "limits": {
                "sync_body_bytes": SYNC_BODY_BYTES_MAX,
                "bundle_bytes": BUNDLE_BYTES_ONLINE_MAX,
                "pairing_bytes": PAIRING_BYTES_MAX,
            },
        }

    async def sync(self, request: PeerRequest) -> AsyncIterator[bytes]:
        """POST /aidmesh/1/sync: the answer's pieces. Raises ProtocolError before the first piece, or not at all."""
        peer = self._admit(request)
        async with aclosing(self.server.answer(peer, request.body)) as pieces:
            async for piece in pieces:
                yield piece

    def wake(self, request: PeerRequest) -> None:
        """POST /aidmesh/1/wake: the peer says "look". Raises ProtocolError."""
        self.replication.wake(self._admit(request))

    async def pair(self, body: bytes, source: str = "") -> bytes:
        """POST /aidmesh/1/pair: one pairing question from an address. Raises ProtocolError, Refused."""
        if len(body) > PAIRING_BYTES_MAX:
            raise ProtocolError("too_large", f"a pairing message has at most {PAIRING_BYTES_MAX} bytes")
        self.rates.spend_pairing(source)
        answer = await self.pairing.answer(body)
        self._changed.set()
        return answer

    # What our own commands let leave.

    def publish_along(self) -> None:
        """See PeerDoors. Only a running node does; else whoever drives it publishes when they want."""
        if PUBLISH in self._tasks and self.publisher.goes_along:
            task = asyncio.create_task(self._serve_along(), name="aidmesh-publish-along")
            self._along.add(task)
            task.add_done_callback(self._along.discard)

    # What operators do about peers.

    def invite(self, hours: int | None) -> dict[str, object]:
        """{invitation, expires}: a new invitation for another group. Raises Refused."""
        text, expires = self.pairing.invite(self.endpoints, hours or EXPIRY_HOURS_DEFAULT)
        return {"invitation": text, "expires": expires}

    async def accept(self, by: Act, invitation: str) -> dict[str, object]:
        """{gid, name, state, words}: redeem another group's invitation. Raises Refused, Unavailable."""
        try:
            return await self.pairing.accept(by, invitation)
        except Unreachable as error:
            raise Unavailable(
                "peer_unreachable",
                f"The other group's node did not answer: {error}.",
                "Check that it is running and that the address in the invitation can be reached from here.",
            ) from error
        except PeerRefused as error:
            raise Refused(
                "pairing_refused", f"The other group's node said no: {error.detail}.", "Ask for a new invitation."
            ) from error

    async def confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """{gid, name, state}: our people say that the four words are the same. Raises Refused, NotFound, MovedOn."""
        try:
            answer = await self.pairing.confirm(by, gid, words, versions)
        except PeerRefused as error:
            log.info("the other side has not taken our signature yet: %s", error.code)
            answer = {"gid": gid, "state": "pending"}
        self._changed.set()
        return answer

    async def try_invite(self, hours: int | None) -> dict[str, object]:
        """See PeerDoors."""
        hours = hours or EXPIRY_HOURS_DEFAULT
        self.pairing.check_invite(self.endpoints, hours)
        return {"addresses": list(self.endpoints), "expires_hours": hours}

    async def try_accept(self, invitation: str) -> dict[str, object]:
        """See PeerDoors."""
        found = self.pairing.usable(invitation)
        return {"gid": found.gid, "addresses": list(found.endpoints)}

    async def try_confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """See PeerDoors."""
        return {"gid": gid, **await self.pairing.try_confirm(by, gid, words, versions)}

    def health(self, gid: str) -> dict[str, object]:
        """How it stands with one peer: {last_contact, reachable, backoff_seconds, trouble, acknowledged,
        clock_ahead_seconds}; the last one None where nobody knows."""
        contact = self.replication.contact(gid)
        link = self.links.get(gid)
        feed = origin_hash(self.publisher.origin_to(link.circle)) if link and link.circle else None
        return {
            "last_contact": contact.last,
            "reachable": contact.failures == 0 and contact.last is not None,
            "backoff_seconds": round(contact.backoff_seconds, 1),
            "trouble": contact.trouble,
            "clock_ahead_seconds": contact.clock_ahead_seconds,
            "acknowledged": self.links.acknowledged_by(gid, feed) if feed else 0,
        }

    async def store_disclosures(self) -> None:
        """See PeerDoors."""
        await self.ledger.store()

    def recovery(self) -> dict[str, object]:
        """See PeerDoors."""
        return self.replication.recovery.status()

    async def begin_anew(self, by: Act) -> None:
        """See PeerDoors."""
        await self.replication.recovery.override(by)
        self._changed.set()

    def standing(self) -> dict[str, object]:
        """How it stands with our own feeds: {standing, standing_reason, signing, unsigned_feeds}."""
        reason = self.publisher.recovering
        unsigned = self.publisher.unsigned
        return {
            "standing": "recovering" if reason else "active",
            "standing_reason": reason,
            "signing": not reason and not unsigned,
            "unsigned_feeds": unsigned,
        }

    def _admit(self, request: PeerRequest) -> str:
        if len(request.body) > SYNC_BODY_BYTES_MAX:
            raise ProtocolError("too_large", f"a request has at most {SYNC_BODY_BYTES_MAX} bytes")
        peer = self.auth.verify(request)
        self.links.require_active(peer)
        self.rates.spend(peer)
        self.replication.is_there(peer)
        return peer

    # The tasks.

    def _run(self, name: str, work: Coroutine[object, object, None]) -> None:
        self._tasks[name] = asyncio.create_task(self._supervised(name, work), name=f"aidmesh-{name}")
        # One that is cancelled before its first step has never begun its work.
        self._tasks[name].add_done_callback(lambda _: work.close())

    async def _supervised(self, name: str, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Exception:
            # The top of a task: our bug is logged whole, the other peers' tasks go on, and this one is started anew
            # by the minder.
            log.exception("task %s failed", name)
        finally:
            if self._tasks.get(name) is asyncio.current_task():
                del self._tasks[name]

    async def _publish_always(self) -> None:
        while True:
            self._changed.clear()
            if await self.publisher.serve_news(if_behind=True):
                self._send_wakes()
            if self.publisher.unstored:
                # First it goes out: storing the signature now would only keep peers waiting.
                await self.clock.sleep(STORE_PAUSE_SECONDS)
                await self.publisher.store()
            await self._changed.wait()

    async def _serve_along(self) -> None:
        try:
            if await self.publisher.serve_along():
                self._send_wakes()
        except Unavailable as error:
            log.warning("publishing along with a command: %s", error)
        except Exception:
            # The top of a task, as in `_supervised`.
            log.exception("publishing along with a command failed")
        # The task that publishes goes on from there: stores what is served, tries again what failed.
        self._changed.set()

    def _send_wakes(self) -> None:
        """One task a peer, and one at a time: who does not answer keeps neither the others nor our connections."""
        for link in self.links.active():
            if (name := f"wake {link.gid}") not in self._tasks:
                self._run(name, self.replication.send_wake(link))

    async def _lapse_always(self) -> None:
        await self.deadlines.run(lambda: not self.publisher.recovering)

    async def lapse(self) -> int:
        """What time ends; not while recovering, when answers may be among what was lost."""
        return 0 if self.publisher.recovering else await self.deadlines.keep()

    async def _mind_links(self) -> None:
        while True:
            self.links.changed.clear()
            for link in self.links.all():
                name = f"follow {link.gid}"
                if link.state == "active" and name not in self._tasks:
                    self._run(name, self.replication.follow(link.gid))
                elif link.state == "pending" and link.confirmed and f"sign {link.gid}" not in self._tasks:
                    # A task of its own: a peer that does not answer must not keep the others waiting.
                    self._run(f"sign {link.gid}", self._try_signatures(link.gid))
            if PUBLISH not in self._tasks:
                self._run(PUBLISH, self._publish_always())
            if "lapse" not in self._tasks:
                self._run("lapse", self._lapse_always())
            if "files" not in self._tasks:
                self._run("files", self.bundles.read_kept_always())
            with suppress(Unavailable):
                await self.ledger.store()
            await first_of(self.clock.sleep(SIGNATURE_RETRY_SECONDS), self.links.changed.wait())

    async def _try_signatures(self, gid: str) -> None:
        try:
            await self.pairing.exchange_signatures(gid)
        except (Unreachable, PeerRefused, ProtocolError) as error:
            log.info("pairing not finished yet: %s", type(error).__name__)
