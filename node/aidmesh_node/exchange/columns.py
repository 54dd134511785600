"""What each column of a known table is for, decided by an explicit list: whatever is not on it is personal.

`Cells` is the only way from a row to a draft: a column can be read only if the list keeps it, and everything
else goes to the vault or nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from aidmesh_node.domain.refused import Refused
from aidmesh_node.exchange.report import Findings, Unreadable, shown
from aidmesh_node.exchange.table import Row, Table, elsewhere, heading

PRIVATE_KEY_CHARS_MAX = 80

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Use:
    """`kept`: may be read into a draft. `vault`: the field of the vault that holds the exact text, if any."""

    kept: bool
    vault: str | None


KEPT = Use(True, None)
IGNORED = Use(False, None)


def private(field: str) -> Use:
    """Personal or free text: vault only."""
    return Use(False, field)


def coarsened(field: str) -> Use:
    """Only a code or a coarse label of it is kept; the text itself goes to the vault."""
    return Use(True, field)


@dataclass(frozen=True, slots=True, eq=False)
class TableShape:
    """A table we know: its name for people, the columns it must have, and what each known column is for."""

    name: str
    required: tuple[str, ...]
    columns: Mapping[str, Use]

    def missing_in(self, headings: Iterable[str]) -> tuple[str, ...]:
        """The required columns that are not among these headings."""
        present = set(headings)
        return tuple(column for column in self.required if heading(column) not in present)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table together with its shape; `chosen` are the rows that the filter lets through."""

    table: Table
    shape: TableShape
    chosen: tuple[Row, ...]
    places: Mapping[str, int]
    uses: tuple[Use, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, shape: TableShape) -> Sheet:
        """All rows of `table`, read as `shape`; columns the shape does not know are personal."""
        known = {heading(column): use for column, use in shape.columns.items()}
        headings = [heading(column) for column in table.header]
        uses = tuple(
            known.get(name, private(shown(column, PRIVATE_KEY_CHARS_MAX)))
            for name, column in zip(headings, table.header, strict=True)
        )
        unknown = tuple(column for name, column in zip(headings, table.header, strict=True) if name not in known)
        return cls(table, shape, table.rows, {name: at for at, name in enumerate(headings)}, uses, unknown)

    def cells(self, row: Row, findings: Findings) -> Cells:
        """The door to one row."""
        return Cells(self, row, findings)


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, read column by column; what cannot be read becomes a problem that names row and column."""

    sheet: Sheet
    row: Row
    findings: Findings

    def text(self, column: str) -> str:
        """The trimmed text of a kept column, "" when the file has no such column."""
        at = self.sheet.places.get(heading(column))
        if at is None:
            return ""
        if not self.sheet.uses[at].kept:
            raise LookupError(f"the column {column!r} is not on the list of kept columns")
        return self.row.cells[at].strip()

    def read(self, column: str, parse: Callable[[str], T], *, show: bool = True) -> T | None:
        """The parsed text of a kept column; None after a problem. `show` False: the value is not repeated."""
        text = self.text(column)
        try:
            return parse(text)
        except Unreadable as error:
            self.problem(column, error.message, error.hint, show=show)
        except Refused as refusal:
            self.problem(column, refusal.detail, refusal.hint, show=show)
        return None

    def problem(self, column: str, message: str, hint: str, *, show: bool = True) -> None:
        """A problem of this row; the value is shown only of columns that hold nothing personal."""
        at = self.sheet.places.get(heading(column))
        value = self.row.cells[at].strip() if at is not None and show and self.sheet.uses[at] == KEPT else ""
        message += elsewhere(self.row)
        self.findings.add(self.sheet.table.file, self.row.line, message, hint, column=column, value=value)

    def personal(self, *columns: str) -> tuple[str, ...]:
        """The exact texts of columns by which a person is recognised, for `Keys.person` only."""
        places = (self.sheet.places.get(heading(column)) for column in columns)
        return tuple("" if at is None else self.row.cells[at].strip() for at in places)

    def private(self) -> dict[str, str]:
        """Field of the vault -> exact text, of every cell that belongs there and is not empty."""
        fields: dict[str, str] = {}
        for use, cell in zip(self.sheet.uses, self.row.cells, strict=True):
            if use.vault is not None and cell.strip():
                put(fields, use.vault, cell)
        return fields

    def content(self) -> tuple[str, ...]:
        """All that the row says, in an order that does not depend on the order of its columns."""
        named = zip(self.sheet.places, self.row.cells, strict=True)
        return tuple(f"{name}={cell.strip()}" for name, cell in sorted(named) if cell.strip())


def put(fields: dict[str, str], field: str, text: str) -> None:
    """Add a field for the vault; a second text of the same name gets a number instead of being lost."""
    name, number = field, 2
    while name in fields and fields[name] != text:
        name, number = f"{field} {number}", number + 1
    fields[name] = text


def notes_on_columns(sheets: Iterable[Sheet]) -> list[str]:
    """Sentences on where the columns of each file went; columns without a single entry are not mentioned."""
    notes = []
    for sheet in sheets:
        filled = Counter(at for row in sheet.chosen for at, cell in enumerate(row.cells) if cell.strip())
        told: dict[Literal["vault", "both", "left", "unknown"], list[str]] = {}
        for at, (column, use) in enumerate(zip(sheet.table.header, sheet.uses, strict=True)):
            if filled[at]:
                if column in sheet.unknown:
                    told.setdefault("unknown", []).append(shown(column).rstrip(":"))
                elif use == IGNORED:
                    told.setdefault("left", []).append(shown(column).rstrip(":"))
                elif use.vault is not None:
                    told.setdefault("both" if use.kept else "vault", []).append(shown(column).rstrip(":"))
        file = shown(sheet.table.file)
        if "vault" in told:
            notes.append(f"{file}: only in the vault: {', '.join(told['vault'])}.")
        if "both" in told:
            notes.append(
                f"{file}: in the vault as written, outside only as a category or coarse area: "
                f"{', '.join(told['both'])}."
            )
        if "unknown" in told:
            notes.append(
                f"{file}: not known, so treated as personal and only in the vault: {', '.join(told['unknown'])}."
            )
        if "left" in told:
            notes.append(f"{file}: not imported: {', '.join(told['left'])}.")
    return notes
