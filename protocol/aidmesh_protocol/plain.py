"""Entries of the plain layout, which nearly all have (SPEC §5.1): facts or facts and view, no refs, small schema and
flags.

What matches is canonical and within every bound, if `kind` finds its type to be so. What does not is read field by
field (`entry.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from aidmesh_protocol import canonical
from aidmesh_protocol.limits import PART_BUCKETS

STATEMENT_TYPE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")

_KINDS_CACHED_MAX = 256
"""Kinds of entries remembered, more than there are; peers may name others, of some 100 bytes each."""

_BUCKET = b"|".join(re.escape(canonical.encode(bucket)) for bucket in PART_BUCKETS)

# The hour is one after 1977, as all are that are written in four bytes.
match = re.compile(
    rb"\x99\x01([\xa3-\xbf][a-z_.]+[\x01-\x1f])\xc4\x10(.{16})\xc4\x10(.{16})"
    rb"\xce((?!\x00\x00).{4})(?:\x91|(\x92))\x93\xa5facts\xc4\x20(.{32})(%b)"
    rb"(?(5)\x93\xa4view\xc4\x20(.{32})(%b))\x90[\x00-\x7f]" % (_BUCKET, _BUCKET),
    re.DOTALL,
).fullmatch
"""Groups: type and schema, statement id, subject id, hour, whether there is a view; then commitment and bucket of the
facts, commitment and bucket of the view. The flags are the last byte."""

START, STATEMENT_ID, SUBJECT_ID, HOUR, _, FACTS, FACTS_BUCKET, VIEW, VIEW_BUCKET = range(1, 10)

BUCKET_OF = {canonical.encode(bucket): bucket for bucket in PART_BUCKETS}


@lru_cache(maxsize=_KINDS_CACHED_MAX)
def kind(start: bytes) -> tuple[str, int] | None:
    """Type and schema of an entry with this start; None if it is no type after all."""
    named = start[1:-1].decode()
    return (named, start[-1]) if len(named) == start[0] & 0x1F and STATEMENT_TYPE.fullmatch(named) else None
