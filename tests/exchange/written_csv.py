"""Small CSV files written by the tests, the ones we ship, and the one call that plans their import."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft, OfferDraft
from aidmesh_node.exchange.plan import ImportFile, ImportPlan, plan_import
from aidmesh_node.exchange.report import ImportProblems, Problem

HOME = UUID("6f2f0c5e-4a39-4b53-9f0b-3f8f0f3a7a11")

REQUEST = {
    "Request Type": "Items",
    "Request Number": "REQ-1",
    "Date Requested": "11/16/12",
    "Time Requested": "12:00:00 AM",
    "Priority": "High",
    "Purpose": "",
    "Date Required": "01/16/13",
    "Time Required": "12:10:00 AM",
    "Requester": "Ana",
    "Requested for Facility": "Lospalos Warehouse",
    "Comments": "",
}
ITEM = {"Request": "REQ-1", "Item": "Blankets", "Pack": "Piece", "Quantity": "100", "Comments": ""}
STOCK = {
    "Warehouse": "Ainaro Warehouse",
    "Organisation": "Neighbours",
    "Item Name": "Blankets",
    "Units": "Piece",
    "Expiry Date": "",
    "Quantity": "150",
    "Comments": "",
}
ANSWER = {
    "ID": "2",
    "Status": "Completed",
    "Name": "Ana",
    "Timestamp": "3/15/2020 22:49:40",
    "Address": "",
    "email": "",
    "telephone": "",
    "What do you need? Check all that apply": "Food, pet care",
    "Is your need:": "non urgent, I can wait a day or two",
}
OWN = {
    "kind": "need",
    "item": "Rice",
    "category": "food",
    "quantity": "2.5",
    "unit": "kg",
    "urgency": "high",
    "from": "2026-11-01",
    "until": "2026-12-01",
    "area": "Riverside",
    "name": "",
    "phone": "",
    "address": "",
    "note": "",
    "key": "",
}


def written(*rows: Mapping[str, str], name: str = "table.csv", delimiter: str = ",") -> ImportFile:
    """A file with the columns of the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return ImportFile(name, text.getvalue().encode())


def requisition(requests: Sequence[Mapping[str, str]], items: Sequence[Mapping[str, str]]) -> list[ImportFile]:
    return [written(*requests, name="inv_req.csv"), written(*items, name="inv_req_item.csv")]


def plan(
    *files: ImportFile,
    as_of: date | None = None,
    where: Mapping[str, str] | None = None,
    home: UUID = HOME,
    today: date | None = None,
) -> ImportPlan:
    return plan_import(files, as_of=as_of, where=where or {}, namespace=home, today=today)


def problems(*files: ImportFile, as_of: date | None = None, where: Mapping[str, str] | None = None) -> list[Problem]:
    """What is wrong with the files; fails if they can be imported."""
    try:
        plan(*files, as_of=as_of, where=where)
    except ImportProblems as refused:
        return refused.problems
    raise AssertionError("the files were accepted")


def drafts(result: ImportPlan) -> list[NeedDraft | OfferDraft]:
    """Everything that the import would record."""
    return [*result.needs, *result.offers]


def totals(result: ImportPlan) -> Counter[str | None]:
    """How much of each item."""
    amounts: Counter[str | None] = Counter()
    for draft in drafts(result):
        amounts[draft.item] += int(draft.quantity.amount)
    return amounts


def sample(name: str) -> ImportFile:
    """One of the files that the project ships."""
    return ImportFile(name, (files("aidmesh_node.exchange") / "samples" / name).read_bytes())
