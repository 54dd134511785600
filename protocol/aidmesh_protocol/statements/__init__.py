"""Typed, versioned statements: what a group may say, sealed into entries and read out of them (SPEC §5.4).

Decides what is well formed, never what is allowed: that is the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aidmesh_protocol import canonical
from aidmesh_protocol.entry import FACTS, TERMINAL, VIEW, Entry, Part, Ref, SealedEntry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements.circle import CircleOpened, ShareAcknowledged
from aidmesh_protocol.statements.group import GroupDescribed, GroupIncepted
from aidmesh_protocol.statements.need import NeedClosed, NeedShared, NeedShareRevoked, NeedUpdated, NeedView
from aidmesh_protocol.statements.offer import (
    OfferClosed,
    OfferShared,
    OfferShareRevoked,
    OfferUpdated,
    OfferView,
)
from aidmesh_protocol.statements.pledge import (
    HandoverDeclared,
    HandoverFailed,
    PledgeAccepted,
    PledgeCommitted,
    PledgeCountered,
    PledgeDeclined,
    PledgeOffered,
    PledgeReleased,
    PledgeRevised,
    PledgeWithdrawn,
    ReceiptConfirmed,
)
from aidmesh_protocol.statements.settling import (
    DiscrepancyLeft,
    DisputeOpened,
    DisputeResolved,
    HandoverCorrected,
    HandoverMissed,
    HandoverProposed,
    ReceiptCorrected,
    ReceiptPresumed,
)
from aidmesh_protocol.statements.statement import Statement, View, parser_of

STATEMENTS: tuple[type[Statement], ...] = (
    GroupIncepted,
    GroupDescribed,
    CircleOpened,
    ShareAcknowledged,
    NeedShared,
    NeedUpdated,
    NeedShareRevoked,
    NeedClosed,
    OfferShared,
    OfferUpdated,
    OfferShareRevoked,
    OfferClosed,
    PledgeOffered,
    PledgeRevised,
    PledgeCommitted,
    PledgeWithdrawn,
    HandoverDeclared,
    HandoverFailed,
    PledgeCountered,
    PledgeDeclined,
    PledgeAccepted,
    PledgeReleased,
    ReceiptConfirmed,
    HandoverProposed,
    HandoverMissed,
    HandoverCorrected,
    ReceiptPresumed,
    ReceiptCorrected,
    DiscrepancyLeft,
    DisputeOpened,
    DisputeResolved,
)
REGISTRY: Mapping[str, type[Statement]] = {statement.TYPE: statement for statement in STATEMENTS}

_SHAPES = {
    kind.TYPE: (
        kind.SCHEMA,
        (FACTS,) if kind.VIEW is None else (FACTS, VIEW),
        kind.REFS_MIN,
        TERMINAL if kind.TERMINAL else 0,
        parser_of(kind),
        None if kind.VIEW is None else parser_of(kind.VIEW),
    )
    for kind in STATEMENTS
}
"""By type: newest schema, tags of parts, refs and flags that an entry of it has, what parses its facts and view."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A statement of a type or schema version this code does not know: kept, relayed, not shown (SPEC §5.5a)."""

    type: str
    schema: int


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A statement whose parts named here have not arrived yet, so that it has no meaning yet."""

    type: str
    missing: tuple[str, ...]


def seal(
    statement: Statement,
    *,
    statement_id: bytes,
    subject_id: bytes,
    hour: int,
    refs: tuple[Ref, ...] = (),
    flags: int = 0,
    part_keys: Callable[[], bytes],
) -> SealedEntry:
    """Turn a statement into entry and parts (SPEC §5).

    Ids are 16 bytes, `hour` whole hours since 1970; `part_keys` gives 16 fresh random bytes per call, once
    per part. The terminal flag is set for statements that are terminal. Raises ValueError for a missing view
    or ref: what is published is whole.
    """
    if len(refs) < statement.REFS_MIN:
        raise ValueError(f"{statement.TYPE} must point at what it answers")
    parts = [Part(FACTS, part_keys(), canonical.encode(statement.facts()))]
    if statement.VIEW is not None:
        view = getattr(statement, VIEW)
        if view is None:
            raise ValueError(f"{statement.TYPE} is published with its view")
        parts.append(Part(VIEW, part_keys(), canonical.encode(view.values())))
    entry = Entry(
        statement.TYPE,
        statement.SCHEMA,
        statement_id,
        subject_id,
        hour,
        tuple(part.header(statement.TYPE, statement.SCHEMA) for part in parts),
        refs,
        flags | (TERMINAL if statement.TERMINAL else 0),
    )
    return SealedEntry(entry.encode(), tuple((part.tag, part.encode()) for part in parts))


def read(
    entry: Entry, parts: Mapping[str, bytes], content: Callable[[Entry, str, bytes], bytes] = check_part
) -> Statement | Unknown | Incomplete:
    """What an entry says, given the part bytes that are at hand, by tag.

    Checks every part it uses against the entry, unless `content` is `kept_content`: then that was done when they came.
    Without its view a statement has `view=None`; without its facts it is Incomplete. Raises ProtocolError: as
    `check_part`, or "malformed" if the parts are not what the statement's type says.
    """
    shape = _SHAPES.get(entry.type)
    if shape is None or entry.schema > shape[0]:
        return Unknown(entry.type, entry.schema)
    _, needed, refs_min, flags, parse, parse_view = shape
    headers = entry.parts
    # Parts stand in order, each once: with the last that is needed at its place, all before it are there.
    if len(headers) < len(needed) or headers[len(needed) - 1].tag != needed[-1]:
        raise ProtocolError("malformed", f"{entry.type} without its {' and '.join(needed)}")
    if len(entry.refs) < refs_min:
        raise ProtocolError("malformed", f"{entry.type} does not point at what it answers")
    if entry.flags & flags != flags:
        raise ProtocolError("malformed", f"{entry.type} without the terminal flag")
    if (part := parts.get(FACTS)) is None:
        return Incomplete(entry.type, (FACTS,))
    facts = canonical.decode(content(entry, FACTS, part))
    if parse_view is None:
        return parse(facts)
    if (part := parts.get(VIEW)) is None:
        return parse(facts, None)
    return parse(facts, parse_view(canonical.decode(content(entry, VIEW, part))))


__all__ = [
    "REGISTRY",
    "STATEMENTS",
    "CircleOpened",
    "DiscrepancyLeft",
    "DisputeOpened",
    "DisputeResolved",
    "GroupDescribed",
    "GroupIncepted",
    "HandoverCorrected",
    "HandoverDeclared",
    "HandoverFailed",
    "HandoverMissed",
    "HandoverProposed",
    "Incomplete",
    "NeedClosed",
    "NeedShareRevoked",
    "NeedShared",
    "NeedUpdated",
    "NeedView",
    "OfferClosed",
    "OfferShareRevoked",
    "OfferShared",
    "OfferUpdated",
    "OfferView",
    "PledgeAccepted",
    "PledgeCommitted",
    "PledgeCountered",
    "PledgeDeclined",
    "PledgeOffered",
    "PledgeReleased",
    "PledgeRevised",
    "PledgeWithdrawn",
    "ReceiptConfirmed",
    "ReceiptCorrected",
    "ReceiptPresumed",
    "ShareAcknowledged",
    "Statement",
    "Unknown",
    "View",
    "read",
    "seal",
]
