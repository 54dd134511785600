"""Appending to our own feeds: statements sealed into entries, in the transaction that moves the publication position.

Nothing here signs. If the process dies before COMMIT nothing was appended and the position has not moved; after it,
the rows are there and the publisher signs them when it may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aidmesh_node.application.ports import FeedHead, NewEntry, Work
from aidmesh_node.application.publication import NEVER_PUBLISHED, Outgoing, Publication
from aidmesh_node.domain.event import Event
from aidmesh_protocol.entry import VIEW, SealedEntry
from aidmesh_protocol.identity import identity_origin, origin_hash
from aidmesh_protocol.merkle import Frontier, leaf_hash
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.statements import GroupDescribed, seal

PUBLISHED = "published"
"""Name of the position in our log up to which publication has decided."""

EVENTS_MAX = 500
"""Events decided on in one transaction: bounds the writer's pause, and one fsync serves them all."""

UNWRITTEN_EVENTS_MAX = 5_000
"""How far the stored position may lag: that many events are looked through again after a restart."""

GENERATION = 0
"""Generations beyond the first come with recovery and changing circles."""

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


def open_feed(work: Work, origin: str, owner: str, circle: bytes | None) -> FeedHead:
    """The feed's head, created empty when this node does not have it yet."""
    return work.feeds.open_feed(origin, origin_hash(origin), owner, circle, GENERATION, EMPTY)


def open_circle_feed(work: Work, gid: str, circle: bytes) -> FeedHead:
    """What we say to this circle."""
    return open_feed(work, circle_origin(gid, circle, GENERATION), gid, circle)


def append(work: Work, head: FeedHead, sealed: Sequence[tuple[SealedEntry, bytes | None]]) -> None:
    """Append entries, each with its statement id (None in the identity feed), in this transaction."""
    leaves = [leaf_hash(entry.entry) for entry, _ in sealed]
    frontier, nodes = Frontier.decode(head.frontier).extend(leaves)
    entries = [
        NewEntry(entry.entry, leaf, statement_id, entry.parts)
        for (entry, statement_id), leaf in zip(sealed, leaves, strict=True)
    ]
    work.feeds.append(head.feed, entries, frontier.encode(), frontier.size, nodes)


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
            if not taken and not work.feeds.holds_statement(head.feed, outgoing.statement_id):
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


def _sealed(outgoing: Outgoing, part_key: Callable[[], bytes]) -> SealedEntry:
    return seal(
        outgoing.statement,
        statement_id=outgoing.statement_id,
        subject_id=outgoing.subject,
        hour=epoch_hour(outgoing.at),
        refs=outgoing.refs,
        part_keys=part_key,
    )
