"""Our own table: needs and offers side by side, personal columns in the vault."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from aidmesh_node.exchange.aidmesh_csv import PERSONAL, SHOWN
from tests.exchange.written_csv import OWN, plan, problems, written


def test_a_need_and_an_offer() -> None:
    offer_row = {**OWN, "kind": "Offer", "quantity": "20", "until": "", "name": "Bela", "urgency": ""}
    result = plan(written({**OWN, "name": "Ana", "phone": "555 0100"}, offer_row))
    [need], [offer] = result.needs, result.offers
    assert (need.item, need.category, need.urgency, need.area) == ("Rice", "food", "high", "Riverside")
    assert need.quantity == Quantity(Decimal("2.5"), "kg")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    assert need.window == Window(start, datetime(2026, 12, 1, 23, 59, tzinfo=UTC))
    assert need.private == {"name": "Ana", "phone": "555 0100"}
    assert offer.window == Window(start, None)
    assert offer.private == {"name": "Bela"}


def test_its_columns_are_the_documented_ones() -> None:
    assert set(OWN) == {*SHOWN, *PERSONAL}


def test_a_row_that_names_nobody_has_no_person() -> None:
    [need] = plan(written(OWN)).needs
    assert need.person_key is None
    assert need.private == {}


def test_only_four_columns_are_required() -> None:
    [need] = plan(written({"kind": "need", "item": "Blankets", "quantity": "3", "unit": "pieces"})).needs
    assert (need.category, need.urgency, need.window, need.area) == ("bedding", "normal", Window(), None)


def test_a_category_may_stand_without_an_item_but_not_neither() -> None:
    [need] = plan(written({**OWN, "item": "", "category": "Care", "unit": "hours"})).needs
    assert (need.item, need.category) == (None, "care")
    assert [problem.column for problem in problems(written({**OWN, "item": "", "category": ""}))] == ["item"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(
            ("kind", "wish"),
            ("kind", ""),
            ("category", "weapons"),
            ("quantity", "2.5005"),
            ("unit", "barrel"),
        ),
        *(("urgency", "very"), ("from", "11/01/2026"), ("from", "2026-13-01"), ("until", "2026-10-31")),
        *(("area", "call +670 7723 4567"), ("area", "x" * 300), ("quantity", "")),
    ],
)
def test_a_bad_cell_is_named(column: str, value: str) -> None:
    found = problems(written({**OWN, column: value}))
    assert [(problem.row, problem.column) for problem in found] == [(2, column)]
    assert found[0].hint


def test_a_key_keeps_the_id_when_the_row_is_corrected() -> None:
    before = plan(written({**OWN, "key": "A7"})).needs[0].id
    assert before == plan(written({**OWN, "key": "A7", "quantity": "3"})).needs[0].id
    assert before != plan(written({**OWN, "key": "A8"})).needs[0].id
    [found] = problems(written({**OWN, "key": "A7"}, {**OWN, "key": "A7"}))
    assert (found.row, found.column) == (3, "key")


def test_without_a_key_a_row_inserted_above_changes_no_id() -> None:
    ana, bela, carl = ({**OWN, "name": name} for name in ("Ana", "Bela", "Carl"))
    before = [need.id for need in plan(written(ana, carl)).needs]
    after = [need.id for need in plan(written(ana, bela, carl)).needs]
    assert before == [after[0], after[2]]


def test_people_are_recognised_by_name_and_contact_never_by_name_alone() -> None:
    def people(*rows: dict[str, str]) -> int:
        return len({need.person_key for need in plan(written(*rows)).needs})

    ana = {**OWN, "name": "Ana"}
    assert people(ana, {**ana, "item": "Beans"}) == 2
    assert people({**ana, "phone": "5550100"}, {**ana, "phone": "5550100", "note": "again"}) == 1
    assert people({**ana, "phone": "5550100"}, {**OWN, "name": "Bela", "phone": "5550100"}) == 2
    assert people({**ana, "address": "by the well"}, {**ana, "address": "By the  well", "note": "x"}) == 1


@pytest.mark.parametrize(
    "name",
    ["فاطمة الزهراء", "רות", "Nguyễn Thị Ánh", "李娜", "Suharto", "O'Brien-Ñandú", "=Ana", "+Bela", "@c"],
)
def test_every_name_is_kept_exactly(name: str) -> None:
    [need] = plan(written({**OWN, "name": name, "item": "أرز", "area": "حي النهر", "category": "food"})).needs
    assert need.private == {"name": name}
    assert (need.item, need.area) == ("أرز", "حي النهر")


def test_cells_are_kept_exactly_in_the_vault_whatever_a_spreadsheet_would_make_of_them() -> None:
    note = ' =HYPERLINK("http://x")\n\t-1+1|cmd \'"'
    [need] = plan(written({**OWN, "note": note})).needs
    assert need.private == {"note": note}


def test_control_characters_and_turned_writing_are_taken_out_of_labels() -> None:
    [need] = plan(written({**OWN, "item": "Ri\x1bce\u202e  cre\u0301me", "area": "River\x07side"})).needs
    assert (need.item, need.area) == ("Ri ce cr\u00e9me", "River side")


def test_as_of_moves_both_ends() -> None:
    result = plan(written(OWN), as_of=date(2026, 11, 22))
    assert result.shifted_days == 21
    assert result.needs[0].window == Window(
        datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 12, 22, 23, 59, tzinfo=UTC)
    )


def test_as_of_without_any_date_moves_nothing() -> None:
    result = plan(written({**OWN, "from": "", "until": ""}), as_of=date(2026, 11, 22))
    assert result.shifted_days == 0
    assert any("No dates moved" in note for note in result.notes)
