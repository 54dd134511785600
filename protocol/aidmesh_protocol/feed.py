"""Extending a feed: a package of entries becomes trusted when it leads to a signed checkpoint (SPEC §9).

A pure trust machine: it opens no notes, stores nothing and does not say what an entry means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aidmesh_protocol import merkle
from aidmesh_protocol.checkpoint import VerifiedCheckpoint
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.limits import PACKAGE_BYTES_MAX, PACKAGE_ENTRIES_MAX
from aidmesh_protocol.many_entries import NO_PARTS, Columns, check_entries
from aidmesh_protocol.origin import origin_hash


@dataclass(frozen=True, slots=True)
class TrustedFeed:
    """What a holder knows of one feed: entries up to `frontier`, all of them proven.

    `checkpoint` is the newest that `extend` accepted. Past the frontier it is only claimed, not held.
    When the two sizes are equal it is held, and may be relayed and cosigned.
    """

    origin: str
    key: VerifyKey
    frontier: merkle.Frontier
    checkpoint: VerifiedCheckpoint | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """Consecutive entries as received: `entries[0]` has index `start`.

    `proof` is the RFC 6962 consistency proof from the package's end to the checkpoint it travels with.
    """

    origin_hash: bytes
    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """What one package added, to be persisted with `feed` in one transaction.

    `leaf_hashes` and `columns` belong to `package.entries[skipped:]`, which starts where the old frontier
    ended. `nodes` are the newly complete subtrees of level >= TILE_HEIGHT.
    """

    columns: Columns
    leaf_hashes: tuple[bytes, ...]
    nodes: tuple[merkle.Node, ...]
    feed: TrustedFeed
    skipped: int


def weigh(trusted: TrustedFeed, checkpoint: VerifiedCheckpoint) -> Literal["stale", "same", "larger"]:
    """Compare a checkpoint of this feed with the newest known one (SPEC §9.1a).

    "stale" is a smaller one and no fault: a relay was slow. Raises ProtocolError("fork_detected") for another
    root at the same size, with both notes as evidence; ValueError for a checkpoint of another feed or key.
    """
    if (checkpoint.origin, checkpoint.key) != (trusted.origin, trusted.key):
        raise ValueError("the checkpoint was opened for another feed")
    newest = trusted.checkpoint
    if newest is None or checkpoint.size > newest.size:
        return "larger"
    if checkpoint.size < newest.size:
        return "stale"
    if checkpoint.root != newest.root:
        raise ProtocolError(
            "fork_detected",
            f"the feed's owner signed two roots for size {checkpoint.size}",
            (newest.note, checkpoint.note),
        )
    return "same"


def package_stop(start: int, size: int) -> int:
    """Return where the package that begins at `start` ends: the next package boundary, or the head `size`."""
    return min((start // PACKAGE_ENTRIES_MAX + 1) * PACKAGE_ENTRIES_MAX, size)


def extend(
    trusted: TrustedFeed, package: Package, checkpoint: VerifiedCheckpoint, columns: Columns = NO_PARTS
) -> Extension:
    """Verify a package and the parts that came along against a checkpoint; return what it adds (SPEC §9.2, §9.3).

    Known entries at its beginning are skipped unread, their parts too; a package of known entries only changes nothing.
    Raises ProtocolError: "malformed" for the package's form or for a signed entry that is none ("too_large",
    "upgrade_required" likewise), "size_conflict" for a gap or an end past the checkpoint, "root_mismatch" and
    "proof_invalid" when it does not lead to the checkpoint, "fork_detected" as `weigh`; for parts as `check_part`.
    """
    weight = weigh(trusted, checkpoint)
    skipped = _skipped(trusted, package, checkpoint)
    fresh = package.entries[skipped:]
    if not fresh:
        return Extension(NO_PARTS, (), (), trusted, skipped)
    leaf_hashes = tuple(map(merkle.leaf_hash, fresh))
    frontier, nodes = trusted.frontier.extend(leaf_hashes)
    _require_prefix(frontier, checkpoint, package.proof)
    added = {tag: column[skipped:] for tag, column in columns.items()} if skipped else columns
    # Read last: damage of entries by a relay has shown as a wrong root, so what fails here is what the owner signed.
    check_entries(trusted.frontier.size, fresh, added)
    newest = checkpoint if weight == "larger" else trusted.checkpoint
    feed = TrustedFeed(trusted.origin, trusted.key, frontier, newest)
    return Extension(added, leaf_hashes, tuple(nodes), feed, skipped)


def _skipped(trusted: TrustedFeed, package: Package, checkpoint: VerifiedCheckpoint) -> int:
    """Check a package's form (SPEC §9.2a) and place (SPEC §9.2b); return how many of its entries are known already."""
    if package.origin_hash != origin_hash(trusted.origin):
        raise ProtocolError("malformed", "the package belongs to another feed")
    if package.start < 0 or not 0 < len(package.entries) <= PACKAGE_ENTRIES_MAX:
        raise ProtocolError("malformed", f"a package has 1 to {PACKAGE_ENTRIES_MAX} entries")
    if sum(map(len, package.entries)) > PACKAGE_BYTES_MAX:
        raise ProtocolError("malformed", f"a package has at most {PACKAGE_BYTES_MAX} bytes of entries")
    known, end = trusted.frontier.size, package.start + len(package.entries)
    if package.start > known:
        raise ProtocolError("size_conflict", f"the package starts at {package.start}, but {known} comes next")
    if end > checkpoint.size:
        raise ProtocolError("size_conflict", f"the package ends at {end}, beyond {checkpoint.size}")
    if end != checkpoint.size and end % PACKAGE_ENTRIES_MAX:
        raise ProtocolError("malformed", f"the package ends at {end}, neither a boundary nor the head")
    return min(known - package.start, len(package.entries))


def _require_prefix(frontier: merkle.Frontier, checkpoint: VerifiedCheckpoint, proof: tuple[bytes, ...]) -> None:
    """Raise ProtocolError unless the entries up to `frontier` are the first ones of the checkpoint's tree.

    At its size they have its root (SPEC §9.2c) and no proof (SPEC §9.2d), before it a proof (SPEC §9.2e).
    """
    root = frontier.root()
    if frontier.size == checkpoint.size and root != checkpoint.root:
        raise ProtocolError(
            "root_mismatch", f"the entries give another root at size {checkpoint.size}", (checkpoint.note,)
        )
    merkle.verify_consistency(frontier.size, checkpoint.size, root, checkpoint.root, proof)
