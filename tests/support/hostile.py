"""What a hostile peer may send: noise, odd msgpack, and good bytes with a few of them changed."""

from __future__ import annotations

from typing import Any

import msgpack
from hypothesis import strategies as st

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.binary(max_size=40),
    st.text(max_size=40),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(), inner, max_size=3)
)
PACKED = VALUES.map(lambda value: bytes(msgpack.packb(value)))


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """`good` with up to three stretches replaced."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data)


def hostile(good: bytes) -> st.SearchStrategy[bytes]:
    """Anything a peer may send where `good` is expected."""
    return st.one_of(st.binary(max_size=200), PACKED, spoiled(good))
