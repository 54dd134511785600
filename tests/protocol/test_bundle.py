"""Bundles: frames in a stream, from peers who stop in the middle or never stop."""

from __future__ import annotations

import contextlib
import hashlib
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    CheckpointFrame,
    ColumnFrame,
    End,
    Erased,
    Fork,
    Frame,
    FrameReader,
    Head,
    Heads,
    Ident,
    More,
    PackageFrame,
    PartFrame,
    Reads,
    Sizes,
    Want,
    decode_bundle,
    encode_bundle,
    encode_frame,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import Package
from aidmesh_protocol.fork_proof import ForkProof
from aidmesh_protocol.frames import FRAMES
from aidmesh_protocol.limits import (
    BUNDLE_BYTES_ONLINE_MAX,
    CHECKPOINT_BYTES_MAX,
    ENTRY_BYTES_MAX,
    FEED_ENTRIES_MAX,
    FORK_NOTE_BYTES_MAX,
    FRAME_PAYLOADS_MAX,
    IDENT_ENTRIES_MAX,
    INDEX_MAX,
    KIND_MAX,
    PACKAGE_ENTRIES_MAX,
    PART_BYTES_MAX,
    PROOF_HASHES_MAX,
    READS_MAX,
    SIZES_MAX,
    WANT_MAX,
)
from tests.support.hostile import PACKED, hostile


def noise(length: int) -> bytes:
    """Bytes that do not compress, the same every time."""
    return hashlib.shake_128(b"noise").digest(length)


ORIGIN = noise(32)
FULL_PACKAGE = PackageFrame(
    Package(ORIGIN, 0, (noise(ENTRY_BYTES_MAX),) * PACKAGE_ENTRIES_MAX, (noise(32),) * PROOF_HASHES_MAX)
)
LARGEST: list[Frame] = [
    Head(b"i" * 16, "a" * 32, 1_795_334_400, 86_400, 2),
    Ident(b"note", 0, (b"entry",), (), ((0, "facts", b"part"),)),
    CheckpointFrame(noise(CHECKPOINT_BYTES_MAX)),
    FULL_PACKAGE,
    PartFrame(ORIGIN, INDEX_MAX, "sealed", noise(PART_BYTES_MAX)),
    Heads((noise(2_000),) * 32),
    Fork(
        ForkProof(
            ((noise(ENTRY_BYTES_MAX), noise(400)),),
            noise(FORK_NOTE_BYTES_MAX),
            noise(FORK_NOTE_BYTES_MAX),
            (ORIGIN,) * PROOF_HASHES_MAX,
        )
    ),
    Sizes(tuple((noise(32), FEED_ENTRIES_MAX, noise(32)) for _ in range(SIZES_MAX))),
    Want(parts=tuple((noise(32), INDEX_MAX, "sealed") for _ in range(WANT_MAX))),
    Want(entries=tuple((noise(32), INDEX_MAX) for _ in range(WANT_MAX))),
    Erased(tuple((noise(32), INDEX_MAX, "sealed") for _ in range(WANT_MAX))),
    More(FEED_ENTRIES_MAX),
    Ask(BUNDLE_BYTES_ONLINE_MAX, 25),
    ColumnFrame(ORIGIN, "sealed", INDEX_MAX, (noise(PART_BYTES_MAX), *[None] * 254, noise(PART_BYTES_MAX))),
    Reads((KIND_MAX,) * READS_MAX),
]
STREAM = b"".join(encode_bundle(LARGEST[:2] + LARGEST[-2:]))


def read(data: bytes, *, piece: int = 1 << 16, bytes_max: int = BUNDLE_BYTES_ONLINE_MAX) -> list[Frame]:
    reader = FrameReader(bytes_max=bytes_max)
    frames = [frame for at in range(0, len(data), piece) for frame in reader.feed(data[at : at + piece])]
    reader.close()
    return frames


def test_the_largest_frames_travel() -> None:
    assert read(b"".join(encode_bundle(LARGEST))) == [*LARGEST, End()]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
def test_pieces_of_any_length_give_the_same_frames(piece: int) -> None:
    assert read(STREAM, piece=piece) == decode_bundle(STREAM, bytes_max=len(STREAM))


def test_what_arrived_before_the_cable_was_pulled_counts() -> None:
    """SPEC §8.1a."""
    reader = FrameReader()
    frames = list(reader.feed(STREAM[:-1]))
    assert frames == LARGEST[:2] + LARGEST[-2:]
    with pytest.raises(ProtocolError, match="interrupted"):
        reader.close()


def test_after_an_error_nothing_more_is_read() -> None:
    reader = FrameReader()
    with pytest.raises(ProtocolError):
        list(reader.feed(b"nonsense"))
    for ask_again in (lambda: reader.feed(STREAM), reader.close):
        with pytest.raises(ProtocolError) as refused:
            ask_again()
        assert refused.value.code == "malformed"


def test_a_frame_is_compressed_only_when_that_is_shorter() -> None:
    blank = encode_frame(CheckpointFrame(bytes(CHECKPOINT_BYTES_MAX)))
    random = encode_frame(CheckpointFrame(noise(CHECKPOINT_BYTES_MAX)))
    short = encode_frame(CheckpointFrame(bytes(100)))
    assert (blank[4], random[4], short[4]) == (1, 0, 0)
    assert len(blank) < 100
    assert decode_bundle(MAGIC + blank + encode_frame(End()), bytes_max=CHECKPOINT_BYTES_MAX) == [
        CheckpointFrame(bytes(CHECKPOINT_BYTES_MAX)),
        End(),
    ]


def test_we_send_nothing_that_nobody_would_accept() -> None:
    with pytest.raises(ValueError, match="CHECKPOINT"):
        encode_frame(CheckpointFrame(bytes(CHECKPOINT_BYTES_MAX + 100)))


def test_a_bomb_does_not_unfold() -> None:
    """SPEC §8.1c."""
    inside = b"\x92\x64\xc6" + (64 << 20).to_bytes(4, "big") + bytes(64 << 20)
    packed = zlib.compress(inside, 9)
    bomb = MAGIC + len(packed).to_bytes(4, "big") + b"\1" + packed
    del inside
    tracemalloc.start()
    with pytest.raises(ProtocolError) as refused:
        read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "too_large"
    assert peak < 2 << 20


def test_a_length_is_believed_only_up_to_its_kind() -> None:
    """SPEC §8.1b."""
    reader = FrameReader()
    announced = (FRAME_PAYLOADS_MAX["MORE"] + 1).to_bytes(4, "big")
    with pytest.raises(ProtocolError) as refused:
        list(reader.feed(MAGIC + announced + b"\0" + b"\x92\x0c"))
    assert refused.value.code == "too_large"


def test_want_counts_parts_and_entries_together() -> None:
    too_many = Want(parts=tuple((ORIGIN, index, "facts") for index in range(WANT_MAX)), entries=((ORIGIN, 0),))
    with pytest.raises(ProtocolError) as refused:
        read(MAGIC + encode_frame(too_many))
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("parts", [(), (b"",), (b"part",) * (PACKAGE_ENTRIES_MAX + 1), (noise(PART_BYTES_MAX + 1),)])
def test_a_column_has_parts_of_one_package(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(ProtocolError) as refused:
        read(MAGIC + encode_frame(ColumnFrame(ORIGIN, "facts", 0, parts)))
    assert refused.value.code == "malformed"


def test_a_whole_identity_feed_of_the_largest_entries_travels() -> None:
    ident = Ident(b"note", 0, (noise(ENTRY_BYTES_MAX),) * IDENT_ENTRIES_MAX, (), ())
    assert read(MAGIC + encode_frame(ident) + encode_frame(End())) == [ident, End()]


def test_kinds_are_one_byte_and_distinct() -> None:
    assert len({frame.KIND for frame in FRAMES}) == len(FRAMES)
    assert all(0 < frame.KIND < 128 for frame in FRAMES)
    assert {frame.NAME for frame in FRAMES} == set(FRAME_PAYLOADS_MAX)


@given(hostile(STREAM), st.integers(1, 50))
def test_no_stream_makes_reading_fail_otherwise(data: bytes, piece: int) -> None:
    with contextlib.suppress(ProtocolError):
        read(data, piece=piece)


@given(PACKED | st.binary(max_size=60), st.booleans())
def test_no_frame_makes_reading_fail_otherwise(payload: bytes, compressed: bool) -> None:
    packed = zlib.compress(payload) if compressed else payload
    with contextlib.suppress(ProtocolError):
        read(MAGIC + len(packed).to_bytes(4, "big") + bytes((compressed,)) + packed + encode_frame(End()))


@given(hostile(zlib.compress(bytes(300))))
def test_no_compressed_data_makes_reading_fail_otherwise(packed: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        read(MAGIC + len(packed).to_bytes(4, "big") + b"\1" + packed + encode_frame(End()))
