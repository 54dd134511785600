"""Checking the entries of a package with the parts that came along, in one go (SPEC §9.2).

Makes no objects of what it checks: most of a large feed is checked long before anybody reads what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from aidmesh_protocol import plain
from aidmesh_protocol.entry import FACTS, VIEW, Entry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.part_bytes import KINDS_CACHED_MAX, content, what

Columns = Mapping[str, Sequence[bytes | None]]
"""By tag, part bytes for each entry of a package, None where there are none."""

_COMMITTED = plain.FACTS, plain.FACTS_BUCKET, plain.VIEW, plain.VIEW_BUCKET

NO_PARTS: Columns = MappingProxyType({})


def check_entries(start: int, entries: Sequence[bytes], columns: Columns) -> None:
    """Check that each of the entries, of which the first has index `start`, is one and commits to its parts.

    Raises ProtocolError as `Entry.decode` and `check_part`, with the index of the entry that failed; ValueError for a
    column that is longer or shorter than the entries.
    """
    none = [None] * len(entries)
    facts_column, view_column = columns.get(FACTS, none), columns.get(VIEW, none)
    index = start  # of the entry that is looked at, for the error
    try:
        rows = zip(entries, facts_column, view_column, strict=True)
        for index, (data, facts, view) in enumerate(rows, start):  # noqa: B007
            if (matched := plain.match(data)) is None or (of := _of(matched[plain.START])) is None:
                _check(data, ((FACTS, facts), (VIEW, view)))
                continue
            facts_committed, facts_bucket, view_committed, view_bucket = matched.group(*_COMMITTED)
            if facts is not None:
                content(facts, of[0], plain.BUCKET_OF[facts_bucket], facts_committed)
            if view is not None:
                if view_bucket is None:
                    _check(data, ((VIEW, view),))
                content(view, of[1], plain.BUCKET_OF[view_bucket], view_committed)
        for tag in columns.keys() - {FACTS, VIEW}:
            for index, (data, part) in enumerate(zip(entries, columns[tag], strict=True), start):  # noqa: B007
                _check(data, ((tag, part),))
    except ProtocolError as error:
        raise ProtocolError(error.code, f"entry {index}: {error.detail}", error.evidence) from error


def _check(data: bytes, parts: Iterable[tuple[str, bytes | None]]) -> None:
    entry = Entry.decode(data)
    for tag, part in parts:
        if part is not None:
            check_part(entry, tag, part)


@lru_cache(maxsize=KINDS_CACHED_MAX)
def _of(start: bytes) -> tuple[bytes, bytes] | None:
    """What the facts and the view of a plain entry with this start are of; None if its type is none."""
    kind = plain.kind(start)
    return (what(*kind, FACTS), what(*kind, VIEW)) if kind else None
