"""CSV bytes in, rows of text out; strict and bounded. It knows nothing of what the columns mean.

A file is read whole or not at all: whatever looks damaged or cut short is reported, never repaired.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from aidmesh_node.exchange.report import Findings, shown

FILE_BYTES_MAX = 16 * 1024 * 1024  # about 80,000 rows of a contact list
ROWS_MAX = 50_000
COLUMNS_MAX = 200  # the widest real form export has under 60
CELL_CHARS_MAX = 20_000
LINE_CHARS_MAX = 256 * 1024  # so that a line of a million commas is refused before it becomes a million cells
DELIMITERS = (",", ";", "\t")

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS = "Save it as “CSV UTF-8, separated by commas” and import that file."
_SPLIT = "Split it into smaller files and import them one after the other."
_WHOLE = "The file may be cut short or damaged: get it again and import the whole file."
_QUOTES = (
    'A cell that begins with a quotation mark " must also end with one, and a " inside it is written twice. '
    "If this is the last part of the file, it may be cut short."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line`: where it begins in the file; `number`: what a spreadsheet calls it (header = 1)."""

    line: int
    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read: every row has as many cells as the header. `notes` are sentences for a person."""

    file: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


class _LineTooLong(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def heading(text: str) -> str:
    """How column names are compared: NFC, one space between words, no case, no colon at the end."""
    return " ".join(unicodedata.normalize("NFC", text).split()).rstrip(":").rstrip().casefold()


def read_table(file: str, data: bytes, findings: Findings) -> Table | None:
    """Read one CSV file; None when it cannot be used, and then `findings` says why."""
    notes: list[str] = []
    text = _decode(file, data, findings, notes)
    if text is None:
        return None
    if not text.strip():
        findings.add(file, 0, "The file is empty.", "Choose it again; it should begin with the column names.")
        return None
    before = findings.count
    header: tuple[str, ...] = ()
    rows: list[Row] = []
    for row in _rows(file, text, _delimiter(text), findings):
        if not header:
            header = tuple(cell.strip() for cell in row.cells)
            if not _header_is_sound(file, row.line, header, findings):
                return None
        elif any(cell.strip() for cell in row.cells) and _row_is_sound(file, row, header, findings):
            rows.append(row)
    if findings.count > before:
        return None
    if not rows:
        findings.add(file, 1, "The file has column names but no rows.", "Choose a file that has rows.")
        return None
    if text[-1] not in "\r\n":
        last = rows[-1].line
        notes.append(f"{shown(file)} ends without a line break: check that its last row, {last}, is complete.")
    return Table(file, header, tuple(rows), tuple(notes))


def _decode(file: str, data: bytes, findings: Findings, notes: list[str]) -> str | None:
    """UTF-8, or Windows-1252 for a file in which nothing is UTF-8; anything else is reported."""
    if len(data) > FILE_BYTES_MAX:
        size = f"{FILE_BYTES_MAX // 1024 // 1024} MiB"
        findings.add(file, 0, f"The file is larger than {size}.", _SPLIT)
        return None
    if data.startswith(b"PK\x03\x04"):
        findings.add(file, 0, "This is a spreadsheet or archive, not a CSV file.", _SAVE_AS)
        return None
    if data.startswith(_UTF16_BOMS):
        findings.add(file, 0, "The file is written in UTF-16.", _SAVE_AS)
        return None
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        message = "The file holds a zero byte: it is no CSV text, or it is written in UTF-16."
        findings.add(file, line, message, _SAVE_AS)
        return None
    body = data.removeprefix(_UTF8_BOM)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        if not data.startswith(_UTF8_BOM) and not _holds_utf8(body):
            try:
                text = body.decode("cp1252")
            except UnicodeDecodeError as unknown:
                line = body.count(b"\n", 0, unknown.start) + 1
            else:
                notes.append(f"{shown(file)} is not UTF-8 and was read as Windows-1252: check its accents.")
                return text
        message = "The text here is damaged: neither UTF-8 nor Windows-1252."
        findings.add(file, line, message, f"{_WHOLE} {_SAVE_AS}")
        return None


def _holds_utf8(data: bytes) -> bool:
    """Whether some characters beyond ASCII are valid UTF-8: then the other bytes are damage."""
    return not data.decode("utf-8", "ignore").isascii()


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > LINE_CHARS_MAX:
            raise _LineTooLong(number)
        yield line


def _delimiter(text: str) -> str:
    """The one of comma, semicolon and tab that cuts the first row into most cells; comma when none does."""

    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader(_lines(text), delimiter=delimiter, strict=True), ()))
        except (csv.Error, _LineTooLong):
            return 0

    return max(DELIMITERS, key=columns)


def _rows(file: str, text: str, delimiter: str, findings: Findings) -> Iterator[Row]:
    """Every row that is not an empty line, the header first; stops where the text is no CSV, and says so."""
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    number = 0
    while True:
        line = reader.line_num + 1
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _LineTooLong as long:
            findings.add(file, long.line, f"The line is longer than {LINE_CHARS_MAX:,} characters.", _WHOLE)
            return
        except csv.Error as error:
            if "field larger" in str(error):
                findings.add(file, line, f"A cell is longer than {CELL_CHARS_MAX:,} characters.", _QUOTES)
            else:
                findings.add(file, line, "A quotation mark is opened or closed in the wrong place.", _QUOTES)
            return
        if number > ROWS_MAX + 1:
            findings.add(file, line, f"The file has more than {ROWS_MAX:,} rows.", _SPLIT)
            return
        if cells:
            yield Row(line, number, tuple(cells))


def _header_is_sound(file: str, line: int, header: tuple[str, ...], findings: Findings) -> bool:
    """Columns are told by number, not by name: a file without a header has a person in its first row."""
    before = findings.count
    if len(header) > COLUMNS_MAX:
        message = f"The file has {len(header):,} columns; at most {COLUMNS_MAX} can be read."
        findings.add(file, line, message, "Delete the columns that are not needed and import the file again.")
        return False
    first: dict[str, int] = {}
    for at, name in enumerate(header, 1):
        if len(name) > CELL_CHARS_MAX:
            findings.add(file, line, "The column name is too long.", _QUOTES, column=f"column {at}")
        elif not heading(name):
            findings.add(file, line, f"Column {at} has no name.", "Name it or delete it.", column=f"column {at}")
        elif heading(name) in first:
            message = f"Columns {first[heading(name)]} and {at} have the same name."
            findings.add(file, line, message, "Rename or delete one of them.", column=f"column {at}")
        else:
            first[heading(name)] = at
    return findings.count == before


def _row_is_sound(file: str, row: Row, header: tuple[str, ...], findings: Findings) -> bool:
    if len(row.cells) != len(header):
        message = f"The row has {len(row.cells)} cells, the header has {len(header)}.{elsewhere(row)}"
        hint = f"Put cells that hold a separator between quotation marks. {_WHOLE}"
        findings.add(file, row.line, message, hint)
        return False
    if len(max(row.cells, key=len)) > CELL_CHARS_MAX:
        message = f"A cell is longer than {CELL_CHARS_MAX:,} characters.{elsewhere(row)}"
        findings.add(file, row.line, message, "Shorten the text. " + _QUOTES)
        return False
    return True


def elsewhere(row: Row) -> str:
    """Where a spreadsheet shows the row, when cells of several lines above it make the two counts differ."""
    return "" if row.line == row.number else f" (Row {row.number} in a spreadsheet.)"
