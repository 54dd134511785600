"""Canonical encoding: the one way a value becomes bytes, a strict subset of msgpack (SPEC §2).

Never decodes what it would not encode to the very same bytes, and never raises anything but ProtocolError on
a peer's bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeAlias, cast

import msgpack

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    CANONICAL_BYTES_MAX,
    CANONICAL_DEPTH_MAX,
    CANONICAL_INTEGER_MAX,
    CANONICAL_ITEMS_MAX,
)

Value: TypeAlias = "bool | int | bytes | str | list[Value] | None"
"""What `decode` returns: arrays are lists."""
Encodable: TypeAlias = "bool | int | bytes | str | Sequence[Encodable] | None"
"""What `encode` takes: arrays are lists or tuples."""


def encode(value: Encodable) -> bytes:
    """Return the canonical bytes of `value` (SPEC §2).

    Raises ValueError when the value has none: our mistake, never a peer's.
    """
    _require_canonical(value, 0)
    return _pack(value)


def decode(data: bytes, *, bytes_max: int = CANONICAL_BYTES_MAX) -> Value:
    """Return the value whose canonical bytes are `data` (SPEC §2).

    Raises ProtocolError: "too_large" past `bytes_max` bytes, "malformed" for everything else.
    """
    if len(data) > bytes_max:
        raise ProtocolError("too_large", f"{len(data)} bytes where at most {bytes_max} are allowed")
    try:
        value = msgpack.unpackb(
            data,
            raw=False,
            use_list=True,
            max_str_len=len(data),
            max_bin_len=len(data),
            # An array header alone makes the decoder allocate its list: refuse a count the data cannot hold.
            max_array_len=min(CANONICAL_ITEMS_MAX, len(data)),
            max_map_len=0,
            max_ext_len=0,
        )
        _require_canonical(value, 0)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ProtocolError("malformed", f"not canonical: {str(error) or type(error).__name__}") from None
    # One encoding per value: longer integer and length forms decode, but not back to these bytes.
    if _pack(value) != data:
        raise ProtocolError("malformed", "not canonical: not the shortest encoding")
    return cast(Value, value)


def _pack(value: object) -> bytes:
    # As msgpack.packb does, without its way through keyword arguments, which takes longer than a statement.
    return cast(bytes, msgpack.Packer(use_bin_type=True).pack(value))


def _require_canonical(value: object, depth: int) -> None:
    """Raise ValueError unless `value`, inside `depth` arrays, lies in the profile."""
    if type(value) is list or type(value) is tuple:
        _require_items(cast("Sequence[object]", value), depth)
    else:
        _require_items((value,), depth - 1)


def _require_items(items: Sequence[object], depth: int) -> None:
    """Raise ValueError unless all items of an array, inside `depth` others, lie in the profile."""
    if depth >= CANONICAL_DEPTH_MAX:
        raise ValueError(f"arrays nested deeper than {CANONICAL_DEPTH_MAX}")
    if len(items) > CANONICAL_ITEMS_MAX:
        raise ValueError(f"an array of more than {CANONICAL_ITEMS_MAX} items")
    # In line and by exact type: every item of everything that peers send comes by here.
    for item in items:
        kind = type(item)
        if kind is bytes or kind is bool or item is None:
            continue
        if kind is int:
            if not -CANONICAL_INTEGER_MAX <= cast(int, item) <= CANONICAL_INTEGER_MAX:
                raise ValueError("an integer beyond 2**53")
        elif kind is str:
            _require_text(cast(str, item))
        elif kind is list or kind is tuple:
            _require_items(cast("Sequence[object]", item), depth + 1)
        else:
            raise ValueError(f"a value of type {kind.__name__}")


def _require_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("text with a NUL character")
    # Text that looks the same must be the same bytes. What is NFC stays so in later Unicode versions, unless
    # it holds characters its writer did not know (SPEC §2.2).
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise ValueError("text that is not in NFC")
