"""Somebody with a group's key: signs a second history of one of its feeds, and has the proof of it."""

from __future__ import annotations

from aidmesh_node.application.ports import Reading
from aidmesh_node.federation.fork_making import inception_of
from aidmesh_protocol.checkpoint import Checkpoint, sign
from aidmesh_protocol.fork_proof import ForkProof, prove
from tests.support.federation import Group


async def forked(owner: Group, origin: str, size: int = 3) -> ForkProof:
    """Two roots for one size, signed with the owner's own key; nobody has been told yet."""
    keys = await owner.node.readers.run(lambda reading: _keys(reading, owner.node.gid))
    key = owner.federation.replication._key
    one, other = (sign(Checkpoint(origin, size, bytes([number]) * 32), key) for number in (1, 2))
    return prove(keys, one, other)


def _keys(reading: Reading, gid: str) -> tuple[tuple[bytes, bytes], ...]:
    found = inception_of(reading.feeds, gid)
    assert found is not None
    return found
