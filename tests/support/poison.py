"""Signed statements that mean nothing, or that their signer may not make: each with what is wrong with it.

All are proper entries of a proper feed, so they are stored; none may be acted upon, and none may stop what follows.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgpack

from aidmesh_protocol import statements as said
from aidmesh_protocol.entry import TERMINAL, Entry, SealedEntry
from aidmesh_protocol.limits import MINUTE_MAX
from aidmesh_protocol.statements import NeedShared, NeedView
from tests.support.raw_group import HOUR
from tests.support.raw_peer import RawPeer

Poison = tuple[str, SealedEntry]

OFFERED = [None, 1, "5", "item", "deliver", None, None]
"""The facts of pledge.offered after its need subject."""


def undecodable(x: RawPeer, need: bytes) -> Iterator[Poison]:
    """Facts and views that are not what their type says."""
    ref = x.feed.ref(0)
    good = [need, *OFFERED]

    def offered(**changed: object) -> SealedEntry:
        names = ("need", "offer", "revision", "quantity", "unit", "how", "from_minute", "until_minute")
        return x.raw_entry("pledge.offered", [changed.get(n, v) for n, v in zip(names, good, strict=True)], refs=[ref])

    def facts(data: bytes) -> SealedEntry:
        return x.raw_entry("pledge.offered", data, refs=[ref])

    yield "no msgpack", facts(b"\xc1")
    yield "nothing", facts(b"")
    yield "a map", facts(msgpack.packb({"quantity": "5"}))
    yield "a float", facts(msgpack.packb([need, None, 1, 5.0, "item", "deliver", None, None]))
    yield "not a number", facts(msgpack.packb([need, None, 1, float("nan"), "item", "deliver", None, None]))
    yield "2**63", facts(msgpack.packb([need, None, 2**63, "5", "item", "deliver", None, None]))
    yield "-2**63", facts(msgpack.packb([need, None, -(2**63), "5", "item", "deliver", None, None]))
    yield "an extension", facts(b"\xd6\xff" + bytes(4))
    yield "two values", facts(msgpack.packb([]) + msgpack.packb([]))
    yield "another width", facts(msgpack.packb([need, None]) + b"\xcc\x01")
    for depth in (9, 32, 33, 512, 50_000):
        yield f"{depth} deep", facts(b"\x91" * depth + b"\x90")
    for claim in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"):
        yield f"claims 2**32-1 ({claim.hex()})", facts(claim + bytes(10))
    yield "a surrogate", facts(b"\x91\xa3\xed\xa0\x80")
    yield "too few fields", x.raw_entry("pledge.offered", [need], refs=[ref])
    yield "too many fields", x.raw_entry("pledge.offered", [*good, 1], refs=[ref])
    quantities = ("0", "-1", "+5", "1e3", "1E400", "NaN", "1000000001", "0.0001", "05", "5.", "٣", "5" * 40, 5, True)
    for quantity in quantities:
        yield f"quantity {quantity!r}"[:40], offered(quantity=quantity)
    yield "unit", offered(unit="barrel")
    yield "a window that ends before it begins", offered(from_minute=10, until_minute=5)
    yield "a minute after the last", offered(until_minute=MINUTE_MAX + 1)
    yield "a revision that is not the first", offered(revision=2)
    yield "a subject of 15 bytes", offered(need=need[:15])
    yield "no ref", x.raw_entry("pledge.offered", good)
    yield "no parts", SealedEntry(Entry("pledge.offered", 1, x.draw(16), x.draw(16), HOUR, (), (ref,)).encode(), ())
    view = ["shelter", "Tents", "normal", None, None, None]
    yield "a need without its view", x.raw_entry("need.shared", ["5", "item", "5"])
    for item in ("", " Tents", "Te\u202ents", "x" * 321, "Ten\x00ts", "a\nb", 5):
        yield f"item {item!r}"[:30], x.raw_entry("need.shared", ["5", "item", "5"], [view[0], item, *view[2:]])
    yield "category", x.raw_entry("need.shared", ["5", "item", "5"], ["weapons", *view[1:]])
    yield "a last word without its flag", x.raw_entry("need.closed", ["met"])
    yield "a reason", x.raw_entry("need.closed", ["because"], flags=TERMINAL)
    yield "signatures of one", x.raw_entry("circle.opened", [b"terms", [[x.gid, bytes(64)]]])


def illegal(x: RawPeer, need: bytes, ours: bytes, theirs: bytes) -> Iterator[Poison]:
    """Well-formed, and impossible. `need` is the victim's; `ours` a pledge of x towards it (5 offered, no more), and
    `theirs` a pledge of the victim towards a need of x, unanswered."""
    ref = [x.feed.ref(0)]
    yield "a fraction of an item", x.raw_entry("pledge.offered", [need, None, 1, "2.5", *OFFERED[3:]], refs=ref)
    yield "towards an unknown need", x.seal(_offered(x.draw(16)), refs=ref)
    yield "towards a pledge", x.seal(_offered(ours), refs=ref)
    yield "under the id of their need", x.seal(_offered(need), subject=need, refs=ref)
    yield "under the id of their pledge", x.seal(_offered(need), subject=theirs, refs=ref)
    for subject, name in ((x.draw(16), "a pledge nobody made"), (need, "a need as a pledge")):
        yield f"firm: {name}", x.seal(said.PledgeCommitted(1, "5"), subject=subject, refs=ref)
        yield f"accepted: {name}", x.seal(said.PledgeAccepted(1, 1, "5"), subject=subject, refs=ref)
    # x gives `ours`:
    yield "firm before it was accepted", x.seal(said.PledgeCommitted(1, "5"), subject=ours, refs=ref)
    yield "handed over before it was firm", x.seal(said.HandoverDeclared(1, "5", "handed"), subject=ours)
    yield "failed before it was firm", x.seal(said.HandoverFailed(1, "unsafe"), subject=ours)
    yield "a revision skipped", x.seal(said.PledgeRevised(3, "5"), subject=ours)
    yield "received by its giver", x.seal(said.ReceiptConfirmed(1, "5", "good"), subject=ours)
    yield "accepted by its giver", x.seal(said.PledgeAccepted(1, 1, "5"), subject=ours, refs=ref)
    yield "declined by its giver", x.seal(said.PledgeDeclined(1, "timing"), subject=ours)
    yield "released by its giver", x.seal(said.PledgeReleased(1, "other"), subject=ours)
    yield "set right before it was declared", x.seal(said.HandoverCorrected(1, "5"), subject=ours)
    yield "a time for a revision that never was", x.seal(said.HandoverProposed(2, 5, 6), subject=ours)
    yield "missed by its giver", x.seal(said.HandoverMissed(1, "not_home"), subject=ours)
    yield "presumed by its giver", x.seal(said.ReceiptPresumed(1, "5", 0), subject=ours)
    yield "a receipt set right by its giver", x.seal(said.ReceiptCorrected(1, "5"), subject=ours)
    yield "a dispute before it was accepted", x.seal(said.DisputeOpened(1, "quality"), subject=ours)
    yield "a dispute about a pledge nobody made", x.seal(said.DisputeOpened(1, "money"), subject=x.draw(16))
    for opened_by in ("giver", "home"):
        resolved = said.DisputeResolved(opened_by, 1, "left")
        yield f"resolved, though the {opened_by} opened nothing", x.seal(resolved, subject=ours)
    yield "left, of a pledge nobody made", x.seal(said.DiscrepancyLeft("5", "4"), subject=x.draw(16))
    # The victim gives `theirs`, x is its home:
    yield "missed before it was firm", x.seal(said.HandoverMissed(1, "not_home"), subject=theirs)
    yield "a hand-over set right by its home", x.seal(said.HandoverCorrected(1, "5"), subject=theirs)
    yield "presumed before it was accepted", x.seal(said.ReceiptPresumed(1, "1", 0), subject=theirs)
    yield "a presumption skipped", x.seal(said.ReceiptPresumed(2, "1", 0), subject=theirs)
    yield "a receipt set right before it was confirmed", x.seal(said.ReceiptCorrected(1, "1"), subject=theirs)
    yield "a dispute at once", x.seal(said.DisputeOpened(1, "not_received"), subject=theirs)
    yield "withdrawn by its home", x.seal(said.PledgeWithdrawn("none"), subject=theirs)
    yield "revised by its home", x.seal(said.PledgeRevised(2, "9"), subject=theirs)
    yield "handed over by its home", x.seal(said.HandoverDeclared(1, "5", "handed"), subject=theirs)
    yield "an acceptance skipped", x.seal(said.PledgeAccepted(2, 1, "3"), subject=theirs, refs=ref)
    yield "a revision that never was", x.seal(said.PledgeAccepted(1, 2, "3"), subject=theirs, refs=ref)
    yield "more than was offered", x.seal(said.PledgeAccepted(1, 1, "1000000000"), subject=theirs, refs=ref)
    yield "released before it was accepted", x.seal(said.PledgeReleased(1, "other"), subject=theirs)
    yield "received before it was accepted", x.seal(said.ReceiptConfirmed(1, "1", "good"), subject=theirs)
    # The victim's need is nobody else's:
    yield "their need closed", x.seal(said.NeedClosed("met"), subject=need)
    yield "their need changed", x.seal(said.NeedUpdated("1", "1", "0"), subject=need)
    yield "their need taken back", x.seal(said.NeedShareRevoked(), subject=need)
    view = NeedView("shelter", "Ransom", "emergency", None, None, None)
    yield "their need shown as ours", x.seal(NeedShared("9", "item", "9", view), subject=need)
    yield "an acknowledgement of nothing", x.seal(said.ShareAcknowledged(), subject=x.draw(16), refs=ref)
    yield "the terms of another circle", x.seal(said.CircleOpened(b"terms", _signatures(x)))


def unknown(x: RawPeer) -> Iterator[Poison]:
    """From a later version, or from nowhere: kept, passed on, not shown, no fault."""
    yield "a type", x.raw_entry("rumour.spread", ["anything", [1, [2, [3]]]], ["view"])
    yield "a type without parts", SealedEntry(Entry("rumour.denied", 1, x.draw(16), x.draw(16), HOUR, ()).encode(), ())
    yield "a schema", x.raw_entry("need.shared", ["5", "item", "5", "more"], [], schema=2)
    yield "the last schema", x.raw_entry("pledge.offered", [], schema=65_535)
    yield "flags", x.raw_entry("rumour.spread", [], flags=65_535)
    yield "an hour far ahead", x.raw_entry("rumour.spread", [], hour=2**32)


def _offered(need: bytes) -> said.PledgeOffered:
    return said.PledgeOffered(need, None, 1, "5", "item", "deliver", None, None)


def _signatures(x: RawPeer) -> tuple[tuple[str, bytes], ...]:
    return tuple(sorted(((x.gid, bytes(64)), ("a" * 32, bytes(64)))))
