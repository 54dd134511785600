"""Packing a file for a circle: what it holds and in which order, sealed to the circle's members (SPEC §8.5, §8.6).

Holds nothing that an answer to a member could not hold, and no more in memory than one package.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from aidmesh_node.application.ports import Readers, Reading
from aidmesh_node.clock import Clock
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.ledger import Ledger
from aidmesh_node.federation.serve import ident_of
from aidmesh_node.federation.stock import Shelf, Stock
from aidmesh_protocol.bundle import MAGIC, CheckpointFrame, Head, More, Sizes, encode_frame
from aidmesh_protocol.bundle_file import sign_file, sizes_to_text
from aidmesh_protocol.identity import origin_hash, parse_origin
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import BUNDLE_BYTES_FILE_MAX, FRAME_PAYLOADS_MAX
from aidmesh_protocol.sealing import KEY_BYTES, SALT_BYTES, Sealer, sealed_length, slots_for

FILE_TTL_SECONDS = 30 * 24 * 3600
"""How long others are asked to carry a file: a month on the road, and newer ones hold what it holds."""

CLOSING_BYTES = FRAME_PAYLOADS_MAX["MORE"] + FRAME_PAYLOADS_MAX["END"] + 10
"""What MORE and END with their headers can take."""

Write = Callable[[bytes], object]
"""Where the sealed bytes go, in order; called off the event loop."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One file: `bytes` long, with `entries` of `feeds`; `left` entries did not fit, and go on from `sizes`."""

    bytes: int
    entries: int
    feeds: int
    left: int
    sizes: Sizes

    @property
    def next(self) -> str | None:
        """What the next file begins from, None when there is none to write."""
        return sizes_to_text(self.sizes) if self.left else None


class SealedFile:
    """One file while it is written: counts, hashes and seals what is put into it under a key of its own, SPEC §8.6b."""

    def __init__(self, recipients: Sequence[bytes], entropy: Entropy, write: Write, bytes_max: int) -> None:
        decoys = [entropy.bytes(KEY_BYTES) for _ in range(slots_for(len(recipients)) - len(recipients))]
        self._sealer = Sealer(recipients, entropy.bytes(KEY_BYTES), entropy.bytes(SALT_BYTES), decoys)
        self._readers = len(recipients)
        self._write = write
        self._bytes_max = bytes_max
        self._hash = hashlib.sha256(MAGIC)
        self._length = len(MAGIC)
        write(self._sealer.begin() + self._sealer.encrypt(MAGIC))

    def with_more(self, length: int) -> int:
        """Bytes of the file if so much were put into it, and then closed."""
        return sealed_length(self._length + length + CLOSING_BYTES, self._readers)

    def fits(self, length: int) -> bool:
        return self.with_more(length) <= self._bytes_max

    def put(self, data: bytes) -> None:
        """Frames; blocking."""
        self._hash.update(data)
        self._length += len(data)
        self._write(self._sealer.encrypt(data))

    def close(self, left: int, key: SigningKey) -> int:
        """MORE if entries are left, END with the packer's signature, padding: the bytes of the whole file."""
        if left:
            self.put(encode_frame(More(left)))
        end = encode_frame(sign_file(self._hash.digest(), key))
        self._write(self._sealer.encrypt(end) + self._sealer.finish())
        return sealed_length(self._length + len(end), self._readers)


class Packer:
    """Writes files for the circles of this node."""

    def __init__(
        self,
        gid: str,
        key: SigningKey,
        readers: Readers[Reading],
        shelf: Shelf,
        ledger: Ledger,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._gid = gid
        self._key = key
        self._readers = readers
        self._shelf = shelf
        self._ledger = ledger
        self._clock = clock
        self._entropy = entropy

    async def pack(self, circle: bytes, since: Sizes | None, bytes_max: int | None, write: Write) -> Packed:
        """Write one file for the members of a circle: what goes on from `since`, as much as `bytes_max` allows.

        Raises Refused `nothing_new`, `file_too_small`, `no_reader`.
        """
        recipients = self._shelf.recipients(circle)
        stocks, identities = await self._shelf.stock(circle, since, by_need=bytes_max is not None)
        if since is not None and not identities and not any(stock.left for stock in stocks):
            raise Refused(
                "nothing_new", "They hold everything already that can go into a file.", "Nothing needs to be carried."
            )
        bytes_max = min(bytes_max or BUNDLE_BYTES_FILE_MAX, BUNDLE_BYTES_FILE_MAX)
        file = await asyncio.to_thread(SealedFile, recipients, self._entropy, write, bytes_max)
        now = int(self._clock.now().timestamp())
        head = Head(self._entropy.bytes(16), self._gid, now, FILE_TTL_SECONDS, len(stocks) + len(identities))
        frames = [encode_frame(head)]
        for identity in identities:
            frames.append(encode_frame(await self._readers.run(partial(ident_of, identity))))
        opening = b"".join(frames)
        _require(file, opening, 0, bytes_max)
        await asyncio.to_thread(file.put, opening)
        entries, shown = 0, set[str]()
        for stock in in_order(stocks):
            page = await self._readers.run(partial(self._shelf.page, stock))
            data = page.data
            if stock.checkpoint.origin not in shown:
                data = encode_frame(CheckpointFrame(stock.checkpoint.note)) + data
            if not file.fits(len(data)):
                _require(file, data, entries, bytes_max)
                break
            await asyncio.to_thread(file.put, data)
            if parse_origin(stock.checkpoint.origin).gid == self._gid:
                for other in self._shelf.others(circle):
                    self._ledger.went(other, origin_hash(stock.checkpoint.origin), page.disclosed)
            shown.add(stock.checkpoint.origin)
            entries += page.stop - stock.at
            stock.at = page.stop
        left = sum(stock.left for stock in stocks)
        size = await asyncio.to_thread(file.close, left, self._key)
        await self._ledger.store()
        reached = await self._readers.run(partial(self._shelf.sizes, circle, stocks))
        return Packed(size, entries, len(shown) + len(identities), left, reached)


def in_order(stocks: Sequence[Stock]) -> Iterator[Stock]:
    """Whose next package goes into the file, until nothing is left; whoever iterates moves `at` on.

    Entries of a feed stand without gaps, so "first" means: agreements first, which the first package of each feed
    begins with; then each feed up to its last critical need that is open, those that are there soonest first; then
    the rest, short feeds first, so that as many as possible are complete.
    """
    yield from (stock for stock in stocks if stock.at == 0 and stock.left)
    urgent = [stock for stock in stocks if stock.at < stock.critical]
    for stock in sorted(urgent, key=lambda stock: stock.critical - stock.at):
        while stock.at < stock.critical:
            yield stock
    for stock in sorted(stocks, key=lambda stock: stock.left):
        while stock.left:
            yield stock


def _require(file: SealedFile, data: bytes, entries: int, bytes_max: int) -> None:
    """A file without one package would be nothing."""
    if entries or file.fits(len(data)):
        return
    raise Refused(
        "file_too_small",
        f"Not even the first package of news fits into {bytes_max} bytes.",
        f"Allow at least {file.with_more(len(data))} bytes for each file.",
    )


__all__ = ["Packed", "Packer", "SealedFile", "in_order"]
