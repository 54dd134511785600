"""What our own feed tells of what this database has lost, as facts of our log. The reverse of publication.

No guard is asked: these things were said. What is about something this database knows changes it; everything else is
made anew under another id, and keeps towards its circle the name it had. Nothing here is ever published again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from aidmesh_node.application import hearing, hearing_erasure
from aidmesh_node.application.entry_names import entry_name
from aidmesh_node.application.inbox import act_id
from aidmesh_node.application.pledges import settle
from aidmesh_node.application.ports import FeedHead, Subject, Work
from aidmesh_node.application.publication import view_of
from aidmesh_node.domain.act import RECOVERED, Act
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import GIVER, Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import illegal
from aidmesh_protocol import statements as said
from aidmesh_protocol.entry import VIEW, Entry, kept_content

Known = Mapping[tuple[bytes, bytes], Subject]
"""By circle and subject id: what of ours this database has, also if it never told that circle."""

ABOUT_LINKS = (said.CircleOpened, said.FeedReset, said.ShareAcknowledged, said.ErasureAcknowledged)
"""What we said about links: in force or answered, both known otherwise."""

CONSENT_UNKNOWN = "recovered"
"""In the place of how a consent was given: it was, or nothing would have been said; how is lost."""


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """One entry of our own feed that came back."""

    head: FeedHead
    circle: bytes
    index: int
    entry: Entry
    statement: object


def read_own(work: Work, head: FeedHead, index: int) -> OwnEntry:
    """The entry at this index, and what it says."""
    assert head.circle is not None
    ((data, _, parts),) = work.feeds.held(head.feed, index, index + 1)
    entry = Entry.decode(data)
    return OwnEntry(head, head.circle, index, entry, said.read(entry, parts, kept_content))


def apply_own(work: Work, own: OwnEntry, known: Known) -> UUID | None:
    """Record what this entry tells; the id of the thing it is about, None for nothing of ours.

    Raises Refused, NotFound or LookupError when it answers something that is not here, or not yet.
    """
    if isinstance(own.statement, ABOUT_LINKS):
        return None
    if isinstance(own.statement, said.PartsErased):
        # An old backup has brought it back: it goes again, as with everybody who was told.
        hearing_erasure.hear(work, own.head, own.index, own.entry, own.statement)
        # Whoever has not confirmed yet is shown again.
        work.erasures.asked(own.head.feed, own.index, own.entry.hour)
        return None
    if isinstance(own.statement, said.Unknown | said.Incomplete):
        raise illegal("Our own words came back without what they say, or a newer version of this program said them.")
    at = datetime.fromtimestamp(own.entry.hour * 3600, UTC)
    name = entry_name(own.head.origin_hash, own.index)
    by = Act(act_id("recovered", name), at, None, RECOVERED, cause=name, heard=True)
    circle, subject = own.circle, own.entry.subject_id
    thing = work.subjects.find(circle, subject) or known.get((circle, subject))
    match own.statement:
        case said.NeedShared():
            return _need_shared(work, by, own, own.statement, thing)
        case said.OfferShared():
            return _offer_shared(work, by, own, own.statement, thing)
        case said.PledgeOffered():
            return _pledge_offered(work, by, own, own.statement, thing, known)
    if thing is None:
        raise illegal("Our own words are about something that is not here.")
    if thing.kind == "need":
        _about_need(work, by, own, work.get(Need, thing.aggregate_id))
    elif thing.kind == "offer":
        _about_offer(work, by, own, work.get(Offer, thing.aggregate_id))
    else:
        hearing.hear(work, by, work.get(Pledge, thing.aggregate_id).peer or "", circle, subject, own.statement)
    return thing.aggregate_id


def _need_shared(work: Work, by: Act, own: OwnEntry, shared: said.NeedShared, thing: Subject | None) -> UUID:
    circle, quantity, view = own.circle.hex(), Decimal(shared.quantity), shared.view
    start, end = _moments(view)
    need = None if thing is None else work.find(Need, thing.aggregate_id)
    if need is None:
        # Without a view, which was taken back since, only what is counted is known of it.
        need = Need.came_back(
            Need.Posted,
            _new_id(own),
            by,
            person=None,
            category=view.category if view else "other",
            item=view.item if view else None,
            quantity=quantity,
            unit=shared.unit,
            urgency=view.urgency if view else "normal",
            window_start=start,
            window_end=end,
            area=view.area if view else None,
            language=None,
        )
    else:
        if quantity != need.quantity:
            need.recover(Need.Amended, by, quantity=quantity)
        if view and view.urgency != need.urgency:
            need.recover(Need.UrgencyChanged, by, urgency=view.urgency, reason="more_known")
        if end is not None and end != need.window.end:
            need.recover(Need.ExpiryExtended, by, until=end)
    if circle not in need.shares or not need.shares[circle].live:
        need.recover(
            Need.Shared,
            by,
            circle=circle,
            level="L1",
            consent_given=CONSENT_UNKNOWN,
            consent_text_version=CONSENT_UNKNOWN,
            consent_language=None,
            person_knows=None,
        )
    return _shown(work, own, need, "need")


def _about_need(work: Work, by: Act, own: OwnEntry, need: Need) -> None:
    circle = own.circle.hex()
    match own.statement:
        case said.NeedUpdated():
            # How much is promised and received, the pledges tell.
            if (quantity := Decimal(own.statement.quantity)) != need.quantity:
                need.recover(Need.Amended, by, quantity=quantity)
        case said.NeedShareRevoked():
            _withhold(work, own)
            if circle in need.shares and need.shares[circle].live:
                need.recover(Need.Unshared, by, circle=circle)
        case said.NeedClosed():
            if need.is_open:
                need.recover(Need.Closed, by, reason=own.statement.reason)
    work.commit(need)


def _offer_shared(work: Work, by: Act, own: OwnEntry, shared: said.OfferShared, thing: Subject | None) -> UUID:
    circle, view = own.circle.hex(), shared.view
    start, end = _moments(view)
    offer = None if thing is None else work.find(Offer, thing.aggregate_id)
    if offer is None:
        offer = Offer.came_back(
            Offer.Posted,
            _new_id(own),
            by,
            person=None,
            category=view.category if view else "other",
            item=view.item if view else None,
            quantity=None if shared.quantity is None else Decimal(shared.quantity),
            unit=shared.unit,
            window_start=start,
            window_end=end,
            area=view.area if view else None,
            mode=view.mode if view else "give",
        )
    elif end is not None and end != offer.window.end:
        offer.recover(Offer.ExpiryExtended, by, until=end)
    if circle not in offer.shares or not offer.shares[circle].live:
        offer.recover(Offer.Shared, by, circle=circle)
    return _shown(work, own, offer, "offer")


def _about_offer(work: Work, by: Act, own: OwnEntry, offer: Offer) -> None:
    circle = own.circle.hex()
    match own.statement:
        case said.OfferShareRevoked():
            _withhold(work, own)
            if circle in offer.shares and offer.shares[circle].live:
                offer.recover(Offer.Unshared, by, circle=circle)
        case said.OfferClosed():
            if offer.is_open:
                offer.recover(Offer.Closed, by, reason=own.statement.reason)
    work.commit(offer)


def _pledge_offered(
    work: Work, by: Act, own: OwnEntry, offered: said.PledgeOffered, thing: Subject | None, known: Known
) -> UUID:
    if thing is not None:
        work.subjects.put(own.circle, own.entry.subject_id, "pledge", thing.aggregate_id)
        return thing.aggregate_id
    theirs = work.feeds.head_by_hash(own.entry.refs[0].origin_hash)
    if theirs is None:
        raise illegal("Our own pledge is towards a need of a group that is not known here.")
    stock = None
    if offered.offer_subject is not None:
        stock = work.subjects.find(own.circle, offered.offer_subject) or known.get((own.circle, offered.offer_subject))
    pledge = Pledge.offer(
        _new_id(own),
        by,
        role=GIVER,
        need_id=UUID(bytes=offered.need_subject),
        quantity=Quantity(Decimal(offered.quantity), offered.unit),
        offer_id=None if stock is None else stock.aggregate_id,
        circle=own.circle.hex(),
        peer=theirs.owner,
        how=offered.how,
        window=hearing.window(offered.from_minute, offered.until_minute),
    )
    work.subjects.put(own.circle, own.entry.subject_id, "pledge", pledge.id)
    settle(work, by, pledge, PledgeState())
    return pledge.id


def _shown(work: Work, own: OwnEntry, thing: Need | Offer, kind: str) -> UUID:
    """Only the newest view is served, and whoever takes the share back must find it."""
    subject = own.entry.subject_id
    _withhold(work, own)
    work.subjects.put(own.circle, subject, kind, thing.id)
    work.positions.put(view_of(subject), own.index)
    work.commit(thing)
    return thing.id


def _withhold(work: Work, own: OwnEntry) -> None:
    if work.subjects.find(own.circle, own.entry.subject_id) is not None:
        work.feeds.withhold_parts(own.head.feed, [work.positions.get(view_of(own.entry.subject_id))], VIEW)


def _moments(view: said.NeedView | said.OfferView | None) -> tuple[datetime | None, datetime | None]:
    if view is None:
        return None, None
    seen = hearing.window(view.from_minute, view.until_minute)
    return seen.start, seen.end


def _new_id(own: OwnEntry) -> UUID:
    # Derived, so that reading the same entry again after another restore finds the same.
    name = sha256(b"aidmesh recovered\0" + own.circle + own.entry.subject_id).digest()
    return UUID(bytes=name[:16], version=5)
