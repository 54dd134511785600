"""What a node answers, as far as it is read here, as types for mypy: made from the API document by
`python -m tests.support.typed_answers`.

Nothing here runs: the command line takes answers as they come, and mypy knows what is in them.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Board(TypedDict):
    """What is open now, ours and what peers show us: at most 1,000 of each, the most urgent first."""

    schema_version: int
    position: int
    needs: list[Need]
    offers: list[Offer]


class BundleInside(TypedDict):
    """What is in a file."""

    bundle: str
    packed_by: Packer
    packed_at: str
    signature: Literal["signed", "unknown", "unsigned"]
    feeds: int
    whole: bool
    trouble: str
    entries: int
    new: int
    left: int


class BundlePacked(TypedDict):
    """A file that can be fetched. `next` is null when it holds all there is."""

    id: str
    bytes: int
    entries: int
    feeds: int
    left: int
    next: str | None
    unsigned: int


class BundlePiece(TypedDict):
    """A piece of a file; `bytes` are those of the whole file."""

    schema_version: int
    at: int
    data: str
    bytes: int


class BundleRead(TypedDict):
    """What became of a file."""

    bundle: str
    packed_by: Packer
    packed_at: str
    signature: Literal["signed", "unknown", "unsigned"]
    feeds: int
    whole: bool
    trouble: str
    new: int
    again: bool
    kept: bool
    waiting: int
    refused: list[FileFault]


class BundleSizes(TypedDict):
    """What we hold of a circle."""

    schema_version: int
    sizes: str
    circle: str


class ClockStanding(TypedDict):
    """Whether this machine's clock is believed, and if not why: until then nothing ends because time has passed."""

    trusted: bool
    words: str


class Counts(TypedDict):
    """Of our own things, by state or phase; only what occurs."""

    needs: dict[str, int]
    offers: dict[str, int]
    pledges: dict[str, int]


class Dispute(TypedDict):
    """Something about a pledge that people want looked at. Nobody is accused by it being open."""

    id: str
    pledge: str
    about: str
    opened_by: Literal["giver", "home"]
    ours: bool
    peer: str | None
    peer_name: str | None
    state: Literal["open", "resolved"]
    resolved_by_us: str | None
    resolved_by_them: str | None
    version: int
    opened_at: str
    next: str


class DisputeShown(Dispute):
    """One dispute, whole."""

    schema_version: int
    statements: list[Statement]


class Feed(TypedDict):
    """A feed as this node holds it. `root` is null when it is damaged: `verify` names it."""

    origin: str
    owner: str
    size: int
    signed_size: int
    root: str | None
    checkpoint_size: int
    incomplete: int


class FileFault(TypedDict):
    """Something in the file was refused; the evidence is kept."""

    code: str
    detail: str


class Held(TypedDict):
    """Entries of theirs that we hold, that they say there are, and the difference."""

    size: int
    claimed: int
    incomplete: int


class Leaves(TypedDict):
    """Exactly what the other group will read; a need has `urgency`, an offer `mode`."""

    category: str
    item: str | None
    quantity: str | None
    unit: str
    area: str | None
    urgency: NotRequired[Literal["low", "normal", "high", "emergency"]]
    mode: NotRequired[Literal["give", "lend", "swap"]]


class Member(TypedDict):
    """Somebody with a way in. Names are for coordinators, and one's own."""

    id: str
    role: Literal["operator", "coordinator", "member"]
    state: Literal["invited", "joined", "revoked"]
    expires: str | None
    invited_at: str
    joined_at: str | None
    version: int
    name: str | None


Need = TypedDict(
    "Need",
    {
        "id": str,
        "ours": bool,
        "group": str,
        "group_name": "str | None",
        "circle": "str | None",
        "category": "str | None",
        "item": "str | None",
        "quantity": str,
        "unit": str,
        "urgency": 'Literal["low", "normal", "high", "emergency"] | None',
        "from": "str | None",
        "until": "str | None",
        "area": "str | None",
        "state": 'Literal["closed", "open", "revoked"]',
        "closed_reason": "str | None",
        "received": str,
        "presumed": "str | None",
        "reserved": str,
        "open": str,
        "coverage": 'Literal["none", "partial", "full", "over"]',
        "fulfilment": 'Literal["none", "partial", "full", "over"]',
        "shared_with": "list[SharedWith]",
        "next_action": "str | None",
        "next_action_at": "str | None",
        "version": int,
        "posted_at": str,
    },
)


class NeedShown(Need):
    """One need, whole."""

    schema_version: int
    person: NotRequired[dict[str, str] | None]
    note: NotRequired[str | None]
    erased: NotRequired[bool]


Offer = TypedDict(
    "Offer",
    {
        "id": str,
        "ours": bool,
        "group": str,
        "group_name": "str | None",
        "circle": "str | None",
        "category": "str | None",
        "item": "str | None",
        "quantity": "str | None",
        "unit": str,
        "mode": 'Literal["give", "lend", "swap"] | None',
        "held": "str | None",
        "committed": "str | None",
        "drawn": "str | None",
        "available": "str | None",
        "from": "str | None",
        "until": "str | None",
        "area": "str | None",
        "state": 'Literal["closed", "open", "revoked"]',
        "closed_reason": "str | None",
        "confirmed_at": "str | None",
        "ask_at": "str | None",
        "stale": "bool | None",
        "ends_soon": "bool | None",
        "next": str,
        "shared_with": "list[SharedWith]",
        "version": int,
        "posted_at": str,
    },
)


class OfferShown(Offer):
    """One offer, whole."""

    schema_version: int
    person: NotRequired[dict[str, str] | None]
    note: NotRequired[str | None]
    erased: NotRequired[bool]


class OwnGroup(TypedDict):
    gid: str
    name: str


class Packer(TypedDict):
    """Who packed a file, as it says; the signature tells whether that is so."""

    gid: str
    name: str | None


class Peer(TypedDict):
    """A link with another group."""

    gid: str
    name: str | None
    state: str
    words: list[str] | None
    circle: str | None
    endpoints: list[str]
    confirmed: bool
    reason: str | None
    version: int
    last_contact: str | None
    reachable: bool
    backoff_seconds: float
    trouble: str
    clock_ahead_seconds: int | None
    acknowledged: int
    held: Held
    frozen: str | None


class PeerShown(Peer):
    """One link, and what of theirs was refused."""

    schema_version: int
    refusals: list[Refusal]


Pledge = TypedDict(
    "Pledge",
    {
        "id": str,
        "role": 'Literal["giver", "home", "local"]',
        "need": str,
        "offer": "str | None",
        "peer": "str | None",
        "peer_name": "str | None",
        "circle": "str | None",
        "item": "str | None",
        "unit": str,
        "offered": str,
        "revision": int,
        "proposed": "Proposed | None",
        "accepted": str,
        "committed": str,
        "handed": str,
        "received": str,
        "presumed": str,
        "in_transit": str,
        "phase": str,
        "outcome": "str | None",
        "failure": "str | None",
        "failures": int,
        "asked": int,
        "asked_at": "str | None",
        "presume_from": "str | None",
        "discrepancy": bool,
        "note": "str | None",
        "disputes": int,
        "how": 'Literal["deliver", "pick_up", "remote"]',
        "from": "str | None",
        "until": "str | None",
        "reason": "str | None",
        "version": int,
        "updated_at": str,
        "next": str,
    },
)


Proposed = TypedDict(
    "Proposed",
    {
        "quantity": str,
        "from": "str | None",
        "until": "str | None",
    },
)


class Refusal(TypedDict):
    """What of theirs we had to refuse: the last of its kind, and how often."""

    code: str
    detail: str
    count: int
    at: str


class SharedWith(TypedDict):
    """One circle a thing is, or was, shown to. `acknowledged`: the peer confirmed that it no longer shows it."""

    circle: str
    peer: str | None
    peer_name: str | None
    state: Literal["revoked", "shared"]
    acknowledged: bool


class Statement(TypedDict):
    """What somebody of our group wrote about it; it never leaves this node. `text` is null once it was erased."""

    by: str | None
    at: str
    text: str | None


class Status(TypedDict):
    """How this node stands."""

    schema_version: int
    group: OwnGroup
    standing: Literal["active", "recovering"]
    standing_reason: str
    signing: bool
    unsigned_feeds: list[str]
    url: str | None
    listen: str
    clock: ClockStanding
    position: int
    counts: Counts
    feeds: list[Feed]
    peers: int
    forks: int
    version: str
