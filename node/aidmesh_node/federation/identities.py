"""Who other groups are: their keys, names and addresses, read from the identity feeds we hold. Rows are the truth."""

from __future__ import annotations

from dataclasses import dataclass

from aidmesh_node.application.arrival import verify
from aidmesh_node.application.inbox import accept
from aidmesh_node.application.own_feeds import open_feed
from aidmesh_node.application.ports import FeedReads, Readers, Reading, Work
from aidmesh_node.federation.tree_reading import check_no_fork
from aidmesh_protocol.bundle import Ident
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint, parse_unverified
from aidmesh_protocol.entry import FACTS, Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import Package, TrustedFeed
from aidmesh_protocol.identity import group_id, identity_origin, origin_hash, parse_origin, read_inception
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.merkle import Frontier, leaf_hash
from aidmesh_protocol.statements import GroupDescribed, read


@dataclass(frozen=True, slots=True)
class Identity:
    """A group as its identity feed describes it."""

    gid: str
    key: VerifyKey
    hpke_key: bytes
    name: str
    endpoints: tuple[str, ...]
    size: int


class Identities:
    """Identity feeds of other groups, verified once and remembered."""

    def __init__(self, readers: Readers[Reading]) -> None:
        self._readers = readers
        self._known: dict[str, Identity] = {}

    async def load(self, gid: str) -> Identity | None:
        """The identity we hold of this group, or None."""
        identity = await self._readers.run(lambda reading: read_identity(reading.feeds, gid))
        if identity is not None:
            self._known[gid] = identity
        return identity

    async def load_all(self) -> None:
        """Every identity we hold, those of groups included of which others have told us."""
        heads = await self._readers.run(lambda reading: reading.feeds.heads())
        for gid in {head.owner for head in heads if head.circle is None}:
            await self.load(gid)

    def known(self, gid: str) -> Identity:
        """A loaded identity. Raises ProtocolError("unknown_key")."""
        identity = self._known.get(gid)
        if identity is None:
            raise ProtocolError("unknown_key", "this node does not know your group: pair first")
        return identity

    def forget(self, gid: str) -> None:
        """Read it again next time: the feed has grown."""
        self._known.pop(gid, None)


def read_identity(feeds: FeedReads, gid: str) -> Identity | None:
    """A group's identity from the rows we hold, or None when we hold none of it."""
    head = feeds.head(identity_origin(gid))
    if head is None or not head.size:
        return None
    entries = feeds.entries(head.feed, 0, head.size)
    parts = {(row.entry_index, row.tag): row.part for row in feeds.parts(head.feed, 0, head.size)}
    return _fold(gid, entries, parts)


@dataclass(frozen=True, slots=True)
class Introduction:
    """A whole identity feed, verified against the group id it claims."""

    identity: Identity
    origin: str
    key: VerifyKey
    ident: Ident
    checkpoint: VerifiedCheckpoint


def introduce(ident: Ident) -> Introduction:
    """Verify an IDENT frame by nothing but itself: the inception hashes to the id, the rest is signed by its key.

    Only whole (SPEC §4.3a).
    """
    origin = parse_unverified(ident.checkpoint).origin
    name = parse_origin(origin)
    if name.kind == "id" and name.generation:
        # SPEC §4.2: a feed that this version cannot judge must not be stored under a name it may one day deserve.
        raise ProtocolError("upgrade_required", "an identity after a key rotation, which this node does not know yet")
    parts = {(index, tag): part for index, tag, part in ident.parts}
    inception_part = parts.get((0, FACTS))
    if name.kind != "id" or inception_part is None or group_id(ident.entries[0]) != name.gid:
        raise ProtocolError("proof_invalid", "this is not the identity feed of the group it names")
    key = VerifyKey.admit(read_inception(ident.entries[0], inception_part, name.gid).signing_key)
    checkpoint = open_checkpoint(ident.checkpoint, origin, key)
    if checkpoint.size != len(ident.entries):
        raise ProtocolError("size_conflict", "an identity feed travels whole")
    # All of it, also what we hold: names and addresses are read from these bytes.
    if ident.proof or Frontier.empty().extend(map(leaf_hash, ident.entries))[0].root() != checkpoint.root:
        raise ProtocolError("root_mismatch", "these are not the entries that the group has signed")
    return Introduction(_fold(name.gid, ident.entries, parts), origin, key, ident, checkpoint)


def keep(work: Work, introduction: Introduction) -> bool:
    """Store what is new of a verified identity feed; True when anything is.

    Raises ProtocolError when it is not the one we hold, longer.
    """
    ident = introduction.ident
    head = open_feed(work, introduction.origin, introduction.identity.gid, None)
    if head.frozen is not None:
        raise ProtocolError(
            head.frozen, "this identity is frozen since its owner contradicted itself", (ident.checkpoint,)
        )
    held = Frontier.decode(head.frontier)
    checkpoint = open_checkpoint(head.checkpoint, head.origin, introduction.key) if head.checkpoint else None
    feed = TrustedFeed(introduction.origin, introduction.key, held, checkpoint)
    package = Package(origin_hash(introduction.origin), 0, ident.entries, ())
    columns: dict[str, list[bytes | None]] = {}
    for index, tag, part in ident.parts:
        if index < len(ident.entries):
            columns.setdefault(tag, [None] * len(ident.entries))[index] = part
    arrival = verify(head, feed, introduction.checkpoint, package, columns)
    if arrival.package.entries:
        accept(work, arrival)
    elif checkpoint is not None:
        check_no_fork(work.feeds, head, checkpoint, introduction.checkpoint)
    return bool(arrival.package.entries)


def _fold(gid: str, entries: tuple[bytes, ...] | list[bytes], parts: dict[tuple[int, str], bytes]) -> Identity:
    inception = read_inception(entries[0], parts[0, FACTS], gid)
    name, endpoints = gid[:8], tuple[str, ...]()
    for index, data in enumerate(entries):
        part = parts.get((index, FACTS))
        said = read(Entry.decode(data), {FACTS: part} if part else {})
        if isinstance(said, GroupDescribed):
            name, endpoints = said.name, said.endpoints
    key = VerifyKey.admit(inception.signing_key)
    return Identity(gid, key, inception.hpke_key, name, endpoints, len(entries))
