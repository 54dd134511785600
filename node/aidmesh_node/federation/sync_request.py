"""A peer's question, its frames sorted: what it holds, what it misses, what it has seen signed (SPEC §8.4).

Nothing in it is verified beyond who sent it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aidmesh_protocol.bundle import (
    Ask,
    CheckpointFrame,
    End,
    Fork,
    FrameReader,
    Head,
    Heads,
    Reads,
    Sizes,
    Want,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.fork_proof import ForkProof
from aidmesh_protocol.limits import (
    BUNDLE_BYTES_ONLINE_MAX,
    EXCHANGE_FORKS_MAX,
    SYNC_BODY_BYTES_MAX,
    SYNC_CHECKPOINTS_MAX,
)

WAIT_SECONDS_MAX = 20
"""How long an answer is held back for something new: shorter than what proxies allow a silent connection."""


@dataclass(slots=True)
class SyncRequest:
    """A sync request's frames, sorted. `reads`: kinds of frames the peer reads that not every node does."""

    budget_bytes: int = BUNDLE_BYTES_ONLINE_MAX
    wait_seconds: int = 0
    sizes: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    notes: list[bytes] = field(default_factory=list)
    want: Want = field(default_factory=Want)
    reads: frozenset[int] = frozenset()
    heads: tuple[bytes, ...] = ()
    forks: list[ForkProof] = field(default_factory=list)


def read_request(body: bytes) -> SyncRequest:
    """Sort the frames of a request, of which most kinds are there once (SPEC §8.4a). Raises ProtocolError malformed or
    too_large."""
    if len(body) > SYNC_BODY_BYTES_MAX:
        raise ProtocolError("too_large", f"a sync request has at most {SYNC_BODY_BYTES_MAX} bytes")
    request, reader, seen = SyncRequest(), FrameReader(bytes_max=SYNC_BODY_BYTES_MAX), set[str]()
    # Frame by frame: what does not belong ends the reading before more of it is unpacked.
    for frame in reader.feed(body):
        match frame:
            case CheckpointFrame():
                request.notes.append(frame.note)
                if len(request.notes) > SYNC_CHECKPOINTS_MAX:
                    raise ProtocolError("too_large", f"a sync request shows at most {SYNC_CHECKPOINTS_MAX} checkpoints")
                continue
            case Fork():
                request.forks.append(frame.proof)
                if len(request.forks) > EXCHANGE_FORKS_MAX:
                    raise ProtocolError("too_large", f"a sync request proves at most {EXCHANGE_FORKS_MAX} forks")
                continue
            case Ask():
                request.budget_bytes = min(frame.budget_bytes, BUNDLE_BYTES_ONLINE_MAX)
                request.wait_seconds = min(frame.wait_seconds, WAIT_SECONDS_MAX)
            case Sizes():
                request.sizes = {origin_hash: (size, root) for origin_hash, size, root in frame.feeds}
            case Want():
                request.want = frame
            case Reads():
                request.reads = frozenset(frame.kinds)
            case Heads():
                request.heads = frame.notes
            case Head() | End():
                pass
            case _:
                raise ProtocolError("malformed", f"{frame.NAME} does not belong in a sync request")
        if frame.NAME in seen:
            raise ProtocolError("malformed", f"a sync request with two {frame.NAME} frames")
        seen.add(frame.NAME)
    reader.close()
    return request
