"""Whatever the bytes: a plan of the whole file or problems; never another error, never a part of it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidmesh_node.exchange.plan import ImportFile, ImportPlan, column_values
from aidmesh_node.exchange.report import ImportProblems
from tests.exchange.written_csv import OWN, drafts, plan, sample, written

IMPORTS = {
    "requisition": [sample("inv_req.csv"), sample("inv_req_item.csv")],
    "warehouse": [sample("inv_item.csv")],
    "google_form": [sample("submission_responses.csv")],
    "aidmesh_csv": [written(OWN, {**OWN, "kind": "offer", "name": "Ana", "note": 'two\nlines, "both"'})],
}
FRAGMENTS = st.sampled_from(
    [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\t",
        b";",
        b"\0",
        b"\xff",
        b"\xc3\xa9",
        b"-",
        b"9" * 30,
        b"1/1/0",
        b"\xef\xbb\xbf",
    ]
)


def outcome(*files: ImportFile) -> ImportPlan | ImportProblems:
    """A plan that records something, or problems that say something; any other error comes through."""
    result: ImportPlan | ImportProblems
    try:
        result = plan(*files, as_of=date(2026, 11, 22))
    except ImportProblems as refused:
        result = refused
    if isinstance(result, ImportPlan):
        assert drafts(result)
    else:
        assert result.problems
        assert all(problem.message and problem.hint for problem in result.problems)
    return result


@given(st.lists(st.binary(max_size=400), max_size=3))
def test_any_bytes(blobs: list[bytes]) -> None:
    outcome(*(ImportFile(f"{at}.csv", blob) for at, blob in enumerate(blobs)))


@settings(max_examples=50)
@given(st.lists(st.lists(st.text(max_size=8), min_size=5, max_size=5), max_size=6))
def test_any_text_below_a_known_header(rows: list[list[str]]) -> None:
    names = ("kind", "item", "quantity", "unit", "until")
    outcome(written(dict.fromkeys(names, ""), *(dict(zip(names, row, strict=True)) for row in rows)))


@settings(max_examples=50)
@given(data=st.data())
@pytest.mark.parametrize("shape", IMPORTS)
def test_any_damage_to_a_good_file(shape: str, data: st.DataObject) -> None:
    damaged = []
    for file in IMPORTS[shape]:
        content = bytearray(file.data)
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(content)))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(FRAGMENTS | st.binary(max_size=3))
        damaged.append(ImportFile(file.name, bytes(content)))
    outcome(*damaged)


@pytest.mark.parametrize("shape", IMPORTS)
def test_half_a_file_gives_nothing_that_the_whole_would_not_give(shape: str) -> None:
    *others, last = IMPORTS[shape]
    whole = outcome(*others, last)
    assert isinstance(whole, ImportPlan)
    meant = {(draft.id, draft.quantity) for draft in drafts(whole)}
    accepted = 0
    for length in range(0, len(last.data), 7):
        part = outcome(*others, ImportFile(last.name, last.data[:length]))
        if isinstance(part, ImportPlan):
            accepted += 1
            *rest, cut = [(draft.id, draft.quantity) for draft in drafts(part)]
            assert set(rest) <= meant
            # Only the last row can have lost something that does not show; then a note says to look at it.
            assert cut in meant or any("without a line break" in note for note in part.notes)
    assert accepted < len(last.data) / 7


def test_no_files_and_too_many_are_problems() -> None:
    assert isinstance(outcome(), ImportProblems)
    assert isinstance(outcome(*[sample("inv_item.csv")] * 9), ImportProblems)


@given(st.binary(max_size=200), st.text(max_size=10))
def test_column_values_of_any_bytes(blob: bytes, column: str) -> None:
    try:
        values = column_values(ImportFile("any.csv", blob), column)
    except ImportProblems:
        return
    assert sum(values.values()) > 0
