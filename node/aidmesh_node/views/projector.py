"""The one thread that keeps the views up with the log and the foreign feeds.

Start, running and `views rebuild` are the same code: read what comes after the tracked positions, apply it,
move the positions, all in one transaction, until nothing is left. Doing it twice changes nothing; a crash
anywhere means that the last transaction is done again. Rows projected from another history are dropped and
projected anew.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar, cast
from uuid import UUID

from aidmesh_node.application import ports
from aidmesh_node.application.ports import Reading
from aidmesh_node.domain.event import Event, event_id
from aidmesh_node.views import tracking
from aidmesh_node.views.arrivals import Arrivals
from aidmesh_node.views.database import ViewDatabase
from aidmesh_node.views.foreign_feeds import ForeignFeeds
from aidmesh_node.views.projection import Projection
from aidmesh_node.views.tracking import LOG, START, Tracked
from aidmesh_protocol.statements import EVERYTHING, Vocabulary

EVENTS_MAX = 500
"""Events of one transaction: enough to make its cost small, few enough to be visible within some 50 ms."""

LOAD_EVENTS = 4
LOAD_PAUSE_SECONDS = 0.05
"""After more events than this at once the next transaction waits a little, so that it carries more: under load a
transaction for every few events would cost more than the events. A quiet node is shown at once."""

BULK_LOOK_SECONDS = 0.1
BULK_LOOKS_MAX = 20
"""While a peer's feed arrives faster than it is shown, or is interpreted, that goes first: what is stored is safe, what
is interpreted may be an answer that somebody waits for, and two threads at once would cost the interpreter a third
more. A first part shows at once, more of it after so many looks, all the rest as soon as a look finds it quiet. Our own
events are never kept waiting by it."""

POLL_SECONDS = 1.0
"""Nothing is lost when nobody notifies; it is only seen later."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Where snapshots of the log and the feeds come from: storage's readers."""

    def run_now(self, read: Callable[[Reading], T]) -> T:
        """`read` a snapshot on the calling thread."""


class Projector:
    """Owns the views' writing connection. `gid` is our own group, whose feeds say nothing that our log does
    not.
    """

    def __init__(self, source: Source, database: ViewDatabase, gid: str, vocabulary: Vocabulary = EVERYTHING) -> None:
        self._source = source
        self._database = database
        self._reading: Reading | None = None
        self._projection = Projection(database.connection, self._stream, vocabulary)
        self._feeds = ForeignFeeds(database.connection, self._projection, gid)
        self._tracked: dict[int, Tracked] | None = None
        self._incarnation = b""
        self._arrivals = Arrivals()
        self._followers: tuple[Callable[[], None], ...] = ()
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._halt = threading.Event()
        self._own_news = threading.Event()
        self._caught_up = False
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="aidmesh-views", daemon=True)

    @property
    def position(self) -> int:
        """The log position that queries see; 0 until the first transaction."""
        return self._arrivals.position

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there at start has been projected once."""
        return self._caught_up

    @property
    def failed(self) -> Exception | None:
        """Why the views stand still, None while they move. They try again by themselves."""
        return self._failed

    def start(self) -> None:
        """Begin to follow the log, from wherever the views are."""
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Finish the running transaction and end the thread."""
        self._stopping = True
        self._halt.set()
        self._own_news.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def notify(self, position: int = 0) -> None:
        """Something was committed, the log ends here; returns at once. For any thread."""
        if position > self.position:
            self._own_news.set()
        self._wake.set()

    async def wait(self, position: int, timeout_seconds: float) -> bool:
        """Whether the views show the log up to `position`, now or within the time given."""
        return await self._arrivals.wait(position, timeout_seconds)

    def follow(self, told: Callable[[], None]) -> None:
        """Call this, on whatever thread projects, each time that lists show something else than before."""
        self._followers = (*self._followers, told)

    def unfollow(self, told: Callable[[], None]) -> None:
        """No longer."""
        self._followers = tuple(one for one in self._followers if one != told)

    def catch_up(self) -> None:
        """Project all there is, on this thread. Raises what a transaction raised, which left nothing."""
        with self._turn:
            while self._project() and not self._stopping:
                pass
            self._leave_nothing_behind()

    def rebuild(self) -> None:
        """Forget everything and project it again."""
        with self._turn:
            self._database.begin()
            self._start_anew()
            self._database.commit()
        self.catch_up()

    def _run(self) -> None:
        while True:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            if self._stopping:
                return
            before = self.position
            try:
                self._keep_up()
            except Exception as error:
                # The thread's top: the same trouble every second is worth one entry in the log.
                known, self._failed = self._failed, error
                if repr(error) != repr(known):
                    logger.exception("the views stand still; they try again")
            if self.position - before > LOAD_EVENTS:
                self._halt.wait(LOAD_PAUSE_SECONDS)

    def _keep_up(self) -> None:
        """As `catch_up`, but leaves the interpreter to a feed that arrives in bulk."""
        more = True
        while more and not self._stopping:
            with self._turn:
                more = self._project()
            if more and self._feeds.in_bulk:
                self._let_it_come()
        with self._turn:
            self._leave_nothing_behind()

    def _leave_nothing_behind(self) -> None:
        """After an erasure the WAL must not keep what rows held before. With a reader in the way: at the next look."""
        if self._projection.erased and self._database.empty_wal():
            self._projection.forget_erased()

    def _let_it_come(self) -> None:
        for _ in range(BULK_LOOKS_MAX):
            if self._own_news.wait(BULK_LOOK_SECONDS):
                return
            with self._turn:
                if not self._source.run_now(lambda reading: self._feeds.look(reading.feeds)):
                    return

    def _project(self) -> bool:
        # Before the snapshot is taken: what sets it afterwards is not in there.
        self._own_news.clear()
        return self._source.run_now(self._transaction)

    def _transaction(self, reading: Reading) -> bool:
        """Project the next events and entries of this snapshot; True when there are more."""
        self._reading = reading
        self._database.begin()
        try:
            tracked, anew = self._follow(reading)
            before = dict(tracked)
            more = self._project_log(reading, tracked)
            ours = tracked != before
            more = self._feeds.project(reading.feeds, tracked, lambda: ours or self._own_news.is_set()) or more
            late = self._feeds.look_for_late_views(reading.feeds)
            moved = {feed: now for feed, now in tracked.items() if now != before.get(feed)}
            shown = self._projection.flush(reading.incarnation, moved, tracked.get(LOG, START).position)
            for feed, now in moved.items():
                tracking.move(self._database.connection, feed, reading.incarnation, now)
            if anew or late or tracked != before:
                self._database.commit()
            else:
                self._database.rollback()
        except BaseException:
            self._database.rollback()
            self._forget()
            raise
        finally:
            self._reading = None
        self._tracked = tracked
        self._failed = None
        self._caught_up = self._caught_up or not more
        self._arrivals.reach(tracked.get(LOG, START).position)
        if shown or anew:
            for told in self._followers:
                told()
        return more

    def _project_log(self, reading: Reading, tracked: dict[int, Tracked]) -> bool:
        # Every event of our log is one of the domain's.
        events = cast(list[tuple[int, Event]], reading.events.follow(tracked.get(LOG, START).position, EVENTS_MAX))
        self._projection.events(event for _, event in events)
        if events:
            self._projection.changed_by(events)
            position, last = events[-1]
            tracked[LOG] = Tracked(position, event_id(last))
        return len(events) == EVENTS_MAX

    def _follow(self, reading: Reading) -> tuple[dict[int, Tracked], bool]:
        """The positions to go on from, and whether the views had to be started anew."""
        known, self._incarnation = self._incarnation, reading.incarnation
        if self._tracked is not None:
            tracked = dict(self._tracked)
            if known == self._incarnation and self._reaches(reading, tracked):
                return tracked, False
        else:
            incarnation, tracked = tracking.load(self._database.connection)
            if incarnation is None:
                return {}, False
            if incarnation == reading.incarnation and self._same_history(reading, tracked):
                return tracked, False
            logger.warning("the views were of another history of the log; they are built anew")
        self._start_anew()
        return {}, True

    def _reaches(self, reading: Reading, tracked: dict[int, Tracked]) -> bool:
        """Whether the log and the feeds are as long as what was projected of them."""
        sizes = {head.feed: head.size for head in self._feeds.heads(reading.feeds)}
        sizes[LOG] = reading.events.max_position()
        return all(now.position <= sizes.get(feed, 0) for feed, now in tracked.items())

    def _same_history(self, reading: Reading, tracked: dict[int, Tracked]) -> bool:
        """Whether log and feeds still hold, where we stopped, what we projected last."""
        if not self._reaches(reading, tracked):
            return False
        for feed, now in tracked.items():
            if feed == LOG:
                ((_, last),) = reading.events.select(now.position - 1, 1)
                found = _name(last)
            else:
                (found,) = reading.feeds.leaves(feed, now.position - 1, now.position)
            if found != now.landmark:
                return False
        return True

    def _start_anew(self) -> None:
        self._database.reset()
        self._forget()

    def _forget(self) -> None:
        self._projection.forget()
        self._feeds.forget()
        self._tracked = None

    def _stream(self, id: UUID) -> list[ports.Event]:
        assert self._reading is not None  # set for as long as events are projected
        return self._reading.events.stream(id)


def _name(event: ports.Event) -> bytes:
    assert isinstance(event, Event)  # every event of our log is one
    return event_id(event)
