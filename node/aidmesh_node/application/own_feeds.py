"""Appending to our own feeds: statements sealed into entries, in the transaction that moves the publication position.

Nothing here signs. If the process dies before COMMIT nothing was appended and the position has not moved; after it,
the rows are there and the publisher signs them when it may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aidmesh_node.application.arrival import Arrival
from aidmesh_node.application.entry_names import entry_name
from aidmesh_node.application.generations import generation_of
from aidmesh_node.application.inbox import answered, store_checkpoint
from aidmesh_node.application.ports import FeedHead, NewEntry, Work
from aidmesh_node.application.publication import NEVER_PUBLISHED, Outgoing, Publication
from aidmesh_node.domain.event import Event
from aidmesh_protocol.entry import VIEW, Entry, SealedEntry
from aidmesh_protocol.identity import identity_origin, origin_hash
from aidmesh_protocol.merkle import Frontier, leaf_hash
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.statements import ErasureAcknowledged, GroupDescribed, ShareAcknowledged, seal

PUBLISHED = "published"
"""Name of the position in our log up to which publication has decided."""

EVENTS_MAX = 500
"""Events decided on in one transaction: bounds the writer's pause, and one fsync serves them all."""

CAME_BACK = "came back"
"""Name of the position that counts our own entries that came back since the last recovery began."""

UNWRITTEN_EVENTS_MAX = 5_000
"""How far the stored position may lag: that many events are looked through again after a restart."""

GENERATION = 0
"""Of a feed that was never begun anew."""

EMPTY = Frontier.empty().encode()


def epoch_hour(at: datetime) -> int:
    """Whole hours since 1970: all an entry tells about time."""
    return max(0, int(at.timestamp()) // 3600)


def append_identity(work: Work, gid: str, inception: SealedEntry, description: SealedEntry) -> None:
    """The first two entries of our identity feed. Called once, by `init`."""
    head = open_feed(work, identity_origin(gid), gid, None)
    append(work, head, [(inception, None), (description, None)])


def describe(name: str, endpoints: Sequence[str], at: datetime, part_key: Callable[[], bytes]) -> SealedEntry:
    """What we say of ourselves in our identity feed: a name and where our node answers."""
    return seal(
        GroupDescribed(name, tuple(endpoints)),
        statement_id=part_key(),
        subject_id=bytes(16),
        hour=epoch_hour(at),
        part_keys=part_key,
    )


def open_feed(work: Work, origin: str, owner: str, circle: bytes | None, generation: int = GENERATION) -> FeedHead:
    """The feed's head, created empty when this node does not have it yet."""
    return work.feeds.open_feed(origin, origin_hash(origin), owner, circle, generation, EMPTY)


def open_circle_feed(work: Work, gid: str, circle: bytes) -> FeedHead:
    """What we say to this circle, in the feed that is written now."""
    generation = work.positions.get(generation_of(circle))
    return open_feed(work, circle_origin(gid, circle, generation), gid, circle, generation)


def given_up(name: str) -> str:
    """The position that says that an operator has gone on without a feed the mark knows (its origin's hash in hex)."""
    return f"given up:{name}"


def begin_anew(
    work: Work, publication: Publication, gid: str, head: FeedHead, generation: int, part_key: Callable[[], bytes]
) -> FeedHead:
    """Go on in a new feed, after one of which entries are known to be lost: SPEC §16.4. Restates what is open.

    What was appended and can have been seen by nobody is said there. Whatever dies in between: one transaction.
    """
    circle = head.circle
    assert circle is not None
    if head.size > head.signed_size:
        cut_back(work, publication, head, head.signed_size)
    root = Frontier.decode(head.frontier).root() if head.size == head.signed_size else _root(work, head)
    work.positions.put(generation_of(circle), generation)
    anew = open_circle_feed(work, gid, circle)
    batch = list(publication.begun_anew(work, circle, anew.generation, (head.generation, head.signed_size, root)))
    for place, outgoing in enumerate(batch):
        publication.placed(work, outgoing, place)
    append(work, anew, [(_sealed(outgoing, part_key), outgoing.statement_id) for outgoing in batch])
    return open_circle_feed(work, gid, circle)


def _root(work: Work, head: FeedHead) -> bytes:
    cut = work.feeds.head(head.origin)
    assert cut is not None
    return Frontier.decode(cut.frontier).root()


def append(work: Work, head: FeedHead, sealed: Sequence[tuple[SealedEntry, bytes | None]]) -> None:
    """Append entries, each with its statement id (None in the identity feed), in this transaction."""
    leaves = [leaf_hash(entry.entry) for entry, _ in sealed]
    frontier, nodes = Frontier.decode(head.frontier).extend(leaves)
    entries = [
        NewEntry(entry.entry, leaf, statement_id, entry.parts)
        for (entry, statement_id), leaf in zip(sealed, leaves, strict=True)
    ]
    work.feeds.append(head.feed, entries, frontier.encode(), frontier.size, nodes)


def take_back(work: Work, arrival: Arrival) -> None:
    """Store entries of our own that a peer has kept, verified, in the transaction that notes them as unread."""
    frontier, start = arrival.extension.feed.frontier, arrival.start
    if arrival.package.entries:
        unread = unread_of(arrival.feed)
        if not work.positions.get(unread):
            work.positions.put(unread, start + 1)
        work.positions.put(CAME_BACK, work.positions.get(CAME_BACK) + len(arrival.package.entries))
        columns = arrival.package.columns
        entries = []
        for place, (data, leaf) in enumerate(zip(arrival.package.entries, arrival.package.leaves, strict=True)):
            entry = Entry.decode(data)
            parts = [(tag, part) for tag, column in columns.items() if (part := column[place]) is not None]
            # The identity feed is not published from the log: nothing in it is looked for by its statement id.
            entries.append(NewEntry(data, leaf, None if entry.type.startswith("group.") else entry.statement_id, parts))
            if entry.type in (ShareAcknowledged.TYPE, ErasureAcknowledged.TYPE):
                for ref in entry.refs:
                    work.positions.put(answered(entry_name(ref.origin_hash, ref.index)), 1)
        work.feeds.append(arrival.feed, entries, frontier.encode(), frontier.size, arrival.extension.nodes)
    store_checkpoint(work, arrival.feed, arrival.checkpoint, frontier.size)


def unread_of(feed: int) -> str:
    """The position that says which entry of this feed of ours came back and was not read yet: its index + 1, or 0."""
    return f"unread:{feed}"


def cut_back(work: Work, publication: Publication, head: FeedHead, size: int) -> None:
    """Take entries nobody has seen, which were never let be signed, out of the way of those that were.

    What they said is decided on again: publication goes back to the first event that led to one of them.
    """
    assert head.circle is not None
    cut = {Entry.decode(data).statement_id for data in work.feeds.entries(head.feed, size, head.size)}
    leaves = Frontier.empty()
    for start in range(0, size, EVENTS_MAX):
        leaves, _ = leaves.extend(work.feeds.leaves(head.feed, start, min(size, start + EVENTS_MAX)))
    work.feeds.cut(head.feed, size, leaves.encode())
    position = after = 0
    while True:
        events = work.events_without(after, EVENTS_MAX, NEVER_PUBLISHED)
        for position, event in events:
            if isinstance(event, Event) and not cut.isdisjoint(publication.names(head.circle, event)):
                work.positions.put(PUBLISHED, min(work.positions.get(PUBLISHED), position - 1))
                return
        if not events:
            return
        after = position


def publish_some(
    work: Work, publication: Publication, gid: str, part_key: Callable[[], bytes], since: int = 0
) -> tuple[int, int]:
    """Decide on the next events of our log; the position reached, and how many events that were.

    Statements already in the feed are skipped: running this twice over the same events changes nothing. So `since`, a
    position this process has reached before, may be ahead of the stored one: events that lead to nothing move only the
    former, and cost no write.
    """
    stored = work.positions.get(PUBLISHED)
    position = max(stored, since)
    events = work.events_without(position, EVENTS_MAX, NEVER_PUBLISHED)
    batches: dict[bytes, list[tuple[SealedEntry, bytes | None]]] = {}
    withheld: dict[bytes, list[int]] = {}
    erased: dict[bytes, list[tuple[int, str]]] = {}
    for _, event in events:
        if event is None:
            continue
        assert isinstance(event, Event)
        for outgoing in publication.statements_for(work, event):
            batch = batches.setdefault(outgoing.circle, [])
            head = open_circle_feed(work, gid, outgoing.circle)
            taken = any(statement_id == outgoing.statement_id for _, statement_id in batch)
            if not taken and not _is_told(work, gid, head, outgoing.statement_id):
                publication.placed(work, outgoing, head.size + len(batch))
                batch.append((_sealed(outgoing, part_key), outgoing.statement_id))
            if outgoing.withhold is not None:
                withheld.setdefault(outgoing.circle, []).append(outgoing.withhold)
            erased.setdefault(outgoing.circle, []).extend(outgoing.erase)
    for circle, batch in batches.items():
        head = open_circle_feed(work, gid, circle)
        if batch:
            append(work, head, batch)
        # Last: a view shared and taken back since we last looked has only now become a row.
        work.feeds.withhold_parts(head.feed, withheld.get(circle, ()), VIEW)
        # SPEC §5.6a: with the statement that says so.
        for index, tag in erased.get(circle, ()):
            work.erasures.part(head.feed, index, tag)
    reached = events[-1][0] if events else position
    if any(event is not None for _, event in events) or reached - stored > UNWRITTEN_EVENTS_MAX:
        work.positions.put(PUBLISHED, reached)
    return reached, len(events)


def _is_told(work: Work, gid: str, head: FeedHead, statement_id: bytes) -> bool:
    """Whether it stands in this feed, or in one that it goes on from."""
    if work.feeds.holds_statement(head.feed, statement_id):
        return True
    if not head.generation:
        return False
    before = work.feeds.heads(owner=gid, circle=head.circle)
    return any(work.feeds.holds_statement(each.feed, statement_id) for each in before)


def _sealed(outgoing: Outgoing, part_key: Callable[[], bytes]) -> SealedEntry:
    return seal(
        outgoing.statement,
        statement_id=outgoing.statement_id,
        subject_id=outgoing.subject,
        hour=epoch_hour(outgoing.at),
        refs=outgoing.refs,
        part_keys=part_key,
    )
