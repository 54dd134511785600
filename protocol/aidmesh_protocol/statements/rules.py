"""The bounds of single fields of statements (SPEC §5.4): each rule returns the value or raises "malformed".

The annotated names at the end are what statement classes use as field types.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Annotated

from aidmesh_protocol.entry import ERASABLE_TAGS
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import (
    AMOUNT_TEXT_BYTES_MAX,
    AREA_BYTES_MAX,
    CIRCLE_PARTIES_MAX,
    ENDPOINTS_MAX,
    ERASED_PARTS_MAX,
    FEED_ENTRIES_MAX,
    GENERATION_MAX,
    INDEX_MAX,
    ITEM_BYTES_MAX,
    MINUTE_MAX,
    NAME_BYTES_MAX,
    PLEDGE_DISPUTES_MAX,
    PLEDGE_NUMBER_MAX,
    TERMS_BYTES_MAX,
)
from aidmesh_protocol.origin import check_group_id
from aidmesh_protocol.paths import check_endpoint

Rule = Callable[[object], object]

UNITS = frozenset({"item", "kg", "l", "m2", "hour", "meal", "trip", "night", "request"})
CATEGORIES = frozenset(
    {
        "food", "water", "shelter", "bedding", "household", "hygiene", "clothing", "medicine", "childcare",
        "transport", "tools", "energy", "money", "care", "company", "work", "skills", "other",
    }
)  # fmt: skip
URGENCIES = frozenset({"low", "normal", "high", "emergency"})
HOWS = frozenset({"deliver", "pick_up", "remote"})
MODES = frozenset({"give", "lend", "swap"})
OUTCOMES = frozenset({"handed", "left_as_agreed", "picked_up", "done_remote"})
FAILURE_REASONS = frozenset(
    {
        "not_home", "bad_address", "not_ready", "too_far", "refused", "unsafe", "carrier_did_not_come",
        "other",
    }
)  # fmt: skip
DECLINE_REASONS = frozenset(
    {
        "already_covered", "not_suitable", "timing", "person_prefers_other", "safety", "need_closed",
        "share_revoked", "other",
    }
)  # fmt: skip
RELEASE_REASONS = frozenset({"changed_plan", "found_elsewhere", "unanswered", "need_closed", "other"})
WITHDRAW_REASONS = frozenset({"none", "lapsed", "offer_withdrawn"})
SIDES = frozenset({"giver", "home"})
DISPUTES = frozenset({"quantity", "quality", "not_received", "not_sent", "money"})
RESOLUTIONS = frozenset({"explained", "made_good", "corrected", "left", "withdrawn", "other"})
CONDITIONS = frozenset({"good", "damaged", "partial", "other"})
NEED_CLOSE_REASONS = frozenset(
    {
        "met", "partly_met", "withdrawn_by_person", "no_longer_wanted", "expired", "done_by_others",
        "duplicate", "referred", "out_of_scope", "unreachable", "entered_in_error",
    }
)  # fmt: skip
OFFER_CLOSE_REASONS = frozenset({"withdrawn", "exhausted", "expired"})

# At most 10**9, at most three decimals, one text per number: no exponent, sign, leading or trailing zero.
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{0,2}[1-9])?|1000000000")

_SMALL_AMOUNTS = frozenset(map(str, range(1, 1_000)))
"""Most quantities there are, known without matching them."""

# Characters that let a name look like something else: line ends, and bidi embeddings, overrides and isolates.
# Plain direction marks and joiners stay: right-to-left and Indic names need them.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def _malformed(what: str) -> ProtocolError:
    return ProtocolError("malformed", f"statement: {what}")


def amount(value: object) -> str:
    """A quantity of zero or more as canonical decimal text."""
    if type(value) is str and value in _SMALL_AMOUNTS:
        return value
    if type(value) is not str or len(value) > AMOUNT_TEXT_BYTES_MAX or not _AMOUNT.fullmatch(value):
        raise _malformed("a quantity is not a plain decimal of at most 10^9 and three decimals")
    return value


def positive_amount(value: object) -> str:
    """A quantity above zero."""
    if type(value) is str and value in _SMALL_AMOUNTS:
        return value
    if (text := amount(value)) == "0":
        raise _malformed("a quantity is zero where something is promised")
    return text


def one_of(allowed: frozenset[str], what: str) -> Rule:
    """A rule for an enumeration: fixed sets, since a value nobody knows cannot be acted upon."""

    def check(value: object) -> object:
        if type(value) is not str or value not in allowed:
            raise _malformed(f"{what} is not one of the known values")
        return value

    return check


def text(bytes_max: int, what: str) -> Rule:
    """A rule for one visible line: NFC, not empty, no surrounding space, control or bidi override."""

    def check(value: object) -> object:
        # Most text is printable ASCII: of what follows only length and spaces can be wrong with that.
        if (
            type(value) is str
            and value.isascii()
            and value.isprintable()
            and 0 < len(value) <= bytes_max
            and value[0] != " " != value[-1]
        ):
            return value
        if (
            type(value) is not str
            or not 0 < len(value.encode("utf-8", "surrogatepass")) <= bytes_max
            or value != value.strip()
            or _FORBIDDEN.search(value)
            or not unicodedata.is_normalized("NFC", value)
        ):
            raise _malformed(f"{what} is empty, too long or has characters that a name cannot have")
        return value

    return check


def integer(minimum: int, maximum: int, what: str) -> Rule:
    """A rule for an integer from minimum to maximum, both included."""

    def check(value: object) -> object:
        if type(value) is not int or not minimum <= value <= maximum:
            raise _malformed(f"{what} is out of range")
        return value

    return check


def octets(length_min: int, length_max: int, what: str) -> Rule:
    """A rule for a byte string of bounded length."""

    def check(value: object) -> object:
        if type(value) is not bytes or not length_min <= len(value) <= length_max:
            raise _malformed(f"{what} has the wrong length")
        return value

    return check


def optional(rule: Rule) -> Rule:
    """The rule, or None."""

    def check(value: object) -> object:
        return None if value is None else rule(value)

    return check


def endpoints(value: object) -> tuple[str, ...]:
    """Up to ENDPOINTS_MAX addresses, each once, in the order a peer should try them."""
    found = tuple(check_endpoint(endpoint) for endpoint in _items(value, ENDPOINTS_MAX, "endpoints"))
    if len(set(found)) != len(found):
        raise _malformed("an endpoint appears twice")
    return found


def signatures(value: object) -> tuple[tuple[str, bytes], ...]:
    """`[gid, signature]` of every party, in the order of the gids, each once."""
    found = []
    signature_rule = octets(64, 64, "signature")
    for item in _items(value, CIRCLE_PARTIES_MAX, "signatures"):
        pair = tuple(_items(item, 2, "signature"))
        if len(pair) != 2:
            raise _malformed("a signature is not a pair of group id and bytes")
        signature_rule(pair[1])
        found.append((check_group_id(pair[0]), pair[1]))
    gids = [gid for gid, _ in found]
    if len(found) < 2 or any(here >= after for here, after in pairwise(gids)):
        raise _malformed("signatures are not those of two or more groups in order")
    return tuple(found)  # type: ignore[arg-type]


def erased_parts(value: object) -> tuple[tuple[int, str], ...]:
    """`[index, tag]` of one part and more, of tags that can be erased, in order, each once."""
    found: list[tuple[int, str]] = []
    for item in _items(value, ERASED_PARTS_MAX, "erased parts"):
        pair = tuple(_items(item, 2, "erased part"))
        if len(pair) != 2 or type(pair[1]) is not str or pair[1] not in ERASABLE_TAGS:
            raise _malformed("an erased part is not an index and a tag that can be erased")
        found.append((_INDEX(pair[0]), pair[1]))  # type: ignore[arg-type]
    order = [(index, ERASABLE_TAGS.index(tag)) for index, tag in found]
    if not found or any(here >= after for here, after in pairwise(order)):
        raise _malformed("erased parts are not one or more in order")
    return tuple(found)


def check_window(from_minute: int | None, until_minute: int | None) -> None:
    """Raise "malformed" if a time window ends before it begins; an open end is no end."""
    if from_minute is not None and until_minute is not None and from_minute > until_minute:
        raise _malformed("a time window ends before it begins")


def _items(value: object, items_max: int, what: str) -> Iterable[object]:
    # Constructing gives tuples, decoding gives lists.
    if not isinstance(value, list | tuple) or len(value) > items_max:
        raise _malformed(f"{what} are not a list of bounded length")
    return value


_MINUTE = integer(0, MINUTE_MAX, "time")
_NUMBER = integer(1, PLEDGE_NUMBER_MAX, "number")
_ID16 = octets(16, 16, "id")
_INDEX = integer(0, INDEX_MAX, "index")

Amount = Annotated[str, amount]
AmountOrNone = Annotated[str | None, optional(amount)]
PositiveAmount = Annotated[str, positive_amount]
Unit = Annotated[str, one_of(UNITS, "unit")]
Category = Annotated[str, one_of(CATEGORIES, "category")]
Urgency = Annotated[str, one_of(URGENCIES, "urgency")]
How = Annotated[str, one_of(HOWS, "how")]
Mode = Annotated[str, one_of(MODES, "mode")]
Outcome = Annotated[str, one_of(OUTCOMES, "outcome")]
FailureReason = Annotated[str, one_of(FAILURE_REASONS, "failure reason")]
DeclineReason = Annotated[str, one_of(DECLINE_REASONS, "decline reason")]
ReleaseReason = Annotated[str, one_of(RELEASE_REASONS, "release reason")]
WithdrawReason = Annotated[str, one_of(WITHDRAW_REASONS, "withdraw reason")]
Condition = Annotated[str, one_of(CONDITIONS, "condition")]
NeedCloseReason = Annotated[str, one_of(NEED_CLOSE_REASONS, "close reason")]
OfferCloseReason = Annotated[str, one_of(OFFER_CLOSE_REASONS, "close reason")]
Name = Annotated[str, text(NAME_BYTES_MAX, "name")]
ItemOrNone = Annotated[str | None, optional(text(ITEM_BYTES_MAX, "item"))]
AreaOrNone = Annotated[str | None, optional(text(AREA_BYTES_MAX, "area"))]
MinuteOrNone = Annotated[int | None, optional(_MINUTE)]
Number = Annotated[int, _NUMBER]
Count = Annotated[int, integer(0, PLEDGE_NUMBER_MAX, "count")]
DisputeNumber = Annotated[int, integer(1, PLEDGE_DISPUTES_MAX, "dispute number")]
Side = Annotated[str, one_of(SIDES, "side")]
Dispute = Annotated[str, one_of(DISPUTES, "dispute")]
Resolution = Annotated[str, one_of(RESOLUTIONS, "resolution")]
FirstRevision = Annotated[int, integer(1, 1, "first revision")]
Id16 = Annotated[bytes, _ID16]
Id16OrNone = Annotated[bytes | None, optional(_ID16)]
FeedEntries = Annotated[int, integer(0, FEED_ENTRIES_MAX, "number of entries")]
Key32 = Annotated[bytes, octets(32, 32, "key")]
TermsBytes = Annotated[bytes, octets(1, TERMS_BYTES_MAX, "terms")]
Generation = Annotated[int, integer(0, GENERATION_MAX, "generation")]
ErasedParts = Annotated[tuple[tuple[int, str], ...], erased_parts]
Endpoints = Annotated[tuple[str, ...], endpoints]
Signatures = Annotated[tuple[tuple[str, bytes], ...], signatures]
