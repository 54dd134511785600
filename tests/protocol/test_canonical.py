"""One value, one encoding: what decodes encodes back to the same bytes; the rest is refused, cheaply."""

from __future__ import annotations

import tracemalloc
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import CANONICAL_BYTES_MAX, CANONICAL_DEPTH_MAX, CANONICAL_ITEMS_MAX

TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]))
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: "\0" not in text)
)
ATOMS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.binary(max_size=300) | TEXTS
VALUES = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=20), max_leaves=40)


def depth(value: object) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def judge(data: bytes) -> tuple[str, canonical.Value]:
    try:
        return "ok", canonical.decode(data)
    except ProtocolError as error:
        return error.code, None


def refusal(data: bytes, **bound: int) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        canonical.decode(data, **bound)
    return caught.value


@given(VALUES.filter(lambda value: depth(value) <= CANONICAL_DEPTH_MAX))
def test_what_is_encoded_decodes_to_the_same_value(value: Any) -> None:
    data = canonical.encode(value)
    decoded = canonical.decode(data)
    assert decoded == value
    assert repr(decoded) == repr(value)  # 1 == True, so equality alone would let a bool become an int
    assert canonical.encode(decoded) == data


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x91" * 5_000)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\xc6\xff\xff\xff\xff")
@example(b"\x81\x91\x01\x01")
@example(b"\xd6\xff\0\0\0\1")
@example(b"\xc7\x0c\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\1")
def test_any_bytes_decode_to_what_encodes_back_or_are_refused(data: bytes) -> None:
    verdict, value = judge(data)
    assert verdict == "malformed" or canonical.encode(value) == data


@given(VALUES.filter(lambda value: depth(value) <= CANONICAL_DEPTH_MAX), st.data())
def test_a_changed_byte_is_another_value_or_refused(value: Any, data: st.DataObject) -> None:
    encoded = canonical.encode(value)
    at = data.draw(st.integers(0, len(encoded) - 1))
    changed = bytearray(encoded)
    changed[at] ^= data.draw(st.integers(1, 255))
    verdict, decoded = judge(bytes(changed))
    assert verdict == "malformed" or repr(decoded) != repr(value)


def test_tuples_encode_as_arrays() -> None:
    assert canonical.encode((1, ("a", b"b"))) == canonical.encode([1, ["a", b"b"]]) == bytes.fromhex("920192a161c40162")


@pytest.mark.parametrize("whole", [-(2**53), -(2**31) - 1, -129, -33, -32, -1, 0, 127, 128, 2**16, 2**32, 2**53])
def test_integers_keep_their_value(whole: int) -> None:
    assert canonical.decode(canonical.encode(whole)) == whole


@pytest.mark.parametrize(
    "value",
    [
        2**53 + 1,
        -(2**53) - 1,
        2**64,
        1.0,
        {},
        {"a": 1},
        "nul\0",
        "e\u0301",
        "\ud800",
        object(),
        [[1.5]],
        bytearray(b"x"),
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_our_mistake(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical.encode(value)


@pytest.mark.parametrize(
    "longer",
    [
        "cc05",
        "cd00ff",
        "ce0000ffff",
        "cf00000000ffffffff",
        "d005",
        "d1ff80",
        "d9016c",
        "c5000141",
        "dc000100",
    ],
)
def test_a_longer_encoding_of_the_same_value_is_refused(longer: str) -> None:
    """SPEC §2.2a."""
    assert refusal(bytes.fromhex(longer)).detail == "not canonical: not the shortest encoding"


def test_arrays_nest_to_the_limit_and_no_deeper() -> None:
    nested = b"\x91" * (CANONICAL_DEPTH_MAX - 1) + b"\x90"
    assert canonical.encode(canonical.decode(nested)) == nested
    assert refusal(b"\x91" + nested).detail.endswith("arrays nested deeper than 8")
    with pytest.raises(ValueError, match="deeper"):
        canonical.encode([[[[[[[[[]]]]]]]]])


def test_arrays_hold_as_many_items_as_the_limit_and_no_more() -> None:
    full = canonical.encode([None] * CANONICAL_ITEMS_MAX)
    assert canonical.decode(full) == [None] * CANONICAL_ITEMS_MAX
    assert refusal(b"\xdc\x04\x01" + b"\xc0" * (CANONICAL_ITEMS_MAX + 1)).code == "malformed"
    with pytest.raises(ValueError, match="1024 items"):
        canonical.encode([None] * (CANONICAL_ITEMS_MAX + 1))


def test_too_many_bytes_are_refused_unread() -> None:
    assert refusal(b"\xc1" * (CANONICAL_BYTES_MAX + 1)).code == "too_large"
    assert refusal(b"\xc0\xc0", bytes_max=1).code == "too_large"
    assert canonical.decode(b"\xc0", bytes_max=1) is None


@pytest.mark.parametrize(
    "bomb",
    [
        b"\xdc\x04\x00" * 21_000,
        b"\xdd\x7f\xff\xff\xff" * 13_000,
        b"\x91" * 65_000,
        b"\xc6\x7f\xff\xff\xff",
        b"\xdb\x7f\xff\xff\xff",
        b"\xdf\x7f\xff\xff\xff",
    ],
    ids=["nested array16", "nested array32", "deep", "bin32", "str32", "map32"],
)
def test_lengths_that_lie_allocate_no_more_than_the_decoder_can_nest(bomb: bytes) -> None:
    """SPEC §2.3a."""
    tracemalloc.start()
    try:
        assert refusal(bomb).code == "malformed"
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 10_000_000  # 1,024 nested arrays of 1,024 pointers: where the decoder's own stack ends
