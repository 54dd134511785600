"""Our own table of needs and offers, for whoever keeps them in a spreadsheet.

`kind,item,category,quantity,unit,urgency,from,until,area,name,phone,address,note,key`: name, phone, address
and note go to the vault. `key` gives a row an id that survives corrections of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft, OfferDraft
from aidmesh_node.domain.category import category_id
from aidmesh_node.domain.label import label
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import Window
from aidmesh_node.exchange.columns import KEPT, Cells, Sheet, TableShape, private
from aidmesh_node.exchange.dates import DAY_ENDS, iso_moment
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.labels import category_of, one_line, read_item, read_quantity
from aidmesh_node.exchange.report import Findings, Unreadable

NAME = "aidmesh_csv"
MOVED_BY = "from"

PERSONAL = ("name", "phone", "address", "note")
SHOWN = ("kind", "item", "category", "quantity", "unit", "urgency", "from", "until", "area", "key")

NEEDS_AND_OFFERS = TableShape(
    name="aidmesh needs and offers",
    required=("kind", "item", "quantity", "unit"),
    columns={
        **dict.fromkeys(SHOWN, KEPT),
        **{column: private(column) for column in PERSONAL},
    },
)
TABLES = (NEEDS_AND_OFFERS,)

KINDS = ("need", "offer")
URGENCIES = ("low", "normal", "high", "emergency")


def draft(sheets: Mapping[TableShape, Sheet], keys: Keys, findings: Findings) -> Drafts:
    """A need or an offer for each row that the filter lets through; problems go to `findings`."""
    sheet = sheets[NEEDS_AND_OFFERS]
    chosen = {row.line for row in sheet.chosen}
    needs: list[NeedDraft] = []
    offers: list[OfferDraft] = []
    seen: set[tuple[str, str]] = set()
    for row in sheet.table.rows:
        cells = sheet.cells(row, findings)
        kind, key = cells.text("kind").casefold(), cells.text("key")
        # Counted over all rows, so that the second of two equal rows keeps its id whatever the filter.
        row_id = keys.row(kind, NAME, *(("key", key) if key else cells.content()))
        if row.line not in chosen:
            continue
        if key and (kind, key) in seen:
            cells.problem("key", "An earlier row has the same key.", "Give each row its own key, or none.")
        seen.add((kind, key))
        if kind not in KINDS:
            cells.problem("kind", "That is not a kind of row.", f"Use one of: {', '.join(KINDS)}.")
        elif kind == "need":
            need = _read_need(cells, keys, row_id)
            needs += [need] if need else []
        else:
            offer = _read_offer(cells, keys, row_id)
            offers += [offer] if offer else []
    return Drafts(tuple(needs), tuple(offers), filtered=len(sheet.table.rows) - len(sheet.chosen))


def _read_need(cells: Cells, keys: Keys, need_id: UUID) -> NeedDraft | None:
    fields = cells.private()
    what = _read_what(cells, fields)
    urgency = cells.read("urgency", _urgency)
    if what is None or urgency is None:
        return None
    item, category, quantity, window, area = what
    person_key = _person(cells, keys, need_id, fields)
    return NeedDraft(need_id, category, item, quantity, urgency, window, area, window.start, None, person_key, fields)


def _read_offer(cells: Cells, keys: Keys, offer_id: UUID) -> OfferDraft | None:
    fields = cells.private()
    what = _read_what(cells, fields)
    if what is None:
        return None
    item, category, quantity, window, area = what
    person_key = _person(cells, keys, offer_id, fields)
    return OfferDraft(offer_id, category, item, quantity, "give", window, area, window.start, person_key, fields)


def _read_what(cells: Cells, fields: dict[str, str]) -> tuple[str | None, str, Quantity, Window, str | None] | None:
    """Item, category, quantity, window and area; an item is needed only when there is no category."""
    before = cells.findings.count
    item = None if cells.text("category") and not cells.text("item") else read_item(cells, "item", fields)
    category = cells.read("category", lambda text: category_id(text) if text else category_of(item or ""))
    quantity = read_quantity(cells, "quantity", "unit")
    start: datetime | None = cells.read("from", lambda text: iso_moment(text, time()))
    end: datetime | None = cells.read("until", lambda text: iso_moment(text, DAY_ENDS))
    window = cells.read("until", lambda _: Window(start, end))
    area = cells.read("area", lambda text: label("area", one_line(text)), show=False)
    if category is None or quantity is None or window is None or cells.findings.count > before:
        return None
    return item, category, quantity, window, area


def _person(cells: Cells, keys: Keys, row_id: UUID, fields: dict[str, str]) -> str | None:
    """Rows with the same name and phone (or, without a phone, address) are one person.

    A name alone is not enough: two people of that name would then read each other's notes.
    """
    if not fields:
        return None
    name, phone, address = cells.personal("name", "phone", "address")
    contact = phone or address
    return keys.person(NAME, name, contact) if contact else keys.person(NAME, "row", row_id.hex)


def _urgency(text: str) -> str:
    folded = text.casefold() or "normal"
    if folded not in URGENCIES:
        raise Unreadable("That is not an urgency.", f"Use one of: {', '.join(URGENCIES)}.")
    return folded
