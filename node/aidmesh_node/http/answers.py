"""The JSON that is answered about needs, offers and pledges, one struct each: what the API document says of them.

Handlers answer with what the views give; a test holds every answer of the HTTP tests against these.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from aidmesh_node.http.fields import (
    Category,
    CircleId,
    CloseReason,
    Count,
    Failure,
    Gid,
    How,
    Id,
    Mode,
    Outcome,
    Phase,
    Position,
    SchemaVersion,
    Share,
    Text,
    Time,
    Total,
    Unit,
    Urgency,
    Version,
)

Cursor = Annotated[
    str | None,
    Meta(description="Send it as `cursor` for the next page; null at the end.", examples=[None]),
]
Ours = Annotated[bool, Meta(description="Whether it is our group's own.")]


class Answer(Struct, frozen=True):
    """What every answer is. Later versions may add members: ignore what you do not know."""


class SharedWith(Answer, frozen=True):
    """One circle a thing is, or was, shown to. `acknowledged`: the peer confirmed that it no longer shows it."""

    circle: CircleId
    peer: Gid | None
    peer_name: Text | None
    state: Literal["shared", "revoked"]
    acknowledged: bool


Person = Annotated[
    dict[str, str] | UnsetType | None,
    Meta(
        description="Name, phone, email, address, contact, as far as given: for coordinators and whoever posted it; "
        "absent for all others. Never leaves this node."
    ),
]
Note = Annotated[Text | UnsetType | None, Meta(description="As `person`.")]
Erased = Annotated[bool | UnsetType, Meta(description="The data of this person was erased.")]


class Need(Answer, frozen=True, rename={"from_": "from"}):
    """What somebody asks for. A peer's need whose share was taken back has no description any more."""

    id: Id
    ours: Ours
    group: Gid
    group_name: Text | None
    circle: Annotated[CircleId | None, Meta(description="Where a peer showed it to us; null for our own.")]
    category: Category | None
    item: Text | None
    quantity: Total
    unit: Unit
    urgency: Urgency | None
    from_: Time | None
    until: Time | None
    area: Text | None
    state: Literal["open", "closed", "revoked"]
    closed_reason: CloseReason | None
    received: Total
    presumed: Annotated[
        Total | None, Meta(description="Beside that: handed over, and presumed to have arrived. Null for a peer's.")
    ]
    reserved: Annotated[Total, Meta(description="Accepted, and neither received nor given back.")]
    open: Annotated[Total, Meta(description="What is missing: quantity less received, presumed and reserved.")]
    coverage: Annotated[Share, Meta(description="How much of it is received, presumed or reserved.")]
    fulfilment: Annotated[Share, Meta(description="How much of it is received.")]
    shared_with: list[SharedWith]
    next_action: Annotated[Text | None, Meta(description="What we do next, in words; null once closed, or a peer's.")]
    next_action_at: Annotated[Time | None, Meta(description="By when.")]
    version: Version
    posted_at: Time


class NeedShown(Need, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One need, whole."""

    schema_version: SchemaVersion
    person: Person = UNSET
    note: Note = UNSET
    erased: Erased = UNSET


class Offer(Answer, frozen=True, rename={"from_": "from"}):
    """What somebody can give. Of a peer's offer held, committed and drawn are not told."""

    id: Id
    ours: Ours
    group: Gid
    group_name: Text | None
    circle: Annotated[CircleId | None, Meta(description="Where a peer showed it to us; null for our own.")]
    category: Category | None
    item: Text | None
    quantity: Annotated[Total | None, Meta(description="Null: as much as anyone needs.")]
    unit: Unit
    mode: Mode | None
    held: Annotated[Total | None, Meta(description="Promised, not yet firm.")]
    committed: Annotated[Total | None, Meta(description="Firmly promised, not yet handed over.")]
    drawn: Annotated[Total | None, Meta(description="Handed over.")]
    available: Annotated[Total | None, Meta(description="What can still be promised; null: as much as anyone needs.")]
    from_: Time | None
    until: Time | None
    area: Text | None
    state: Literal["open", "closed", "revoked"]
    closed_reason: Text | None
    confirmed_at: Annotated[Time | None, Meta(description="When somebody last said that it is there; ours only.")]
    ask_at: Annotated[Time | None, Meta(description="When somebody is asked again; null once closed, or a peer's.")]
    stale: Annotated[bool | None, Meta(description="Asked about, and not confirmed since; null for a peer's.")]
    ends_soon: Annotated[bool | None, Meta(description="It was warned of its end; null for a peer's.")]
    next: Annotated[str, Meta(description="What we do next, in words; empty where there is nothing, or a peer's.")]
    shared_with: list[SharedWith]
    version: Version
    posted_at: Time


class OfferShown(Offer, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One offer, whole."""

    schema_version: SchemaVersion
    person: Person = UNSET
    note: Note = UNSET
    erased: Erased = UNSET


class Proposed(Answer, frozen=True, rename={"from_": "from"}):
    """What the need's home would rather have."""

    quantity: Total
    from_: Time | None
    until: Time | None


class Pledge(Answer, frozen=True, rename={"from_": "from"}):
    """A promise of something particular towards a need. `role` is our side of it; local: both sides are ours."""

    id: Id
    role: Literal["giver", "home", "local"]
    need: Id
    offer: Id | None
    peer: Gid | None
    peer_name: Text | None
    circle: CircleId | None
    item: Text | None
    unit: Unit
    offered: Total
    revision: Annotated[Count, Meta(description="How often the giver changed the amount.")]
    proposed: Annotated[Proposed | None, Meta(description="A counter-offer while it waits for the giver's answer.")]
    accepted: Total
    committed: Total
    handed: Total
    received: Total
    presumed: Annotated[Total, Meta(description="Beside that: nobody confirmed it, and it is presumed to be there.")]
    in_transit: Total
    phase: Phase
    outcome: Annotated[Outcome | None, Meta(description="How the last hand-over was done.")]
    failure: Annotated[Failure | None, Meta(description="Why the last attempt did not work out; null after one did.")]
    failures: Annotated[Count, Meta(description="How many attempts did not work out.")]
    asked: Annotated[Count, Meta(description="How often somebody was asked in vain since the last hand-over.")]
    asked_at: Time | None
    presume_from: Annotated[
        Time | None, Meta(description="From when on it can be presumed to have arrived; null where it cannot.")
    ]
    discrepancy: Annotated[bool, Meta(description="Handed over and received differ.")]
    note: Annotated[Text | None, Meta(description="Both figures and how to settle them, while they differ.")]
    disputes: Annotated[Count, Meta(description="Open ones, but for those that coordinators alone may know of.")]
    how: How
    from_: Time | None
    until: Time | None
    reason: Text | None
    version: Version
    updated_at: Time
    next: Annotated[str, Meta(description="One sentence for people: what happens next, and who acts.")]


class PledgeShown(Pledge, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One pledge, whole."""

    schema_version: SchemaVersion


class NeedPage(Answer, frozen=True):
    """Newest first."""

    schema_version: SchemaVersion
    items: list[Need]
    position: Position
    cursor: Cursor


class OfferPage(Answer, frozen=True):
    """Newest first."""

    schema_version: SchemaVersion
    items: list[Offer]
    position: Position
    cursor: Cursor


class PledgePage(Answer, frozen=True):
    """Newest first."""

    schema_version: SchemaVersion
    items: list[Pledge]
    position: Position
    cursor: Cursor


class Board(Answer, frozen=True):
    """What is open now, ours and what peers show us: at most 1,000 of each, the most urgent first."""

    schema_version: SchemaVersion
    position: Position
    needs: list[Need]
    offers: list[Offer]


class Suggestion(Answer, frozen=True):
    """An offer of ours that could cover an open need, and why."""

    need: Id
    offer: Id
    quantity: Total
    unit: Unit
    reasons: Annotated[list[str], Meta(examples=[["same item"]])]


class Suggestions(Answer, frozen=True):
    """The best first."""

    schema_version: SchemaVersion
    items: list[Suggestion]
    position: Position


class Changed(Answer, frozen=True):
    """A need or an offer after a command. Durable: it survives a power cut."""

    id: Id
    version: Version
    state: Literal["open", "closed"]
    position: Position


class Leaves(Answer, frozen=True):
    """Exactly what the other group will read; a need has `urgency`, an offer `mode`."""

    category: Category
    item: Text | None
    quantity: Total | None
    unit: Unit
    area: Text | None
    urgency: Urgency | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET


class SharedNow(Changed, frozen=True):
    """A need or an offer after it was shared."""

    leaves: Leaves


class SharedWithAll(SharedNow, frozen=True):
    """An emergency after it was shared with everybody we are connected with. `circles`: those that are new."""

    circles: list[CircleId]


class Contacted(Changed, frozen=True):
    """A need after an attempt to reach whom it is for. `unanswered`: how many in a row were in vain."""

    unanswered: Count


class PledgeChanged(Answer, frozen=True):
    """A pledge after a command. Durable: it survives a power cut."""

    id: Id
    version: Version
    phase: Phase
    position: Position


class Asked(PledgeChanged, frozen=True):
    """A pledge after somebody was asked what arrived. `asked`: how often since the last hand-over."""

    asked: Count


class ImportDone(Answer, frozen=True):
    """What an import recorded, in one transaction. Rows imported before are `unchanged`."""

    needs: list[Id]
    offers: list[Id]
    unchanged: Count
    shifted_days: Annotated[int, Meta(examples=[0])]
    differing: Annotated[list[Id], Meta(description="Imported before, and now the file says something else.")]
    notes: list[str]
    position: Position
