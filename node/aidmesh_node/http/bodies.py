"""The JSON bodies members may send, one struct each; unknown fields are refused, every text has a bound.

Shapes and sizes only: what a quantity, unit or reason means is decided by the domain, once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from aidmesh_node.domain.consent import Consent
from aidmesh_node.http.fields import (
    LINE,
    Amount,
    AmountOrZero,
    Category,
    CloseReason,
    Condition,
    DeclineReason,
    Failure,
    GivenBy,
    How,
    IdText,
    Language,
    Line,
    MemberRole,
    Mode,
    Moment,
    Outcome,
    Prose,
    ReleaseReason,
    Unit,
    Urgency,
    Word,
)
from aidmesh_node.http.problems import bad_field, of_decoding

YEAR_MIN, YEAR_MAX = 2000, 2200
"""Outside these a date is a typing error, and its arithmetic can leave what a datetime can hold."""

B = TypeVar("B")


class Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What every body is: closed and unchangeable."""


class Body(Generic[B]):
    """A decoder prepared once. `optional` bodies may be left out altogether."""

    __slots__ = ("_decoder", "optional", "shape")

    def __init__(self, shape: type[B], *, optional: bool = False) -> None:
        self._decoder = msgspec.json.Decoder(shape)
        self.shape, self.optional = shape, optional

    def read(self, data: bytes) -> B:
        """The body as its struct. Raises Problem 400 naming the JSON path."""
        if not data and self.optional:
            data = b"{}"
        try:
            return self._decoder.decode(data)
        except msgspec.DecodeError as error:
            try:
                return self._decoder.decode(msgspec.json.encode(_whole(msgspec.json.decode(data))))
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                raise of_decoding(error) from None
        except UnicodeDecodeError:
            raise bad_field("$", "The text is not UTF-8") from None


WHOLE_MAX = 2**53
"""Above it a number with a point is not exact; no field of ours goes that far."""


def _whole(value: Any) -> Any:
    """The same with whole numbers as such: in JSON 3.0 is one too."""
    match value:
        case float() if value.is_integer() and abs(value) <= WHOLE_MAX:
            return int(value)
        case dict():
            return {name: _whole(part) for name, part in value.items()}
        case list():
            return [_whole(part) for part in value]
    return value


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
    category: Category
    quantity: Amount
    unit: Unit
    item: Line | None = None
    urgency: Urgency = "normal"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    area: Line | None = None
    language: Language | None = None
    for_: Person | None = msgspec.field(default=None, name="for")
    note: Prose | None = None
    on_behalf: bool = False
    emergency_advice_acknowledged: bool = False


class OfferPosted(Strict, frozen=True):
    """`quantity` null: as much as anyone needs; said aloud, so that a forgotten field is no endless offer."""

    category: Category
    quantity: Amount | None
    unit: Unit
    item: Line | None = None
    mode: Mode = "give"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None
    area: Line | None = None
    for_: Person | None = msgspec.field(default=None, name="for")
    note: Prose | None = None


class ConsentGiven(Strict, frozen=True):
    given: GivenBy
    text_version: Word
    language: Language
    person_knows: bool | None = None


def as_consent(said: ConsentGiven) -> Consent:
    """The consent that a body tells of. Raises Refused."""
    return Consent(said.given, said.text_version, said.language, said.person_knows)


class Audience(Strict, frozen=True):
    """A circle by id, or the peer with whom we share one; neither: the only active circle."""

    circle: IdText | None = None
    peer: Line | None = None


class NeedShared(Audience, frozen=True, kw_only=True):
    consent: ConsentGiven


class Closed(Strict, frozen=True):
    """`of` goes with duplicate, `to` and `consent` with referred, `to` and `referral_offered` with out_of_scope."""

    reason: CloseReason
    of: IdText | None = None
    to: Line | None = None
    consent: ConsentGiven | None = None
    referral_offered: bool = False


class Empty(Strict, frozen=True):
    pass


class PledgeOffered(Strict, frozen=True):
    need: IdText
    quantity: Amount
    offer: IdText | None = None
    how: How = "deliver"
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None


class TermsProposed(Strict, frozen=True):
    """Another quantity, another time, or both; what is left out stays as it is."""

    quantity: Amount | None = None
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None


class QuantityMaybe(Strict, frozen=True):
    quantity: Amount | None = None


class HandedOver(Strict, frozen=True):
    """Either what was handed over and how, or, with `failed`, why it was not."""

    quantity: Amount | None = None
    outcome: Outcome = "handed"
    failed: Failure | None = None


class Received(Strict, frozen=True):
    """`quantity` 0: nothing arrived."""

    quantity: AmountOrZero | None = None
    condition: Condition = "good"


class Declined(Strict, frozen=True):
    reason: DeclineReason


class Released(Strict, frozen=True):
    reason: ReleaseReason


class MemberInvited(Strict, frozen=True):
    name: Line
    role: MemberRole
    contact: Prose | None = None


class RoleChanged(Strict, frozen=True):
    role: MemberRole


class Joined(Strict, frozen=True):
    invitation: Line


class PeerInvited(Strict, frozen=True):
    """Whole hours; 72.0 is one way to write 72, and some programs write it."""

    expires_hours: Annotated[float, Meta(ge=1, le=24 * 30, multiple_of=1)] = 72


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
    emergency_advice_acknowledged: bool = False
