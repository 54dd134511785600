"""Feed entries: the leaf bytes a feed commits to, and the salted commitments to their parts (SPEC §5).

Encodes, decodes and checks commitments. Never signs, and never knows what a statement means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from aidmesh_protocol import canonical, part_bytes, plain
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    ENTRY_BYTES_MAX,
    ENTRY_FLAGS_MAX,
    ENTRY_PARTS_MAX,
    ENTRY_REFS_MAX,
    ENTRY_VERSION,
    HOUR_MAX,
    INDEX_MAX,
    PART_BUCKETS,
    SCHEMA_MAX,
    STATEMENT_TYPE_BYTES_MAX,
)
from aidmesh_protocol.padding import PREFIX_BYTES, pad

FACTS = "facts"
VIEW = "view"
TEXT = "text"
SEALED = "sealed"
TAGS = (FACTS, VIEW, TEXT, SEALED)
ERASABLE_TAGS = (VIEW, TEXT, SEALED)
"""All but the facts: without them late readers would come to another state (SPEC §5.2)."""

# Bits of an entry's last field. Bits without a name here are kept and ignored (SPEC §5.1).
TERMINAL = 1
SUMMARY = 2
END_OF_FEED = 4
ERASE = 8

_TAG_ORDER = {tag: position for position, tag in enumerate(TAGS)}


class _PartHeader(NamedTuple):
    tag: str
    commitment: bytes
    bucket: int


class PartHeader(_PartHeader):
    """What an entry commits to for one part: its tag, HMAC-SHA256 commitment (32 bytes), padded length."""

    __slots__ = ()

    def __new__(cls, tag: str, commitment: bytes, bucket: int) -> Self:
        if type(tag) is not str or tag not in _TAG_ORDER:
            raise ProtocolError("malformed", "unknown part tag")
        _check_bytes(commitment, 32, "part commitment")
        if type(bucket) is not int or bucket not in PART_BUCKETS:
            raise ProtocolError("malformed", "part length is not one of the buckets")
        return super().__new__(cls, tag, commitment, bucket)

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]  # narrower than typeshed knows
        return cls(*iterable)


@dataclass(frozen=True, slots=True)
class Ref:
    """The entry a statement answers: origin hash (32 bytes), index in that feed, leaf hash (32 bytes)."""

    origin_hash: bytes
    index: int
    leaf_hash: bytes

    def __post_init__(self) -> None:
        _check_bytes(self.origin_hash, 32, "ref origin hash")
        _check_int(self.index, INDEX_MAX, "ref index")
        _check_bytes(self.leaf_hash, 32, "ref leaf hash")


class _Entry(NamedTuple):
    type: str
    schema: int
    statement_id: bytes
    subject_id: bytes
    hour: int
    parts: tuple[PartHeader, ...]
    refs: tuple[Ref, ...]
    flags: int
    v: int


class Entry(_Entry):
    """One entry's header fields (SPEC §5.1). Holding one means the fields are well formed, nothing more.

    `hour` is whole hours since 1970-01-01T00:00Z; it informs and is never a reason to refuse (SPEC §5.1b).
    """

    __slots__ = ()

    def __new__(
        cls,
        type: str,
        schema: int,
        statement_id: bytes,
        subject_id: bytes,
        hour: int,
        parts: tuple[PartHeader, ...],
        refs: tuple[Ref, ...] = (),
        flags: int = 0,
        v: int = ENTRY_VERSION,
    ) -> Self:
        if v != ENTRY_VERSION:
            raise ProtocolError("upgrade_required", "the entry has a version this node does not know")
        _check_type(type)
        _check_int(schema, SCHEMA_MAX, "schema version")
        if schema == 0:
            raise ProtocolError("malformed", "schema versions count from 1")
        _check_bytes(statement_id, 16, "statement id")
        _check_bytes(subject_id, 16, "subject id")
        _check_int(hour, HOUR_MAX, "hour")
        if len(parts) > ENTRY_PARTS_MAX:
            raise ProtocolError("malformed", "too many parts")
        order = [_TAG_ORDER[part.tag] for part in parts]
        # One order only: the same statement must not have two encodings.
        if order != sorted(set(order)):
            raise ProtocolError("malformed", "parts are not in tag order, each once")
        if len(refs) > ENTRY_REFS_MAX:
            raise ProtocolError("malformed", "too many refs")
        _check_int(flags, ENTRY_FLAGS_MAX, "flags")
        return super().__new__(cls, type, schema, statement_id, subject_id, hour, parts, refs, flags, v)

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]  # narrower than typeshed knows
        return cls(*iterable)

    def part(self, tag: str) -> PartHeader | None:
        """The commitment to the part `tag`, or None if the entry has no such part."""
        for part in self.parts:
            if part.tag == tag:
                return part
        return None

    def encode(self) -> bytes:
        """The leaf bytes; the bounds of the fields keep them within ENTRY_BYTES_MAX."""
        return canonical.encode(
            [
                self.v,
                self.type,
                self.schema,
                self.statement_id,
                self.subject_id,
                self.hour,
                [[part.tag, part.commitment, part.bucket] for part in self.parts],
                [[ref.origin_hash, ref.index, ref.leaf_hash] for ref in self.refs],
                self.flags,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Entry:
        """Read leaf bytes. Strict and total: anything but a canonical entry is a ProtocolError (SPEC §5.1a).

        Raises `too_large`, `malformed`, or `upgrade_required` for another entry version.
        """
        if (matched := plain.match(data)) is not None:
            start, statement_id, subject_id, hour, _, facts, facts_bucket, view, view_bucket = matched.groups()
            if (kind := plain.kind(start)) is not None:
                named, schema = kind
                first = _checked(PartHeader, (FACTS, facts, plain.BUCKET_OF[facts_bucket]))
                parts = (
                    (first,)
                    if view is None
                    else (first, _checked(PartHeader, (VIEW, view, plain.BUCKET_OF[view_bucket])))
                )
                return _checked(
                    cls,
                    (
                        named,
                        schema,
                        statement_id,
                        subject_id,
                        int.from_bytes(hour, "big"),
                        parts,
                        (),
                        data[-1],
                        ENTRY_VERSION,
                    ),
                )
        # Any: the constructors below check each field's type themselves.
        value: Any = canonical.decode(data, bytes_max=ENTRY_BYTES_MAX)
        if not isinstance(value, list) or not value:
            raise ProtocolError("malformed", "an entry is an array")
        if type(value[0]) is not int:
            raise ProtocolError("malformed", "an entry starts with its version")
        if value[0] != ENTRY_VERSION:
            raise ProtocolError("upgrade_required", "the entry has a version this node does not know")
        if len(value) != 9:
            raise ProtocolError("malformed", "an entry has nine fields")
        _, statement_type, schema, statement_id, subject_id, hour, parts, refs, flags = value
        return cls(
            statement_type,
            schema,
            statement_id,
            subject_id,
            hour,
            tuple([PartHeader(*_triple(part)) for part in _array(parts)]),
            tuple([Ref(*_triple(ref)) for ref in _array(refs)]),
            flags,
        )


_checked = tuple.__new__
"""Makes instances of fields that have been checked, without checking them once more."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part before sealing: tag, a fresh random key (16 bytes), and its content without padding."""

    tag: str
    key: bytes
    body: bytes

    def header(self, statement_type: str, schema: int) -> PartHeader:
        """The commitment that goes into the entry."""
        padded = pad(self.body)
        committed = part_bytes.commitment(self.key, statement_type, schema, self.tag, padded)
        return PartHeader(self.tag, committed, len(padded))

    def encode(self) -> bytes:
        """The part bytes as stored and sent: canonical `[key, padded body]`."""
        return canonical.encode([self.key, pad(self.body)])


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry's leaf bytes with the part bytes it commits to, as `(tag, part bytes)`."""

    entry: bytes
    parts: tuple[tuple[str, bytes], ...]


def check_part(entry: Entry, tag: str, part: bytes) -> bytes:
    """The content of a part, once it is shown to be the one the entry commits to.

    Raises ProtocolError: `proof_invalid` if the entry has no such part or commits to other bytes,
    `too_large` or `malformed` if the bytes are no part at all.
    """
    if (header := entry.part(tag)) is None:
        raise ProtocolError("proof_invalid", "the entry commits to no such part")
    return part_bytes.content(part, part_bytes.what(entry.type, entry.schema, tag), header.bucket, header.commitment)


def kept_content(entry: Entry, tag: str, part: bytes) -> bytes:
    """The content of a part that `check_part` has passed before, when it came: its commitment is not computed again.

    Raises ProtocolError("malformed") for what has no part's length, and so was damaged since.
    """
    if (body := part_bytes.BODY_AT.get(len(part))) is None:
        raise ProtocolError("malformed", "what was kept of the part is none")
    at = body + PREFIX_BYTES
    return part[at : at + (part[at - 2] << 8 | part[at - 1])]


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ProtocolError("malformed", "an array was expected")
    return value


def _triple(value: Any) -> list[Any]:
    if len(fields := _array(value)) != 3:
        raise ProtocolError("malformed", "an array of three was expected")
    return fields


def _check_type(value: object) -> None:
    if type(value) is not str or len(value) > STATEMENT_TYPE_BYTES_MAX or not plain.STATEMENT_TYPE.fullmatch(value):
        raise ProtocolError("malformed", "statement type is not a lower-case noun.verb")


def _check_bytes(value: object, length: int, what: str) -> None:
    if type(value) is not bytes or len(value) != length:
        raise ProtocolError("malformed", f"{what} is not {length} bytes")


def _check_int(value: object, maximum: int, what: str) -> None:
    if type(value) is not int or not 0 <= value <= maximum:
        raise ProtocolError("malformed", f"{what} is out of range")
