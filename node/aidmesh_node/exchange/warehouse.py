"""The stock list of Sahana Eden warehouses: every row that holds something becomes one offer.

Who owns it, who gave it and where exactly it lies goes to the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from aidmesh_node.application.drafts import OfferDraft
from aidmesh_node.domain.window import Window
from aidmesh_node.exchange.columns import IGNORED, KEPT, Cells, Sheet, TableShape, coarsened, private
from aidmesh_node.exchange.dates import DAY_ENDS, american_day, at
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.labels import category_of, coarse_area, read_item, read_quantity
from aidmesh_node.exchange.report import Findings

NAME = "warehouse"
MOVED_BY = None

STOCK = TableShape(
    name="stock list of warehouses",
    required=("Warehouse", "Item Name", "Units", "Quantity"),
    columns={
        "Warehouse": coarsened("warehouse"),
        "Organisation": private("organisation"),
        "Category": coarsened("category"),
        "Category Code": IGNORED,
        "Catalog": IGNORED,
        "Item Code": IGNORED,
        "Item Name": KEPT,
        "Units": KEPT,
        "Brand": private("brand"),
        "Model": private("model"),
        "Year": IGNORED,
        "Pack": private("pack"),
        "Pack Quantity": IGNORED,
        "Weight": IGNORED,
        "Length": IGNORED,
        "Width": IGNORED,
        "Height": IGNORED,
        "Volume": IGNORED,
        "Tracking Number": private("tracking number"),
        "Bin": private("bin"),
        "Supplier/Donor": private("supplier or donor"),
        "Owned By (Organisation/Branch)": private("owner"),
        "Expiry Date": KEPT,
        "Quantity": KEPT,
        "Unit Value": IGNORED,
        "Currency": IGNORED,
        "Comments": private("note"),
    },
)
TABLES = (STOCK,)


def draft(sheets: Mapping[TableShape, Sheet], keys: Keys, findings: Findings) -> Drafts:
    """One offer for each row that the filter lets through; problems go to `findings`."""
    stock = sheets[STOCK]
    chosen = {row.line for row in stock.chosen}
    offers: list[OfferDraft] = []
    for row in stock.table.rows:
        cells = stock.cells(row, findings)
        # Counted over all rows, so that the second of two equal rows keeps its id whatever the filter.
        offer_id = keys.row("offer", NAME, *cells.content())
        if row.line in chosen:
            offer = _read(cells, keys, offer_id)
            offers += [offer] if offer else []
    return Drafts(offers=tuple(offers), filtered=len(stock.table.rows) - len(stock.chosen))


def _read(cells: Cells, keys: Keys, offer_id: UUID) -> OfferDraft | None:
    fields = cells.private()
    item = read_item(cells, "Item Name", fields)
    quantity = read_quantity(cells, "Quantity", "Units")
    area = cells.read("Warehouse", coarse_area)
    window = cells.read("Expiry Date", _until_expiry)
    if item is None or quantity is None or window is None:
        return None
    owner = cells.personal("Owned By (Organisation/Branch)")
    holder = owner if any(owner) else cells.personal("Organisation", "Warehouse")
    return OfferDraft(
        id=offer_id,
        category=category_of(item, cells.text("Category")),
        item=item,
        quantity=quantity,
        mode="give",
        window=window,
        area=area,
        posted_on=None,
        person_key=keys.person(NAME, *holder) if fields else None,
        private=fields,
    )


def _until_expiry(text: str) -> Window:
    day = american_day(text)
    return Window(None, None if day is None else at(day, DAY_ENDS))
