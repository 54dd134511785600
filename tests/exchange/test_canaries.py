"""A canary in every personal, free-text and unknown column comes out in the vault's fields, nowhere else."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields

import pytest

from aidmesh_node.exchange.plan import ImportFile, ImportPlan
from aidmesh_node.exchange.shape import SHAPES
from tests.exchange.written_csv import ANSWER, ITEM, OWN, REQUEST, STOCK, drafts, plan, problems, written

Rows = list[dict[str, str]]

# The columns that may be shown: written out here a second time, so that a change of the list is a decision.
SHOWN = {
    "requests of a requisition": {
        *("Request Type", "Request Number", "Date Requested", "Time Requested", "Priority"),
        *("Date Required", "Time Required"),
    },
    "items of a requisition": {"Request", "Item", "Pack", "Quantity"},
    "stock list of warehouses": {"Item Name", "Units", "Expiry Date", "Quantity"},
    "answers to a request form": {"ID", "Status", "Timestamp"},
    "aidmesh needs and offers": {
        *("kind", "item", "category", "quantity", "unit", "urgency", "from", "until", "area", "key"),
    },
}
GOOD: dict[str, list[tuple[str, Mapping[str, str]]]] = {
    "requisition": [("requests of a requisition", REQUEST), ("items of a requisition", ITEM)],
    "warehouse": [("stock list of warehouses", STOCK)],
    "google_form": [("answers to a request form", ANSWER)],
    "aidmesh_csv": [
        ("aidmesh needs and offers", OWN),
        ("aidmesh needs and offers", {**OWN, "kind": "offer"}),
    ],
}
AMOUNT = {
    "requisition": "Quantity",
    "warehouse": "Quantity",
    "google_form": "Timestamp",
    "aidmesh_csv": "quantity",
}

IN_EVERY_FILE = ("Comments", "Household doctor")


def with_canaries(name: str, spoil: Callable[[dict[str, str]], None]) -> tuple[list[ImportFile], dict[str, str]]:
    """The files of one shape with a canary in each cell that is not shown, and where each canary sits."""
    canaries: dict[str, str] = {}
    tables: dict[str, Rows] = {}
    known = {shape.name: shape.columns for whole in SHAPES for shape in whole.tables}
    for table, good in GOOD[name]:
        row = {**dict.fromkeys(known[table], ""), **good, "Household doctor": ""}
        for column, use in known[table].items():
            assert use.kept or column not in SHOWN[table]
        for column in sorted(row.keys() - SHOWN[table]):
            canary = f"canary{len(canaries):02d}{table.split()[0]}"
            canaries[canary] = column
            row[column] = canary
        spoil(row)
        tables.setdefault(table, []).append(row)
    return [written(*rows, name=f"{table.split()[0]}.csv") for table, rows in tables.items()], canaries


def shown_texts(result: ImportPlan) -> str:
    """Everything of a plan but the fields for the vault."""
    open_fields = [
        repr(getattr(draft, field.name))
        for draft in drafts(result)
        for field in fields(draft)
        if field.name != "private"
    ]
    return "\n".join([*open_fields, *map(repr, drafts(result)), result.shape, *result.notes])


def ignored(name: str) -> set[str]:
    return {
        column
        for whole in SHAPES
        if whole.name == name
        for shape in whole.tables
        for column, use in shape.columns.items()
        if not use.kept and use.vault is None
    }


@pytest.mark.parametrize("name", GOOD)
def test_what_is_personal_goes_to_the_vault_only(name: str) -> None:
    files, canaries = with_canaries(name, lambda row: None)
    result = plan(*files)
    shown = shown_texts(result)
    vault = [draft.private for draft in drafts(result)]
    assert vault
    for canary, column in canaries.items():
        for form in (canary, canary.upper(), canary.encode().hex(), *digests(canary)):
            assert form not in shown, column
        kept = any(canary in text for private in vault for text in private.values())
        assert kept is (column not in ignored(name)), column


@pytest.mark.parametrize("name", GOOD)
def test_no_problem_repeats_what_is_personal(name: str) -> None:
    def spoil(row: dict[str, str]) -> None:
        if AMOUNT[name] in row:
            row[AMOUNT[name]] = "-1"

    files, canaries = with_canaries(name, spoil)
    told = repr(problems(*files))
    assert "-1" in told
    assert [column for canary, column in canaries.items() if canary in told] == []


@pytest.mark.parametrize("name", GOOD)
def test_a_filter_on_a_personal_column_is_not_repeated(name: str) -> None:
    files, canaries = with_canaries(name, lambda row: None)
    in_one_file = {column: canary for canary, column in canaries.items() if column not in IN_EVERY_FILE}
    column, canary = next(iter(in_one_file.items()))
    assert canary not in shown_texts(plan(*files, where={column: canary}))
    assert "elsewhere" not in repr(problems(*files, where={column: "elsewhere"}))


@pytest.mark.parametrize("name", GOOD)
def test_unknown_columns_are_named_as_treated_as_personal(name: str) -> None:
    files, _ = with_canaries(name, lambda row: None)
    notes = plan(*files).notes
    assert any("treated as personal" in note and "Household doctor" in note for note in notes)
    assert any("only in the vault" in note for note in notes)


def digests(text: str) -> list[str]:
    return [hashlib.new(name, text.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512", "blake2b")]
