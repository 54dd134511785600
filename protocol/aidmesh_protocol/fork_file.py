"""A fork proof as a file that anybody can keep, pass on and check: a bundle of one frame (SPEC §9.4)."""

from __future__ import annotations

from aidmesh_protocol.bundle import MAGIC, End, Fork, decode_bundle, encode_frame
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.fork_proof import ForkProof
from aidmesh_protocol.limits import FORK_FILE_BYTES_MAX


def encode_fork_file(proof: ForkProof) -> bytes:
    """Return the file: the same proof gives the same bytes, and none of them is without meaning."""
    return MAGIC + encode_frame(Fork(proof), compress=False) + encode_frame(End())


def decode_fork_file(data: bytes) -> ForkProof:
    """Return the proof in a file, not yet judged. Raises ProtocolError "malformed" or "too_large" for anything that
    `encode_fork_file` does not give."""
    match decode_bundle(data, bytes_max=FORK_FILE_BYTES_MAX):
        case [Fork(proof), End()] if encode_fork_file(proof) == data:
            return proof
    raise ProtocolError("malformed", "not the file of a fork proof")
