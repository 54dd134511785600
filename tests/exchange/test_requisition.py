"""Requisitions of two tables: each item of each request becomes a need, or the row is named."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from aidmesh_node.application.drafts import person_id
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from tests.exchange.written_csv import HOME, ITEM, REQUEST, plan, problems, requisition, written

OTHER = {**REQUEST, "Request Number": "REQ-2", "Date Requested": "11/29/12", "Date Required": "01/29/13"}


def test_an_item_of_a_request_becomes_a_need() -> None:
    result = plan(*requisition([REQUEST], [ITEM]))
    [need] = result.needs
    assert result.shape == "requisition"
    assert result.offers == ()
    assert need.item == "Blankets"
    assert need.category == "bedding"
    assert need.quantity == Quantity(Decimal(100), "item")
    assert need.urgency == "high"
    assert need.posted_on == datetime(2012, 11, 16, tzinfo=UTC)
    assert need.window == Window(need.posted_on, datetime(2013, 1, 16, 0, 10, tzinfo=UTC))
    assert need.area == "Lospalos"
    assert need.closed_reason is None
    assert need.private == {"name": "Ana", "facility": "Lospalos Warehouse"}


def test_the_order_of_the_files_does_not_matter() -> None:
    files = requisition([REQUEST], [ITEM])
    assert plan(*files).needs == plan(*reversed(files)).needs


def test_all_items_of_one_requester_are_one_persons() -> None:
    items = [ITEM, {**ITEM, "Item": "Rice", "Pack": "kg"}, {**ITEM, "Request": "REQ-2"}]
    needs = plan(*requisition([REQUEST, {**OTHER, "Requester": " ANA "}], items)).needs
    [key] = {need.person_key for need in needs}
    assert key is not None
    assert person_id(HOME, key).version == 5
    nobody = [{**REQUEST, "Requester": ""}, {**OTHER, "Requester": ""}]
    assert len({need.person_key for need in plan(*requisition(nobody, items)).needs}) == 2


def test_a_note_of_the_request_and_one_of_the_item_are_both_kept() -> None:
    files = requisition([{**REQUEST, "Comments": "call first"}], [{**ITEM, "Comments": "warm ones"}])
    assert plan(*files).needs[0].private["note"] == "call first"
    assert plan(*files).needs[0].private["item note"] == "warm ones"


@pytest.mark.parametrize(("priority", "urgency"), [("Medium", "normal"), ("low", "low"), ("", "normal")])
def test_priorities(priority: str, urgency: str) -> None:
    assert plan(*requisition([{**REQUEST, "Priority": priority}], [ITEM])).needs[0].urgency == urgency


@pytest.mark.parametrize(
    ("facility", "area"),
    [
        ("National Warehouse", "National"),
        ("Society (CVTL) of 4 Towns, National Warehouse", "National"),
        ("Same warehouse", "Same"),
        ("Warehouse", None),
        ("12 Rua de Lospalos Warehouse", None),
        ("the yellow house behind the church Warehouse", None),
        ("Ana Belo", None),
        ("", None),
    ],
)
def test_only_the_coarse_name_of_a_warehouse_is_an_area(facility: str, area: str | None) -> None:
    [need] = plan(*requisition([{**REQUEST, "Requested for Facility": facility}], [ITEM])).needs
    assert need.area == area
    assert need.private.get("facility", "") == facility


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("Priority", "Whenever"), ("Date Requested", ""), ("Date Requested", "16/11/12")),
        *(("Date Required", "02/30/13"), ("Date Required", "11/15/12"), ("Time Required", "25:00")),
        *(("Request Type", "People"), ("Request Number", "")),
    ],
)
def test_a_bad_request_is_named(column: str, value: str) -> None:
    found = problems(*requisition([{**REQUEST, column: value}], [{**ITEM, "Request": value or "REQ-1"}]))
    named = [problem for problem in found if problem.file == "inv_req.csv" and problem.column == column]
    assert [(problem.row, problem.value) for problem in named] == [(2, value)]
    assert named[0].hint


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("Quantity", "-5"), ("Quantity", "0"), ("Quantity", "many"), ("Quantity", ""), ("Quantity", "1e9")),
        *(("Quantity", "99999999999"), ("Quantity", "5,100"), ("Quantity", "2.5"), ("Quantity", "=1+1")),
        *(
            ("Quantity", "\u0661\u0660"),
            ("Quantity", "NaN"),
            ("Pack", "barrel"),
            ("Pack", ""),
            ("Request", "REQ-9"),
        ),
        *(("Request", ""), ("Item", ""), ("Item", " \u200b")),
    ],
)
def test_a_bad_item_is_named(column: str, value: str) -> None:
    found = problems(*requisition([REQUEST], [ITEM, {**ITEM, column: value}]))
    assert [(problem.file, problem.row, problem.column) for problem in found] == [("inv_req_item.csv", 3, column)]
    assert found[0].hint


def test_an_unknown_unit_names_the_known_ones() -> None:
    [found] = problems(*requisition([REQUEST], [{**ITEM, "Pack": "barrel"}]))
    assert "m2" in found.hint
    assert found.value == "barrel"


def test_a_request_without_items_is_named() -> None:
    [found] = problems(*requisition([REQUEST, OTHER], [ITEM]))
    assert (found.file, found.row, found.value) == ("inv_req.csv", 3, "REQ-2")


def test_two_requests_of_one_number_are_refused() -> None:
    [found] = problems(*requisition([REQUEST, REQUEST], [ITEM]))
    assert (found.row, found.column) == (3, "Request Number")


@pytest.mark.parametrize("kept", [0, 1])
def test_one_of_the_two_files_alone_is_refused(kept: int) -> None:
    [found] = problems(requisition([REQUEST], [ITEM])[kept])
    assert "is missing" in found.message
    assert ("Item" if kept == 0 else "Date Requested") in found.hint


def test_the_same_file_twice_is_refused() -> None:
    files = requisition([REQUEST], [ITEM])
    [found] = problems(*files, files[0])
    assert "both" in found.message


def test_the_filter_takes_one_request_with_its_items() -> None:
    files = requisition([REQUEST, OTHER], [ITEM, {**ITEM, "Request": "REQ-2", "Quantity": "bad"}])
    result = plan(*files, where={"Request Number": "REQ-1"})
    assert [need.item for need in result.needs] == ["Blankets"]
    assert result.skipped == 1
    assert any("1 row left out by the filter on Request Number" in note for note in result.notes)


def test_the_filter_may_name_columns_of_both_files() -> None:
    items = [ITEM, {**ITEM, "Item": "Rice", "Pack": "kg"}, {**ITEM, "Request": "REQ-2"}]
    result = plan(*requisition([REQUEST, OTHER], items), where={"Request Number": "REQ-1", "item": "Rice"})
    assert [need.item for need in result.needs] == ["Rice"]
    assert result.skipped == 2


def test_a_filter_on_an_unknown_column_lists_the_columns() -> None:
    [found] = problems(*requisition([REQUEST], [ITEM]), where={"Colour": "red"})
    assert found.column == "Colour"
    assert "Request Number" in found.hint
    assert "Pack" in found.hint


def test_a_filter_that_leaves_nothing_is_a_problem_and_does_not_repeat_its_value() -> None:
    [found] = problems(*requisition([REQUEST], [ITEM]), where={"Requester": "Bela"})
    assert "no row" in found.message
    assert "Bela" not in repr(found)


def test_the_same_import_again_gives_the_same_ids_whatever_date_and_filter() -> None:
    files = requisition([REQUEST, OTHER], [ITEM, ITEM, {**ITEM, "Request": "REQ-2"}])
    ids = [need.id for need in plan(*files).needs]
    assert len(set(ids)) == 3
    assert ids == [need.id for need in plan(*files, as_of=date(2026, 11, 22)).needs]
    assert ids[2:] == [need.id for need in plan(*files, where={"Request Number": "REQ-2"}).needs]
    assert not set(ids) & {need.id for need in plan(*files, home=UUID(int=5)).needs}


def test_as_of_moves_all_dates_by_whole_days_and_says_so() -> None:
    files = requisition([REQUEST, OTHER], [ITEM, {**ITEM, "Request": "REQ-2"}])
    result = plan(*files, as_of=date(2026, 11, 22))
    assert result.shifted_days == 5106
    assert [need.posted_on for need in result.needs] == [
        datetime(2026, 11, 9, tzinfo=UTC),
        datetime(2026, 11, 22, tzinfo=UTC),
    ]
    assert result.needs[1].window.end == datetime(2027, 1, 22, 0, 10, tzinfo=UTC)
    assert any("2012-11-29" in note and "2026-11-22" in note and "5106 days" in note for note in result.notes)


def test_as_of_looks_only_at_the_rows_that_are_imported() -> None:
    files = requisition([REQUEST, OTHER], [ITEM, {**ITEM, "Request": "REQ-2"}])
    result = plan(*files, as_of=date(2012, 11, 10), where={"Request Number": "REQ-1"})
    assert result.shifted_days == -6
    assert any("6 days earlier" in note for note in result.notes)


@pytest.mark.parametrize("as_of", [date(1, 1, 1), date(9999, 12, 31), date(2199, 12, 31)])
def test_a_date_out_of_reach_is_a_problem(as_of: date) -> None:
    [found] = problems(*requisition([REQUEST], [ITEM]), as_of=as_of)
    assert found.column == "as of"


def test_a_window_that_ended_is_imported_with_a_note() -> None:
    files = requisition([REQUEST], [ITEM])
    assert any("2013-01-16" in note for note in plan(*files).notes)
    assert any("1 need should have been met" in note for note in plan(*files, today=date(2013, 1, 17)).notes)
    assert not any("should have been met" in note for note in plan(*files, today=date(2013, 1, 16)).notes)


def test_a_long_item_name_is_cut_and_kept_whole_in_the_vault() -> None:
    name = "Tarpaulin, woven, black fibres, reinforced bands, eyelets on four sides, sheet of the largest size"
    [need] = plan(*requisition([REQUEST], [{**ITEM, "Item": name}])).needs
    assert need.item is not None
    assert len(need.item) <= 64
    assert need.private["item"] == name


def test_an_item_that_holds_a_phone_number_is_refused_without_repeating_it() -> None:
    [found] = problems(*requisition([REQUEST], [{**ITEM, "Item": "Rice for Ana +670 7723 4567"}]))
    assert found.column == "Item"
    assert "7723" not in repr(found)


def test_a_facility_that_cannot_be_shown_is_refused_without_repeating_it() -> None:
    facility = "Ana Belo \ue000 Warehouse"
    [found] = problems(*requisition([{**REQUEST, "Requested for Facility": facility}], [ITEM]))
    assert found.column == "Requested for Facility"
    assert "Ana" not in repr(found)


def test_items_that_look_like_formulas_stay_text() -> None:
    for text in ("=SUM(A1:A9)", "+rice", "-rice", "|calc"):
        [need] = plan(*requisition([REQUEST], [{**ITEM, "Item": text}])).needs
        assert need.item == text


def test_a_requisition_and_another_file_are_not_mixed() -> None:
    files = requisition([REQUEST], [ITEM])
    own = written({"kind": "need", "item": "Rice", "quantity": "1", "unit": "kg"}, name="own.csv")
    [found] = problems(*files, own)
    assert found.file == "own.csv"
