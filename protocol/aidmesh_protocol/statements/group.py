"""What a group says about itself in its identity feed (SPEC §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aidmesh_protocol.statements.rules import Endpoints, Key32, Name
from aidmesh_protocol.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class GroupIncepted(Statement):
    """Entry 0 of `id/0`: the keys the group id stands for, and SHA-256 of the next signing key."""

    TYPE: ClassVar[str] = "group.incepted"

    signing_key: Key32
    witness_key: Key32
    hpke_key: Key32
    next_key_hash: Key32


@dataclass(frozen=True, slots=True)
class GroupDescribed(Statement):
    """The group's display name, and the addresses of its node in the order to try them."""

    TYPE: ClassVar[str] = "group.described"

    name: Name
    endpoints: Endpoints
