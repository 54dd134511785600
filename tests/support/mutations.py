"""Good bundles with something changed: bytes, frames, their order, or the values inside them. All under a seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import Any

import msgpack

from aidmesh_protocol.bundle import MAGIC

ODD: tuple[Any, ...] = (
    None, True, 0, 1, -1, 255, 2**31, 2**53, 2**63, 2**64 - 1, -(2**63), 0.5, float("nan"), "", "é", "x" * 400, b"",
    bytes(32), b"\xff" * 33, [], [[]], {}, {"a": 1}, [0] * 300, [[[[[[[[[[1]]]]]]]]]],
)  # fmt: skip
"""Values where others belong."""


class Mutator:
    """Draws one change after another from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def coin(self) -> int:
        """0 or 1."""
        return self._random.randrange(2)

    def answer(self, frames: Sequence[bytes]) -> bytes:
        """A bundle of these encoded frames (END included), changed in up to three ways."""
        changed = list(frames)
        for _ in range(self._random.randint(1, 3)):
            change = self._random.choice((self._dropped, self._doubled, self._swapped, self._inside, self._inside))
            changed = change(changed)
        data = MAGIC + b"".join(changed)
        return self.spoiled(data) if self._random.random() < 0.3 else data

    def spoiled(self, data: bytes) -> bytes:
        """A few bytes flipped, cut out, put in, or the rest cut off."""
        spoiled = bytearray(data)
        for _ in range(self._random.randint(1, 4)):
            at = self._random.randrange(len(spoiled) + 1)
            match self._random.randrange(5):
                case 0 if spoiled:
                    spoiled[at % len(spoiled)] ^= 1 << self._random.randrange(8)
                case 1:
                    spoiled[at:at] = self._random.randbytes(self._random.randint(1, 9))
                case 2:
                    del spoiled[at : at + self._random.randint(1, 9)]
                case 3:
                    spoiled[at : at + 4] = self._random.choice((b"\xff" * 4, bytes(4), b"\xdd\xff\xff\xff"))
                case _ if self._random.random() < 0.2:
                    del spoiled[at:]
        return bytes(spoiled)

    def pieces(self, data: bytes) -> list[bytes]:
        """The bytes as a network may deliver them."""
        cuts = sorted(self._random.randrange(len(data) + 1) for _ in range(self._random.randint(0, 5)))
        return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]

    def _dropped(self, frames: list[bytes]) -> list[bytes]:
        at = self._random.randrange(len(frames)) if frames else 0
        return frames[:at] + frames[at + 1 :]

    def _doubled(self, frames: list[bytes]) -> list[bytes]:
        at = self._random.randrange(len(frames)) if frames else 0
        return frames[:at] + frames[at : at + 1] * self._random.randint(2, 4) + frames[at + 1 :]

    def _swapped(self, frames: list[bytes]) -> list[bytes]:
        mixed = list(frames)
        if len(mixed) > 1:
            a, b = self._random.sample(range(len(mixed)), 2)
            mixed[a], mixed[b] = mixed[b], mixed[a]
        return mixed

    def _inside(self, frames: list[bytes]) -> list[bytes]:
        """Another value somewhere inside one frame, or another frame around it."""
        if not frames:
            return frames
        at = self._random.randrange(len(frames))
        payload = frames[at][5:]
        if frames[at][4]:
            payload = zlib.decompress(payload)
        try:
            value = msgpack.unpackb(payload)
        except ValueError:
            return frames  # changed before
        payload = msgpack.packb(self._changed(value, 0)) if self._random.random() < 0.8 else self.spoiled(payload)
        packed = self._random.random() < 0.3
        payload = zlib.compress(payload) if packed else payload
        return [*frames[:at], len(payload).to_bytes(4, "big") + bytes((packed,)) + payload, *frames[at + 1 :]]

    def _changed(self, value: Any, depth: int) -> Any:
        if isinstance(value, list) and value and (depth == 0 or self._random.random() < 0.8):
            at = self._random.randrange(len(value))
            match self._random.randrange(8):
                case 0:
                    return value[:at] + value[at + 1 :]
                case 1:
                    return value[:at] + [value[at]] * 2 + value[at + 1 :]
                case 2:
                    return [*value[:at], self._random.choice(ODD), *value[at + 1 :]]
                case _:
                    return [*value[:at], self._changed(value[at], depth + 1), *value[at + 1 :]]
        match value:
            case bytes() if value and self._random.random() < 0.8:
                return self.spoiled(value)
            case int() if abs(value) < 2**62 and self._random.random() < 0.8:
                return value + self._random.choice((-1, 1, 255, -256, 2**32))
            case str() if value and self._random.random() < 0.8:
                return value[::-1] if self._random.random() < 0.5 else value + "x"
        return self._random.choice(ODD)
