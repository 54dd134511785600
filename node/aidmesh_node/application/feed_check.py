"""Recomputing one stored feed from the bytes of its entries. Changes nothing, and trusts no stored result.

Leaf hashes, tree nodes, frontier and roots are made again; parts are held against the commitments in the entries, the
table of published statements against the entries of our own feeds, and what is served against what was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import FeedHead, FeedReads
from aidmesh_protocol.checkpoint import open_checkpoint
from aidmesh_protocol.entry import FACTS, VIEW, Entry, check_part
from aidmesh_protocol.errors import STATUS
from aidmesh_protocol.identity import group_id, identity_origin, origin_hash, parse_origin, read_inception
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.merkle import Frontier, leaf_hash

PAGE_ENTRIES = 256
INDEX_MAX = 2**62
"""Beyond every index: rows between a feed's end and here belong to nothing."""


@dataclass(slots=True)
class FeedCheck:
    """One feed while it is read; `checked` counts what was looked at."""

    feeds: FeedReads
    head: FeedHead
    gid: str
    checked: dict[str, int]
    views: dict[bytes, int] = field(default_factory=dict)
    taken_back: set[tuple[int, str]] = field(default_factory=set)
    withheld: set[tuple[int, str]] = field(default_factory=set)
    erased: set[tuple[int, str]] = field(default_factory=set)

    def run(self) -> None:
        """Raises Damaged for the first thing that is wrong."""
        head = self.head
        with named("feeds", str(head.origin)):
            _check_row(head, self.gid)
        key = key_of(self.feeds, head.owner)
        frontier = Frontier.empty()
        roots = {0: frontier.root()}
        wanted = {head.signed_size, head.claimed_size}
        for start in range(0, head.size, PAGE_ENTRIES):
            entries, leaves = self._page(start)
            page = Frontier.decode(frontier.encode())
            for size in sorted(size for size in wanted if start < size < start + len(leaves)):
                roots[size] = page.extend(leaves[: size - start])[0].root()
            frontier, nodes = frontier.extend(leaves)
            roots[frontier.size] = frontier.root()
            for level, index, hashed in nodes:
                if self.feeds.node(head.feed, level, index) != hashed:
                    place = f"level {level} index {index}"
                    self._wrong("feed_nodes", place, "the tree hash is not that of its entries")
            self._check_entries(start, entries)
            self._check_parts(start, entries)
            self.checked["entries"] += len(entries)
        if frontier.encode() != head.frontier:
            self._wrong("feeds", "frontier", "the stored frontier is not that of the entries")
        self._check_no_more()
        self._check_withheld()
        for name, note, size in (
            ("checkpoint", head.checkpoint, head.signed_size),
            ("claimed checkpoint", head.claimed, head.claimed_size),
        ):
            if note is not None:
                self._check_checkpoint(name, note, size, key, roots)

    def _page(self, start: int) -> tuple[list[bytes], list[bytes]]:
        """Entries and the leaf hashes they really have; the stored ones are compared."""
        feed, stop = self.head.feed, min(start + PAGE_ENTRIES, self.head.size)
        with named("feed_entries", f"{self.head.origin} entries {start} to {stop - 1}"):
            entries = self.feeds.entries(feed, start, stop)
            leaves = self.feeds.leaves(feed, start, stop)
        for index in range(start, stop) if len(entries) != stop - start else ():
            if not self.feeds.entries(feed, index, index + 1):
                self._wrong("feed_entries", f"entry {index}", "the entry is missing")
        for index, (data, leaf) in enumerate(zip(entries, leaves, strict=True), start):
            with named("feed_entries", f"{self.head.origin} entry {index}"):
                if leaf_hash(data) != leaf:
                    raise ValueError("the entry's bytes do not give its leaf hash")
        return entries, leaves

    def _check_entries(self, start: int, entries: list[bytes]) -> None:
        ours = self.head.owner == self.gid and self.head.circle is not None
        for index, data in enumerate(entries, start):
            with named("feed_entries", f"{self.head.origin} entry {index}"):
                entry = Entry.decode(data)
            if not ours:
                continue
            if self.feeds.statement_index(self.head.feed, entry.statement_id) != index:
                self._wrong("feed_statements", f"entry {index}", "it is not listed once, as what was published here")
            again = entry.part(VIEW) is not None
            # Of a thing shown anew only the newest view is served, of one that was taken back none.
            if (again or entry.type.endswith(".share_revoked")) and entry.subject_id in self.views:
                self.taken_back.add((self.views.pop(entry.subject_id), VIEW))
            if again:
                self.views[entry.subject_id] = index

    def _check_parts(self, start: int, entries: list[bytes]) -> None:
        head, stop = self.head, start + len(entries)
        with named("feed_parts", f"{head.origin} entries {start} to {stop - 1}"):
            names = self.feeds.part_names(head.feed, start, stop)
            shown = {(index, tag): part for index, tag, part in self.feeds.parts(head.feed, start, stop)}
        for index, tag in names:
            with named("feed_parts", f"{head.origin} entry {index} part {tag}"):
                part = shown.get((index, tag))
                check_part(
                    Entry.decode(entries[index - start]), tag, part or self.feeds.part(head.feed, index, tag) or b""
                )
            if part is None:
                self.withheld.add((index, tag))
            self.checked["parts"] += 1
        held, erased = set(names), self.feeds.erased(head.feed, start, stop)
        for index, tag in sorted(held & erased):
            self._wrong("feed_parts", f"entry {index} part {tag}", "the part was erased and is here")
        self.erased |= erased
        for index, data in enumerate(entries, start):
            for header in Entry.decode(data).parts:
                # A peer's descriptions may never have been sent. Ours are here, identities, and what was interpreted.
                whole = head.owner == self.gid or head.circle is None
                due = whole or (header.tag == FACTS and index < head.folded)
                if due and (index, header.tag) not in held | erased:
                    self._wrong("feed_parts", f"entry {index} part {header.tag}", "the part is missing")

    def _check_no_more(self) -> None:
        feed, size = self.head.feed, self.head.size
        for start, stop in ((-INDEX_MAX, 0), (size, INDEX_MAX)):
            if self.feeds.leaves(feed, start, stop):
                self._wrong("feed_entries", f"beyond entry {size}", "entries that do not belong to the feed")
            if self.feeds.part_names(feed, start, stop):
                self._wrong("feed_parts", f"beyond entry {size}", "parts that belong to no entry")

    def _check_withheld(self) -> None:
        for index, tag in sorted(self.withheld ^ (self.taken_back - self.erased)):
            served = (index, tag) in self.taken_back
            detail = "was taken back and would be served" if served else "is withheld though it was not taken back"
            self._wrong("feed_parts", f"entry {index} part {tag}", f"the part {detail}")

    def _check_checkpoint(self, name: str, note: bytes, size: int, key: VerifyKey, roots: dict[int, bytes]) -> None:
        with named("feeds", f"{self.head.origin} {name}"):
            signed = open_checkpoint(note, self.head.origin, key)
        if signed.size != size:
            self._wrong("feeds", name, f"it says {signed.size} entries where the row says {size}")
        # What others show us of our own, beyond what we have signed here, may be of a life that was lost.
        lost = self.head.owner == self.gid and note == self.head.claimed
        if size <= self.head.size and not lost and roots.get(size) != signed.root:
            self._wrong("feeds", name, f"the first {size} entries do not give the signed root")
        self.checked["checkpoints"] += 1

    def _wrong(self, table: str, key: str, detail: str) -> None:
        raise Damaged(table, f"{self.head.origin} {key}", detail)


def key_of(feeds: FeedReads, gid: str) -> VerifyKey:
    """The key that signs a group's feeds, from the identity we hold. Raises Damaged."""
    origin = identity_origin(gid)
    with named("feeds", origin):
        head = feeds.head(origin)
    if head is None:
        raise Damaged("feeds", origin, "the identity that signs this group's feeds is missing")
    with named("feed_entries", f"{origin} entry 0"):
        (entry,) = feeds.entries(head.feed, 0, 1)
        if group_id(entry) != gid:
            raise ValueError("the inception does not hash to the group's id")
    with named("feed_parts", f"{origin} entry 0 part {FACTS}"):
        part = feeds.part(head.feed, 0, FACTS)
        return VerifyKey.admit(read_inception(entry, part or b"", gid).signing_key)


def _check_row(head: FeedHead, gid: str) -> None:
    name = parse_origin(head.origin)
    told = (head.origin_hash, head.owner, head.circle, head.generation)
    if told != (origin_hash(head.origin), name.gid, name.circle, name.generation):
        raise ValueError("the row does not belong to its origin")
    if not 0 <= head.signed_size <= head.size or not 0 <= head.folded <= head.size or head.claimed_size < 0:
        raise ValueError("its sizes contradict each other")
    if (head.checkpoint is None) != (head.signed_size == 0) or (head.claimed is None) != (head.claimed_size == 0):
        raise ValueError("a checkpoint is missing, or has no size")
    if head.frozen is not None and head.frozen not in STATUS:
        raise ValueError("it is frozen for a reason that does not exist")
    if head.owner == gid:
        if head.folded:
            raise ValueError("one of our own feeds is treated as a peer's")
    elif head.size > max(head.signed_size, head.claimed_size):
        raise ValueError("entries of a peer that no signature of its covers")


@contextmanager
def named(table: str, key: str) -> Iterator[None]:
    """Whatever reading a damaged row may raise, in any layer below, is damage of that row: it gets its name."""
    try:
        yield
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(table, key, str(error) or type(error).__name__) from error
