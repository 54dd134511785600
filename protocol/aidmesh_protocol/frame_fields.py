"""The rules that fields of frames satisfy (SPEC §8.2): each returns the value or raises ProtocolError("malformed")."""

from __future__ import annotations

from typing import Any

from aidmesh_protocol.entry import TAGS
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    ENTRY_BYTES_MAX,
    HASH_BYTES,
    INDEX_MAX,
    PACKAGE_ENTRIES_MAX,
    PART_BYTES_MAX,
    PROOF_HASHES_MAX,
)


def exactly(values: list[Any], count: int) -> list[Any]:
    if len(values) != count:
        raise ProtocolError("malformed", "a frame has the wrong number of fields")
    return values


def rows(value: Any, rows_max: int, fields: int) -> list[list[Any]]:
    rows = bounded_list(value, rows_max)
    for row in rows:
        exactly(bounded_list(row, fields), fields)
    return rows


def bounded_list(value: Any, items_max: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > items_max:
        raise ProtocolError("malformed", "a frame has something else where a bounded list belongs")
    return value


def entries(value: Any, entries_max: int) -> tuple[bytes, ...]:
    entries = bounded_list(value, entries_max)
    if not entries:
        raise ProtocolError("malformed", "a frame has no entries where some belong")
    return all_octets(entries, 1, ENTRY_BYTES_MAX)


def column(value: Any) -> tuple[bytes | None, ...]:
    parts = bounded_list(value, PACKAGE_ENTRIES_MAX)
    if not parts:
        raise ProtocolError("malformed", "a frame has no parts where some belong")
    all_octets([part for part in parts if part is not None], 1, PART_BYTES_MAX)
    return tuple(parts)


def part_names(value: Any, names_max: int) -> tuple[tuple[bytes, int, str], ...]:
    return tuple(
        (hash_bytes(origin_hash), integer(index, INDEX_MAX), known_tag(tag))
        for origin_hash, index, tag in rows(value, names_max, 3)
    )


def proof(value: Any) -> tuple[bytes, ...]:
    return all_octets(bounded_list(value, PROOF_HASHES_MAX), HASH_BYTES, HASH_BYTES)


def hash_bytes(value: Any) -> bytes:
    return octets(value, HASH_BYTES, HASH_BYTES)


def octets(value: Any, length_min: int, length_max: int) -> bytes:
    return all_octets([value], length_min, length_max)[0]


def all_octets(values: list[Any], length_min: int, length_max: int) -> tuple[bytes, ...]:
    # In one loop: every entry and every part that peers send comes by here.
    for value in values:
        if type(value) is not bytes or not length_min <= len(value) <= length_max:
            raise ProtocolError("malformed", "a frame has bytes of the wrong length")
    return tuple(values)


def integer(value: Any, maximum: int) -> int:
    if type(value) is not int or not 0 <= value <= maximum:
        raise ProtocolError("malformed", "a frame has a number out of range")
    return value


def known_tag(value: Any) -> str:
    if type(value) is not str or value not in TAGS:
        raise ProtocolError("malformed", "a frame has an unknown part tag")
    return value
