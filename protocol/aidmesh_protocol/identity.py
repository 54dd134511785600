"""A group's self-certifying identity: the inception entry, whose hash is the group id (SPEC §4).

Never makes a key or nonce; rotation to the committed next key is not part of this version.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from aidmesh_protocol import statements
from aidmesh_protocol.entry import FACTS, Entry, SealedEntry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.limits import GROUP_ID_CHARACTERS
from aidmesh_protocol.origin import (
    Origin,
    check_group_id,
    circle_origin,
    identity_origin,
    origin_hash,
    parse_origin,
    public_origin,
)
from aidmesh_protocol.statements import GroupIncepted

GroupId = str
"""32 characters of lower-case base32: the first 160 bits of SHA-256 of the inception entry."""

# Nothing exists yet that an inception's ids could name: they would hash the group id, which hashes the entry.
_NO_ID = bytes(16)


@dataclass(frozen=True, slots=True)
class Inception:
    """The keys a group starts with, 32 raw bytes each: Ed25519, Ed25519, X25519, SHA-256 of the next Ed25519.

    The hash commits to the key that alone may replace `signing_key` (SPEC §4.2).
    """

    signing_key: bytes
    witness_key: bytes
    hpke_key: bytes
    next_key_hash: bytes


def next_key_hash(next_key: VerifyKey) -> bytes:
    """What an inception says of the next signing key: SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(next_key.raw).digest()


def incept(inception: Inception, part_key: bytes, hour: int) -> SealedEntry:
    """Entry 0 of a new identity feed. `part_key` is 16 fresh random bytes, `hour` whole hours since 1970."""
    statement = GroupIncepted(inception.signing_key, inception.witness_key, inception.hpke_key, inception.next_key_hash)
    return statements.seal(statement, statement_id=_NO_ID, subject_id=_NO_ID, hour=hour, part_keys=lambda: part_key)


def group_id(entry: bytes) -> GroupId:
    """The id of the group whose inception entry has these leaf bytes."""
    return base64.b32encode(hashlib.sha256(entry).digest()).decode().lower()[:GROUP_ID_CHARACTERS]


def read_inception(entry_bytes: bytes, part_bytes: bytes, gid: GroupId) -> Inception:
    """The keys of group `gid`, proven by the id alone (SPEC §4.1a).

    Raises ProtocolError: `proof_invalid` if the entry does not hash to `gid` or the part is not the one it
    commits to, `unknown_key` if a key is not admitted (SPEC §3), `malformed` or `too_large` otherwise.
    """
    if group_id(entry_bytes) != gid:
        raise ProtocolError("proof_invalid", "this inception does not belong to the group id")
    entry = Entry.decode(entry_bytes)
    said = statements.read(entry, {FACTS: part_bytes})
    if not isinstance(said, GroupIncepted):
        raise ProtocolError("malformed", "an identity feed starts with group.incepted")
    if (entry.statement_id, entry.subject_id) != (_NO_ID, _NO_ID):
        raise ProtocolError("malformed", "the ids of an inception are zero")
    VerifyKey.admit(said.signing_key)
    VerifyKey.admit(said.witness_key)
    return Inception(said.signing_key, said.witness_key, said.hpke_key, said.next_key_hash)


__all__ = [
    "GroupId",
    "Inception",
    "Origin",
    "check_group_id",
    "circle_origin",
    "group_id",
    "identity_origin",
    "incept",
    "next_key_hash",
    "origin_hash",
    "parse_origin",
    "public_origin",
    "read_inception",
]
