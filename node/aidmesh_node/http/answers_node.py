"""The JSON that is answered about members, other groups and the node itself, one struct each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from aidmesh_node.http.answers import Answer
from aidmesh_node.http.fields import (
    CircleId,
    Count,
    Gid,
    Id,
    MemberRole,
    Origin,
    Position,
    SchemaVersion,
    Text,
    Time,
    Version,
)

MemberState = Literal["invited", "joined", "revoked"]
LinkState = Literal["invited", "pending", "active", "suspended", "severed"]
Words = Annotated[list[str], Meta(examples=[["apple", "river", "stone", "cloud"]])]


class Member(Answer, frozen=True):
    """Somebody with a way in. Names are for coordinators, and one's own."""

    id: Id
    role: MemberRole
    state: MemberState
    expires: Annotated[Time | None, Meta(description="Of an invitation that nobody has used yet.")]
    invited_at: Time
    joined_at: Time | None
    version: Version
    name: Text | None


class MemberShown(Member, frozen=True, kw_only=True):
    """One member."""

    schema_version: SchemaVersion


class Members(Answer, frozen=True):
    """Everybody, in the order of invitation."""

    schema_version: SchemaVersion
    items: list[Member]
    position: Position


class MemberChanged(Answer, frozen=True):
    """A member after a command."""

    id: Id
    version: Version
    state: MemberState
    position: Position


class MemberInvitation(MemberChanged, frozen=True):
    """The invitation is shown this once; only its hash is kept."""

    invitation: Annotated[str, Meta(examples=["amesh-invite_abcdefghijklmnopqrstuvwxyz234567"])]
    expires: Time


class MemberJoined(MemberChanged, frozen=True):
    """The token is shown this once; only its hash is kept."""

    member: Id
    role: MemberRole
    token: Annotated[str, Meta(examples=["amesh_abcdefghijklmnopqrstuvwxyz234567"])]


class PeerInvitation(Answer, frozen=True):
    """Give it to the other group; it is used once."""

    invitation: Annotated[str, Meta(examples=["aidmesh-invite:..."])]
    expires: Time


class PeerMet(Answer, frozen=True):
    """Both screens show these words: compare them by voice, then confirm."""

    gid: Gid
    name: Text
    state: LinkState
    words: Words


class PeerConfirmation(Answer, frozen=True):
    """How the link stands now: active once both groups have confirmed."""

    gid: Gid
    state: LinkState
    name: Text | UnsetType = UNSET


class Held(Answer, frozen=True):
    """Entries of theirs that we hold, that they say there are, and the difference."""

    size: Count
    claimed: Count
    incomplete: Count


class Peer(Answer, frozen=True):
    """A link with another group."""

    gid: Gid
    name: Text | None
    state: LinkState
    words: Annotated[Words | None, Meta(description="While pending: the four words to compare.")]
    circle: CircleId | None
    endpoints: Annotated[list[str], Meta(examples=[["https://south.example"]])]
    confirmed: Annotated[bool, Meta(description="Our people said that the words are the same.")]
    reason: Text | None
    version: Version
    last_contact: Time | None
    reachable: bool
    backoff_seconds: Annotated[float, Meta(ge=0, examples=[0.0])]
    trouble: Text
    clock_ahead_seconds: Annotated[
        int | None, Meta(description="By how much their clock is ahead of ours, when last heard.", examples=[0])
    ]
    acknowledged: Annotated[Count, Meta(description="How many of our entries they have shown to hold.")]
    held: Held
    frozen: Annotated[Text | None, Meta(description="Why nothing more of theirs is taken, for good.")]


class Peers(Answer, frozen=True):
    """Every link, by name."""

    schema_version: SchemaVersion
    items: list[Peer]
    position: Position


class Refusal(Answer, frozen=True):
    """What of theirs we had to refuse: the last of its kind, and how often."""

    code: Text
    detail: Text
    count: Count
    at: Time


class PeerShown(Peer, frozen=True, kw_only=True):
    """One link, and what of theirs was refused."""

    schema_version: SchemaVersion
    refusals: list[Refusal]


class PeerName(Answer, frozen=True):
    gid: Gid
    name: Text | None


class OwnFeed(Answer, frozen=True):
    origin: Origin
    size: Count


class PeerFeed(Answer, frozen=True):
    gid: Gid
    origin: Origin
    size: Count


class Circle(Answer, frozen=True):
    """Groups that read each other, and the feeds in which they do."""

    id: CircleId
    peers: list[PeerName]
    state: Literal["active", "suspended", "severed"]
    ours: OwnFeed
    theirs: list[PeerFeed]


class Circles(Answer, frozen=True):
    """Every circle, ended ones too."""

    schema_version: SchemaVersion
    items: list[Circle]
    position: Position


class Fine(Answer, frozen=True):
    status: Literal["ok"]


class OwnGroup(Answer, frozen=True):
    gid: Gid
    name: Text


class Counts(Answer, frozen=True):
    """Of our own things, by state or phase; only what occurs."""

    needs: dict[str, Count]
    offers: dict[str, Count]
    pledges: dict[str, Count]


class Feed(Answer, frozen=True):
    """A feed as this node holds it. `root` is null when it is damaged: `verify` names it."""

    origin: Origin
    owner: Gid
    size: Count
    signed_size: Count
    root: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", examples=["ab" * 32])] | None
    checkpoint_size: Count
    incomplete: Count


class ClockStanding(Answer, frozen=True):
    """Whether this machine's clock is believed, and if not why: until then nothing ends because time has passed."""

    trusted: bool
    words: str


class Advice(Answer, frozen=True):
    """What is read out before an emergency is saved."""

    schema_version: SchemaVersion
    number: Annotated[Text, Meta(examples=["112"])]
    text: Text


class Status(Answer, frozen=True):
    """How this node stands."""

    schema_version: SchemaVersion
    group: OwnGroup
    standing: Literal["active", "recovering"]
    standing_reason: Text
    signing: bool
    unsigned_feeds: Annotated[list[Origin], Meta(description="Feeds of ours that wait for peers before they sign.")]
    url: Text | None
    listen: Annotated[str, Meta(examples=["127.0.0.1:8420"])]
    clock: ClockStanding
    position: Position
    counts: Counts
    feeds: list[Feed]
    peers: Count
    forks: Annotated[Count, Meta(description="Feeds of which two histories were signed, and nobody has said more.")]
    version: Annotated[str, Meta(description="Of the program.", examples=["0.1.0"])]


class Setting(Answer, frozen=True):
    """One setting, its value, and where that came from."""

    key: Annotated[str, Meta(examples=["node.listen"])]
    value: Annotated[Any, Meta(examples=["127.0.0.1:8420"])]
    origin: Annotated[str, Meta(examples=["file"])]


class Settings(Answer, frozen=True):
    """Every setting. Keys and tokens are no settings."""

    schema_version: SchemaVersion
    settings: list[Setting]


class Damage(Answer, frozen=True):
    where: Text
    detail: Text


class Verified(Answer, frozen=True):
    """What was recomputed, by kind, and the first thing that is not as it was written."""

    schema_version: SchemaVersion
    ok: bool
    checked: dict[str, Count]
    first_problem: Damage | None


class FieldProblem(Struct, frozen=True):
    """One place in the request (a JSON path, a header, or file:row:column) and what is wrong there."""

    where: Annotated[str, Meta(examples=["$.quantity"])]
    message: Annotated[str, Meta(examples=["Expected `str`, got `int`"])]
    hint: str | UnsetType = UNSET


class Tried(Answer, frozen=True, omit_defaults=True):
    """What a dry run tells: nothing was done. Beside this, what the answer to the command itself would hold, but for
    ids and secrets that were only made up."""

    dry_run: Literal[True]
    would_record: dict[str, Count] | UnsetType = UNSET
    """How many events of which kind."""
    position: Position | UnsetType = UNSET


class Problem(Struct, frozen=True):
    """An error (RFC 9457). `code` is for programs and never changes; `detail` and `hint` are for people."""

    type: Annotated[str, Meta(examples=["urn:aidmesh:problem:malformed"])]
    title: Annotated[str, Meta(examples=["Malformed"])]
    status: Annotated[int, Meta(ge=400, le=599, examples=[400])]
    detail: Annotated[str, Meta(examples=["The request cannot be used: Expected `str`, got `int` at $.quantity."])]
    hint: Annotated[str, Meta(examples=["Correct the field that is named and send the request again."])]
    code: Annotated[str, Meta(examples=["malformed"])]
    errors: list[FieldProblem] | UnsetType = UNSET
    errors_found: Annotated[Count | UnsetType, Meta(description="Where `errors` names only the first.")] = UNSET


class Document(Struct, frozen=True):
    """An OpenAPI 3.1 document."""

    openapi: Annotated[str, Meta(pattern=r"^3\.1\.", examples=["3.1.0"])]
    info: Annotated[dict[str, Any], Meta(examples=[{"title": "aidmesh", "version": "1"}])]
    servers: list[Any]
    tags: list[Any]
    paths: Annotated[dict[str, Any], Meta(examples=[{}])]
    components: Annotated[dict[str, Any], Meta(examples=[{}])]


class Event(Struct, frozen=True):
    """One event of a stream that has no end unless asked for; `data` is JSON."""

    event: Literal["ready", "resumed", "reset", "change"]
    data: Annotated[
        str,
        Meta(
            description="Of a `change`: {kind, id, ours, version, position}; of the others {position}, and of a "
            "`reset` {reason} too.",
            examples=['{"kind":"need","id":"3f2a9c1db7e84f60a1b2c3d4e5f60718","ours":true,"version":1,"position":42}'],
        ),
    ]
    id: Annotated[str, Meta(description="Of this event, to resume after it.", examples=["42-9a7be1c2d3f40516"])]
    retry: Annotated[Count | UnsetType, Meta(description="Milliseconds to wait before coming back.")] = UNSET
