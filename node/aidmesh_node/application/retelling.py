"""After a restore: our own words that came back and our peers' words, told to our log again in a possible order.

What a side said about a pledge answers what the other side had said. So each feed is read as far as it goes, in turns,
and what seems impossible waits for the others. Nothing is answered by itself before all is read. Each call is one
transaction; if the process dies in between, the next start goes on from the feeds' positions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aidmesh_node.application import inbox
from aidmesh_node.application.hearing import answer_by_itself
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.own_feeds import CAME_BACK, unread_of
from aidmesh_node.application.pledges import changing
from aidmesh_node.application.ports import EventLog, FeedHead, Subject, SubjectTaken, Work
from aidmesh_node.application.recovered import Known, apply_own, read_own
from aidmesh_node.application.subject_ids import SubjectIds
from aidmesh_node.domain.act import AGAIN, NODE, RECOVERED, ROLES, Act
from aidmesh_node.domain.event import Event
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import GIVER, Pledge
from aidmesh_node.domain.recovery import Recovery
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.errors import ProtocolError

ENTRIES_MAX = 64
"""Entries of our own read in one transaction, each of which costs as much as a command."""

EVENTS_PAGE = 1_000

RECOVERIES = "recoveries"
"""The position that counts how often this node was restored."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What this database has, read once before its own words are told to it: by name, and what people changed since
    the recovery began."""

    known: Known
    changed: Collection[UUID]


def remember(events: EventLog, ids: SubjectIds, circles: Collection[bytes], since: int) -> Memory:
    """Every name our things have or would have in these circles. Reads the whole log: not for the writer's thread."""
    kinds: dict[type[Event], str] = {Need.Posted: "need", Offer.Posted: "offer", Pledge.Offered: "pledge"}
    known, changed, position = dict[tuple[bytes, bytes], Subject](), set[UUID](), 0
    reopened = dict[UUID, Need | Offer]()
    while page := events.select(position, EVENTS_PAGE):
        for position, event in page:
            assert isinstance(event, Event)  # every event of our log is one
            kind, thing = kinds.get(type(event)), event.originator_id
            if kind is not None and not (isinstance(event, Pledge.Offered) and event.side != GIVER):
                for circle in circles:
                    name = ids.subject(circle, thing)
                    known[circle, name] = Subject(circle, name, kind, thing)
            if isinstance(event, Need.Reopened | Offer.Reopened):
                kind = "need" if isinstance(event, Need.Reopened) else "offer"
                again: Need | Offer = reopened.setdefault(thing, _loaded(events, thing))
                for circle in circles:
                    name = ids.subject(circle, again.name_at(event.originator_version))
                    known[circle, name] = Subject(circle, name, kind, thing)
            if position > since and event.role in ROLES:
                changed.add(thing)
    return Memory(known, changed)


def _loaded(events: EventLog, thing: UUID) -> Need | Offer:
    aggregate: Need | Offer | None = None
    for event in events.stream(thing):
        assert isinstance(event, Event)
        aggregate = event.mutate(aggregate)
    assert aggregate is not None
    return aggregate


def current(work: Work, gid: str) -> Recovery | None:
    """The recovery that is under way, or was last."""
    number = work.positions.get(RECOVERIES)
    return work.find(Recovery, Recovery.id_of(gid, number)) if number else None


def unread(work: Work, gid: str) -> list[tuple[FeedHead, int]]:
    """Our own feeds with entries that came back and were not read, and the first of those."""
    heads = [(head, work.positions.get(unread_of(head.feed))) for head in work.feeds.heads(owner=gid)]
    return [(head, index - 1) for head, index in heads if index]


def retell(work: Work, gid: str, memory: Memory, at: datetime) -> bool:
    """Tell the log the next of what came back. True while there is more."""
    ours = unread(work, gid)
    if not ours:
        return False
    theirs = [head for head in work.feeds.heads() if head.circle is not None and head.owner != gid]
    told = [_tell_ours(work, gid, head, index, memory, at) for head, index in ours]
    heard = [inbox.interpret(work, head.origin, at, role=AGAIN, patient=True) for head in theirs]
    if any(told) or any(heard):
        return True
    for head in theirs:
        # Nobody goes on: what a peer says next is impossible indeed, or answers what is lost. Evidence, and one at a
        # time, since the others may have waited for what follows it.
        if head.folded < head.size and inbox.quarantine_next(work, head.origin, at):
            return True
    for head, index in ours:
        if index < head.size:
            _give_up(work, gid, head, index, at)
            return True
    for head, _ in ours:
        work.positions.put(unread_of(head.feed), 0)
    return False


def answer(work: Work, gid: str, at: datetime) -> None:
    """What our node would have said by itself to what it heard again, and has not said."""
    recovery = current(work, gid)
    position = recovery.log_position if recovery else work.position
    heard = dict[UUID, None]()
    while page := work.events_after(position, EVENTS_PAGE):
        position = page[-1][0]
        heard |= {
            event.originator_id: None
            for _, event in page
            if isinstance(event, Pledge.Event | Pledge.Offered) and event.role in (AGAIN, RECOVERED)
        }
    for pledge_id in heard:
        cause = work.get(Pledge, pledge_id).heard_at
        by = Act(inbox.act_id("heard", cause or pledge_id.hex), at, None, NODE, cause=cause)
        with changing(work, by, pledge_id) as pledge:
            answer_by_itself(work, by, pledge)


def _tell_ours(work: Work, gid: str, head: FeedHead, start: int, memory: Memory, at: datetime) -> bool:
    """Entries of one feed of ours until one has to wait; whether any was read."""
    if head.circle is None:
        work.positions.put(unread_of(head.feed), head.size + 1)
        return start < head.size
    reached = start
    for index in range(start, min(head.size, start + ENTRIES_MAX)):
        try:
            own = read_own(work, head, index)
            with work.attempt():
                thing = apply_own(work, own, memory.known)
        except (ProtocolError, Refused, NotFound, LookupError, SubjectTaken):
            break
        if thing is not None and thing in memory.changed:
            ask_people(
                work, gid, at, "changed_twice", thing.hex,
                f"Since the restore somebody has changed this, and what came back says {own.entry.type} about it. "
                "Look whether it still says what is true.",
            )  # fmt: skip
        reached = index + 1
    work.positions.put(unread_of(head.feed), reached + 1)
    return reached > start


def _give_up(work: Work, gid: str, head: FeedHead, index: int, at: datetime) -> None:
    ((data, _, _),) = work.feeds.held(head.feed, index, index + 1)
    kind = inbox.type_of(data)
    ask_people(
        work, gid, at, "not_understood", "",
        f"Your group has told others {kind} (entry {index} of {head.origin}), and what it is about is not here. "
        "Ask the group you share this with what they know of it.",
    )  # fmt: skip
    work.positions.put(unread_of(head.feed), index + 2)


def ask_people(work: Work, gid: str, at: datetime, kind: str, thing: str, words: str) -> None:
    """Leave something to a coordinator, while a recovery is under way."""
    recovery = current(work, gid)
    if recovery is not None:
        by = Act(inbox.act_id("task", f"{recovery.id.hex} {kind} {thing} {words}"), at, None, NODE)
        recovery.leave_to_people(by, kind, thing, words)
        work.commit(recovery)


def end(work: Work, gid: str, by: Act, how: str) -> None:
    """The recovery is over: what came back is counted, and by that what did not."""
    recovery = current(work, gid)
    if recovery is None or recovery.is_over:
        return
    records, position = 0, recovery.log_position
    while page := work.events_after(position, EVENTS_PAGE):
        position = page[-1][0]
        records += sum(isinstance(event, Event) and event.role in (AGAIN, RECOVERED) for _, event in page)
    recovery.end(by, how, statements=work.positions.get(CAME_BACK), records=records)
    work.commit(recovery)
