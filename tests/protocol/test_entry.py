"""Entries and parts: what a group commits to, and what nobody can change afterwards."""

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import given

from aidmesh_protocol import canonical
from aidmesh_protocol.entry import (
    TAGS,
    TERMINAL,
    Entry,
    Part,
    PartHeader,
    Ref,
    check_part,
    kept_content,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    ENTRY_BYTES_MAX,
    ENTRY_FLAGS_MAX,
    HOUR_MAX,
    INDEX_MAX,
    PART_BUCKETS,
    PART_BYTES_MAX,
    PART_CONTENT_BYTES_MAX,
    SCHEMA_MAX,
)
from aidmesh_protocol.padding import pad, unpad
from tests.support.hostile import hostile

KEY = bytes(range(16))
BLANKETS = Part("facts", KEY, b"5100 blankets")


def entry_with(*parts: Part) -> Entry:
    headers = tuple(part.header("need.shared", 1) for part in parts)
    return Entry("need.shared", 1, b"s" * 16, b"n" * 16, 498_728, headers, flags=TERMINAL)


ENTRY = entry_with(BLANKETS)


def test_what_alice_writes_is_what_bob_reads() -> None:
    received = Entry.decode(ENTRY.encode())
    assert received == ENTRY
    assert check_part(received, "facts", BLANKETS.encode()) == b"5100 blankets"


def test_an_entry_once_made_stays_as_it_is_and_no_other_is_made_of_it_unchecked() -> None:
    for made in (ENTRY, ENTRY.parts[0]):
        with pytest.raises(AttributeError):
            made.tag = "view"  # type: ignore[union-attr,misc]  # what must not work
        assert pickle.loads(pickle.dumps(made)) == made
        assert hash(pickle.loads(pickle.dumps(made))) == hash(made)
    assert ENTRY._replace(flags=0) == Entry(*ENTRY[:7])
    for change in (
        {"flags": -1},
        {"type": "need"},
        {"schema": 0},
        {"subject_id": b"short"},
        {"parts": ENTRY.parts * 2},
    ):
        with pytest.raises(ProtocolError):
            ENTRY._replace(**change)
    with pytest.raises(ProtocolError):
        ENTRY.parts[0]._replace(bucket=65)


@pytest.mark.parametrize("hour", [0, 65_535, 65_536, 498_728])
@pytest.mark.parametrize("named", ["need.shared", "a.b", "a_.b_", "need." + "s" * 26, "need." + "s" * 27])
def test_every_layout_of_an_entry_is_read_to_the_same(named: str, hour: int) -> None:
    view = Part("view", KEY, b"warm")
    for parts in ((), (BLANKETS,), (view,), (BLANKETS, view), (BLANKETS, view, Part("text", KEY, b""))):
        headers = tuple(part.header(named, 1) for part in parts)
        for schema, flags in ((1, 0), (31, 127), (32, 128)):
            entry = Entry(named, schema, b"s" * 16, b"n" * 16, hour, headers, flags=flags)
            read = Entry.decode(entry.encode())
            assert read == entry
            assert [type(part) for part in read.parts] == [PartHeader] * len(parts)


@pytest.mark.parametrize("named", ["need", "need.", ".shared", "need..shared", "_need.shared", "need.shared.twice"])
def test_a_type_that_is_none_is_refused_however_plain_the_entry(named: str) -> None:
    plain = ENTRY.encode()
    start = plain.index(b"need.shared")
    with pytest.raises(ProtocolError) as refused:
        Entry.decode(plain[: start - 1] + canonical.encode(named) + plain[start + len("need.shared") :])
    assert refused.value.code == "malformed"


def test_a_part_is_found_by_its_tag() -> None:
    assert ENTRY.part("facts") == ENTRY.parts[0]
    assert ENTRY.part("view") is None


def test_eve_cannot_exchange_a_part_for_another_of_the_same_length() -> None:
    forged = Part("facts", KEY, b"9100 blankets")
    with pytest.raises(ProtocolError) as refused:
        check_part(ENTRY, "facts", forged.encode())
    assert refused.value.code == "proof_invalid"


def test_the_same_content_under_another_key_does_not_look_the_same() -> None:
    again = Part("facts", KEY[::-1], BLANKETS.body)
    assert again.header("need.shared", 1).commitment != BLANKETS.header("need.shared", 1).commitment


def test_the_largest_entry_fits() -> None:
    entry = Entry(
        "need." + "s" * 43,
        SCHEMA_MAX,
        b"s" * 16,
        b"n" * 16,
        HOUR_MAX,
        tuple(PartHeader(tag, b"c" * 32, PART_BUCKETS[-1]) for tag in TAGS),
        (Ref(b"o" * 32, INDEX_MAX, b"l" * 32),) * 8,
        ENTRY_FLAGS_MAX,
    )
    assert len(entry.encode()) <= ENTRY_BYTES_MAX
    assert Entry.decode(entry.encode()) == entry


def test_an_entry_of_another_version_is_not_made() -> None:
    with pytest.raises(ProtocolError) as refused:
        Entry("need.closed", 1, b"s" * 16, b"n" * 16, 0, (), v=2)
    assert refused.value.code == "upgrade_required"


@pytest.mark.parametrize("bucket", PART_BUCKETS)
def test_a_content_fills_its_bucket_and_one_byte_more_needs_the_next(bucket: int) -> None:
    content = b"x" * (bucket - 2)
    assert len(pad(content)) == bucket
    assert unpad(pad(content)) == content
    if bucket != PART_BUCKETS[-1]:
        assert len(pad(content + b"x")) == PART_BUCKETS[PART_BUCKETS.index(bucket) + 1]


@pytest.mark.parametrize("size", [0, 1, *(bucket - 2 for bucket in PART_BUCKETS)])
def test_what_was_checked_once_is_read_again_to_the_same(size: int) -> None:
    part = Part("text", KEY, bytes([7]) * size)
    entry = entry_with(part)
    assert kept_content(entry, "text", part.encode()) == check_part(entry, "text", part.encode()) == part.body


def test_what_was_damaged_since_it_was_checked_is_no_part() -> None:
    with pytest.raises(ProtocolError) as refused:
        kept_content(ENTRY, "facts", BLANKETS.encode()[:-1])
    assert refused.value.code == "malformed"


def test_the_largest_part_fits_and_no_larger_one_is_made() -> None:
    largest = Part("text", KEY, bytes(PART_CONTENT_BYTES_MAX))
    assert len(largest.encode()) == PART_BYTES_MAX
    assert check_part(entry_with(largest), "text", largest.encode()) == largest.body
    with pytest.raises(ProtocolError) as refused:
        pad(bytes(PART_CONTENT_BYTES_MAX + 1))
    assert refused.value.code == "too_large"


def test_a_length_that_claims_more_than_a_part_may_have_is_refused() -> None:
    with pytest.raises(ProtocolError) as refused:
        unpad(b"\xff\xff" + bytes(0xFFFF))
    assert refused.value.code == "malformed"


def test_a_part_longer_than_any_is_refused_unread() -> None:
    with pytest.raises(ProtocolError) as refused:
        check_part(ENTRY, "facts", canonical.encode([KEY, bytes(PART_BUCKETS[-1] + 1)]))
    assert refused.value.code == "too_large"


@given(hostile(ENTRY.encode()) | hostile(entry_with(BLANKETS, Part("view", KEY, b"warm")).encode()))
def test_no_bytes_make_reading_an_entry_fail_otherwise(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert Entry.decode(data).encode() == data


@given(hostile(BLANKETS.encode()))
def test_no_bytes_but_the_committed_ones_are_the_part(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        check_part(ENTRY, "facts", data)
        assert data == BLANKETS.encode()
