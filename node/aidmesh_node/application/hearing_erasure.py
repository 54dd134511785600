"""What peers say about erasing: their parts go from here at once, and their receipts for ours are kept (SPEC §5.6)."""

from __future__ import annotations

from aidmesh_node.application.evidence_bytes import strip_evidence
from aidmesh_node.application.ports import FeedHead, Work
from aidmesh_node.domain.refused import illegal
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.statements import PartsErased


def cost(statement: object) -> int:
    """How many ordinary statements it stands for: each part may mean rewriting a column of 256."""
    return len(statement.parts) if isinstance(statement, PartsErased) else 1


def hear(work: Work, head: FeedHead, index: int, entry: Entry, erased: PartsErased) -> None:
    """Erase what its writer erased (SPEC §5.6b); all of it is checked first. Raises Refused("illegal")."""
    where, end = head, index
    if erased.generation != head.generation:
        assert head.circle is not None
        earlier = work.feeds.head(circle_origin(head.owner, head.circle, erased.generation))
        if erased.generation > head.generation:
            raise illegal("They erased parts of a feed that has not begun.")
        if earlier is None:
            return  # from before we knew them: none of it is here
        where, end = earlier, earlier.size
    for at, tag in erased.parts:
        entries = work.feeds.entries(where.feed, at, at + 1) if at < end else []
        named = Entry.decode(entries[0]) if entries else None
        if named is None or named.part(tag) is None or named.subject_id != entry.subject_id:
            raise illegal(f"They erased a part that is not there, or is about something else: entry {at}, {tag}.")
    for at, tag in erased.parts:
        work.erasures.part(where.feed, at, tag)
    strip_evidence(work)


def hear_receipt(work: Work, head: FeedHead, entry: Entry) -> None:
    """A peer of this circle has erased. Raises Refused("illegal") for a receipt for nothing."""
    ref = entry.refs[0]
    asked = work.feeds.head_by_hash(ref.origin_hash)
    if asked is not None and asked.circle == head.circle:
        if work.erasures.receive(asked.feed, ref.index, head.owner, entry.hour):
            return
        entries = work.feeds.entries(asked.feed, ref.index, ref.index + 1)
        if entries and Entry.decode(entries[0]).type == PartsErased.TYPE:
            return  # somebody else of this circle asked for it
    raise illegal("They acknowledged an erasure that nobody asked for.")
