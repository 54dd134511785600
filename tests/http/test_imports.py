"""Files of other tools over HTTP: all of it or nothing, twice is once, and every wrong cell is named."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

from .conftest import Group

SAMPLES = files("aidmesh_node.exchange").joinpath("samples")


def sample(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "text": SAMPLES.joinpath(name).read_text(encoding="utf-8")} for name in names]


REQUISITIONS = sample("inv_req.csv", "inv_req_item.csv")


async def test_requisitions_become_needs_and_the_same_again_changes_nothing(group: Group) -> None:
    tried = await group.post("coordinator", "/imports", {"files": REQUISITIONS, "dry_run": True})
    assert (tried.status, tried.body["dry_run"]) == (200, True) and tried.body["needs"]
    assert (await group.get("member", "/needs")).body["items"] == []

    first = await group.post("coordinator", "/imports", {"files": REQUISITIONS, "as_of": "2026-11-20"})
    assert first.status == 201 and first.body["needs"] == tried.body["needs"]
    assert first.body["shifted_days"] and first.body["notes"]
    listed = (await group.get("member", "/needs?limit=500")).body["items"]
    assert {need["id"] for need in listed} == set(first.body["needs"])

    again = await group.post("coordinator", "/imports", {"files": REQUISITIONS, "as_of": "2026-11-20"})
    assert (again.body["needs"], again.body["unchanged"]) == ([], len(listed))
    assert again.body["position"] == first.body["position"]


async def test_a_wrong_cell_is_named_and_nothing_is_imported(group: Group) -> None:
    requests, items = REQUISITIONS
    head, first, *rest = csv.reader(items["text"].splitlines())
    first[head.index("Quantity")] = "many"
    written = io.StringIO()
    csv.writer(written).writerows([head, first, *rest])
    broken = {**items, "text": written.getvalue()}
    refused = await group.post("coordinator", "/imports", {"files": [requests, broken]})
    assert (refused.status, refused.code) == (422, "import_problems")
    assert refused.body["errors"][0]["where"].startswith("inv_req_item.csv:2:Quantity")
    assert refused.body["errors"][0]["message"] and refused.body["errors"][0]["hint"]
    assert (await group.get("member", "/needs")).body["items"] == []


async def test_of_many_wrong_rows_the_first_are_named_and_all_counted(group: Group) -> None:
    table = "kind,item,category,quantity,unit\n" + "need,Soap,hygiene,-5,item\n" * 150
    refused = await group.post("coordinator", "/imports", {"files": [{"name": "long.csv", "text": table}]})
    assert (len(refused.body["errors"]), refused.body["errors_found"]) == (100, 150)
    assert refused.body["detail"].startswith("150 problems")


async def test_what_is_wrong_with_a_whole_file_names_no_row(group: Group) -> None:
    refused = await group.post("coordinator", "/imports", {"files": [{"name": "empty.csv", "text": ""}]})
    assert [error["where"] for error in refused.body["errors"]] == ["empty.csv"]


async def test_what_is_no_table_is_refused_politely(group: Group) -> None:
    for text in ("", "\0\0", "just a letter", "a,b\n1", "Item\n" * 3):
        refused = await group.post("coordinator", "/imports", {"files": [{"name": "x.csv", "text": text}]})
        assert (refused.status, refused.code) == (422, "import_problems"), text
        assert refused.body["errors"]
    assert (await group.post("coordinator", "/imports", {"files": []})).status == 400
    odd_date = await group.post("coordinator", "/imports", {"files": REQUISITIONS, "as_of": "soon"})
    assert odd_date.body["errors"][0]["where"] == "$.as_of"
    far = await group.post("coordinator", "/imports", {"files": REQUISITIONS, "as_of": "0001-01-01"})
    assert far.status == 422
