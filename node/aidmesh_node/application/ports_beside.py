"""What the application asks of storage beside log, feeds and vault: kept answers, evidence, what was erased, what went
to whom. Part of `ports`, and as free of SQL, files and threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class EvidenceRow(NamedTuple):
    """One kept proof: ``blobs`` are the offending bytes as received; ``at`` is UTC to the second."""

    feed: int | None
    peer: str
    code: str
    detail: str
    blobs: tuple[bytes, ...]
    at: datetime


class Asked(NamedTuple):
    """The entry by which we asked others to erase, its hour since 1970, and by gid who has confirmed it in which."""

    feed: int
    entry: int
    hour: int
    receipts: dict[str, int]


class KeptAnswer(NamedTuple):
    request_hash: bytes
    body: bytes


class Disclosed(NamedTuple):
    """Parts went to this peer; `hour`: whole hours since 1970, the first time."""

    peer: str
    hour: int


class Idempotency(Protocol):
    """Answers to keyed requests, in the transaction of the command's events: kept together or not at all.

    Bodies are sealed under the client's own key, so a stolen disk shows no one-time secret."""

    def find(self, actor: str, key: str) -> KeptAnswer | None:
        """What this actor was answered under this key, or None; compare ``request_hash``. Raises Damaged."""

    def keep(self, actor: str, key: str, request_hash: bytes, body: bytes, at: int, thing: str | None = None) -> None:
        """`at`: the seconds this node had lived through, which no clock that is set can change. `thing`: the hex id of
        what the answer is about."""

    def forget_about(self, thing: str) -> None:
        """Forget all answers about one thing."""

    def sweep(self, before: int, rows_max: int) -> int:
        """Forget at most so many answers kept before then, counted alike, oldest first; returns how many."""


class Evidence(Protocol):
    """What proves a peer's fault. Bounded: the first 64 of each (peer, code) are kept, the rest are
    counted."""

    def keep(
        self, peer: str, code: str, detail: str, blobs: Sequence[bytes], at: datetime, feed: int | None = None
    ) -> bool:
        """Keep (True), or only count because the bound is reached (False). In the transaction."""

    def kept(self, peer: str | None = None) -> list[EvidenceRow]: ...

    def unstripped(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """(row id, blobs) of what may still hold parts of entries."""

    def strip(self, id: int, blobs: Sequence[bytes]) -> None:
        """Keep these bytes only; they hold no parts. In the transaction."""

    def count(self, peer: str, code: str) -> int:
        """How often it happened, kept or not."""


class Erasures(Protocol):
    """Erasing, in the transaction. The list of what was erased is fsynced just before the job's COMMIT: after a
    crash in between it is erased at the next start, never the other way round."""

    def part(self, feed: int, index: int, tag: str) -> None:
        """Delete key and body of a part, held or not, and keep it out for good."""

    def unheld_part(self, part: tuple[bytes, int, str]) -> None:
        """As ``part``, of a feed (by its origin hash) that is not here."""

    def words(self, thing: UUID) -> None:
        """Overwrite what people typed in the stored events of one aggregate; forget kept answers about it."""

    def asked(self, feed: int, index: int, hour: int) -> None:
        """Remember that this entry of a feed of ours asks others to erase; receipts are awaited."""

    def receive(self, feed: int, index: int, peer: str, hour: int) -> bool:
        """Remember that a peer has erased it too. False when that entry asks for nothing."""

    def asked_last(self, limit: int) -> list[Asked]:
        """The last erasures asked for, the newest first."""

    def undone(self) -> tuple[list[tuple[bytes, int, str]], list[UUID]]:
        """Parts (origin hash, index, tag) and things on the list that this database does not know as erased: it is
        older. What the list does not know gets on it."""


class Disclosures(Protocol):
    """To whom our own feeds' parts went. In the transaction."""

    def record(self, feed: int, peer: str, start: int, stop: int, hour: int) -> None:
        """Parts of the entries in [start, stop) went to this peer in that hour (whole hours since 1970)."""

    def of(self, feed: int, index: int) -> list[Disclosed]:
        """Who got this entry's parts."""
