"""Which parts of our own feed can be erased because of something we shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from aidmesh_node.application.ports import FeedHead, Work
from aidmesh_node.domain.event import Event
from aidmesh_protocol.entry import ERASABLE_TAGS, Entry
from aidmesh_protocol.limits import ERASED_PARTS_MAX

Parts = tuple[tuple[int, str], ...]


def stream_of(work: Work, event: Event) -> list[Event]:
    """All events of the aggregate that this one is about."""
    stream = work.events_of(event.originator_id)
    return [each for each in stream if isinstance(each, Event)]


def erasable(work: Work, head: FeedHead, statement_ids: Iterable[bytes]) -> Iterator[tuple[bytes, Parts]]:
    """(subject, parts) of these statements, as many a time as one statement may erase. Those that were erased already
    stay in: saying it again does no harm, and a restored feed may have forgotten that it said so."""
    by_subject: dict[bytes, list[tuple[int, str]]] = {}
    indexes = sorted(
        index for name in statement_ids if (index := work.feeds.statement_index(head.feed, name)) is not None
    )
    for index in indexes:
        entry = Entry.decode(work.feeds.entries(head.feed, index, index + 1)[0])
        parts = by_subject.setdefault(entry.subject_id, [])
        parts += [(index, tag) for tag in ERASABLE_TAGS if entry.part(tag) is not None]
    for subject, parts in by_subject.items():
        left = iter(parts)
        while some := tuple(islice(left, ERASED_PARTS_MAX)):
            yield subject, some
