"""Event state as msgpack: small, exact, and able to give back every value it takes.

Takes UUID, Decimal, aware datetime, tuple, list, dict, str, bytes, int, float, bool and None; anything else
raises TypeError when it is written, never when it is read. Subclasses (enums, named tuples) count as anything
else.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgpack
from eventsourcing.persistence import Transcoder

# Extension codes are part of the stored form: never reuse or change one.
UUID_CODE = 1
DECIMAL_CODE = 2
TUPLE_CODE = 3

USUAL_BYTES = 1024
"""Nearly every state fits; what does not makes the buffer grow. The library's own, 256 KiB, would be asked of the
system and given back for every event."""


class MsgpackTranscoder(Transcoder):
    """Datetimes come back in UTC, to the microsecond; tuples come back as tuples."""

    def encode(self, obj: Any) -> bytes:
        packed: bytes = _pack(obj)
        return packed

    def decode(self, data: bytes) -> Any:
        return _unpack(data)


def _pack(obj: Any) -> bytes:
    # strict_types sends tuples and subclasses to _extend, so that nothing changes its type on the way.
    packer = msgpack.Packer(default=_extend, strict_types=True, use_bin_type=True, datetime=True, buf_size=USUAL_BYTES)
    packed: bytes = packer.pack(obj)
    return packed


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(data, ext_hook=_restore, raw=False, timestamp=3, strict_map_key=False)


def _extend(value: Any) -> Any:
    kind = type(value)
    if kind is UUID:
        return msgpack.ExtType(UUID_CODE, value.bytes)
    if kind is Decimal:
        return msgpack.ExtType(DECIMAL_CODE, str(value).encode("ascii"))
    if kind is tuple:
        return msgpack.ExtType(TUPLE_CODE, _pack(list(value)))
    if kind is datetime:
        raise TypeError(f"a stored time needs a zone: {value.isoformat()}")
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} cannot be stored in an event")


def _restore(code: int, data: bytes) -> Any:
    if code == UUID_CODE:
        return UUID(bytes=data)
    if code == DECIMAL_CODE:
        return Decimal(data.decode("ascii"))
    if code == TUPLE_CODE:
        return tuple(_unpack(data))
    raise ValueError(f"unknown extension code {code}")
