"""Lines between groups that fail and heal, and what everybody then holds of everybody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from aidmesh_node.application.ports import Reading
from aidmesh_node.federation.peer_client import Unreachable
from aidmesh_protocol.identity import circle_origin
from tests.support.federation import Group, Mesh
from tests.support.stories import post_need, share

Line = tuple[Group, Group, bytes]
"""Two groups and the circle between them."""


async def ring(mesh: Mesh, count: int) -> list[Line]:
    """So many groups, each paired with the next and the last with the first."""
    groups = [await mesh.found(f"group-{number}") for number in range(count)]
    return [(here, there, await mesh.pair(here, there)) for here, there in pairwise([*groups, groups[0]])]


def set_line(mesh: Mesh, line: Line, *, up: bool, ways: int = 2) -> None:
    """Cut or heal a line: both ways, or only that of the first to the second."""
    here, there, _ = line
    both = [(here.endpoint, there.endpoint), (there.endpoint, here.endpoint)][:ways]
    (mesh.network.cut_lines.difference_update if up else mesh.network.cut_lines.update)(both)


async def write_something(line: Line, chance: random.Random, number: int) -> None:
    """One of the two shares another need with the other."""
    here, there, circle = line
    group = chance.choice((here, there))
    await share(group, await post_need(group, chance.randint(1, 9), f"Thing {number}"), circle)


def held(reader: Group, owner: Group, circle: bytes) -> tuple[bytes, ...]:
    """Every entry that one holds of what another says to their circle, as it holds it, and its parts."""

    def read(reading: Reading) -> tuple[bytes, ...]:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        if head is None:
            return ()
        parts = sorted((row.entry_index, row.tag, row.part) for row in reading.feeds.parts(head.feed, 0, head.size))
        return (*reading.feeds.entries(head.feed, 0, head.size), *(part for _, _, part in parts))

    return reader.node.readers.run_now(read)


def check_all_hold_the_same(lines: Sequence[Line]) -> None:
    """For each audience, what its members hold of each other is to the byte what was said to it."""
    for here, there, circle in lines:
        for owner, reader in ((here, there), (there, here)):
            assert held(reader, owner, circle) == held(owner, owner, circle), f"{owner.node.name} to {reader.node.name}"


class Disturbance:
    """Faults of one kind with a chance each; `happened` counts them."""

    def __init__(self, seed: int, *, repeats: float = 0, loses: float = 0, spoils: float = 0) -> None:
        self.random = random.Random(seed)
        self._repeats, self._loses, self._spoils = repeats, loses, spoils
        self.happened = 0

    def repeats_request(self) -> bool:
        return self._happens(self._repeats)

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        """An answer as it arrives: whole, not at all, or with a changed byte in some of its pieces."""
        if self._happens(self._loses):
            raise Unreachable("the answer was lost, though the question had arrived")
        return [self._spoiled(piece) if piece and self._happens(self._spoils) else piece for piece in pieces]

    def _spoiled(self, piece: bytes) -> bytes:
        at = self.random.randrange(len(piece))
        return piece[:at] + bytes([piece[at] ^ 1 << self.random.randrange(8)]) + piece[at + 1 :]

    def _happens(self, chance: float) -> bool:
        happens = self.random.random() < chance
        self.happened += happens
        return happens
