"""Malformed files: each is refused whole, with the place and what to do about it."""

import tracemalloc

import pytest

from aidmesh_node.exchange.plan import ImportFile
from aidmesh_node.exchange.report import PROBLEMS_KEPT_MAX, Findings, ImportProblems
from aidmesh_node.exchange.table import (
    CELL_CHARS_MAX,
    COLUMNS_MAX,
    FILE_BYTES_MAX,
    LINE_CHARS_MAX,
    ROWS_MAX,
    read_table,
)
from tests.exchange.written_csv import OWN, plan, problems, written

HEADER = b"kind,item,quantity,unit,note\n"
ROW = b"need,Rice,2,kg,thanks\n"

MALFORMED = {
    "empty": (b"", 0, "empty"),
    "only spaces": (b" \r\n\t\r\n", 0, "empty"),
    "header only": (HEADER, 1, "no rows"),
    "utf-16": ((HEADER + ROW).decode().encode("utf-16"), 0, "UTF-16"),
    "utf-16 without a mark": ((HEADER + ROW).decode().encode("utf-16-le"), 1, "zero byte"),
    "zero byte in the second row": (HEADER + b"need,Ri\0ce,2,kg,x\n", 2, "zero byte"),
    "bytes of no encoding": (HEADER + b"need,Ri\x81ce,2,kg,x\n", 2, "damaged"),
    "damaged utf-8": (HEADER + "need,Açaí,2,kg,".encode() + b"\xc3\n", 2, "damaged"),
    "damaged utf-8 that calls itself utf-8": (
        b"\xef\xbb\xbf" + HEADER + b"need,A\xe7,2,kg,x\n",
        2,
        "damaged",
    ),
    "a spreadsheet": (b"PK\x03\x04" + b"\x14\x00" * 40, 0, "spreadsheet"),
    "quote never closed": (HEADER + ROW + b'need,"Rice,2,kg,x\n' + ROW, 3, "quotation mark"),
    "text after a quote": (HEADER + b'need,"Rice"x,2,kg,x\n', 2, "quotation mark"),
    "too few cells": (HEADER + ROW + b"need,Rice\n", 3, "2 cells"),
    "too many cells": (HEADER + b"need,Rice,1,000,kg,x\n", 2, "6 cells"),
    "another separator": (HEADER.replace(b",", b"|") + ROW.replace(b",", b"|"), 1, "none that we know"),
    "column without a name": (b"kind,item,quantity,unit,\nneed,Rice,2,kg,x\n", 1, "Column 5 has no name"),
    "two columns of one name": (b"kind,item,quantity,unit,Unit \n" + ROW, 1, "Columns 4 and 5"),
    "a million columns": (b"a," * 1_000_000 + b"\n" + ROW, 1, "longer than"),
    "many columns": (b"a," * COLUMNS_MAX + b"a\n" + ROW, 1, f"{COLUMNS_MAX + 1} columns"),
    "a giant line": (HEADER + b"need,Rice,2,kg," + b"x" * (LINE_CHARS_MAX + 1) + b"\n", 2, "longer than"),
    "a giant line of one letter": (b"x" * (LINE_CHARS_MAX + 1), 1, "longer than"),
    "a long cell": (HEADER + b"need,Rice,2,kg," + b"x" * (CELL_CHARS_MAX + 1) + b"\n", 2, "cell is longer"),
    "a giant cell": (HEADER + b"need,Rice,2,kg," + b"x" * 140_000 + b"\n", 2, "cell is longer"),
    "too many rows": (HEADER + b"\n" * (ROWS_MAX + 1), ROWS_MAX + 2, "rows"),
    "too large": (b"x" * (FILE_BYTES_MAX + 1), 0, "larger than"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_at_its_place(name: str) -> None:
    data, row, message = MALFORMED[name]
    found = problems(ImportFile("list.csv", data))
    assert [problem.row for problem in found] == [row]
    assert message in found[0].message
    assert found[0].file == "list.csv"
    assert found[0].hint


def test_a_file_of_a_million_columns_is_refused_before_it_takes_memory() -> None:
    data = b"a," * 1_000_000 + b"\n"
    tracemalloc.start()
    assert read_table("wide.csv", data, Findings()) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(data)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_found(delimiter: str) -> None:
    needs = plan(written({**OWN, "note": "rice, or beans; both\tare fine"}, delimiter=delimiter)).needs
    assert needs[0].private == {"note": "rice, or beans; both\tare fine"}


def test_a_byte_order_mark_is_not_part_of_the_first_column() -> None:
    assert len(plan(ImportFile("bom.csv", b"\xef\xbb\xbf" + HEADER + ROW)).needs) == 1


def test_windows_text_is_read_and_said_so() -> None:
    result = plan(ImportFile("old.csv", HEADER + b"need,Caf\xe9,2,kg,x\n"))
    assert result.needs[0].item == "Café"
    assert any("Windows-1252" in note for note in result.notes)


def test_a_file_that_may_have_lost_its_end_is_mentioned() -> None:
    assert any("without a line break" in note for note in plan(ImportFile("a.csv", HEADER + ROW[:-1])).notes)
    assert not any("without a line break" in note for note in plan(ImportFile("a.csv", HEADER + ROW)).notes)


def test_empty_rows_are_passed_over_and_still_counted() -> None:
    found = problems(ImportFile("gaps.csv", HEADER + b"\n,,,,\n" + ROW + b"need,Rice,-2,kg,x\n"))
    assert [(problem.row, problem.column) for problem in found] == [(5, "quantity")]


def test_a_row_below_a_cell_of_several_lines_is_told_by_line_and_by_spreadsheet_row() -> None:
    found = problems(ImportFile("notes.csv", HEADER + b'need,Rice,2,kg,"one\ntwo"\nneed,Rice,0,kg,x\n'))
    assert [problem.row for problem in found] == [4]
    assert "Row 3 in a spreadsheet" in found[0].message


def test_all_problems_of_all_rows_are_told_at_once() -> None:
    found = problems(written({**OWN, "quantity": "0", "unit": "barrel"}, {**OWN, "urgency": "now"}))
    assert [(problem.row, problem.column) for problem in found] == [
        (2, "unit"),
        (2, "quantity"),
        (3, "urgency"),
    ]


def test_many_problems_are_counted_and_the_first_are_told() -> None:
    rows = [{**OWN, "quantity": "-1"}] * (PROBLEMS_KEPT_MAX + 50)
    with pytest.raises(ImportProblems) as refused:
        plan(written(*rows))
    assert len(refused.value.problems) == PROBLEMS_KEPT_MAX
    assert refused.value.count == PROBLEMS_KEPT_MAX + 50
    assert "150 problems" in refused.value.detail


def test_what_is_told_cannot_command_a_terminal() -> None:
    hostile = "\x1b]52;c;aGk=\x07\u202e"
    [found] = problems(written({**OWN, "unit": hostile}, name=f"list{hostile}.csv"))
    told = repr(found)
    assert "\\x1b" not in told
    assert "\\u202e" not in told


def test_a_file_without_a_header_is_refused_without_repeating_its_first_row() -> None:
    rows = b"Ana Belo,+670 7723 4567,Rua 5\nJo,+670 7700 0000,Rua 6\n"
    assert "Ana" not in repr(problems(ImportFile("contacts.csv", rows)))
    assert "Ana" not in repr(problems(ImportFile("contacts.csv", rows.replace(b"Rua 5", b"Ana Belo"))))


def test_columns_are_known_whatever_their_order_case_and_spacing() -> None:
    shuffled = {key.upper() + "  ": OWN[key] for key in reversed(OWN)}
    assert plan(written(shuffled)).needs == plan(written(OWN)).needs
