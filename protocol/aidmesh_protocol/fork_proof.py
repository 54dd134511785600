"""Fork proofs: two signed checkpoints of one feed that cannot both be true, and what shows it (SPEC §9.4).

Verifiable by anybody, offline, knowing nothing but the group id. Never accuses by what is not signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aidmesh_protocol import merkle
from aidmesh_protocol.checkpoint import VerifiedCheckpoint, open_checkpoint, parse_unverified
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import read_inception
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.origin import origin_hash, parse_origin

KeyRow = tuple[bytes, bytes]
"""An entry of an identity feed that names a key, and its facts part."""


@dataclass(frozen=True, slots=True)
class ForkProof:
    """What convicts a feed's owner. Unverified: `convict` says whether it does.

    `keys` lead from the group id to the signing key: the inception. `smaller` and `larger` are notes with their owner's
    signature line only, by size, and by root where the sizes are equal, so that one fork has one proof. `path` leads
    from the smaller size to the larger in the tree of the larger (`merkle.consistency_roots`), and is empty when the
    sizes are equal.
    """

    keys: tuple[KeyRow, ...]
    smaller: bytes
    larger: bytes
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Conviction:
    """What a proof has shown: the key of group `gid` signed both checkpoints of one feed."""

    gid: str
    smaller: VerifiedCheckpoint
    larger: VerifiedCheckpoint

    @property
    def origin(self) -> str:
        """The feed that was forked."""
        return self.larger.origin

    @property
    def fork_id(self) -> bytes:
        """16 bytes that name the forked feed: one feed has one fork, however many proofs there are of it."""
        return origin_hash(self.origin)[:16]

    def tells(self) -> str:
        """One sentence for a person."""
        if self.smaller.size == self.larger.size:
            return f"the feed's owner signed two different histories of {self.larger.size} entries"
        return (
            f"the feed's owner signed a history of {self.larger.size} entries "
            f"that does not begin with the {self.smaller.size} it had signed as well"
        )


def convict(proof: ForkProof) -> Conviction:
    """Pass a proof that holds. Raises ProtocolError for any other (SPEC §9.4a).

    "malformed", "too_large", "unknown_key" and "bad_signature" as for inception and checkpoint, "malformed" also for a
    proof that is not in its one form, "upgrade_required" for one that needs a key rotation, "proof_invalid" when it
    shows nothing.
    """
    if not proof.keys:
        raise ProtocolError("malformed", "a fork proof without the inception of its group")
    if len(proof.keys) > 1:
        raise ProtocolError("upgrade_required", "a fork proof over a key rotation, which this version cannot judge")
    origin = parse_unverified(proof.larger).origin
    gid = parse_origin(origin).gid
    key = VerifyKey.admit(read_inception(*proof.keys[0], gid).signing_key)
    smaller, larger = (open_checkpoint(note, origin, key) for note in (proof.smaller, proof.larger))
    if (smaller.note, larger.note) != (smaller.alone(), larger.alone()):
        raise ProtocolError("malformed", "a fork proof holds no signatures but the owner's")
    if not _contradict(smaller, larger, proof.path):
        raise ProtocolError("proof_invalid", "the two checkpoints agree: this proves nothing against anybody")
    return Conviction(gid, smaller, larger)


def prove(
    keys: Sequence[KeyRow], one: VerifiedCheckpoint, other: VerifiedCheckpoint, path: Sequence[bytes] = ()
) -> ForkProof:
    """Return the proof that two checkpoints of one feed make, in its one form; `path` as in `ForkProof`.

    It is judged before it is returned, so nobody is accused by what does not hold: raises as `convict`.
    """
    smaller, larger = sorted((one, other), key=lambda each: (each.size, each.root))
    proof = ForkProof(tuple(keys), smaller.alone(), larger.alone(), tuple(path))
    convict(proof)
    return proof


def _contradict(smaller: VerifiedCheckpoint, larger: VerifiedCheckpoint, path: Sequence[bytes]) -> bool:
    """Say whether both cannot be of one feed that only ever grows. Raises ProtocolError for another form."""
    if (smaller.size, smaller.root) > (larger.size, larger.root) or (smaller.size == larger.size and path):
        raise ProtocolError("malformed", "a fork proof that is not in its one form")
    if smaller.size == larger.size:
        return smaller.root != larger.root
    before, after = merkle.consistency_roots(smaller.size, larger.size, path)
    if after != larger.root:
        raise ProtocolError("proof_invalid", "the path is not from the tree of the larger checkpoint")
    return before != smaller.root
