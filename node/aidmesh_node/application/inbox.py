"""The one place where peers' statements become our facts. Two steps, each one transaction.

`accept` stores verified entries verbatim and moves the feed's frontier. `interpret` reads them in order, records what
they mean for our pledges and needs, answers what our rules answer, and moves the interpreted position. If the process
dies between the two, interpretation resumes where it was; doing it twice changes nothing. What the domain calls
impossible is kept as evidence and never blocks what comes after it.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from aidmesh_node.application import hearing
from aidmesh_node.application.arrival import Arrival
from aidmesh_node.application.entry_names import entry_name
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import FeedHead, PartRow, SubjectTaken, Work
from aidmesh_node.domain.act import NODE, PEER, Act
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.refused import Refused, illegal
from aidmesh_protocol import statements as said
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.entry import FACTS, Entry, kept_content
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.terms import circle_id

ENTRIES_MAX = 512
"""Entries interpreted in one transaction: bounds the writer's pause to some 10 ms."""

QUARANTINED = "malformed"
"""The code under which a signed statement that means nothing is kept as evidence."""

HEARD_KINDS = ("pledge.", "handover.", "receipt.", "discrepancy.", "dispute.", "circle.", "share.")
"""Statements that concern our own log; needs and offers of others are shown straight from the feed's rows."""

HOME_KINDS = ("need.", "offer.")
"""Statements that only the home of their subject makes."""


def accept(work: Work, arrival: Arrival) -> None:
    """Store verified entries, parts, frontier and checkpoint. Raises FeedConflict when the feed has moved meanwhile."""
    frontier = arrival.extension.feed.frontier
    if arrival.package.entries:
        work.feeds.append_package(
            arrival.feed, arrival.package, frontier.encode(), frontier.size, arrival.extension.nodes
        )
    store_checkpoint(work, arrival.feed, arrival.checkpoint, frontier.size)


def store_checkpoint(work: Work, feed: int, checkpoint: VerifiedCheckpoint, held: int) -> None:
    """A checkpoint is held only when all its entries are; until then it is a claim."""
    if checkpoint.size == held:
        work.feeds.store_checkpoint(feed, checkpoint.note, checkpoint.size)
    else:
        work.feeds.store_claim(feed, checkpoint.note, checkpoint.size)


def interpret(work: Work, origin: str, at: datetime) -> bool:
    """Interpret the next entries of one peer's feed. True when there are more to do now."""
    head = work.feeds.head(origin)
    if head is None or head.folded >= head.size:
        return False
    stop = min(head.size, head.folded + ENTRIES_MAX)
    entries = work.feeds.entries(head.feed, head.folded, stop)
    heard = _read(entries, work.feeds.parts(head.feed, head.folded, stop), head.folded)
    taken = _taken(work, head, heard)
    acted = False
    for index, (data, (entry, statement)) in enumerate(zip(entries, heard, strict=False), head.folded):
        try:
            if isinstance(statement, ProtocolError):
                raise statement
            if isinstance(statement, said.Unknown):
                continue
            _check_subject(work, head, entry, taken, acted)
            if _concerns_us(entry):
                acted = True
                with work.attempt():
                    _hear(work, head, index, entry, statement, at)
        except (ProtocolError, Refused, NotFound, LookupError, SubjectTaken) as error:
            reason = str(error)
            work.evidence.keep(head.owner, QUARANTINED, f"{origin} entry {index}: {reason}", (data,), at, head.feed)
    reached = head.folded + len(heard)
    work.feeds.set_folded(head.feed, reached)
    return reached == stop < head.size


def _read(entries: list[bytes], rows: list[PartRow], start: int) -> list[tuple[Entry, object]]:
    """What entries say, or the ProtocolError why one says nothing; up to the first whose meaning has not arrived:
    replication asks for it, and order is kept until then."""
    parts, heard = _by_index(rows), list[tuple[Entry, object]]()
    for index, data in enumerate(entries, start):
        # It decoded when it came.
        entry, held = Entry.decode(data), parts.get(index, {})
        if entry.part(FACTS) is not None and FACTS not in held:
            break
        try:
            heard.append((entry, said.read(entry, held, kept_content)))
        except ProtocolError as error:
            heard.append((entry, error))
    return heard


def _taken(work: Work, head: FeedHead, heard: list[tuple[Entry, object]]) -> set[bytes]:
    """The subjects among these that name something of ours: asked for together."""
    subjects = [entry.subject_id for entry, _ in heard if entry.type.startswith(HOME_KINDS)]
    return set() if head.circle is None else work.subjects.known(head.circle, subjects)


def _hear(work: Work, head: FeedHead, index: int, entry: Entry, statement: object, at: datetime) -> None:
    assert head.circle is not None
    name = entry_name(head.origin_hash, index)
    by = Act(_act_id("heard", name), at, None, PEER, cause=name, heard=True)
    circle, subject = head.circle, entry.subject_id
    match statement:
        case said.CircleOpened():
            if circle_id(statement.terms) != circle:
                raise illegal("The first entry of a circle's feed holds the terms of another circle.")
        case said.NeedShareRevoked() | said.OfferShareRevoked():
            link = work.get(PeerLink, PeerLink.id_of(head.owner))
            answer = Act(_act_id("answer", name), at, None, NODE, cause=name)
            link.acknowledge_revocation(answer, circle=circle.hex(), subject=subject.hex())
            work.commit(link)
        case said.ShareAcknowledged():
            _acknowledged(work, by, circle, subject)
        case said.PledgeOffered():
            hearing.hear_offer(work, by, head.owner, circle, subject, statement)
        case _:
            hearing.hear(work, by, head.owner, circle, subject, statement)


def _acknowledged(work: Work, by: Act, circle: bytes, subject: bytes) -> None:
    known = work.subjects.find(circle, subject)
    if known is None or known.kind not in ("need", "offer"):
        raise illegal("They acknowledged something that we never shared.")
    thing = work.find(Need, known.aggregate_id) or work.get(Offer, known.aggregate_id)
    thing.acknowledge_unshare(by, circle.hex())
    work.commit(thing)


def _check_subject(work: Work, head: FeedHead, entry: Entry, taken: set[bytes], acted: bool) -> None:
    """Only its home writes about a need or an offer: what is ours is nobody else's to update or to close.

    `acted`: what was heard since `taken` was asked for may have named more.
    """
    circle = head.circle if entry.type.startswith(HOME_KINDS) else None
    if circle is None:
        return
    if entry.subject_id in taken or (acted and work.subjects.find(circle, entry.subject_id) is not None):
        raise illegal("They spoke of something of ours as if it were theirs.")


def _concerns_us(entry: Entry) -> bool:
    return entry.type.startswith(HEARD_KINDS) or entry.type.endswith(".share_revoked")


def _by_index(rows: list[PartRow]) -> dict[int, dict[str, bytes]]:
    parts: dict[int, dict[str, bytes]] = {}
    for row in rows:
        parts.setdefault(row.entry_index, {})[row.tag] = row.part
    return parts


def _act_id(purpose: str, name: str) -> UUID:
    # Derived, not drawn: hearing the same entry again after a restore is the same act.
    return UUID(bytes=sha256(f"aidmesh {purpose} {name}".encode()).digest()[:16], version=5)
