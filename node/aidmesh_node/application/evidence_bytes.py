"""Evidence without parts. What proves a fault to others is what its owner signed: notes and entries. A part proves
nothing, since anybody can make a wrong one; so from the first erasure on no kept bytes hold any.
"""

from __future__ import annotations

from aidmesh_node.application.ports import Work
from aidmesh_protocol.bundle import MAGIC, CheckpointFrame, FrameReader, PackageFrame
from aidmesh_protocol.checkpoint import parse_unverified
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX


def strip_evidence(work: Work) -> None:
    """Each row is looked at once, however often somebody erases."""
    for row, blobs in work.evidence.unstripped():
        work.evidence.strip(row, [blob for blob in blobs if not _may_hold_parts(blob)])


def _may_hold_parts(blob: bytes) -> bool:
    """Whether it is anything but a note, an entry, or a frame of entries."""
    for read in (parse_unverified, Entry.decode):
        try:
            read(blob)
            return False
        except ProtocolError:
            continue
    try:
        frames = list(FrameReader(bytes_max=BUNDLE_BYTES_ONLINE_MAX).feed(MAGIC + blob))
    except ProtocolError:
        return True
    return not frames or not all(isinstance(frame, CheckpointFrame | PackageFrame) for frame in frames)
