"""From files to a plan of what an import would record: needs, offers and sentences for a person.

All or nothing: either every row that the filter lets through became a draft, or ImportProblems names what is
wrong. No database, no clock, no network; the same files give the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft, OfferDraft
from aidmesh_node.domain.window import Window
from aidmesh_node.exchange.columns import Sheet, TableShape, notes_on_columns
from aidmesh_node.exchange.dates import YEARS, moved
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.report import Findings, Unreadable, shown
from aidmesh_node.exchange.shape import Shape, column_names, recognise
from aidmesh_node.exchange.table import heading, read_table

FILES_MAX = 8


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file as it was handed over: its name, for messages only, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import records. `shifted_days`: how far dates moved; `skipped`: rows the filter left out."""

    shape: str
    needs: tuple[NeedDraft, ...]
    offers: tuple[OfferDraft, ...]
    shifted_days: int
    notes: tuple[str, ...]
    skipped: int


def plan_import(
    files: Sequence[ImportFile],
    *,
    as_of: date | None,
    where: Mapping[str, str],
    namespace: UUID,
    today: date | None = None,
) -> ImportPlan:
    """Read `files` and say what importing them would record; raises ImportProblems and nothing else.

    `as_of`: move all dates by whole days so that the latest day of a request falls on it. `where`: import
    only rows whose column has exactly this text. `namespace`: a secret of the home, with which the same rows
    get the same ids. `today`: with it, a note says how many windows have already ended.
    """
    findings = Findings()
    if not 0 < len(files) <= FILES_MAX:
        findings.add("", 0, f"{len(files)} files were given.", f"Choose between 1 and {FILES_MAX} files.")
    findings.raise_if_any()
    tables = [table for file in files if (table := read_table(file.name, file.data, findings))]
    shape, sheets = recognise(tables, findings)
    sheets = _filtered(sheets, where, findings)
    findings.raise_if_any()
    drafts = shape.draft(sheets, Keys(namespace), findings)
    if not drafts.needs and not drafts.offers and not findings.count:
        hint = "Check the filter: it must be exactly what the cells say."
        findings.add("", 0, "The filter leaves no row.", hint, column=", ".join(where))
    drafts, days, moved_notes = _moved(drafts, shape, as_of, findings)
    findings.raise_if_any()
    notes = [note for table in tables for note in table.notes]
    notes += notes_on_columns(sheets.values())
    if drafts.filtered:
        columns = ", ".join(map(shown, where))
        notes.append(f"{_counted(drafts.filtered, 'row')} left out by the filter on {columns}.")
    notes += [*moved_notes, *_notes_on_ended(drafts, today)]
    return ImportPlan(shape.name, drafts.needs, drafts.offers, days, tuple(notes), drafts.filtered)


def column_values(file: ImportFile, column: str) -> dict[str, int]:
    """The texts of one column in the order of the file, each with its rows counted. Raises ImportProblems."""
    findings = Findings()
    table = read_table(file.name, file.data, findings)
    if table is None:
        raise findings.error()
    places = {heading(name): at for at, name in enumerate(table.header)}
    if heading(column) not in places:
        findings.add(file.name, 1, "There is no such column.", "Check its spelling.", column=column)
    findings.raise_if_any()
    values: dict[str, int] = {}
    for row in table.rows:
        text = row.cells[places[heading(column)]].strip()
        values[text] = values.get(text, 0) + 1
    return values


def _filtered(
    sheets: Mapping[TableShape, Sheet], where: Mapping[str, str], findings: Findings
) -> dict[TableShape, Sheet]:
    """Each sheet with the rows whose cells are what `where` says of the columns that the sheet has."""
    for column in where:
        if not any(heading(column) in sheet.places for sheet in sheets.values()):
            hint = f"The columns are: {column_names(sheets)}."
            findings.add("", 0, "The filter names a column that no file has.", hint, column=column)
    chosen: dict[TableShape, Sheet] = {}
    for shape, sheet in sheets.items():
        wanted = {heading(column): text.strip() for column, text in where.items()}
        cells = [(sheet.places[name], text) for name, text in wanted.items() if name in sheet.places]
        rows = (row for row in sheet.table.rows if all(row.cells[at].strip() == text for at, text in cells))
        chosen[shape] = replace(sheet, chosen=tuple(rows))
    return chosen


def _moved(drafts: Drafts, shape: Shape, as_of: date | None, findings: Findings) -> tuple[Drafts, int, list[str]]:
    """The drafts with all dates moved, by how many days, and a sentence that says so with both dates."""
    if as_of is None:
        return drafts, 0, []
    posted = [need.posted_on for need in drafts.needs] + [offer.posted_on for offer in drafts.offers]
    days = [moment.date() for moment in posted if moment is not None]
    if not days or shape.moved_by is None:
        return drafts, 0, ["No dates moved: these files do not say when something was requested."]
    latest = max(days)
    shift = (as_of - latest).days
    try:
        if as_of.year not in YEARS:
            raise Unreadable("That is not a date to move to.", f"Choose a year in {YEARS[0]}-{YEARS[-1]}.")
        needs = tuple(_moved_need(need, shift) for need in drafts.needs)
        offers = tuple(_moved_offer(offer, shift) for offer in drafts.offers)
    except Unreadable as error:
        findings.add("", 0, error.message, error.hint, column="as of", value=as_of.isoformat())
        return drafts, 0, []
    days_text = _counted(abs(shift), "day")
    way = f"{days_text} {'later' if shift > 0 else 'earlier'}" if shift else "by no day"
    note = f"All dates moved {way}: the latest {shape.moved_by}, {latest}, became {as_of}."
    return replace(drafts, needs=needs, offers=offers), shift, [note]


def _moved_need(need: NeedDraft, days: int) -> NeedDraft:
    return replace(need, window=_moved_window(need.window, days), posted_on=moved(need.posted_on, days))


def _moved_offer(offer: OfferDraft, days: int) -> OfferDraft:
    return replace(offer, window=_moved_window(offer.window, days), posted_on=moved(offer.posted_on, days))


def _moved_window(window: Window, days: int) -> Window:
    return Window(moved(window.start, days), moved(window.end, days))


def _notes_on_ended(drafts: Drafts, today: date | None) -> list[str]:
    """Needs whose time is over are imported all the same: a person decides what becomes of them."""
    ends = [need.window.end for need in drafts.needs if need.window.end and not need.closed_reason]
    if not ends:
        return []
    advice = "import with an as-of date to move all dates."
    if today is None:
        return [f"The last of these needs is wanted by {max(ends).date()}. If that is over: {advice}"]
    ended = sum(end.date() < today for end in ends)
    return [f"{_counted(ended, 'need')} should have been met before {today}: {advice}"] if ended else []


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
