"""The parts of a package as COLUMN frames, by tag: shorter, and quicker to read, than one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aidmesh_protocol.bundle import ColumnFrame
from aidmesh_protocol.limits import COLUMN_BYTES_MAX


def columns_of(origin_hash: bytes, start: int, columns: Mapping[str, Sequence[bytes | None]]) -> Iterator[ColumnFrame]:
    """Frames that hold these parts of one package, whose first entry has index `start`; a column that is too long for
    one frame has several."""
    for tag, column in columns.items():
        begin, left = 0, COLUMN_BYTES_MAX
        for place, part in enumerate(column):
            if part is None:
                continue
            if len(part) > left and any(column[begin:place]):
                yield _frame(origin_hash, tag, start, column, begin, place)
                begin, left = place, COLUMN_BYTES_MAX
            left -= len(part)
        if any(column[begin:]):
            yield _frame(origin_hash, tag, start, column, begin, len(column))


def _frame(
    origin_hash: bytes, tag: str, start: int, column: Sequence[bytes | None], begin: int, end: int
) -> ColumnFrame:
    """One of the parts in [begin, end), without the gaps before the first and after the last."""
    while column[begin] is None:
        begin += 1
    while column[end - 1] is None:
        end -= 1
    return ColumnFrame(origin_hash, tag, start + begin, tuple(column[begin:end]))
