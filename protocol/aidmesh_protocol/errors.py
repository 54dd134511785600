"""The one error of this package: a peer's bytes are wrong, and what can be said and kept about it.

Never raised for our own mistakes: those are ValueError or TypeError and mean a bug.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "malformed": 400,
        "too_large": 413,
        "clock_skew": 401,
        "bad_signature": 401,
        "unknown_key": 401,
        "not_member": 403,
        "suspended": 403,
        "severed": 403,
        "unknown_feed": 404,
        "part_erased": 410,
        "size_conflict": 409,
        "stale_generation": 409,
        "proof_invalid": 422,
        "root_mismatch": 422,
        "fork_detected": 422,
        "recovering": 503,
        "quota": 429,
        "rate": 429,
        "upgrade_required": 426,
    }
)
"""Every refusal code of the protocol and the HTTP status it travels under."""


class ProtocolError(Exception):
    """What a peer sent cannot be accepted.

    `code` is a key of STATUS, `detail` one sentence for a person, `evidence` signed bytes that prove it to a
    third party (two checkpoint notes for a fork), kept verbatim. Raises ValueError for a code not in STATUS.
    """

    def __init__(self, code: str, detail: str = "", evidence: tuple[bytes, ...] = ()) -> None:
        if code not in STATUS:
            raise ValueError(f"{code!r} is not a refusal code of the protocol")
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.evidence = evidence
