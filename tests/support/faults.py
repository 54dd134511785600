"""A bad network under a seed: requests arrive twice, answers are cut, lost, repeated or in another order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from aidmesh_node.federation.peer_client import Unreachable
from aidmesh_protocol.bundle import (
    MAGIC,
    ColumnFrame,
    End,
    Frame,
    PackageFrame,
    PartFrame,
    decode_bundle,
    encode_frame,
)
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX


class BadNetwork:
    """Implements `federation.Faults`. `happened` counts each kind, so that a test can tell that it was tested."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._earlier: dict[tuple[str, str], list[list[bytes]]] = {}
        self.happened: dict[str, int] = {}

    def repeats_request(self) -> bool:
        return self._random.random() < 0.4 and self._count("request repeated")

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        earlier = self._earlier.setdefault(line, [])
        earlier.append(pieces)
        match self._random.choice(("fine", "old", "lost", "cut at a frame", "cut anywhere", "reordered", "old first")):
            case "old":
                self._count("old answer")
                return self._random.choice(earlier)
            case "lost":
                self._count("answer lost")
                raise Unreachable("the line broke before the answer came")
            case "cut at a frame":
                self._count("cut at a frame")
                return [MAGIC, *map(encode_frame, self._some(frames_of(pieces)))]
            case "cut anywhere":
                self._count("cut anywhere")
                data = b"".join(pieces)
                return [data[: self._random.randrange(len(data))]]
            case "reordered":
                self._count("reordered")
                return [MAGIC, *map(encode_frame, self._reordered(frames_of(pieces))), encode_frame(End())]
            case "old first":
                self._count("old frames first")
                old = frames_of(self._random.choice(earlier))
                return [MAGIC, *map(encode_frame, [*old, *frames_of(pieces)]), encode_frame(End())]
        return pieces

    def _some(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        return frames[: self._random.randrange(len(frames) + 1)]

    def _reordered(self, frames: Sequence[Frame]) -> list[Frame]:
        """Each feed's frames stay in their order; which feed comes when does not."""
        blocks: list[list[Frame]] = []
        for frame in frames:
            if isinstance(frame, PackageFrame | PartFrame | ColumnFrame) and blocks:
                blocks[-1].append(frame)
            else:
                blocks.append([frame])
        self._random.shuffle(blocks)
        return [frame for block in blocks for frame in block]

    def _count(self, what: str) -> bool:
        self.happened[what] = self.happened.get(what, 0) + 1
        return True


def frames_of(pieces: list[bytes]) -> list[Frame]:
    """The frames of a whole answer, without its END."""
    data = b"".join(pieces)
    return [frame for frame in decode_bundle(data, bytes_max=BUNDLE_BYTES_ONLINE_MAX) if not isinstance(frame, End)]
