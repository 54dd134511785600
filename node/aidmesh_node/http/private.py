"""Names, contacts and notes on their way to the vault and, for the few who may see them, back."""

from __future__ import annotations

from uuid import UUID

from aidmesh_node.application.ports import Erased
from aidmesh_node.http.bodies import Person
from aidmesh_node.http.call import Call
from aidmesh_node.http.problems import Problem
from aidmesh_node.views.known_items import is_known
from aidmesh_node.views.needs import Who

NOTE = "note"


def private_fields(person: Person | None, note: str | None) -> dict[str, str]:
    """What goes to the vault, by field name; nothing when nothing was said."""
    if person is None and note is None:
        return {}
    said = {} if person is None else {name: getattr(person, name) for name in Person.__struct_fields__}
    return {name: text for name, text in {**said, NOTE: note}.items() if text is not None}


async def reveal(call: Call, who: Who, record: str) -> dict[str, object]:
    """`person` and `note` of one thing of ours, for coordinators and for whoever posted it; else nothing."""
    actor = call.caller.actor
    if who.person is None or not (call.coordinating or (actor is not None and who.posted_by == actor.hex)):
        return {}
    person, thing = UUID(who.person), UUID(record)
    try:
        fields = await call.node.readers.run(lambda reading: reading.vault.open(person, thing))
    except Erased:
        return {"person": None, "note": None, "erased": True}
    note = fields.pop(NOTE, None)
    return {"person": fields or None, "note": note}


async def check_item(call: Call, item: str | None) -> None:
    """The name of an item goes to other groups, so a member takes one that somebody has looked at.

    Raises Problem 422 `unknown_item`.
    """
    if item is None or call.coordinating or await call.node.views.query(is_known, item):
        return
    raise Problem(
        422,
        "unknown_item",
        "Your group does not know this item yet.",
        "Leave it out, or ask a coordinator to post it once. Details belong into the note.",
        errors=({"where": "$.item", "message": "not on the list"},),
    )
