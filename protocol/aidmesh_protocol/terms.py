"""The terms groups agree on, the circle they make, and the signatures under them (SPEC §14.3).

Every party signs the same bytes; they are kept as received and never encoded again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import (
    CIRCLE_PARTIES_MAX,
    HOUR_MAX,
    NOTICE_DAYS_MAX,
    TERMS_BYTES_MAX,
    TERMS_VERSION_MAX,
)
from aidmesh_protocol.origin import check_group_id

SHARE_LEVELS = frozenset({"L1"})
"""How much of a need the circle sees: L1 is category, item, quantity, urgency, window and coarse area."""

# The signed bytes start with this, so that no other signature of the same key can be taken for one on terms.
_DOMAIN = b"aidmesh/1 terms\n"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the parties agree on. `version` counts amendments from 1; `created_hour` is hours since 1970.

    `parties` are group ids in order; `salt` (16 bytes) makes circles of the same parties differ;
    `notice_days` is how long before leaving a party says so.
    """

    version: int
    parties: tuple[str, ...]
    created_hour: int
    salt: bytes
    share_level: str
    notice_days: int

    def __post_init__(self) -> None:
        _check_int(self.version, 1, TERMS_VERSION_MAX, "version")
        if not 2 <= len(self.parties) <= CIRCLE_PARTIES_MAX:
            raise ProtocolError("malformed", "terms need two parties or more, up to a circle's size")
        for party in self.parties:
            check_group_id(party)
        if any(here >= after for here, after in pairwise(self.parties)):
            raise ProtocolError("malformed", "the parties of terms are not in order, each once")
        _check_int(self.created_hour, 0, HOUR_MAX, "creation hour")
        if type(self.salt) is not bytes or len(self.salt) != 16:
            raise ProtocolError("malformed", "the salt of terms is 16 bytes")
        if type(self.share_level) is not str or self.share_level not in SHARE_LEVELS:
            raise ProtocolError("malformed", "the terms name a share level this version does not know")
        _check_int(self.notice_days, 0, NOTICE_DAYS_MAX, "notice")

    def encode(self) -> bytes:
        """The bytes every party signs."""
        return canonical.encode(
            [
                self.version,
                list(self.parties),
                self.created_hour,
                self.salt,
                self.share_level,
                self.notice_days,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Terms:
        """Read terms. Raises ProtocolError `malformed` or `too_large`."""
        value: Any = canonical.decode(data, bytes_max=TERMS_BYTES_MAX)
        if not isinstance(value, list) or len(value) != 6 or not isinstance(value[1], list):
            raise ProtocolError("malformed", "terms are an array of six fields")
        version, parties, created_hour, salt, share_level, notice_days = value
        return cls(version, tuple(parties), created_hour, salt, share_level, notice_days)


def circle_id(terms_bytes: bytes) -> bytes:
    """The circle these first terms make: SHA-256 of their bytes, 32 bytes; amendments do not change it."""
    return hashlib.sha256(terms_bytes).digest()


def sign_terms(terms_bytes: bytes, gid: str, key: SigningKey) -> bytes:
    """Group `gid`'s signature (64 bytes) under the terms. Raises as `Terms.decode`, or `not_member`."""
    _require_party(terms_bytes, gid)
    return key.sign(_DOMAIN + terms_bytes)


def verify_terms_signature(terms_bytes: bytes, gid: str, key: VerifyKey, signature: bytes) -> None:
    """Check that group `gid`, whose key is `key`, is a party of these terms and signed them.

    Raises ProtocolError: as `Terms.decode`, `not_member` if `gid` is no party, or `bad_signature`.
    """
    _require_party(terms_bytes, gid)
    key.verify(signature, _DOMAIN + terms_bytes)


def _require_party(terms_bytes: bytes, gid: str) -> None:
    if gid not in Terms.decode(terms_bytes).parties:
        raise ProtocolError("not_member", "the group is not a party of these terms")


def _check_int(value: object, minimum: int, maximum: int, what: str) -> None:
    if type(value) is not int or not minimum <= value <= maximum:
        raise ProtocolError("malformed", f"the {what} of the terms is out of range")
