"""The real files of Sahana Eden and of a mutual aid group, as they are."""

from datetime import date
from pathlib import Path

from aidmesh_node.exchange.plan import ImportFile, column_values
from tests.exchange.written_csv import plan, problems, totals

OURS = "Timor-Leste Red Cross Society (Cruz Vermelha de Timor-Leste)"
KNOWN = {"inv_req.csv", "inv_req_item.csv", "inv_item.csv", "submission_responses.csv"}
WANTED = {
    "Blankets": 5_100,
    "Kitchen Sets": 1_000,
    "Hygiene Kits": 1_500,
    "Jerry Cans": 6_000,
    "Plastic Sheets": 32_000,
}
AS_OF = date(2026, 11, 22)


def real(path: Path) -> ImportFile:
    return ImportFile(path.name, path.read_bytes())


def eden(shared: Path, name: str) -> ImportFile:
    return real(shared / "data" / "sahana-eden" / "IFRC" / "Train" / name)


def test_two_requisitions_become_five_needs_each(shared: Path) -> None:
    files = (eden(shared, "inv_req.csv"), eden(shared, "inv_req_item.csv"))
    assert list(column_values(files[0], "Request Number")) == ["REQ-LOS-000001", "REQ-MAN-000001"]
    assert totals(plan(*files)) == WANTED
    for number, area in (("REQ-LOS-000001", "Lospalos"), ("REQ-MAN-000001", "Manatuto")):
        result = plan(*files, where={"Request Number": number}, as_of=AS_OF)
        assert len(result.needs) == 5
        assert {need.area for need in result.needs} == {area}
        assert {need.posted_on.date() for need in result.needs if need.posted_on} == {AS_OF}
        assert len({need.person_key for need in result.needs}) == 1


def test_the_warehouses_of_one_organisation_give_33_offers(shared: Path) -> None:
    result = plan(eden(shared, "inv_item.csv"), where={"Organisation": OURS}, as_of=AS_OF)
    assert (len(result.offers), result.skipped) == (33, 9)
    assert len({offer.id for offer in result.offers}) == 33
    assert totals(result)["Plastic Sheets"] == 31_800
    areas = {"National", "Ainaro", "Lospalos", "Manatuto", "Same", "Viqueque"}
    assert {offer.area for offer in result.offers} == areas


def test_the_whole_warehouse_list_can_be_imported(shared: Path) -> None:
    result = plan(eden(shared, "inv_item.csv"))
    assert len(result.offers) == 42
    assert any(offer.item is not None and "Plásticas" in offer.item for offer in result.offers)


def test_the_answer_to_a_form_becomes_a_closed_need(shared: Path) -> None:
    file = real(shared / "data" / "rubyforgood-mutual-aid" / "submission_responses.csv")
    [need] = plan(file, as_of=AS_OF).needs
    assert (need.closed_reason, need.category, need.urgency) == ("met", "food", "low")
    assert need.private["name"] == "MyFakeName"


def test_files_of_other_shapes_are_refused_with_the_shapes_we_know(shared: Path) -> None:
    others = [path for path in (shared / "data").rglob("*.csv") if path.name not in KNOWN]
    assert len(others) > 20
    for path in others:
        assert problems(real(path)), path
