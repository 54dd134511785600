"""The frames of gossip: what each has seen signed, and the proof that an owner contradicted itself (SPEC §8.2).

A frame that was read has the right shape; nothing in it is verified yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from aidmesh_protocol import frame_fields as fields
from aidmesh_protocol.canonical import Encodable
from aidmesh_protocol.fork_proof import ForkProof
from aidmesh_protocol.frame_form import FrameForm
from aidmesh_protocol.limits import (
    CHECKPOINT_BYTES_MAX,
    ENTRY_BYTES_MAX,
    FORK_KEYS_MAX,
    FORK_NOTE_BYTES_MAX,
    HEADS_MAX,
    PART_BYTES_MAX,
)


@dataclass(frozen=True, slots=True)
class Heads(FrameForm):
    """The newest signed notes the sender has seen of feeds that both sides share: gossip (SPEC §9.5)."""

    KIND: ClassVar[int] = 6
    NAME: ClassVar[str] = "HEADS"

    notes: tuple[bytes, ...]

    def values(self) -> list[Encodable]:
        return [self.notes]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        (notes,) = fields.exactly(values, 1)
        return cls(fields.all_octets(fields.bounded_list(notes, HEADS_MAX), 1, CHECKPOINT_BYTES_MAX))


@dataclass(frozen=True, slots=True)
class Fork(FrameForm):
    """The proof that a feed's owner has signed two histories (SPEC §9.4)."""

    KIND: ClassVar[int] = 7
    NAME: ClassVar[str] = "FORK"

    proof: ForkProof

    def values(self) -> list[Encodable]:
        proof = self.proof
        return [proof.keys, proof.smaller, proof.larger, proof.path]

    @classmethod
    def read(cls, values: list[Any]) -> Self:
        key_rows, smaller, larger, path = fields.exactly(values, 4)
        keys = tuple(
            (fields.octets(entry, 1, ENTRY_BYTES_MAX), fields.octets(part, 1, PART_BYTES_MAX))
            for entry, part in fields.rows(key_rows, FORK_KEYS_MAX, 2)
        )
        first, second = fields.all_octets([smaller, larger], 1, FORK_NOTE_BYTES_MAX)
        return cls(ForkProof(keys, first, second, fields.proof(path)))
