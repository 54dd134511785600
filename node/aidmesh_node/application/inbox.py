"""The one place where peers' statements become our facts. Two steps, each one transaction.

`accept` stores verified entries verbatim and moves the feed's frontier. `interpret` reads them in order, records what
they mean for our pledges and needs, answers what our rules answer, and moves the interpreted position. If the process
dies between the two, interpretation resumes where it was; doing it twice changes nothing. What the domain calls
impossible is kept as evidence and never blocks what comes after it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from aidmesh_node.application import hearing, hearing_erasure, passed_over, space
from aidmesh_node.application.arrival import Arrival
from aidmesh_node.application.entry_names import entry_name
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import FeedHead, HeldEntry, SubjectTaken, Work
from aidmesh_node.domain.act import AGAIN, NODE, PEER, RECOVERED, Act
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.refused import Refused, illegal
from aidmesh_protocol import statements as said
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.entry import FACTS, Entry, kept_content
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import Vocabulary
from aidmesh_protocol.terms import circle_id

ENTRIES_MAX = 1_024
ACTED_MAX = 64
"""Entries interpreted in one transaction, and those among them that concern us, each of which costs as much as a
command: bounds the writer's pause to some 30 ms."""

QUARANTINED = "malformed"
"""The code under which a signed statement that means nothing is kept as evidence."""

HEARD_KINDS = (
    "pledge.",
    "handover.",
    "receipt.",
    "discrepancy.",
    "dispute.",
    "circle.",
    "share.",
    "parts.",
    "erasure.",
)
"""Statements that concern our own log; needs and offers of others are shown straight from the feed's rows."""

HOME_KINDS = ("need.", "offer.")
"""Statements that only the home of their subject makes."""

PAIR = 2
"""Feeds of a circle of two groups."""

TYPES_KEPT = 64
"""Types of statements whose standing is remembered: twice what there is. Peers may name others."""


def accept(work: Work, arrival: Arrival) -> None:
    """Store verified entries, parts, frontier and checkpoint, all or nothing (SPEC §9.3a). Raises FeedConflict when the
    feed has moved meanwhile."""
    frontier = arrival.extension.feed.frontier
    if arrival.package.entries:
        work.feeds.append_package(
            arrival.feed, arrival.package, frontier.encode(), frontier.size, arrival.extension.nodes
        )
        space.take(work, arrival.feed, space.of_package(arrival.package))
    store_checkpoint(work, arrival.feed, arrival.checkpoint, frontier.size)


def store_checkpoint(work: Work, feed: int, checkpoint: VerifiedCheckpoint, held: int) -> None:
    """A checkpoint is held only when all its entries are; until then it is a claim."""
    if checkpoint.size == held:
        work.feeds.store_checkpoint(feed, checkpoint.note, checkpoint.size)
    else:
        work.feeds.store_claim(feed, checkpoint.note, checkpoint.size)


def interpret(
    work: Work,
    origin: str,
    at: datetime,
    vocabulary: Vocabulary = said.EVERYTHING,
    *,
    role: str = PEER,
    patient: bool = False,
    entries_max: int = ENTRIES_MAX,
) -> bool:
    """Interpret the next entries of one peer's feed. True when there are more to do now.

    After a restore, in the role AGAIN, nothing is answered by itself; `patient`: what seems impossible may answer words
    of our own that are not back yet, so it and what follows wait.
    """
    head = work.feeds.head(origin)
    if head is None or head.folded >= head.size:
        return False
    stop = min(head.size, head.folded + entries_max)
    heard = _read(work.feeds.held(head.feed, head.folded, stop), vocabulary)
    taken = _taken(work, head, heard)
    reached, acted = head.folded, 0
    for data, entry, statement in heard:
        index, reached = reached, reached + 1
        by_home, concerns_us = _standing(entry.type)
        try:
            if isinstance(statement, ProtocolError):
                raise statement  # SPEC §5.5c: kept as evidence, and nothing else
            if isinstance(statement, said.Unknown):
                passed_over.remember(work, head.feed, index, entry)
                continue  # SPEC §5.5b
            if by_home:
                _check_subject(work, head, entry, taken, acted)
            if concerns_us:
                acted += hearing_erasure.cost(statement)
                with work.attempt():
                    _hear(work, head, index, entry, statement, at, role)
        except (ProtocolError, Refused, NotFound, LookupError, SubjectTaken) as error:
            if patient and not isinstance(error, ProtocolError):
                reached = index
                break
            reason = str(error)
            work.evidence.keep(head.owner, QUARANTINED, f"{origin} entry {index}: {reason}", (data,), at, head.feed)
        if acted >= ACTED_MAX:
            break
    work.feeds.set_folded(head.feed, reached)
    whole = head.folded + len(heard)
    if patient:
        return reached > head.folded
    return reached < whole or whole == stop < head.size


def quarantine_next(work: Work, origin: str, at: datetime) -> bool:
    """Interpret one more entry in the role AGAIN, keeping it as evidence if it is impossible. True when there was one
    that does not merely lack its facts."""
    head = work.feeds.head(origin)
    before = head.folded if head else 0
    interpret(work, origin, at, role=AGAIN, entries_max=1)
    head = work.feeds.head(origin)
    return head is not None and head.folded > before


def type_of(data: bytes) -> str:
    """The type of a stored entry."""
    return Entry.decode(data).type


def _read(held: list[HeldEntry], vocabulary: Vocabulary) -> list[tuple[bytes, Entry, object]]:
    """Entries and what they say, or the ProtocolError why one says nothing; up to the first whose meaning has not
    arrived: replication asks for it, and order is kept until then."""
    heard: list[tuple[bytes, Entry, object]] = []
    for data, _, parts in held:
        # It decoded when it came.
        entry = Entry.decode(data)
        if FACTS not in parts and entry.part(FACTS) is not None:
            break
        try:
            heard.append((data, entry, vocabulary.read(entry, parts, kept_content)))
        except ProtocolError as error:
            heard.append((data, entry, error))
    return heard


def _taken(work: Work, head: FeedHead, heard: list[tuple[bytes, Entry, object]]) -> set[bytes]:
    """The subjects among these that name something of ours: asked for together."""
    if head.circle is None:
        return set()
    return work.subjects.known(head.circle, [entry.subject_id for _, entry, _ in heard if _standing(entry.type)[0]])


def _hear(
    work: Work, head: FeedHead, index: int, entry: Entry, statement: object, at: datetime, role: str = PEER
) -> None:
    assert head.circle is not None
    name = entry_name(head.origin_hash, index)
    by = Act(act_id("heard", name), at, None, role, cause=name, heard=True)
    circle, subject = head.circle, entry.subject_id
    match statement:
        case said.CircleOpened():
            if circle_id(statement.terms) != circle:
                raise illegal("The first entry of a circle's feed holds the terms of another circle.")
        case said.NeedShareRevoked() | said.OfferShareRevoked():
            link = _link_in(work, head)
            link.acknowledge_revocation(_answer(work, name, at, role), circle=circle.hex(), subject=subject.hex())
            work.commit(link)
        case said.PartsErased():
            # SPEC §5.6c: also when none of it was here.
            hearing_erasure.hear(work, head, index, entry, statement)
            link = _link_in(work, head)
            link.acknowledge_erasure(_answer(work, name, at, role), circle=circle.hex(), subject=subject.hex())
            work.commit(link)
        case _ if _is_between_others(work, head, subject, statement):
            pass
        case said.ErasureAcknowledged():
            hearing_erasure.hear_receipt(work, head, entry)
        case said.ShareAcknowledged():
            _acknowledged(work, by, circle, subject)
        case said.PledgeOffered():
            hearing.hear_offer(work, by, head.owner, circle, subject, statement)
        case _:
            hearing.hear(work, by, head.owner, circle, subject, statement)


def _is_between_others(work: Work, head: FeedHead, subject: bytes, statement: object) -> bool:
    """Whether it is about something of neither ours nor theirs alone: in a circle of more than two the other members
    have pledges with each other. Between two groups nobody else could be meant."""
    assert head.circle is not None
    about = statement.need_subject if isinstance(statement, said.PledgeOffered) else subject
    return work.subjects.find(head.circle, about) is None and len(work.feeds.heads(circle=head.circle)) > PAIR


def _link_in(work: Work, head: FeedHead) -> PeerLink:
    """Our link with a feed's owner or, where others carry it to us, with somebody in its circle. Raises NotFound."""
    own = work.find(PeerLink, PeerLink.id_of(head.owner))
    if own is None:
        for other in work.feeds.heads(circle=head.circle):
            link = work.find(PeerLink, PeerLink.id_of(other.owner))
            if link is not None and head.circle is not None and link.circle == head.circle.hex():
                return link
    return own or work.get(PeerLink, PeerLink.id_of(head.owner))


def _acknowledged(work: Work, by: Act, circle: bytes, subject: bytes) -> None:
    known = work.subjects.find(circle, subject)
    if known is None or known.kind not in ("need", "offer"):
        raise illegal("They acknowledged something that we never shared.")
    thing = work.find(Need, known.aggregate_id) or work.get(Offer, known.aggregate_id)
    thing.acknowledge_unshare(by, circle.hex())
    work.commit(thing)


def _check_subject(work: Work, head: FeedHead, entry: Entry, taken: set[bytes], acted: int) -> None:
    """Only its home writes about a need or an offer: what is ours is nobody else's to update or to close.

    `acted`: what was heard since `taken` was asked for may have named more.
    """
    circle, subject = head.circle, entry.subject_id
    if subject in taken or (acted and circle is not None and work.subjects.find(circle, subject) is not None):
        raise illegal("They spoke of something of ours as if it were theirs.")


@lru_cache(maxsize=TYPES_KEPT)
def _standing(statement_type: str) -> tuple[bool, bool]:
    """Whether only the home of its subject makes such a statement, and whether it concerns our own log."""
    concerns_us = statement_type.startswith(HEARD_KINDS) or statement_type.endswith(".share_revoked")
    return statement_type.startswith(HOME_KINDS), concerns_us


def _answer(work: Work, name: str, at: datetime, role: str) -> Act:
    """What our node says to this entry; if our own feed held that before a restore, it is not said again."""
    answer = Act(act_id("answer", name), at, None, NODE, cause=name)
    said_before = role == AGAIN and work.positions.get(answered(name))
    return replace(answer, role=RECOVERED, heard=True) if said_before else answer


def answered(name: str) -> str:
    """The position that says, while a restore is under way, that our own feed holds our answer to this entry."""
    return f"answered:{name}"


def act_id(purpose: str, name: str) -> UUID:
    # Derived, not drawn: hearing the same entry again after a restore is the same act.
    return UUID(bytes=sha256(f"aidmesh {purpose} {name}".encode()).digest()[:16], version=5)
