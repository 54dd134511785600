"""The JSON bodies members may send, one struct each; unknown fields are refused, every text has a bound.

Shapes and sizes only: what a quantity, unit or reason means is decided by the domain, once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from aidmesh_node.http.problems import bad_field, of_decoding

LINE = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
"""One line: no control characters, so that no name can forge a second line in a list or a log."""
PROSE = r"\A[^\x00-\x08\x0b-\x1f\x7f-\x9f]*\Z"

Word = Annotated[str, Meta(min_length=1, max_length=40, pattern=LINE)]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
Prose = Annotated[str, Meta(min_length=1, max_length=4000, pattern=PROSE)]
Amount = Annotated[str, Meta(min_length=1, max_length=32)]
"""Decimal text: a JSON number is refused because a float is not what was typed."""
Moment = Annotated[datetime, Meta(tz=True)]
IdText = Annotated[str, Meta(min_length=1, max_length=64, pattern=LINE)]

YEAR_MIN, YEAR_MAX = 2000, 2200
"""Outside these a date is a typing error, and its arithmetic can leave what a datetime can hold."""

B = TypeVar("B")


class Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What every body is: closed and unchangeable."""


class Body(Generic[B]):
    """A decoder prepared once. `optional` bodies may be left out altogether."""

    __slots__ = ("_decoder", "optional")

    def __init__(self, shape: type[B], *, optional: bool = False) -> None:
        self._decoder = msgspec.json.Decoder(shape)
        self.optional = optional

    def read(self, data: bytes) -> B:
        """The body as its struct. Raises Problem 400 naming the JSON path."""
        if not data and self.optional:
            data = b"{}"
        try:
            return self._decoder.decode(data)
        except msgspec.DecodeError as error:
            raise of_decoding(error) from None
        except UnicodeDecodeError:
            raise bad_field("$", "The text is not UTF-8") from None


def moment(value: datetime | None, where: str) -> datetime | None:
    """`value` in UTC. Raises Problem 400 for a year nobody means."""
    if value is None:
        return None
    if not YEAR_MIN <= value.year <= YEAR_MAX:
        raise bad_field(where, f"The year must lie between {YEAR_MIN} and {YEAR_MAX}")
    return value.astimezone(UTC)


class Person(Strict, frozen=True):
    """Who it is for and how to reach them: goes to the vault, never into an event."""

    name: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    address: Prose | None = None
    contact: Prose | None = None


class NeedPosted(Strict, frozen=True):
    category: Word
    quantity: Amount
    unit: Word
    item: Line | None = None
    urgency: Word = "normal"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    area: Line | None = None
    language: Word | None = None
    for_: Person | None = msgspec.field(default=None, name="for")
    note: Prose | None = None
    on_behalf: bool = False


class OfferPosted(Strict, frozen=True):
    """`quantity` null: as much as anyone needs; said aloud, so that a forgotten field is no endless offer."""

    category: Word
    quantity: Amount | None
    unit: Word
    item: Line | None = None
    mode: Word = "give"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    area: Line | None = None
    for_: Person | None = msgspec.field(default=None, name="for")
    note: Prose | None = None


class ConsentGiven(Strict, frozen=True):
    given: Word
    text_version: Word
    language: Word
    person_knows: bool | None = None


class Audience(Strict, frozen=True):
    """A circle by id, or the peer with whom we share one; neither: the only active circle."""

    circle: IdText | None = None
    peer: Line | None = None


class NeedShared(Audience, frozen=True, kw_only=True):
    consent: ConsentGiven


class Closed(Strict, frozen=True):
    reason: Word


class Extended(Strict, frozen=True):
    until: Moment


class Reopened(Strict, frozen=True):
    """`until`: the new end, needed where the old one is over."""

    until: Moment | None = None


class Empty(Strict, frozen=True):
    pass


class PledgeOffered(Strict, frozen=True):
    need: IdText
    quantity: Amount
    offer: IdText | None = None
    how: Word = "deliver"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None


class TermsProposed(Strict, frozen=True):
    """Another quantity, another time, or both; what is left out stays as it is."""

    quantity: Amount | None = None
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None


class ReceiptAsked(Strict, frozen=True):
    how: Word = "other"


class Corrected(Strict, frozen=True):
    """So much, all in all. `side` (giver, home) only where both are ours."""

    quantity: Amount
    side: Word | None = None


class QuantityMaybe(Strict, frozen=True):
    quantity: Amount | None = None


class HandedOver(Strict, frozen=True):
    """Either what was handed over and how, or, with `failed`, why it was not."""

    quantity: Amount | None = None
    outcome: Word = "handed"
    failed: Word | None = None


class Received(Strict, frozen=True):
    quantity: Amount | None = None
    condition: Word = "good"


class DisputeOpened(Strict, frozen=True):
    """`text` stays in the vault of this node. `side` (giver, home) only where both are ours."""

    about: Word
    text: Prose | None = None
    side: Word | None = None


class StatementAdded(Strict, frozen=True):
    text: Prose


class DisputeResolved(Strict, frozen=True):
    how: Word


class Reason(Strict, frozen=True):
    reason: Word


class MemberInvited(Strict, frozen=True):
    name: Line
    role: Word
    contact: Prose | None = None


class RoleChanged(Strict, frozen=True):
    role: Word


class Joined(Strict, frozen=True):
    invitation: Line


class PeerInvited(Strict, frozen=True):
    expires_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 72


class PeerAccepted(Strict, frozen=True):
    invitation: Annotated[str, Meta(min_length=1, max_length=2000, pattern=LINE)]


class PeerConfirmed(Strict, frozen=True):
    words: Line


class ImportedFile(Strict, frozen=True):
    name: Line
    text: str


class Imported(Strict, frozen=True):
    files: Annotated[list[ImportedFile], Meta(min_length=1, max_length=20)]
    as_of: date | None = None
    where: dict[Line, Annotated[str, Meta(max_length=400)]] | None = None
    dry_run: bool = False
