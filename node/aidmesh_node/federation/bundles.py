"""Files in and out, as people ask for them: pack, look inside, read, and read again what came too early.

A file that goes on from more than we hold is kept, sealed as it came, and read again whenever anything has arrived; so
the order in which files are read does not matter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

from aidmesh_node.application.ports import Readers, Reading, Work, Writer
from aidmesh_node.application.spool import Spool
from aidmesh_node.domain.refused import Refused
from aidmesh_node.federation.bundle_reading import SIGNED, BundleFile
from aidmesh_node.federation.identities import read_identity
from aidmesh_node.federation.intake import Pulled
from aidmesh_node.federation.packing import Packer
from aidmesh_node.federation.replication import Replication
from aidmesh_node.federation.stock import Shelf
from aidmesh_protocol.bundle import Frame, Head, More, PackageFrame, Sizes
from aidmesh_protocol.bundle_file import sizes_from_text, sizes_to_text
from aidmesh_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

PIECE_BYTES_MAX = 1024 * 1024
"""Bytes of a file handed over at once: a bar that moves, and little to repeat on a bad line."""


class Bundles:
    """The files of one node. See application/file_doors.py."""

    def __init__(
        self,
        hpke_key: bytes,
        writer: Writer,
        readers: Readers[Reading],
        replication: Replication,
        shelf: Shelf,
        packer: Packer,
        spool: Spool,
    ) -> None:
        self._hpke_key = hpke_key
        self._writer = writer
        self._readers = readers
        self._replication = replication
        self._shelf = shelf
        self._packer = packer
        self._spool = spool
        self._reading = asyncio.Lock()
        self._waiting = len(spool.kept())

    async def read_kept_always(self) -> None:
        """Whenever something has arrived from a peer, read what has waited for it. For ever."""
        while True:
            await self._replication.arrived.wait()
            self._replication.arrived.clear()
            await self.read_kept()

    async def sizes(self, circle: bytes) -> str:
        return sizes_to_text(await self._readers.run(partial(self._shelf.held, circle)))

    async def pack(self, circle: bytes, since: str | None, bytes_max: int | None) -> dict[str, object]:
        known = None if since is None else _sizes(since)
        id = await asyncio.to_thread(self._spool.create)
        end = 0

        def write(data: bytes) -> None:
            nonlocal end
            end = self._spool.append(id, end, data)

        try:
            packed = await self._packer.pack(circle, known, bytes_max, write)
        except BaseException:
            self._spool.remove(id)
            raise
        unsigned = await self._readers.run(partial(self._shelf.unsigned, circle))
        return {
            "id": id,
            "bytes": packed.bytes,
            "entries": packed.entries,
            "feeds": packed.feeds,
            "left": packed.left,
            "next": packed.next,
            "unsigned": unsigned,
        }

    async def piece(self, id: str, at: int) -> tuple[bytes, int]:
        data = await asyncio.to_thread(self._spool.read, id, at, PIECE_BYTES_MAX)
        return data, await asyncio.to_thread(self._spool.size, id)

    async def receive(self, id: str | None, at: int, data: bytes) -> dict[str, object]:
        name = await asyncio.to_thread(self._spool.create) if id is None else id
        try:
            size = await asyncio.to_thread(self._spool.append, name, at, data)
        except ValueError as error:
            raise Refused("gap_in_file", f"These bytes do not follow those that are here: {error}.") from error
        return {"id": name, "bytes": size}

    async def inspect(self, id: str) -> dict[str, object]:
        file, entries, new, more = await self._open(id), 0, 0, 0
        trouble: ProtocolError | None = None
        try:
            async for frame in file.frames():
                if isinstance(frame, PackageFrame):
                    package = frame.package
                    entries += len(package.entries)
                    new += await self._missing(package.origin_hash, package.start, len(package.entries))
                elif isinstance(frame, More):
                    more = frame.entries
        except ProtocolError as error:
            trouble = _look(error, file)
        return {**await self._described(file, trouble), "entries": entries, "new": new, "left": more}

    async def read(self, id: str) -> dict[str, object]:
        async with self._reading:
            file, pulled, trouble, again = await self._take(id)
            if pulled.entries:
                pulled.entries += await self._take_kept(besides=id)
        return {
            **await self._described(file, trouble),
            "new": pulled.entries,
            "again": again,
            "kept": bool(pulled.gaps) and id in await asyncio.to_thread(self._spool.kept),
            "waiting": self._waiting,
            "refused": [{"code": error.code, "detail": error.detail} for error in pulled.refused],
        }

    async def read_kept(self) -> int:
        """Read those that wait, as something has arrived: how much they brought."""
        if not self._waiting:
            return 0
        async with self._reading:
            return await self._take_kept()

    async def _take_kept(self, besides: str = "") -> int:
        brought, more = 0, True
        while more:
            more = False
            for id in await asyncio.to_thread(self._spool.kept):
                try:
                    entries = 0 if id == besides else (await self._take(id))[1].entries
                except (Refused, LookupError) as error:
                    # Its circle may have ended meanwhile, and with it what the file was for.
                    log.warning("a file that was kept is let go: %s", type(error).__name__)
                    await self.let_go(id)
                else:
                    brought, more = brought + entries, more or entries > 0
        return brought

    async def _take(self, id: str) -> tuple[BundleFile, Pulled, ProtocolError | None, bool]:
        """What one file was, what it brought, why not all of it was read, and whether it had been read before."""
        file = await self._open(id)
        unread = _Unread(file, self._writer)
        pulled, trouble = await self._replication.take_file(unread.frames())
        if trouble is not None:
            try:
                _look(trouble, file)
            except Refused:
                await self.let_go(id)
                raise
        if pulled.gaps and self._spool.keep(id):
            self._waiting = len(await asyncio.to_thread(self._spool.kept))
            return file, pulled, trouble, False
        # Only what its packer has signed, all of it taken in: that name nobody else can give to another file.
        if file.signature == SIGNED and not (trouble or pulled.gaps or pulled.refused):
            await self._writer.run(lambda work: work.positions.put(_name(file.head), 1))
        await self.let_go(id)
        return file, pulled, trouble, unread.again

    async def let_go(self, id: str) -> None:
        await asyncio.to_thread(self._spool.remove, id)
        self._waiting = len(await asyncio.to_thread(self._spool.kept))

    async def _open(self, id: str) -> BundleFile:
        await asyncio.to_thread(self._spool.size, id)
        return BundleFile(self._hpke_key, self._readers, partial(self._spool.read, id))

    async def _described(self, file: BundleFile, trouble: ProtocolError | None) -> dict[str, object]:
        head = file.head
        assert head is not None  # a file without one is refused
        identity = await self._readers.run(lambda reading: read_identity(reading.feeds, head.gid))
        return {
            "bundle": head.bundle_id.hex(),
            "packed_by": {"gid": head.gid, "name": identity.name if identity else None},
            "packed_at": datetime.fromtimestamp(head.created, UTC),
            "signature": file.signature,
            "feeds": head.feeds,
            "whole": file.whole,
            "trouble": trouble.detail if trouble else "",
        }

    async def _missing(self, origin_hash: bytes, start: int, count: int) -> int:
        head = await self._readers.run(lambda reading: reading.feeds.head_by_hash(origin_hash))
        return min(count, max(0, start + count - (head.size if head else 0)))


class _Unread:
    """The frames of a file, none when it was read before."""

    def __init__(self, file: BundleFile, writer: Writer) -> None:
        self._file = file
        self._writer = writer
        self.again = False

    async def frames(self) -> AsyncIterator[Frame]:
        async for frame in self._file.frames():
            if isinstance(frame, Head):
                known = partial(_was_read, _name(frame))
                self.again = (await self._writer.run(known)).value
                if self.again:
                    return
            yield frame


def _was_read(name: str, work: Work) -> bool:
    return work.positions.get(name) == 1


def _name(head: Head | None) -> str:
    """Of the position that says that a file was read."""
    assert head is not None  # a file without one is refused
    return f"file:{head.gid}:{head.bundle_id.hex()}"


def _sizes(text: str) -> Sizes:
    try:
        return sizes_from_text(text.strip())
    except ProtocolError as error:
        raise Refused(
            "bad_sizes",
            "This does not say what the others hold.",
            "Give the whole line that their node prints: aidmesh bundle sizes",
        ) from error


def _look(error: ProtocolError, file: BundleFile) -> ProtocolError:
    """What stopped the reading of a file that had begun. Raises Refused for one that never did."""
    if file.head is not None:
        return error
    if error.code == "not_member":
        raise Refused(
            "not_for_us",
            "This file is not sealed to your group, or its beginning is damaged.",
            "Ask who gave it to you for whom it was packed; they may pack it once more.",
        ) from error
    raise Refused(
        "no_bundle",
        "This is no file of aidmesh, or so little of one that nothing of it can be read.",
        "Copy it once more from where you have it.",
    ) from error
