"""The Google-Forms export that mutual aid groups work with: one row is one person asking for help.

Everything the person wrote goes to the vault; outside stay a category, an urgency and whether it is closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from aidmesh_node.application.drafts import NeedDraft
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.window import ANY_TIME
from aidmesh_node.exchange.columns import KEPT, Cells, Sheet, TableShape, coarsened, private
from aidmesh_node.exchange.dates import american_moment
from aidmesh_node.exchange.draft import Drafts, Keys
from aidmesh_node.exchange.labels import category_of
from aidmesh_node.exchange.report import Findings, Unreadable

NAME = "google_form"
MOVED_BY = "Timestamp"

AT_RISK = "Is a member of your household over the age of 50, or otherwise at elevated risk?"
WHAT = "What do you need? Check all that apply"
WHEN = "Is your need:"

ANSWERS = TableShape(
    name="answers to a request form",
    required=("ID", "Status", "Name", "Timestamp", WHAT, WHEN),
    columns={
        "ID": KEPT,
        "Organizer": private("organizer"),
        "Status": KEPT,
        "Name": private("name"),
        "Timestamp": KEPT,
        "Address": private("address"),
        "email": private("email"),
        "telephone": private("phone"),
        "Does your request need to remain anonymous?": private("anonymous"),
        "Number of people in household": private("people in household"),
        AT_RISK: private("at risk"),
        WHAT: coarsened("what"),
        WHEN: coarsened("when"),
        "Add any details about your request": private("note"),
        "Is your need recurring?": private("recurring"),
        "Organizer Results and Comments": private("results"),
    },
)
TABLES = (ANSWERS,)

OPEN_STATUSES = ("New", "Open", "Requested", "Pending", "Assigned", "Matched", "Started", "In progress")
CLOSED_STATUSES = {
    "Completed": "met",
    "Partly completed": "partly_met",
    "Cancelled": "withdrawn_by_person",
    "Duplicate": "duplicate",
    "Referred": "referred",
    "Unreachable": "unreachable",
}
_CLOSED = {status.casefold(): reason for status, reason in CLOSED_STATUSES.items()}
_OPEN = {"", *(status.casefold() for status in OPEN_STATUSES)}
_STATUSES = ", ".join((*CLOSED_STATUSES, *OPEN_STATUSES))

_CAN_WAIT = re.compile(r"\b(?:non|not|no)[ -]*(?:an? )?(?:urgent|emergency)|\bcould survive without\b|\bno rush\b")
_PRESSING = re.compile(r"\b(?:urgent|urgently|emergency|immediately|right away)\b")


def draft(sheets: Mapping[TableShape, Sheet], keys: Keys, findings: Findings) -> Drafts:
    """One need for each answer that the filter lets through; problems go to `findings`."""
    answers = sheets[ANSWERS]
    needs: list[NeedDraft] = []
    seen: set[str] = set()
    for row in answers.chosen:
        cells = answers.cells(row, findings)
        number = cells.text("ID")
        if not number:
            cells.problem("ID", "The row has no ID.", "Give it an ID that no other row has.")
        elif number in seen:
            cells.problem("ID", "An earlier row has the same ID.", "Give each row its own ID.")
        seen.add(number)
        need = _read(cells, keys, keys.row("need", NAME, number))
        needs += [need] if need else []
    return Drafts(needs=tuple(needs), filtered=len(answers.table.rows) - len(answers.chosen))


def _read(cells: Cells, keys: Keys, need_id: UUID) -> NeedDraft | None:
    status = cells.read("Status", _status)
    posted = cells.read("Timestamp", lambda text: (american_moment(text),))
    if status is None or posted is None:
        return None
    fields = cells.private()
    name, *contacts = cells.personal("Name", "telephone", "email", "Address")
    contact = next((contact for contact in contacts if contact), None)
    # A name alone is not enough to call two rows one person: they would then read each other's address.
    recognised_by = (name, contact) if contact else ("answer", cells.text("ID"))
    return NeedDraft(
        id=need_id,
        category=_first_category(cells.text(WHAT)),
        item=None,
        quantity=Quantity(Decimal(1), "request"),
        urgency=_urgency(cells.text(WHEN)),
        window=ANY_TIME,
        area=None,
        posted_on=posted[0],
        closed_reason=status[0],
        person_key=keys.person(NAME, *recognised_by) if fields else None,
        private=fields,
    )


def _status(text: str) -> tuple[str | None]:
    """The reason for which the need is closed, None while it is open. Raises Unreadable."""
    folded = text.casefold()
    if folded not in _OPEN and folded not in _CLOSED:
        raise Unreadable("That is not a status we know.", f"Use one of: {_STATUSES}.")
    return (_CLOSED.get(folded),)


def _first_category(answer: str) -> str:
    """The category of the first type of help in the list that we recognise."""
    categories = (category_of(part) for part in re.split(r"[,;/]", answer))
    return next((category for category in categories if category != "other"), "other")


def _urgency(answer: str) -> str:
    folded = answer.casefold()
    if _CAN_WAIT.search(folded):
        return "low"
    return "high" if _PRESSING.search(folded) else "normal"
