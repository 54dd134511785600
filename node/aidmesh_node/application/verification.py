"""Recomputing every hash, proof and signature the node holds, its own and its peers'. Changes nothing.

Names the first thing that is wrong. Trusts no stored result: leaf hashes, frontiers, tree nodes and roots are made
again from the entries' bytes, and parts are held against the commitments in those entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import FeedHead, FeedReads, Reading
from aidmesh_protocol.checkpoint import open_checkpoint
from aidmesh_protocol.entry import FACTS, Entry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import group_id, identity_origin, origin_hash, parse_origin, read_inception
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.merkle import Frontier, leaf_hash

PAGE_ENTRIES = 256


@dataclass(slots=True)
class Report:
    """What was checked and the first thing that is wrong, if any."""

    checked: dict[str, int] = field(
        default_factory=lambda: {"events": 0, "feeds": 0, "entries": 0, "parts": 0, "checkpoints": 0}
    )
    first_problem: Damaged | None = None

    @property
    def ok(self) -> bool:
        return self.first_problem is None

    def to_json(self) -> dict[str, object]:
        """As the CLI and the API show it."""
        problem = self.first_problem
        return {
            "schema_version": 1,
            "ok": self.ok,
            "checked": dict(self.checked),
            "first_problem": None if problem is None else {"where": f"{problem.table} {problem.key}", "detail": problem.detail},
        }


def verify(reading: Reading, gid: str, scrubbed: Iterable[Damaged]) -> Report:
    """Check the log (through `scrubbed`), then every feed, entry, part and checkpoint."""
    report = Report()
    try:
        report.first_problem = next(iter(scrubbed), None)
        report.checked["events"] = reading.events.max_position()
        if report.ok:
            report.first_problem = next(_wrong_feeds(reading.feeds, gid, report.checked), None)
    except Damaged as damage:
        report.first_problem = damage
    return report


def _wrong_feeds(feeds: FeedReads, gid: str, checked: dict[str, int]) -> Iterator[Damaged]:
    heads = feeds.heads()
    if not any(head.origin == identity_origin(gid) for head in heads):
        yield Damaged("feeds", identity_origin(gid), "our own identity feed is missing")
    for head in heads:
        checked["feeds"] += 1
        try:
            _check_feed(feeds, head, gid, checked)
        except _Wrong as wrong:
            yield Damaged(wrong.table, f"{head.origin} {wrong.key}".rstrip(), wrong.detail)
        except (ProtocolError, ValueError) as error:
            yield Damaged("feeds", head.origin, str(error))


class _Wrong(Exception):
    def __init__(self, table: str, key: str, detail: str) -> None:
        super().__init__(table, key, detail)
        self.table, self.key, self.detail = table, key, detail


def _check_feed(feeds: FeedReads, head: FeedHead, gid: str, checked: dict[str, int]) -> None:
    name = parse_origin(head.origin)
    if (origin_hash(head.origin), name.gid, name.circle, name.generation) != (
        head.origin_hash,
        head.owner,
        head.circle,
        head.generation,
    ):
        raise _Wrong("feeds", "", "the row does not belong to its origin")
    key = _key_of(feeds, head.owner)
    frontier = Frontier.empty()
    roots = {0: frontier.root()}
    wanted = {head.signed_size, head.claimed_size}
    for start in range(0, head.size, PAGE_ENTRIES):
        entries = feeds.entries(head.feed, start, start + PAGE_ENTRIES)
        leaves = feeds.leaves(head.feed, start, start + PAGE_ENTRIES)
        if len(entries) != min(PAGE_ENTRIES, head.size - start):
            raise _Wrong("feed_entries", f"from {start}", "entries are missing")
        for index, (data, leaf) in enumerate(zip(entries, leaves, strict=True), start):
            if leaf_hash(data) != leaf:
                raise _Wrong("feed_entries", f"entry {index}", "the entry's bytes do not give its leaf hash")
        _check_parts(feeds, head, start, entries, gid, checked)
        page = Frontier.decode(frontier.encode())
        for size in sorted(size for size in wanted if start < size < start + len(leaves)):
            roots[size] = page.extend(leaves[: size - start])[0].root()
        frontier, nodes = frontier.extend(leaves)
        roots[frontier.size] = frontier.root()
        for level, index, hashed in nodes:
            if feeds.node(head.feed, level, index) != hashed:
                raise _Wrong("feed_nodes", f"level {level} index {index}", "the tree hash is not that of its entries")
        checked["entries"] += len(entries)
    if frontier.encode() != head.frontier:
        raise _Wrong("feeds", "frontier", "the stored frontier is not that of the entries")
    _check_checkpoint(head, key, roots, gid, checked)


def _check_checkpoint(
    head: FeedHead, key: VerifyKey, roots: dict[int, bytes], gid: str, checked: dict[str, int]
) -> None:
    for note, size in ((head.checkpoint, head.signed_size), (head.claimed, head.claimed_size)):
        if note is None:
            if size:
                raise _Wrong("feeds", "checkpoint", f"the checkpoint at size {size} is missing")
            continue
        try:
            signed = open_checkpoint(note, head.origin, key)
        except ProtocolError as error:
            raise _Wrong("feeds", "checkpoint", str(error)) from error
        if signed.size != size:
            raise _Wrong("feeds", "checkpoint", f"it says {signed.size} entries where the row says {size}")
        if size <= head.size and roots.get(size) != signed.root:
            raise _Wrong("feeds", "checkpoint", f"the first {size} entries do not give the signed root")
        checked["checkpoints"] += 1
    if head.owner != gid and head.size and not (head.checkpoint or head.claimed):
        raise _Wrong("feeds", "checkpoint", "entries of a peer without any signature")


def _check_parts(
    feeds: FeedReads, head: FeedHead, start: int, entries: list[bytes], gid: str, checked: dict[str, int]
) -> None:
    names = feeds.part_names(head.feed, start, start + len(entries))
    decoded = {index: Entry.decode(data) for index, data in enumerate(entries, start)}
    for index, tag in names:
        part = feeds.part(head.feed, index, tag)
        try:
            check_part(decoded[index], tag, part or b"")
        except ProtocolError as error:
            raise _Wrong("feed_parts", f"entry {index} part {tag}", str(error)) from error
        checked["parts"] += 1
    held = set(names)
    for index, entry in decoded.items():
        # Later parts of a peer's entry may still be on their way; ours, and what was interpreted, are here.
        if (head.owner == gid or index < head.folded) and entry.part(FACTS) and (index, FACTS) not in held:
            raise _Wrong("feed_parts", f"entry {index} part {FACTS}", "the part is missing")


def _key_of(feeds: FeedReads, gid: str) -> VerifyKey:
    head = feeds.head(identity_origin(gid))
    entries = feeds.entries(head.feed, 0, 1) if head else []
    part = feeds.part(head.feed, 0, FACTS) if head else None
    if not entries or part is None:
        raise _Wrong("feeds", identity_origin(gid), "the identity that signs this feed is missing")
    if group_id(entries[0]) != gid:
        raise _Wrong("feed_entries", f"{identity_origin(gid)} entry 0", "the inception does not hash to the group's id")
    return VerifyKey.admit(read_inception(entries[0], part, gid).signing_key)
