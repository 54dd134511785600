"""The bodies of POST /pair and of its answers: three questions, three answers (SPEC §14.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from aidmesh_protocol import canonical
from aidmesh_protocol.canonical import Encodable
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, PAIRING_IDENT_BYTES_MAX, TERMS_BYTES_MAX
from aidmesh_protocol.origin import check_group_id


@dataclass(frozen=True, slots=True)
class _Message:
    KIND: ClassVar[int]

    def __post_init__(self) -> None:
        for field in fields(self):
            _CHECKS[field.name](getattr(self, field.name))


@dataclass(frozen=True, slots=True)
class Hello(_Message):
    """Guest: redeems the invitation's secret; `ident` is a bundle with the guest's identity feed."""

    KIND: ClassVar[int] = 1

    secret: bytes
    ident: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class HelloAnswer(_Message):
    """Host: its identity feed, and its commitment before the guest shows a nonce."""

    KIND: ClassVar[int] = 2

    ident: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Reveal(_Message):
    """Guest: the nonce it committed to."""

    KIND: ClassVar[int] = 3

    gid: str
    secret: bytes
    nonce: bytes


@dataclass(frozen=True, slots=True)
class RevealAnswer(_Message):
    """Host: the nonce it committed to. Both screens can now show the words."""

    KIND: ClassVar[int] = 4

    nonce: bytes


@dataclass(frozen=True, slots=True)
class Sign(_Message):
    """Either side, once its people confirmed the words: the terms and its signature under them."""

    KIND: ClassVar[int] = 5

    gid: str
    terms: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignAnswer(_Message):
    """The other side's signature, or None while its people have not confirmed."""

    KIND: ClassVar[int] = 6

    signature: bytes | None

    def __post_init__(self) -> None:
        if self.signature is not None:
            _CHECKS["signature"](self.signature)


PairingMessage = Hello | HelloAnswer | Reveal | RevealAnswer | Sign | SignAnswer


def encode(message: PairingMessage) -> bytes:
    """The body: canonical `[kind, field, ...]`."""
    values: list[Encodable] = [getattr(message, field.name) for field in fields(message)]
    return canonical.encode([message.KIND, *values])


def decode(data: bytes) -> PairingMessage:
    """Read a body. Raises ProtocolError `malformed` or `too_large` (past PAIRING_BYTES_MAX)."""
    value: Any = canonical.decode(data, bytes_max=PAIRING_BYTES_MAX)
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        raise ProtocolError("malformed", "a pairing message is an array that starts with its kind")
    kind = _KINDS.get(value[0])
    if kind is None or len(value) != len(fields(kind)) + 1:
        raise ProtocolError("malformed", "a pairing message of no known kind")
    return kind(*value[1:])


def _octets(length_min: int, length_max: int, what: str) -> Callable[[object], object]:
    def check(value: object) -> None:
        if type(value) is not bytes or not length_min <= len(value) <= length_max:
            raise ProtocolError("malformed", f"pairing: {what} has the wrong length")

    return check


_KINDS: dict[int, type[PairingMessage]] = {
    kind.KIND: kind for kind in (Hello, HelloAnswer, Reveal, RevealAnswer, Sign, SignAnswer)
}
_CHECKS: dict[str, Callable[[object], object]] = {
    "secret": _octets(16, 16, "secret"),
    "ident": _octets(1, PAIRING_IDENT_BYTES_MAX, "identity bundle"),
    "commitment": _octets(32, 32, "commitment"),
    "nonce": _octets(32, 32, "nonce"),
    "gid": check_group_id,
    "terms": _octets(1, TERMS_BYTES_MAX, "terms"),
    "signature": _octets(64, 64, "signature"),
}
