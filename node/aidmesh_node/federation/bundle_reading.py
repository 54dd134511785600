"""Reading a sealed file: opened chunk by chunk, its frames in order, its packer's signature. Takes nothing in itself.

What was read before a fault is good: packages of a file that was cut or damaged are kept (SPEC §8.5a).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from aidmesh_node.application.ports import Readers, Reading
from aidmesh_node.federation.identities import read_identity
from aidmesh_protocol.bundle import Frame, FrameReader, Head
from aidmesh_protocol.bundle_file import verify_file
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.frames import End
from aidmesh_protocol.limits import BUNDLE_BYTES_FILE_MAX
from aidmesh_protocol.sealing import Opener

PIECE_BYTES = 64 * 1024

SIGNED, UNSIGNED, UNKNOWN = "signed", "unsigned", "unknown"
"""What the end of a file says: that its packer packed all of it; something else; or nothing that can be checked, as the
file was cut or nobody here knows the packer."""

Read = Callable[[int, int], bytes]
"""At most so many bytes from a place in the file; b"" at its end. Blocking."""


class BundleFile:
    """One sealed file on its way through `frames`. `head` is there from its first frame on, `signature` and `whole`
    after the last."""

    def __init__(self, hpke_key: bytes, readers: Readers[Reading], read: Read) -> None:
        self._opener = Opener((hpke_key,), bytes_max=BUNDLE_BYTES_FILE_MAX)
        self._frames = FrameReader(bytes_max=BUNDLE_BYTES_FILE_MAX, file=True)
        self._readers = readers
        self._read = read
        self.head: Head | None = None
        self.signature = UNKNOWN
        self.whole = False

    async def frames(self) -> AsyncIterator[Frame]:
        """All frames in order. Raises ProtocolError: `not_member`, `malformed`, `too_large`."""
        at = 0
        while piece := await asyncio.to_thread(self._read, at, PIECE_BYTES):
            at += len(piece)
            async for frame in self._of(self._opener.feed(piece)):
                yield frame
        async for frame in self._of(self._opener.close()):
            yield frame
        self._frames.close()
        self.whole = True

    async def _of(self, contents: Iterator[bytes]) -> AsyncIterator[Frame]:
        for content in contents:
            for frame in self._frames.feed(content):
                if isinstance(frame, Head):
                    self.head = frame
                elif isinstance(frame, End):
                    await self._check(frame)
                elif self.head is None:
                    raise ProtocolError("malformed", "a file begins with who packed it")
                yield frame
                # Each may take a while: everybody else has a turn now and then.
                await asyncio.sleep(0)

    async def _check(self, end: End) -> None:
        """By the identity as it is held now: the file may have brought it."""
        if self.head is None:
            return
        gid = self.head.gid
        identity = await self._readers.run(lambda reading: read_identity(reading.feeds, gid))
        if identity is None:
            return
        try:
            verify_file(self._frames.digest(), end, identity.key)
        except ProtocolError:
            self.signature = UNSIGNED
        else:
            self.signature = SIGNED
