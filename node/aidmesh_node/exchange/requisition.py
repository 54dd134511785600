"""The two-table requisition of Sahana Eden: requests (who, when, where to) and their items (what, how much).

Every item of a request becomes one need. Who asked, approved and receives, and why, goes to the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft
from aidmesh_node.domain.window import Window
from aidmesh_node.exchange.columns import IGNORED, KEPT, Cells, Sheet, TableShape, coarsened, private, put
from aidmesh_node.exchange.dates import DAY_ENDS, american_day, at, time_of_day
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.labels import category_of, coarse_area, read_item, read_quantity
from aidmesh_node.exchange.report import Findings, Unreadable
from aidmesh_node.exchange.table import heading

NAME = "requisition"
MOVED_BY = "Date Requested"

REQUESTS = TableShape(
    name="requests of a requisition",
    required=("Request Number", "Date Requested", "Priority", "Date Required"),
    columns={
        "Request Type": KEPT,
        "Request Number": KEPT,
        "Date Requested": KEPT,
        "Time Requested": KEPT,
        "Priority": KEPT,
        "Purpose": private("purpose"),
        "Date Required": KEPT,
        "Time Required": KEPT,
        "Requester": private("name"),
        "Assigned To": private("assigned to"),
        "Approved by": private("approved by"),
        "Requested for": private("requested for"),
        "Requested for Facility": coarsened("facility"),
        "Received by": private("received by"),
        "Comments": private("note"),
    },
)
ITEMS = TableShape(
    name="items of a requisition",
    required=("Request", "Item", "Pack", "Quantity"),
    columns={
        "Request": KEPT,
        "Item": KEPT,
        "Pack": KEPT,
        "Quantity": KEPT,
        "Currency": IGNORED,
        "Value": IGNORED,
        "Comments": private("item note"),
    },
)
TABLES = (REQUESTS, ITEMS)

URGENCY = {"high": "high", "medium": "normal", "low": "low", "": "normal"}


@dataclass(frozen=True, slots=True)
class _Request:
    """What the items of one request share."""

    urgency: str
    window: Window
    area: str | None
    posted_on: datetime
    person_key: str | None
    private: dict[str, str]


def draft(sheets: Mapping[TableShape, Sheet], keys: Keys, findings: Findings) -> Drafts:
    """One need for each item of each request that the filter lets through; problems go to `findings`."""
    requests, items = sheets[REQUESTS], sheets[ITEMS]
    asked_for = {items.cells(row, findings).text("Request") for row in items.table.rows}
    chosen: dict[str, _Request | None] = {}
    for row in requests.chosen:
        cells = requests.cells(row, findings)
        number = cells.text("Request Number")
        if not number:
            hint = "Write the number that its items name."
            cells.problem("Request Number", "The request has no number.", hint)
        elif number in chosen:
            hint = "Give each request its own number."
            cells.problem("Request Number", "An earlier row has the same number.", hint)
        else:
            chosen[number] = _read_request(cells, keys)
            if number not in asked_for:
                hint = f"Add its items to {items.table.file}, or leave the request out."
                cells.problem("Request Number", "The request has no items.", hint)

    known = {requests.cells(row, findings).text("Request Number") for row in requests.table.rows}
    needs: list[NeedDraft] = []
    filtered = 0
    let_through = {row.line for row in items.chosen}
    for row in items.table.rows:
        cells = items.cells(row, findings)
        number = cells.text("Request")
        # Counted over all rows, so that the second of two equal rows keeps its id whatever the filter.
        need_id = keys.row("need", NAME, number, heading(cells.text("Item")), heading(cells.text("Pack")))
        if row.line not in let_through:
            filtered += 1
        elif not number or number not in known:
            hint = f"Add the request to {requests.table.file}, or correct the number here."
            cells.problem("Request", "There is no request with this number.", hint)
        elif number not in chosen:
            filtered += 1
        else:
            need = _read_item(cells, need_id, number, chosen[number], keys)
            needs += [need] if need else []
    return Drafts(needs=tuple(needs), filtered=filtered)


def _read_request(cells: Cells, keys: Keys) -> _Request | None:
    urgency = cells.read("Priority", _urgency)
    posted_on = _moment(cells, "Date Requested", "Time Requested", time(), required=True)
    until = _moment(cells, "Date Required", "Time Required", DAY_ENDS, required=False)
    area = cells.read("Requested for Facility", coarse_area)
    kind = cells.text("Request Type")
    if kind and kind.casefold() != "items":
        hint = "Leave it out, for example by importing only the rows where Request Type is Items."
        cells.problem("Request Type", "Only requests for items can be imported.", hint)
    if urgency is None or posted_on is None:
        return None
    window = cells.read("Date Required", lambda _: Window(posted_on, until))
    if window is None:
        return None
    fields = cells.private()
    requester = cells.personal("Requester")
    # Staff of one organisation: one name is one person. Requests without a name are never one person's.
    recognised_by = requester if any(requester) else ("request", cells.text("Request Number"))
    person_key = keys.person(NAME, *recognised_by) if fields else None
    return _Request(urgency, window, area, posted_on, person_key, fields)


def _read_item(cells: Cells, need_id: UUID, number: str, request: _Request | None, keys: Keys) -> NeedDraft | None:
    fields = dict(request.private) if request else {}
    for field, text in cells.private().items():
        put(fields, field, text)
    item = read_item(cells, "Item", fields)
    quantity = read_quantity(cells, "Quantity", "Pack")
    if request is None or item is None or quantity is None:
        return None
    person_key = request.person_key or (keys.person(NAME, "request", number) if fields else None)
    return NeedDraft(
        id=need_id,
        category=category_of(item),
        item=item,
        quantity=quantity,
        urgency=request.urgency,
        window=request.window,
        area=request.area,
        posted_on=request.posted_on,
        closed_reason=None,
        person_key=person_key,
        private=fields,
    )


def _urgency(text: str) -> str:
    try:
        return URGENCY[text.casefold()]
    except KeyError:
        raise Unreadable("That is not a priority.", "Use High, Medium or Low.") from None


def _moment(cells: Cells, day_column: str, time_column: str, without_time: time, *, required: bool) -> datetime | None:
    """Day and time of day from two columns; a day alone means `without_time` of that day."""

    def parse_day(text: str) -> datetime | None:
        day = american_day(text)
        if day is None and required:
            raise Unreadable("The date is missing.", "Write the day on which it was requested.")
        return None if day is None else at(day, without_time)

    moment = cells.read(day_column, parse_day)
    clock = cells.read(time_column, time_of_day)
    return moment if moment is None or clock is None else at(moment.date(), clock)
