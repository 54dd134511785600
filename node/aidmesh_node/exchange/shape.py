"""Which of the known shapes the files have, told by their column names alone.

Never repeats a column name of a file it does not know: a file without a header has a person in its first row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aidmesh_node.exchange import aidmesh_csv, google_form, requisition, warehouse
from aidmesh_node.exchange.columns import Sheet, TableShape
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.report import Findings, shown
from aidmesh_node.exchange.table import Table, heading

CLOSE_ENOUGH = 0.5  # share of the required columns from which a file is taken for a damaged one of that shape


class Draft(Protocol):
    """What each shape does with its sheets."""

    def __call__(self, sheets: Mapping[TableShape, Sheet], keys: Keys, findings: Findings) -> Drafts: ...


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of import: its tables, and the column whose latest date `as_of` moves to the given day."""

    name: str
    tables: tuple[TableShape, ...]
    moved_by: str | None
    draft: Draft


SHAPES = (
    Shape(requisition.NAME, requisition.TABLES, requisition.MOVED_BY, requisition.draft),
    Shape(warehouse.NAME, warehouse.TABLES, warehouse.MOVED_BY, warehouse.draft),
    Shape(google_form.NAME, google_form.TABLES, google_form.MOVED_BY, google_form.draft),
    Shape(aidmesh_csv.NAME, aidmesh_csv.TABLES, aidmesh_csv.MOVED_BY, aidmesh_csv.draft),
)


def recognise(tables: Sequence[Table], findings: Findings) -> tuple[Shape, dict[TableShape, Sheet]]:
    """The shape of these files and a sheet for each of its tables. Raises ImportProblems."""
    sheets: dict[str, Sheet] = {}
    shapes: list[Shape] = []
    for table in tables:
        found = _table_shape(table)
        if found is None:
            _report_unknown(table, findings)
            continue
        shape, table_shape = found
        if table_shape.name in sheets:
            message = f"This file and {sheets[table_shape.name].table.file} are both {table_shape.name}."
            findings.add(table.file, 1, message, "Import them one after the other.")
        elif shapes and shape is not shapes[0]:
            message = f"This file is of the shape {shape.name}, the one before of {shapes[0].name}."
            findings.add(table.file, 1, message, "Import them one after the other.")
        else:
            sheets[table_shape.name] = Sheet.of(table, table_shape)
            shapes.append(shape)
    findings.raise_if_any()
    for table_shape in shapes[0].tables:
        if table_shape.name not in sheets:
            hint = f"Import it together with the file that has the columns {', '.join(table_shape.required)}."
            findings.add(tables[0].file, 0, f"The file of {table_shape.name} is missing.", hint)
    findings.raise_if_any()
    return shapes[0], {table_shape: sheets[table_shape.name] for table_shape in shapes[0].tables}


def _table_shape(table: Table) -> tuple[Shape, TableShape] | None:
    headings = [heading(column) for column in table.header]
    fitting = [
        (shape, table_shape) for shape in SHAPES for table_shape in shape.tables if not table_shape.missing_in(headings)
    ]
    return max(fitting, key=lambda found: len(found[1].required), default=None)


def _report_unknown(table: Table, findings: Findings) -> None:
    headings = [heading(column) for column in table.header]
    known = [table_shape for shape in SHAPES for table_shape in shape.tables]

    def fit(table_shape: TableShape) -> float:
        return 1 - len(table_shape.missing_in(headings)) / len(table_shape.required)

    closest = max(known, key=fit)
    if fit(closest) >= CLOSE_ENOUGH:
        missing = ", ".join(closest.missing_in(headings))
        message = f"The file looks like {closest.name}, but these columns are missing: {missing}."
        findings.add(table.file, 1, message, "Add the missing columns, with these names in the first row.")
        return
    shapes = "; ".join(f"{table_shape.name}: {', '.join(table_shape.required)}" for table_shape in known)
    message = "The column names in the first row are none that we know."
    hint = f"Columns are separated by comma, semicolon or tab. Known files and their columns: {shapes}."
    findings.add(table.file, 1, message, hint)


def column_names(sheets: Mapping[TableShape, Sheet]) -> str:
    """All columns of these files, for a person who looks for one of them."""
    return "; ".join(
        f"{shown(sheet.table.file)}: {', '.join(shown(column) for column in sheet.table.header)}"
        for sheet in sheets.values()
    )
