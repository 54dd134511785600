"""From whom frames come, and whose feeds they may bring: membership of circles decides, not who hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.origin import Origin

FILE = "file"
"""Of whom faults in a file are noted: nobody has signed for its bytes before its end."""


@dataclass(frozen=True, slots=True)
class Sender:
    """`name`: the peer's gid, or FILE. `circles`: those in force that we and the sender are in, each with the gids of
    its members, us included; a file has no sender, so it may be about any circle of ours."""

    name: str
    circles: Mapping[bytes, frozenset[str]]
    us: str

    @property
    def is_file(self) -> bool:
        return self.name == FILE

    @property
    def groups(self) -> frozenset[str]:
        """All other members of these circles."""
        return frozenset().union(*self.circles.values()) - {self.us}

    def may_bring(self, owner: str, circle: bytes | None) -> bool:
        """Whether a feed, an identity where there is no circle, is one of another member of these circles."""
        return owner in (self.groups if circle is None else self.circles.get(circle, frozenset()) - {self.us})

    def check(self, origin: Origin) -> bytes:
        """The circle (32 bytes) of a feed that this sender may bring (SPEC §13, check 2). Files: SPEC §8.5b. Raises
        ProtocolError."""
        circle = origin.circle
        if circle is None or origin.gid not in self.circles.get(circle, ()):
            raise ProtocolError("unknown_feed", "a checkpoint of a feed that is not between our groups")
        return circle
