"""Bundles: one stream of frames for sync requests, sync answers and files (SPEC §8).

Encodes and decodes frame by frame; neither side ever holds a bundle. Verifies nothing that frames carry.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.frames import (
    FRAMES,
    Ask,
    CheckpointFrame,
    ColumnFrame,
    End,
    Erased,
    FeedSize,
    Frame,
    Head,
    Ident,
    IdentPart,
    Inclusion,
    More,
    PackageFrame,
    PartFrame,
    Reads,
    Sizes,
    Want,
    WantedEntry,
    WantedPart,
)
from aidmesh_protocol.gossip_frames import Fork, Heads
from aidmesh_protocol.limits import (
    BUNDLE_BYTES_ONLINE_MAX,
    COMPRESSED_FRAME_BYTES_MIN,
    COMPRESSION_RATIO_MAX,
    FRAME_BYTES_MAX,
    FRAME_PAYLOADS_MAX,
    UNKNOWN_FRAME_BYTES_MAX,
    UNKNOWN_FRAMES_MAX,
)

MAGIC = b"AIDMESH1\n"
ZLIB = 1

_HEADER_BYTES = 5
# The array header and the kind: both are one byte for every frame there is or will be (SPEC §8.1).
_KIND_BYTES = 2
_ZLIB_LEVEL = 3
_KINDS: dict[int, type[Frame]] = {frame.KIND: frame for frame in FRAMES}


def encode_frame(frame: Frame, *, compress: bool = True) -> bytes:
    """One frame's bytes; compressed when that is shorter, unless it must not be. Raises ValueError for one nobody would
    accept."""
    payload = canonical.encode([frame.KIND, *frame.values()])
    if len(payload) > FRAME_PAYLOADS_MAX[frame.NAME]:
        raise ValueError(f"{frame.NAME} frame of {len(payload)} bytes")
    flags = 0
    if compress and len(payload) >= COMPRESSED_FRAME_BYTES_MIN:
        compressed = zlib.compress(payload, _ZLIB_LEVEL)
        if len(compressed) < len(payload):
            payload, flags = compressed, ZLIB
    return len(payload).to_bytes(4, "big") + bytes((flags,)) + payload


def encode_bundle(frames: Iterable[Frame]) -> Iterator[bytes]:
    """A whole bundle piece by piece: the magic, each frame, and the END that `frames` must not contain."""
    yield MAGIC
    for frame in frames:
        yield encode_frame(frame)
    yield encode_frame(End())


def decode_bundle(data: bytes, *, bytes_max: int) -> list[Frame]:
    """The frames, END included, of a bundle that is already in memory; raises as FrameReader."""
    reader = FrameReader(bytes_max=bytes_max)
    frames = list(reader.feed(data))
    reader.close()
    return frames


class FrameReader:
    """Reads a bundle from pieces of any length.

    `bytes_max` bounds the stream; the payloads it unpacks to are bounded by COMPRESSION_RATIO_MAX times that.
    After an error the reader stays failed: what was yielded before it is good, nothing follows. A `file` may end in
    zero bytes, and `digest` is what its END signs.
    """

    def __init__(self, *, bytes_max: int = BUNDLE_BYTES_ONLINE_MAX, file: bool = False) -> None:
        self._hash = hashlib.sha256(MAGIC) if file else None
        self._buffer = bytearray()
        self._bytes_left = bytes_max
        self._payload_bytes_left = bytes_max * COMPRESSION_RATIO_MAX
        self._unknown_frames_left = UNKNOWN_FRAMES_MAX
        self._started = False
        self._frames = 0
        self._ended = False
        self._failure: ProtocolError | None = None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next piece; iterate over the frames it completes, END included.

        Iterate to the end before the next piece. Raises ProtocolError `malformed` or `too_large`.
        """
        self._raise_failure()
        self._bytes_left -= len(data)
        self._buffer += data
        return self._complete()

    def digest(self) -> bytes:
        """SHA-256 of a file up to its END, 32 bytes; of what was read of it, before that."""
        assert self._hash is not None  # only files are signed
        return self._hash.digest()

    def close(self) -> None:
        """Say that no piece follows; ProtocolError("malformed") unless the last frame was END (SPEC §8.1a)."""
        self._raise_failure()
        if not self._ended:
            raise ProtocolError("malformed", "interrupted: the bundle stops before its END")

    def _complete(self) -> Iterator[Frame]:
        try:
            if self._bytes_left < 0:
                raise ProtocolError("too_large", "the bundle is longer than was allowed")
            while (payload := self._next_payload()) is not None:
                frame = self._frame(payload)
                if frame is not None:
                    yield frame
        except ProtocolError as failure:
            self._failure = failure
            self._buffer.clear()
            raise

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise ProtocolError(self._failure.code, self._failure.detail)

    def _next_payload(self) -> bytes | None:
        """The next frame's payload, unpacked and within its kind's bound, or None if it is not all there."""
        if not self._start():
            return None
        buffer = self._buffer
        if self._ended and buffer:
            if self._hash is None or any(buffer):
                raise ProtocolError("malformed", "the bundle goes on after its END")
            buffer.clear()
        if len(buffer) < _HEADER_BYTES + _KIND_BYTES:
            self._check_header()
            return None
        self._check_header()
        length, flags = int.from_bytes(buffer[:4], "big"), buffer[4]
        if not flags:
            # Bounded by its kind as soon as that is known: a MORE frame never makes us collect 512 KiB.
            _check_bound(bytes(buffer[_HEADER_BYTES : _HEADER_BYTES + _KIND_BYTES]), length)
        if len(buffer) < _HEADER_BYTES + length:
            return None
        payload = bytes(buffer[_HEADER_BYTES : _HEADER_BYTES + length])
        received = None if self._hash is None else bytes(buffer[: _HEADER_BYTES + length])
        del buffer[: _HEADER_BYTES + length]
        if flags:
            payload = _decompress(payload)
        if self._hash is not None and received is not None and payload[1] != End.KIND:
            self._hash.update(received)
        self._payload_bytes_left -= len(payload)
        if self._payload_bytes_left < 0:
            raise ProtocolError("too_large", "the bundle unpacks to more than was allowed")
        return payload

    def _start(self) -> bool:
        if self._started:
            return True
        buffer = self._buffer
        if not MAGIC.startswith(buffer[: len(MAGIC)]):
            raise ProtocolError("malformed", "not an aidmesh/1 bundle")
        if len(buffer) < len(MAGIC):
            return False
        del buffer[: len(MAGIC)]
        self._started = True
        return True

    def _check_header(self) -> None:
        """Before anything of the frame is kept (SPEC §8.1b)."""
        buffer = self._buffer
        if len(buffer) < _HEADER_BYTES:
            return
        if buffer[4] not in (0, ZLIB):
            raise ProtocolError("malformed", "a frame has unknown flags")
        length = int.from_bytes(buffer[:4], "big")
        if length > FRAME_BYTES_MAX:
            raise ProtocolError("too_large", "a frame is longer than any frame may be")
        if length < _KIND_BYTES:
            raise ProtocolError("malformed", "a frame is too short to name its kind")

    def _frame(self, payload: bytes) -> Frame | None:
        """The frame of a payload; None for a kind this version does not know, which is skipped (SPEC §8.2a)."""
        kind = _KINDS.get(payload[1])
        if kind is None:
            self._unknown_frames_left -= 1
            if self._unknown_frames_left < 0:
                raise ProtocolError("too_large", "the bundle has too many frames of unknown kinds")
            self._frames += 1
            return None
        # Any: that it is an array which starts with its kind was seen before it was unpacked.
        values: Any = canonical.decode(payload, bytes_max=FRAME_PAYLOADS_MAX[kind.NAME])
        frame = kind.read(values[1:])
        if kind is Head and self._frames:
            raise ProtocolError("malformed", "HEAD is not the first frame")
        self._frames += 1
        self._ended = kind is End
        return frame


def _check_bound(start: bytes, length: int) -> None:
    """Check a payload's length against its kind's bound; `start` is the array header and the kind."""
    if not 0x91 <= start[0] <= 0x9F or start[1] > 0x7F:
        raise ProtocolError("malformed", "a frame is not an array that starts with its kind")
    kind = _KINDS.get(start[1])
    if length > (UNKNOWN_FRAME_BYTES_MAX if kind is None else FRAME_PAYLOADS_MAX[kind.NAME]):
        raise ProtocolError("too_large", "a frame is longer than its kind may be")


def _decompress(data: bytes) -> bytes:
    """Unpack one zlib stream, never holding more than its kind's bound and one byte (SPEC §8.1c)."""
    stream = zlib.decompressobj()
    try:
        payload = stream.decompress(data, _KIND_BYTES)
        if len(payload) < _KIND_BYTES:
            raise ProtocolError("malformed", "a frame is too short to name its kind")
        _check_bound(payload, 0)
        kind = _KINDS.get(payload[1])
        bound = UNKNOWN_FRAME_BYTES_MAX if kind is None else FRAME_PAYLOADS_MAX[kind.NAME]
        payload += stream.decompress(stream.unconsumed_tail, bound - len(payload) + 1)
        _check_bound(payload, len(payload))
    except zlib.error:
        raise ProtocolError("malformed", "a frame does not decompress") from None
    if not stream.eof or stream.unused_data:
        raise ProtocolError("malformed", "a frame's compressed data is cut short or goes on")
    return payload


__all__ = [
    "MAGIC",
    "Ask",
    "CheckpointFrame",
    "ColumnFrame",
    "End",
    "Erased",
    "FeedSize",
    "Fork",
    "Frame",
    "FrameReader",
    "Head",
    "Heads",
    "Ident",
    "IdentPart",
    "Inclusion",
    "More",
    "PackageFrame",
    "PartFrame",
    "Reads",
    "Sizes",
    "Want",
    "WantedEntry",
    "WantedPart",
    "decode_bundle",
    "encode_bundle",
    "encode_frame",
]
