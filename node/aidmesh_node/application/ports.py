"""What the application asks of storage: few ports, one contract suite each (tests/storage/contracts).

Each docstring says what survives when the process dies right after the call. "Durable": on disk after fsync, survives
kill -9 and power loss. "In the transaction": nothing survives until the job's Done arrives; then all of it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from eventsourcing.domain import Aggregate, DomainEventProtocol

from aidmesh_node.application.ports_beside import (
    Disclosures,
    Erasures,
    Evidence,
    EvidenceRow,
    Idempotency,
    KeptAnswer,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)
A = TypeVar("A", bound=Aggregate)

Event = DomainEventProtocol[Any]

__all__ = [
    "LOGGED", "Disclosures", "Done", "Erased", "Erasures", "Event", "EventLog", "Evidence", "EvidenceRow",
    "FeedConflict", "FeedHead", "FeedReads", "FeedRows", "HeldEntry", "Idempotency", "KeptAnswer", "NewEntry",
    "NewPackage", "PartRow", "Positions", "Readers", "Reading", "Subject", "SubjectTaken", "Subjects",
    "TreeNodes", "VaultReads", "VaultRows", "Work", "Writer",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done(Generic[T_co]):
    """A job's value, once durable; ``position`` is the log position that contains everything the job did."""

    value: T_co
    position: int


LOGGED = "logged"
"""Name of the position that says how long the log is: it moves with every batch of events."""


class FeedConflict(Exception):
    """The feed is not where the caller thought (size moved, or frozen): read its head again inside the job."""


class SubjectTaken(Exception):
    """Within this circle the subject id already names another aggregate."""


class Erased(Exception):
    """The person's key was destroyed: nothing about them can be read, or kept, any more."""

    def __init__(self, person: UUID) -> None:
        super().__init__(f"person {person.hex} was erased")
        self.person = person


@dataclass(frozen=True, slots=True)
class FeedHead:
    """One feed as the node holds it. ``size`` entries are kept; ``checkpoint`` (a signed note) covers
    ``signed_size`` of them; ``claimed`` is the largest checkpoint seen; entries below ``folded`` are
    interpreted; ``frozen`` is the error code that stopped the feed. ``frontier`` is the encoded Merkle
    frontier at ``size``."""

    feed: int
    origin: str
    origin_hash: bytes
    owner: str
    circle: bytes | None
    generation: int
    size: int
    frontier: bytes
    checkpoint: bytes | None
    signed_size: int
    claimed: bytes | None
    claimed_size: int
    folded: int
    frozen: str | None


TreeNodes = Iterable[tuple[int, int, bytes]]
"""(level, index, hash) of complete subtrees."""


class NewEntry(NamedTuple):
    """An entry to append: bytes verbatim, its leaf hash, its statement id (own feeds only), its (tag, part) pairs."""

    entry: bytes
    leaf: bytes
    statement_id: bytes | None = None
    parts: Sequence[tuple[str, bytes]] = ()


class NewPackage(NamedTuple):
    """Consecutive entries to append to a peer's feed: bytes verbatim, leaf hashes, all parts by tag or None."""

    entries: Sequence[bytes]
    leaves: Sequence[bytes]
    columns: Mapping[str, Sequence[bytes | None]]


HeldEntry = tuple[bytes, bytes, Mapping[str, bytes]]
"""An entry as it is held: its bytes, its leaf hash, its parts that are here and not withheld, by tag."""


class PartRow(NamedTuple):
    entry_index: int
    tag: str
    part: bytes


class Subject(NamedTuple):
    circle: bytes
    subject_id: bytes
    kind: str
    aggregate_id: UUID


class FeedReads(Protocol):
    """Reading feeds, in a job or on a reader's snapshot. Ranges are [start, stop), clipped to what is held."""

    def head(self, origin: str) -> FeedHead | None: ...
    def head_by_hash(self, origin_hash: bytes) -> FeedHead | None: ...
    def heads(self, owner: str | None = None, circle: bytes | None = None) -> list[FeedHead]: ...
    def entries(self, feed: int, start: int, stop: int) -> list[bytes]: ...
    def leaves(self, feed: int, start: int, stop: int) -> list[bytes]: ...

    def held(self, feed: int, start: int, stop: int) -> list[HeldEntry]:
        """Entries with all that is read of them together, in order."""

    def parts(self, feed: int, start: int, stop: int) -> list[PartRow]:
        """Parts that are held and not withheld, in (index, tag) order: what may be shown to peers."""

    def columns(self, feed: int, start: int, stop: int) -> dict[str, list[bytes | None]]:
        """As ``parts``, by tag: for each of these entries, all of them held, its part or None."""

    def part(self, feed: int, index: int, tag: str) -> bytes | None:
        """One part, withheld or not: for the node's own reading, never for serving."""

    def part_names(self, feed: int, start: int, stop: int) -> list[tuple[int, str]]:
        """(index, tag) of every part that is held, withheld ones too: for checking, never for serving."""

    def withheld(self, feed: int, start: int, stop: int) -> set[int]:
        """Entries of which a part is held and not shown any more."""

    def erased(self, feed: int, start: int, stop: int) -> set[tuple[int, str]]:
        """(index, tag) of parts that were erased: not held, and never taken in again."""

    def missing_parts(self, feed: int, wanted: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        """Those of ``wanted`` (index, tag) that are neither held nor erased, in the order given; withheld ones are
        held."""

    def node(self, feed: int, level: int, index: int) -> bytes | None:
        """Hash of a complete subtree of a stored level, or None."""

    def holds_statement(self, feed: int, statement_id: bytes) -> bool: ...

    def statement_index(self, feed: int, statement_id: bytes) -> int | None:
        """Where in an own feed a statement was published, or None."""


class FeedRows(FeedReads, Protocol):
    """Feeds as rows. Every write is in the transaction of the job: with its Done, all of it is durable."""

    def open_feed(
        self,
        origin: str,
        origin_hash: bytes,
        owner: str,
        circle: bytes | None,
        generation: int,
        frontier: bytes,
    ) -> FeedHead:
        """The feed's head; created with size 0 and the given empty frontier when it is not there yet.

        Raises FeedConflict when the origin is known with another hash, owner, circle or generation."""

    def append(self, feed: int, entries: Sequence[NewEntry], frontier: bytes, size: int, nodes: TreeNodes = ()) -> None:
        """Append at the end; ``size`` is the size afterwards, ``nodes`` what became complete. Parts that were erased
        before are left out.

        Raises FeedConflict unless the held size is ``size - len(entries)`` and the feed is not frozen."""

    def append_package(self, feed: int, package: NewPackage, frontier: bytes, size: int, nodes: TreeNodes = ()) -> None:
        """As ``append``, for what came together: at most 256 entries, all columns of their length."""

    def store_checkpoint(self, feed: int, note: bytes, size: int) -> None:
        """The held checkpoint. Raises FeedConflict beyond the held size, or below the one already stored."""

    def store_claim(self, feed: int, note: bytes, size: int) -> None:
        """The largest checkpoint seen; a smaller one changes nothing."""

    def freeze(self, feed: int, code: str) -> None:
        """Stop the feed for good; the first code stays."""

    def set_folded(self, feed: int, index: int) -> None:
        """Interpreted up to ``index`` (exclusive). Raises FeedConflict when it goes back or beyond the size."""

    def read_again(self, feed: int, index: int) -> None:
        """Entries from ``index`` on are to be interpreted once more; those not interpreted yet are anyhow."""

    def cut(self, feed: int, size: int, frontier: bytes) -> None:
        """Take the entries from `size` on out of an own feed. Raises FeedConflict when they are signed, or none."""

    def put_part(self, feed: int, index: int, tag: str, part: bytes) -> None:
        """Keep a part that came later; one that is held already (withheld, too) is left as it is, one that was erased
        is not kept."""

    def withhold_parts(self, feed: int, indexes: Iterable[int], tag: str) -> None:
        """From now on ``parts`` does not show them. They stay readable through ``part``."""


class VaultReads(Protocol):
    def open(self, person: UUID, record: UUID) -> dict[str, str]:
        """The record's fields in the clear, {} when there are none. Raises Erased, Damaged."""

    def is_erased(self, person: UUID) -> bool: ...


class VaultRows(VaultReads, Protocol):
    """Names, contacts, free text: encrypted under one key per person. Events carry only person and record ids."""

    def put(self, person: UUID, record: UUID, fields: Mapping[str, str]) -> None:
        """Set these fields (others of the record stay). A new person's key is fsynced before the job's
        COMMIT; after a crash in between, a key without rows is left, which is harmless. Raises Erased."""

    def remove(self, person: UUID, record: UUID) -> None:
        """Delete one record's fields, in the transaction."""

    def erase(self, person: UUID) -> None:
        """Destroy the person's key for ever. The key file is rewritten just before the job's COMMIT: after a
        crash in between the person is erased although the job's event is not there, never the other way
        round."""


class Subjects(Protocol):
    """(circle, subject id on the wire) <-> our aggregate. In the transaction."""

    def put(self, circle: bytes, subject_id: bytes, kind: str, aggregate_id: UUID) -> None:
        """Remember; the same again changes nothing. Raises SubjectTaken."""

    def find(self, circle: bytes, subject_id: bytes) -> Subject | None: ...

    def known(self, circle: bytes, subject_ids: Sequence[bytes]) -> set[bytes]:
        """Those of these ids that name something of ours in this circle."""

    def of(self, aggregate_id: UUID) -> list[Subject]: ...
    def in_circle(self, circle: bytes) -> list[Subject]: ...


class Positions(Protocol):
    """Named integers. In the transaction: a position moves together with what it stands for, or not at all."""

    @property
    def incarnation(self) -> bytes:
        """16 bytes drawn when this log was created: whoever kept positions of another log starts again."""

    def begin_anew(self) -> None:
        """Draw another incarnation: this log is not the continuation of the one others have read."""

    def get(self, name: str) -> int:
        """The position, 0 when never set."""

    def put(self, name: str, value: int) -> None: ...


class EventLog(Protocol):
    """The durable log of our decisions, read back. Every read checks each event's hash and raises Damaged."""

    def select(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """At most ``limit`` events with positions > ``after``, in order."""

    def follow(self, after: int, limit: int) -> list[tuple[int, Event]]:
        """As ``select``; but the newest may come from memory, as they were committed."""

    def max_position(self) -> int:
        """The last position, 0 when the log is empty."""

    def stream(self, id: UUID) -> list[Event]:
        """One aggregate's events in order, [] when unknown."""


class Work(Protocol):
    """What one job may do, in the writer's transaction. Valid only inside the job, on the writer's thread.

    A job that raises leaves nothing: its rows roll back and every aggregate it touched is forgotten."""

    @property
    def feeds(self) -> FeedRows: ...
    @property
    def vault(self) -> VaultRows: ...
    @property
    def subjects(self) -> Subjects: ...
    @property
    def positions(self) -> Positions: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def disclosures(self) -> Disclosures: ...
    @property
    def position(self) -> int:
        """The log's last position as this transaction sees it."""

    def get(self, cls: type[A], id: UUID) -> A:
        """The aggregate, the same object for the same id within a batch. Raises NotFound, Damaged."""

    def find(self, cls: type[A], id: UUID) -> A | None: ...

    def commit(self, *aggregates: Aggregate) -> None:
        """Insert their new events into the transaction. Nothing survives yet: wait for the job's Done."""

    def events_of(self, id: UUID) -> list[Event]:
        """One aggregate's events in order, including what this batch has written."""

    def events_after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        """As EventLog.select, including what this batch has written."""

    def events_without(self, position: int, limit: int, topics: frozenset[bytes]) -> list[tuple[int, Event | None]]:
        """As events_after, but events of these topics (UTF-8) are neither read nor checked: None in their place."""

    def attempt(self) -> AbstractContextManager[None]:
        """A step of the job that may fail alone: when it raises, its rows roll back and every aggregate the
        job has touched so far is forgotten (get them again); the exception passes on to the job, which may
        catch it."""


class Writer(Protocol):
    """The one way anything becomes durable. Jobs run one after another; a batch shares one fsync."""

    @property
    def position(self) -> int:
        """The last durable position of the log."""

    def submit(self, job: Callable[[Work], T]) -> Future[Done[T]]:
        """Queue a job. The future resolves only after COMMIT and fsync; with the job's own exception when it
        raised (nothing of it was kept); with Unavailable when storage failed (nothing of its batch was kept).
        Raises Unavailable at once when closed, broken or too busy."""

    async def run(self, job: Callable[[Work], T], after: Callable[[Done[T]], None] | None = None) -> Done[T]:
        """As submit, awaited. A cancelled wait does not undo a job that has begun. `after` is called with the outcome
        of a job that is durable, on the writer's thread and before anybody hears of it; everybody waits for it."""

    async def run_both(
        self, first: Callable[[Work], object], second: Callable[[Work], object]
    ) -> tuple[Done[object] | BaseException, Done[object] | BaseException]:
        """Two jobs one after the other, asked for together: one fsync serves both unless the first raises. Their
        outcomes; either may fail without the other."""


class Reading(Protocol):
    """One consistent snapshot of what is durable, without the writer."""

    @property
    def events(self) -> EventLog: ...
    @property
    def feeds(self) -> FeedReads: ...
    @property
    def vault(self) -> VaultReads: ...
    @property
    def incarnation(self) -> bytes: ...

    def position_of(self, name: str) -> int:
        """A named position, 0 when never set."""


class Readers(Protocol[R_co]):
    async def run(self, read: Callable[[R_co], T]) -> T:
        """Call ``read`` with a snapshot, on a reader's thread. Raises Unavailable when too many wait."""

    def run_now(self, read: Callable[[R_co], T]) -> T:
        """Call ``read`` on the caller's thread: for a few rows by key, which cost less than handing them over."""
