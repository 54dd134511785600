"""A stock list: every row becomes an offer of what lies there; who owns it stays in the vault."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.exchange.plan import column_values
from aidmesh_node.exchange.report import ImportProblems
from tests.exchange.written_csv import STOCK, plan, problems, written


def test_a_row_becomes_an_offer() -> None:
    result = plan(written({**STOCK, "Expiry Date": "04/01/15"}))
    [offer] = result.offers
    assert result.shape == "warehouse"
    assert result.needs == ()
    assert (offer.item, offer.category, offer.mode, offer.area) == ("Blankets", "bedding", "give", "Ainaro")
    assert offer.quantity == Quantity(Decimal(150), "item")
    assert offer.window.end == datetime(2015, 4, 1, 23, 59, tzinfo=UTC)
    assert offer.window.start is None
    assert offer.private == {"warehouse": "Ainaro Warehouse", "organisation": "Neighbours"}
    assert offer.person_key is not None


@pytest.mark.parametrize(
    ("item", "shelf", "category"),
    [
        ("Kitchen Sets", "Relief Item", "household"),
        ("Hygiene Kits", "Relief Item", "hygiene"),
        ("Jerry Cans", "Relief Item", "water"),
        ("Plastic Sheets", "Relief Item", "shelter"),
        ("Rice", "Food", "food"),
        ("Comida enlatada", "", "food"),
        ("Mixed boxes", "Food", "food"),
        ("Mixed boxes", "Relief Item", "other"),
    ],
)
def test_the_category_comes_from_the_item_then_from_the_shelf(item: str, shelf: str, category: str) -> None:
    [offer] = plan(written({**STOCK, "Item Name": item, "Category": shelf})).offers
    assert offer.category == category


def test_two_equal_rows_are_two_offers_with_ids_that_stay() -> None:
    rows = [STOCK, STOCK, {**STOCK, "Comments": "top shelf"}]
    ids = [offer.id for offer in plan(written(*rows)).offers]
    assert len(set(ids)) == 3
    assert ids == [offer.id for offer in plan(written(*rows)).offers]
    assert set(ids[:2]) == {offer.id for offer in plan(written(*reversed(rows))).offers[1:]}
    assert ids[2:] == [offer.id for offer in plan(written(*rows), where={"Comments": "top shelf"}).offers]


def test_rows_that_the_filter_leaves_out_may_be_bad() -> None:
    rows = [STOCK, {**STOCK, "Organisation": "Others", "Quantity": "lots", "Expiry Date": "soon"}]
    result = plan(written(*rows), where={"Organisation": "Neighbours"})
    assert (len(result.offers), result.skipped) == (1, 1)
    assert {problem.column for problem in problems(written(*rows))} == {"Quantity", "Expiry Date"}


def test_the_filter_is_exact() -> None:
    [found] = problems(written(STOCK), where={"Organisation": "neighbours"})
    assert "no row" in found.message


def test_stock_says_no_day_of_request_so_as_of_moves_nothing_and_says_so() -> None:
    result = plan(written({**STOCK, "Expiry Date": "04/01/15"}), as_of=date(2026, 11, 22))
    assert result.shifted_days == 0
    assert result.offers[0].window.end == datetime(2015, 4, 1, 23, 59, tzinfo=UTC)
    assert any("No dates moved" in note for note in result.notes)


def test_a_file_that_nearly_fits_names_what_is_missing() -> None:
    row = {key: text for key, text in STOCK.items() if key != "Units"}
    [found] = problems(written(row))
    assert "Units" in found.message
    assert found.row == 1


def test_the_values_of_a_column_are_counted_in_their_order() -> None:
    file = written(STOCK, {**STOCK, "Organisation": "Others"}, STOCK)
    assert column_values(file, "organisation") == {"Neighbours": 2, "Others": 1}
    with pytest.raises(ImportProblems):
        column_values(file, "Colour")
    with pytest.raises(ImportProblems):
        column_values(written(STOCK, delimiter="|"), "Organisation")
