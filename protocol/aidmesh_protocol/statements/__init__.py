"""Typed, versioned statements: what a group may say, sealed into entries and read out of them (SPEC §5.4).

Decides what is well formed, never what is allowed: that is the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aidmesh_protocol import canonical
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Part, Ref, SealedEntry
from aidmesh_protocol.statements.circle import CircleOpened, FeedReset, ShareAcknowledged
from aidmesh_protocol.statements.erasure import ErasureAcknowledged, PartsErased
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
from aidmesh_protocol.statements.statement import Statement, View
from aidmesh_protocol.statements.vocabulary import Incomplete, Unknown, Vocabulary, flags_of

STATEMENTS: tuple[type[Statement], ...] = (
    GroupIncepted,
    GroupDescribed,
    CircleOpened,
    ShareAcknowledged,
    PartsErased,
    ErasureAcknowledged,
    FeedReset,
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

EVERYTHING = Vocabulary(STATEMENTS)
"""All that this version reads."""

read = EVERYTHING.read
"""What an entry says, in the vocabulary of this version: see Vocabulary.read."""


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
    per part. The flags of the statement's type are set. Raises ValueError for a missing view
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
        flags | flags_of(type(statement)),
    )
    return SealedEntry(entry.encode(), tuple((part.tag, part.encode()) for part in parts))


__all__ = [
    "EVERYTHING",
    "REGISTRY",
    "STATEMENTS",
    "CircleOpened",
    "DiscrepancyLeft",
    "DisputeOpened",
    "DisputeResolved",
    "ErasureAcknowledged",
    "FeedReset",
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
    "PartsErased",
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
    "Vocabulary",
    "read",
    "seal",
]
