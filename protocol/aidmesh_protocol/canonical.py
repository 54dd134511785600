"""Canonical encoding: the one way a value becomes bytes, a strict subset of msgpack (SPEC §2).

Never decodes what it would not encode to the very same bytes, and never raises anything but ProtocolError on
a peer's bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgpack

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    CANONICAL_BYTES_MAX,
    CANONICAL_DEPTH_MAX,
    CANONICAL_INTEGER_MAX,
    CANONICAL_ITEMS_MAX,
)

_unpack = msgpack.unpackb
# Packing with one is what msgpack.packb does, without its way through keyword arguments, which takes longer than a
# statement. A new one each time: it has a buffer, and several threads come here.
_Packer = msgpack.Packer

Value: TypeAlias = "bool | int | bytes | str | list[Value] | None"
"""What `decode` returns: arrays are lists."""
Encodable: TypeAlias = "bool | int | bytes | str | Sequence[Encodable] | None"
"""What `encode` takes: arrays are lists or tuples."""


def encode(value: Encodable) -> bytes:
    """Return the canonical bytes of `value` (SPEC §2).

    Raises ValueError when the value has none: our mistake, never a peer's.
    """
    _require_items((value,), -1)
    packed: bytes = _Packer().pack(value)
    return packed


def decode(data: bytes, *, bytes_max: int = CANONICAL_BYTES_MAX) -> Value:
    """Return the value whose canonical bytes are `data` (SPEC §2).

    Raises ProtocolError: "too_large" past `bytes_max` bytes, "malformed" for everything else.
    """
    size = len(data)
    if size > bytes_max:
        raise ProtocolError("too_large", f"{size} bytes where at most {bytes_max} are allowed")
    try:
        # Texts become str and arrays lists, none longer than the data. An array header alone makes the decoder allocate
        # its list: refuse a count the data cannot hold (SPEC §2.3a).
        items_max = size if size < CANONICAL_ITEMS_MAX else CANONICAL_ITEMS_MAX
        value: Any = _unpack(data, max_array_len=items_max, max_map_len=0, max_ext_len=0)
        _require_items(value, 0) if type(value) is list else _require_items((value,), -1)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ProtocolError("malformed", f"not canonical: {str(error) or type(error).__name__}") from None
    # SPEC §2.2a. One encoding per value: longer integer and length forms decode, but not back to these bytes.
    if _Packer().pack(value) != data:
        raise ProtocolError("malformed", "not canonical: not the shortest encoding")
    checked: Value = value
    return checked


def _require_items(items: Sequence[Any], depth: int) -> None:
    """Raise ValueError unless all items of an array, inside `depth` others, lie in the profile.

    What is no array lies inside -1 others.
    """
    if depth >= CANONICAL_DEPTH_MAX:
        raise ValueError(f"arrays nested deeper than {CANONICAL_DEPTH_MAX}")
    if len(items) > CANONICAL_ITEMS_MAX:
        raise ValueError(f"an array of more than {CANONICAL_ITEMS_MAX} items")
    # In line and by exact type: every item of everything that peers send comes by here.
    for item in items:
        kind = type(item)
        if kind is bytes or item is None or kind is bool:
            continue
        if kind is str:
            if "\0" in item:
                raise ValueError("text with a NUL character")
            # Text that looks the same must be the same bytes. What is NFC stays so in later Unicode versions, unless
            # it holds characters its writer did not know (SPEC §2.2).
            if not item.isascii() and not unicodedata.is_normalized("NFC", item):
                raise ValueError("text that is not in NFC")
        elif kind is int:
            if not -CANONICAL_INTEGER_MAX <= item <= CANONICAL_INTEGER_MAX:
                raise ValueError("an integer beyond 2**53")
        elif kind is list or kind is tuple:
            _require_items(item, depth + 1)
        else:
            raise ValueError(f"a value of type {kind.__name__}")
