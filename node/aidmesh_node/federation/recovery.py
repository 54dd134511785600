"""Out of RECOVERING: fetch our own entries from our peers, tell our log of them, be confirmed, go on. SPEC §16.3.

Runs along with replication, peer by peer; every step is durable by itself and may be done again. While it lasts our
people work on: what they record waits in the log, and leaves when it is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from aidmesh_node.application import own_feeds, retelling
from aidmesh_node.application.generations import generation_of
from aidmesh_node.application.mark import MarkFile
from aidmesh_node.application.ports import FeedHead, Readers, Reading, Work, Writer
from aidmesh_node.application.publication import Publication
from aidmesh_node.application.subject_ids import SubjectIds
from aidmesh_node.clock import Clock
from aidmesh_node.domain import own_feed
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.peer_link import SEVERED
from aidmesh_node.domain.recovery import BEGUN_ANEW, RECOVERED, Recovery
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.intake import Pulled
from aidmesh_node.federation.links import Link, Links
from aidmesh_node.federation.own_intake import ask_for_own
from aidmesh_node.federation.own_standing import OwnFeed, judged
from aidmesh_node.federation.publisher import PART_KEY_BYTES, Publisher
from aidmesh_node.federation.tree_reading import root_at
from aidmesh_protocol.checkpoint import parse_unverified
from aidmesh_protocol.origin import circle_origin, origin_hash, parse_origin

log = logging.getLogger(__name__)

PULLS_MAX = 1_000
"""Answers of one peer in a row that bring entries of ours: 32 GiB, which nobody has."""

Exchange = Callable[[bytes], Awaitable[Pulled]]


@dataclass(slots=True)
class OwnRecovery:
    """`heard`: peers whose own words were pulled to their end since we are whole: only then can ours be read."""

    gid: str
    writer: Writer
    readers: Readers[Reading]
    mark: MarkFile
    publisher: Publisher
    publication: Publication
    ids: SubjectIds
    links: Links
    clock: Clock
    entropy: Entropy
    wake: Callable[[], None] = lambda: None
    """Asks our peers to look: what they say in requests of their own is what confirms us."""
    _heard: set[str] = field(default_factory=set)
    _going_on: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Note that it has begun, once; take what nobody can have seen out of the way of what was signed."""
        if not self.publisher.recovering:
            return
        marks = self.mark.read() or {}
        known = max((value.log for value in marks.values()), default=0)
        at, reason = self.clock.now(), self.publisher.recovering
        feeds = self.publisher.recovering_feeds()

        def begin(work: Work) -> list[FeedHead]:
            before = retelling.current(work, self.gid)
            if before is None or before.is_over:
                number = work.positions.get(retelling.RECOVERIES) + 1
                by = Act(self.entropy.uuid(), at, None, NODE)
                work.commit(
                    Recovery.begin(by, self.gid, number, reason=reason, log_position=work.position, log_known=known)
                )
                work.positions.put(retelling.RECOVERIES, number)
                work.positions.put(own_feeds.CAME_BACK, 0)
                # Views, pages and live streams of the lost log must not take this one for its continuation.
                work.positions.begin_anew()
            return [self._cut(work, feed) for feed in feeds]

        await self.publisher.reread((await self.writer.run(begin)).value)
        await self._open_lost()

    def _cut(self, work: Work, feed: OwnFeed) -> FeedHead:
        """What we appended after a snapshot came back, and nobody can have seen, makes room for what was signed."""
        head = work.feeds.head(feed.head.origin)
        assert head is not None
        size = own_feed.unseen_from(signed_size=head.signed_size, mark=judged(feed.mark))
        contradicts = head.claimed is not None and head.claimed_size > head.signed_size
        came_back = work.positions.get(own_feeds.unread_of(head.feed))
        if not feed.in_order or not contradicts or came_back or head.circle is None or head.size <= size:
            return head
        own_feeds.cut_back(work, self.publication, head, size)
        cut = work.feeds.head(head.origin)
        assert cut is not None
        return cut

    async def _open_lost(self) -> None:
        """Feeds the mark or a peer knows, of circles we know: begin with none of their entries."""
        marks = self.mark.read() or {}
        circles = [link.circle for link in self.links.all() if link.circle]
        found = dict[bytes, int]()
        for name in self.publisher.lost:
            for circle in circles:
                if name in marks:
                    generation = marks[name].generation
                    if origin_hash(circle_origin(self.gid, circle, generation)).hex() == name:
                        found[circle] = max(found.get(circle, 0), generation)
                elif name.startswith("aidmesh/") and (known := parse_origin(name)).circle == circle:
                    found[circle] = max(found.get(circle, 0), known.generation)

        def open_found(work: Work) -> list[FeedHead]:
            for circle, generation in found.items():
                if generation > work.positions.get(generation_of(circle)):
                    work.positions.put(generation_of(circle), generation)
            return [own_feeds.open_circle_feed(work, self.gid, circle) for circle in found]

        if found:
            opened = (await self.writer.run(open_found)).value
            await self.publisher.reread(opened)
            self._close_earlier(opened)

    async def ask(self, link: Link, exchange: Exchange) -> int:
        """Fetch what this peer keeps of our own feeds: how many entries that were. Raises as a pull does."""
        await self.begin()
        came = 0
        for _ in range(PULLS_MAX):
            heads = [head for head in self._heads() if head.circle in (None, link.circle)]
            pulled = await exchange(ask_for_own(heads))
            await self.publisher.reread(self._heads())
            came += pulled.entries
            if not pulled.entries:
                break
        return came

    def has_heard(self, link: Link) -> bool:
        """Whether what this peer said was pulled to its end since our own entries are asked for."""
        return link.gid in self._heard

    async def heard_all_of(self, link: Link, pulled: Pulled) -> None:
        """What this peer said itself was pulled: go on as far as it goes."""
        if not pulled.more and not pulled.refused:
            self._heard.add(link.gid)
        await self.go_on()
        if self.publisher.recovering:
            self.wake()

    async def go_on(self) -> None:
        """Read what came back once it is whole, and end when everything is back and confirmed."""
        async with self._going_on:
            await self._go_on()

    async def _go_on(self) -> None:
        feeds = self.publisher.recovering_feeds()
        if not feeds or self.publisher.lost or not all(map(self._is_whole, feeds)):
            return
        if not await self._read():
            return
        if all(own_feed.is_confirmed(feed.confirmed, self._audience(feed)) for feed in feeds):
            await self._end()

    def _audience(self, feed: OwnFeed) -> set[bytes]:
        """The circles that have to confirm it, each of which is one other group so far."""
        circles = {link.circle for link in self.links.all() if link.circle and link.state != SEVERED}
        return circles if feed.head.circle is None else circles & {feed.head.circle}

    def _heads(self) -> list[FeedHead]:
        origins = {feed.head.origin for feed in self.publisher.recovering_feeds()}
        heads = self.readers.run_now(lambda reading: reading.feeds.heads(owner=self.gid))
        return [head for head in heads if head.origin in origins]

    def _is_whole(self, feed: OwnFeed) -> bool:
        def check(reading: Reading) -> bool:
            head = reading.feeds.head(feed.head.origin)
            assert head is not None
            note = head.claimed
            known = parse_unverified(note) if note else None
            shown = [(known.size, known.root)] if known else []
            return own_feed.has_all(
                root_at=lambda size: root_at(reading.feeds, head, size), mark=judged(feed.mark), shown=shown
            )

        return self.readers.run_now(check)

    async def _read(self) -> bool:
        """Tell our log of what came back; False while a peer's words are missing that ours may answer."""
        waiting = self.readers.run_now(self._unread)
        if not waiting:
            return True
        circles = {head.circle for head in waiting}
        members = [link for link in self.links.active() if link.circle in circles]
        if any(link.gid not in self._heard for link in members):
            return False
        await self._tell((await self.writer.run(self._since)).value)
        return True

    async def _tell(self, since: int) -> None:
        all_circles = [head.circle for head in self._own_circles() if head.circle]
        memory = await self.readers.run(
            lambda reading: retelling.remember(reading.events, self.ids, all_circles, since)
        )
        tell = partial(retelling.retell, gid=self.gid, memory=memory, at=self.clock.now())
        while (await self.writer.run(tell)).value:
            pass
        await self.publisher.reread(self._heads())

    def _unread(self, reading: Reading) -> list[FeedHead]:
        heads = reading.feeds.heads(owner=self.gid)
        return [head for head in heads if reading.position_of(own_feeds.unread_of(head.feed))]

    def _own_circles(self) -> list[FeedHead]:
        heads = self.readers.run_now(lambda reading: reading.feeds.heads(owner=self.gid))
        return [head for head in heads if head.circle is not None]

    def _since(self, work: Work) -> int:
        recovery = retelling.current(work, self.gid)
        return recovery.log_position if recovery is not None else work.position

    def _close_earlier(self, heads: Iterable[FeedHead]) -> None:
        for head in heads:
            for each in self._own_circles():
                if each.circle == head.circle and each.generation < head.generation:
                    self.publisher.closed(each)

    def status(self) -> dict[str, object]:
        """How it stands with each feed that is not whole: {peer, held, known, confirmed}, and what is lost."""
        names = {link.circle: link.name for link in self.links.all()}
        return {
            "feeds": [
                {
                    "peer": names.get(feed.head.circle) if feed.head.circle else None,
                    "held": feed.head.size,
                    "known": self._known_size(feed),
                    "confirmed": own_feed.is_confirmed(feed.confirmed, self._audience(feed)),
                }
                for feed in self.publisher.recovering_feeds()
            ],
            "unknown_feeds": len(self.publisher.lost),
        }

    def _known_size(self, feed: OwnFeed) -> int:
        """How many entries are known to have been signed, or are here."""
        head = self.readers.run_now(lambda reading: reading.feeds.head(feed.head.origin)) or feed.head
        marked = feed.mark.size if feed.mark is not None else 0
        return max(head.size, head.claimed_size, marked)

    async def override(self, by: Act) -> None:
        """An operator goes on without what is not here: new feeds, in which what is open is said again.

        Raises Refused when nothing is missing."""
        async with self._going_on:
            feeds, lost = self.publisher.recovering_feeds(), list(self.publisher.lost)
            if not feeds and not lost:
                raise Refused("not_recovering", "This node lacks nothing: there is nothing to decide.")
            await self.begin()
            known = {feed.head.origin: self._known_size(feed) for feed in feeds}
            await self._tell(since=(await self.writer.run(self._since)).value)
            begun = (await self.writer.run(partial(self._begin_anew, by=by, known=known, lost=lost))).value
            for name in lost:
                self.publisher.lost.pop(name, None)
            await self.publisher.reread(begun)
            self._close_earlier(begun)
            self._heard.clear()
            self.publisher.recovered()
        log.warning("an operator has decided to go on without what is not here; new feeds are begun")
        await self.publisher.publish()

    def _begin_anew(self, work: Work, by: Act, known: dict[str, int], lost: list[str]) -> list[FeedHead]:
        retelling.answer(work, self.gid, by.at)
        begun = []
        for feed in self.publisher.recovering_feeds():
            head = work.feeds.head(feed.head.origin)
            if head is None or head.circle is None or head.generation < work.positions.get(generation_of(head.circle)):
                continue
            missing = known.get(head.origin, 0) - head.size
            if missing > 0:
                link = next((link for link in self.links.all() if link.circle == head.circle), None)
                retelling.ask_people(
                    work, self.gid, by.at, "orphaned", "",
                    f"{missing} statements to {link.name if link else 'another group'} are not here any more. Ask them "
                    "what they know of them, and enter again what still holds.",
                )  # fmt: skip
            marked = feed.mark.generation if feed.mark is not None else 0
            generation = own_feed.next_generation(known=max(head.generation, marked), seconds=int(by.at.timestamp()))
            key = partial(self.entropy.bytes, PART_KEY_BYTES)
            begun.append(own_feeds.begin_anew(work, self.publication, self.gid, head, generation, key))
        for name in lost:
            work.positions.put(own_feeds.given_up(name), 1)
            retelling.ask_people(
                work, self.gid, by.at, "orphaned", "",
                "This group has spoken to a group that is not known here any more. If you remember which, pair again, "
                "and enter again what still holds.",
            )  # fmt: skip
        retelling.end(work, self.gid, by, BEGUN_ANEW)
        return begun

    async def _end(self) -> None:
        at = self.clock.now()

        def end(work: Work) -> None:
            retelling.answer(work, self.gid, at)
            retelling.end(work, self.gid, Act(self.entropy.uuid(), at, None, NODE), RECOVERED)

        await self.writer.run(end)
        self._heard.clear()
        self.publisher.recovered()
        log.warning("everything this group has signed is back; this node goes on")
        await self.publisher.publish()
