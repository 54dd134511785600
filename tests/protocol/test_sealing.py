"""Sealed files: what readers get, what everybody else gets, what a file that was cut or damaged still gives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidmesh_protocol.bundle import FrameReader, decode_bundle
from aidmesh_protocol.bundle_file import (
    SIZES_PREFIX,
    sign_file,
    sizes_from_text,
    sizes_to_text,
    verify_file,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.frames import End, Head, Sizes
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import (
    BUNDLE_BYTES_FILE_MAX,
    CIRCLE_PARTIES_MAX,
    FEED_ENTRIES_MAX,
    SEALED_CHUNK_BYTES,
    SEALED_SLOTS,
    SIZES_MAX,
    SIZES_TEXT_CHARACTERS_MAX,
)
from aidmesh_protocol.sealing import (
    MAGIC,
    Opener,
    Sealer,
    can_receive,
    is_sealed,
    padded_length,
    sealed_length,
    slots_for,
)
from tests.support.hpke_reference import public
from tests.support.make_message_vectors import VECTORS
from tests.support.message_vectors.sealed import LONG, LONG_CONTENT

DOCUMENT: dict[str, Any] = json.loads((VECTORS / "sealed.json").read_text())
ALICE, BOB, EVE = (hashlib.sha256(name).digest() for name in (b"alice", b"bob", b"eve"))
SLOT_BYTES = 80


def by_name(rows: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row["name"] for row in rows])


def noise(label: bytes, length: int) -> bytes:
    return hashlib.shake_128(label).digest(length)


def seal(content: bytes, *readers: bytes, label: bytes = b"") -> bytes:
    decoys = [noise(label + bytes([n]), 32) for n in range(slots_for(len(readers)) - len(readers))]
    sealer = Sealer(list(map(public, readers)), noise(label + b"key", 32), noise(label + b"salt", 16), decoys)
    return sealer.begin() + sealer.encrypt(content) + sealer.finish()


def opened(data: bytes, *keys: bytes, piece: int = 1 << 20, bytes_max: int = 1 << 30) -> Iterator[bytes]:
    opener = Opener(keys, bytes_max=bytes_max)
    for at in range(0, len(data), piece):
        yield from opener.feed(data[at : at + piece])
    yield from opener.close()


def code_of(data: bytes, *keys: bytes, **more: int) -> tuple[str, bytes]:
    """The verdict, and what came out before it."""
    content = bytearray()
    try:
        for piece in opened(data, *keys, **more):
            content += piece
    except ProtocolError as error:
        return error.code, bytes(content)
    return "ok", bytes(content)


@by_name(DOCUMENT["rows"])
@pytest.mark.parametrize("piece", [1, 1000, 1 << 20])
def test_the_vectors(row: dict[str, Any], piece: int) -> None:
    data = bytearray(bytes.fromhex(DOCUMENT["file"])[: row["cut"]])
    for at, new in row["changes"]:
        data[at : at + len(new) // 2] = bytes.fromhex(new)
    code, content = code_of(bytes(data), bytes.fromhex(row["key"]), piece=piece)
    assert code == row["verdict"]
    if code == "ok":
        assert content.rstrip(b"\0") == bytes.fromhex(DOCUMENT["bundle"]).rstrip(b"\0")


def test_the_bundle_of_the_vectors_is_signed_by_its_packer() -> None:
    reader = FrameReader(file=True)
    frames = list(reader.feed(bytes.fromhex(DOCUMENT["bundle"]) + bytes(100)))
    reader.close()
    end = frames[-1]
    assert isinstance(frames[0], Head) and isinstance(end, End)
    key = VerifyKey.admit(bytes.fromhex(DOCUMENT["packer"]))
    verify_file(reader.digest(), end, key)
    for wrong in (End(), End(bytes(64)), End(end.signature[:-1] + b"!" if end.signature else None)):
        with pytest.raises(ProtocolError) as refused:
            verify_file(reader.digest(), wrong, key)
        assert refused.value.code == "bad_signature"


@by_name(DOCUMENT["padding"])
def test_padding(row: dict[str, Any]) -> None:
    assert padded_length(row["length"]) == row["padded"]


def test_two_chunks() -> None:
    (row,) = DOCUMENT["long"]
    assert (len(LONG), hashlib.sha256(LONG).hexdigest()) == (row["bytes"], row["sha256"])
    assert b"".join(opened(LONG, BOB)) == LONG_CONTENT
    between = len(LONG) - (len(LONG_CONTENT) - SEALED_CHUNK_BYTES) - 16
    whole = LONG_CONTENT[:SEALED_CHUNK_BYTES]
    assert code_of(LONG[:between], BOB) == ("malformed", whole), "cut between the chunks"
    assert code_of(LONG[: between + 50], BOB) == ("malformed", whole), "cut in the second"
    assert code_of(LONG + b"\0", BOB) == ("malformed", whole), "longer than it was"
    swapped = LONG[:-17] + bytes([LONG[-17] ^ 1]) + LONG[-16:]
    assert code_of(swapped, BOB) == ("malformed", whole)


@settings(deadline=None)
@given(length=st.integers(0, 3 * SEALED_CHUNK_BYTES), readers=st.integers(1, 12), piece=st.integers(500, 100_000))
def test_every_reader_gets_what_was_sealed(length: int, readers: int, piece: int) -> None:
    keys = [noise(bytes([n]), 32) for n in range(readers)]
    content = noise(b"content", length)
    data = seal(content, *keys)
    assert len(data) == sealed_length(length, readers)
    assert is_sealed(data)
    for key in keys[:1] + keys[-1:]:
        assert b"".join(opened(data, EVE, key, piece=piece)) == content.ljust(padded_length(length), b"\0")
    assert code_of(data, EVE) == ("not_member", b"")


@settings(deadline=None)
@given(cut=st.integers(0, 3 * SEALED_CHUNK_BYTES))
def test_a_file_cut_anywhere_gives_its_complete_chunks_and_says_so(cut: int) -> None:
    """SPEC §8.6c."""
    content = noise(b"content", 3 * SEALED_CHUNK_BYTES)
    data = seal(content, ALICE)
    start = len(data) - sum(len(content[at : at + SEALED_CHUNK_BYTES]) + 16 for at in range(0, len(content), 1 << 16))
    cut = min(cut, len(data) - 1)
    code, got = code_of(data[:cut], ALICE)
    whole = max(0, cut - start) // (SEALED_CHUNK_BYTES + 16) * SEALED_CHUNK_BYTES
    assert (code, got) == ("malformed", content[:whole])


@pytest.mark.parametrize("slots", SEALED_SLOTS)
def test_files_for_circles_of_like_sizes_look_alike(slots: int) -> None:
    fewest = {8: 1, 16: 9, 32: 17, 64: 33}[slots]
    few, many = (
        seal(b"", *(noise(bytes([n]), 32) for n in range(count)), label=bytes([count])) for count in (fewest, slots)
    )
    assert len(few) == len(many)
    assert few[len(MAGIC) + 16] == many[len(MAGIC) + 16] == slots
    assert SEALED_SLOTS[-1] == CIRCLE_PARTIES_MAX


def test_nothing_of_what_is_inside_can_be_seen() -> None:
    name = b"aidmesh/" + b"a" * 32
    content = b"AIDMESH1\n" + name * 1000
    data = seal(content, ALICE, BOB)
    assert name[:12] not in data and b"AIDMESH1" not in data
    assert public(ALICE) not in data and public(BOB) not in data
    assert {len(seal(bytes(n), ALICE)) for n in (0, 1, 100, 4096)} == {len(seal(b"", ALICE, BOB))}
    # The same content twice has nothing in common but the magic and the number of slots.
    other = seal(content, ALICE, BOB, label=b"2")
    same = sum(x == y for x, y in zip(data, other, strict=True))
    assert same < len(data) / 100


def test_padding_costs_little() -> None:
    for length in [*range(4096, 9000, 7), 10**6 + 1, 2**30 + 1]:
        assert length <= padded_length(length) <= length * 1.12


def test_a_key_nothing_can_be_sealed_to_is_refused() -> None:
    assert can_receive(public(ALICE)) and not can_receive(bytes(32))
    with pytest.raises(ProtocolError) as refused:
        Sealer([public(ALICE), bytes(32)], bytes(32), bytes(16), [public(BOB)] * 6)
    assert refused.value.code == "unknown_key"


@pytest.mark.parametrize(("key", "salt", "decoys"), [(31, 16, 7), (32, 15, 7), (32, 16, 6)])
def test_a_sealer_takes_exactly_what_it_needs(key: int, salt: int, decoys: int) -> None:
    with pytest.raises(ValueError, match="slots"):
        Sealer([public(ALICE)], bytes(key), bytes(salt), [public(BOB)] * decoys)


def test_no_more_is_read_than_was_allowed() -> None:
    data = seal(b"", ALICE)
    assert code_of(data, ALICE, bytes_max=len(data))[0] == "ok"
    assert code_of(data, ALICE, bytes_max=len(data) - 1)[0] == "too_large"


def test_a_file_may_end_in_zeros_and_an_answer_may_not() -> None:
    end = b"".join([b"AIDMESH1\n", bytes.fromhex("0000000200910d")])
    file = FrameReader(file=True)
    assert list(file.feed(end + bytes(10))) == [End()]
    assert list(file.feed(bytes(10))) == []
    file.close()
    with pytest.raises(ProtocolError, match="goes on"):
        list(file.feed(b"\0\1"))
    with pytest.raises(ProtocolError, match="goes on"):
        decode_bundle(end + b"\0", bytes_max=1000)


def test_the_packer_signs_what_stands_before_the_end() -> None:
    key = SigningKey.from_seed(bytes(32))
    end = sign_file(hashlib.sha256(b"AIDMESH1\n").digest(), key)
    reader = FrameReader(file=True, bytes_max=BUNDLE_BYTES_FILE_MAX)
    assert list(reader.feed(b"AIDMESH1\n")) == []
    verify_file(reader.digest(), end, key.verify_key)


def test_sizes_travel_as_a_line() -> None:
    sizes = Sizes(((b"\1" * 32, 7, b"\2" * 32), (b"\3" * 32, 0, b"\4" * 32)))
    text = sizes_to_text(sizes)
    assert text.isascii() and text.isprintable() and " " not in text
    assert sizes_from_text(text) == sizes
    circle = Sizes(tuple((noise(bytes([n]), 32), FEED_ENTRIES_MAX, noise(b"", 32)) for n in range(128)))
    assert sizes_from_text(sizes_to_text(circle)) == circle, "the identities and feeds of 64 groups fit"


def test_more_than_fits_a_line_is_not_written() -> None:
    with pytest.raises(ValueError, match="line"):
        sizes_to_text(Sizes(tuple((noise(b"%d" % n, 32), n, bytes(32)) for n in range(SIZES_MAX))))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("aidmesh-sizes:", "malformed"),
        ("aidmesh-sizes:?", "malformed"),
        ("aidmesh-sizes:é", "malformed"),
        ("aidmesh-sizes:A", "malformed"),
        (SIZES_PREFIX + "QUlETUVTSDEKAAAAAgCRDQ", "malformed"),
        ("x" * (SIZES_TEXT_CHARACTERS_MAX + 1), "too_large"),
    ],
)
def test_a_line_that_is_no_sizes(text: str, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        sizes_from_text(text)
    assert refused.value.code == code


def test_sizes_need_their_prefix() -> None:
    text = sizes_to_text(Sizes(()))
    with pytest.raises(ProtocolError, match="no sizes"):
        sizes_from_text(text.removeprefix(SIZES_PREFIX))
