"""Items the group already knows: members post these, so that the name of an item never carries a private
story.

An item is known when it is on the list every node ships, or when somebody with responsibility posted it
before.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from aidmesh_node.domain import need_events, offer_events
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.views.handling import Handlers, Insert
from aidmesh_node.views.items import item_key

TABLES = """
CREATE TABLE known_items (
    item_key TEXT PRIMARY KEY, item TEXT NOT NULL, category TEXT NOT NULL
) WITHOUT ROWID
"""

RESPONSIBLE = ("coordinator", "operator")

BUILT_IN: dict[str, tuple[str, ...]] = {
    "food": (
        "Food parcel",
        "Hot meal",
        "Rice",
        "Flour",
        "Cooking oil",
        "Bread",
        "Baby food",
        "Infant formula",
    ),
    "water": ("Drinking water", "Jerry can", "Water filter", "Water purification tablets"),
    "shelter": ("Tent", "Tarpaulin", "Plastic sheet", "Shelter kit", "Room for a night"),
    "bedding": ("Blanket", "Mattress", "Sleeping bag", "Sleeping mat", "Bed linen"),
    "household": ("Kitchen set", "Stove", "Bucket", "Mosquito net", "Crib", "Table", "Chair", "Refrigerator"),
    "hygiene": ("Hygiene kit", "Soap", "Diapers", "Menstrual pads", "Toilet paper", "Toothpaste", "Masks"),
    "clothing": ("Winter coat", "Children's clothing", "Shoes", "Rain jacket", "Underwear", "Socks"),
    "medicine": ("First aid kit", "Medicine pick-up", "Wheelchair", "Crutches", "Glasses"),
    "childcare": ("Childcare", "Babysitting", "School pick-up", "School supplies"),
    "transport": ("Ride", "Delivery", "Moving help", "Bicycle"),
    "tools": ("Tool kit", "Generator", "Pump", "Shovel", "Ladder", "Chainsaw"),
    "energy": ("Firewood", "Heating fuel", "Battery", "Power bank", "Solar lamp", "Candles"),
    "money": ("Rent", "Utility bill", "Phone credit"),
    "care": ("Home visit", "Pet care", "Help at home", "Shopping help"),
    "company": ("Phone call", "Visit", "Walk together"),
    "work": ("Cleaning up", "Repair", "Volunteer shift"),
    "skills": ("Translation", "Legal advice", "Computer help", "Tutoring", "Form filling"),
}

_BUILT_IN_KEYS = {item_key(item): (item, category) for category, items in BUILT_IN.items() for item in items}


def is_known(connection: sqlite3.Connection, item: str) -> bool:
    """Whether a member may post this item; case and spaces do not matter."""
    key = item_key(item)
    if key in _BUILT_IN_KEYS:
        return True
    return connection.execute("SELECT 1 FROM known_items WHERE item_key = ?", (key,)).fetchone() is not None


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """[{item, category}] by name: what a member chooses from. The group's own spelling goes before ours."""
    items = dict(_BUILT_IN_KEYS)
    for key, item, category in connection.execute("SELECT item_key, item, category FROM known_items"):
        items[key] = (item, category)
    return [{"item": item, "category": category} for _, (item, category) in sorted(items.items())]


def _posted(event: need_events.Posted | offer_events.Posted) -> tuple[object, ...] | None:
    if event.item is None or event.role not in RESPONSIBLE:
        return None
    return item_key(event.item), event.item, event.category


POSTED = Insert("INSERT OR IGNORE INTO known_items", _posted)

HANDLERS: Handlers = {Need.Posted: POSTED, Offer.Posted: POSTED}
