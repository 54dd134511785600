"""The one place that decides what leaves the node.

Runs behind the log: right behind the command, in its transaction, or later at its own pace. Before anything is
appended, consent, share, closure and membership are read again: what is no longer allowed is not published, however
late this runs. Never publishes what was heard from a peer, never a name, a contact or free text: statements are built
only from fields that stand on the privacy ladder's level 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from aidmesh_node.application.entry_names import entry_ref
from aidmesh_node.application.erasable_parts import erasable, stream_of
from aidmesh_node.application.generations import generation_of
from aidmesh_node.application.ports import Work
from aidmesh_node.application.redaction import (
    epoch_minutes,
    need_shared,
    need_updated,
    offer_shared,
    offer_updated,
)
from aidmesh_node.application.subject_ids import SubjectIds
from aidmesh_node.domain.act import AGAIN, RECOVERED
from aidmesh_node.domain.dispute import Dispute
from aidmesh_node.domain.event import Event, Recorded, event_id
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.pledge import GIVER, HOME, Pledge
from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.domain.window import Window
from aidmesh_protocol import statements as say
from aidmesh_protocol.entry import Ref
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.merkle import Frontier
from aidmesh_protocol.statements import Statement
from aidmesh_protocol.terms import Terms

TOTALS = b"totals"
"""Added to the name of an event that is told in two statements."""

NEVER_PUBLISHED = frozenset(
    event.TOPIC.encode()
    for event in (
        Need.Posted, Need.UnshareAcknowledged, Need.EmergencyAdviceAcknowledged, Need.Reviewed, Need.ContactAttempted,
        Need.ExpiryWarned, Need.Reopened, Offer.Posted, Offer.UnshareAcknowledged,
        Offer.StillAvailableAsked, Offer.StillAvailableConfirmed, Offer.ExpiryWarned, Pledge.ReceiptAsked,
        Dispute.StatementAdded, Member.Invited, Member.Joined, Member.RoleChanged, Member.Revoked,
    )
)  # fmt: skip
"""Topics that never lead to a statement: most of a busy group's log, so publication does not even read them."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One statement to one circle, decided but not yet sealed."""

    circle: bytes
    subject: bytes
    statement_id: bytes
    at: datetime
    statement: Statement
    refs: tuple[Ref, ...] = ()
    withhold: int | None = None
    """Index in our feed of the entry whose view is served to nobody any more from this transaction on."""
    erase: tuple[tuple[int, str], ...] = ()
    """Parts of our feed that are deleted in this transaction."""


class Publication:
    """Turns events of our log into statements for the circles that may have them."""

    def __init__(self, gid: str, ids: SubjectIds) -> None:
        self._gid = gid
        self._ids = ids

    def statements_for(self, work: Work, event: Event) -> Iterator[Outgoing]:
        """What this event lets leave, circle by circle; nothing when it was heard or is nobody else's business."""
        if event.role in (AGAIN, RECOVERED):
            return  # it was said before we were restored
        # Totals that a peer's word has moved are still our own to tell.
        if event.heard and not isinstance(event, Need.CoverageChanged | Offer.BookingChanged):
            return
        match event:
            case Need.Event():
                yield from self._about_need(work, event, work.get(Need, event.originator_id))
            case Offer.Event():
                yield from self._about_offer(work, event, work.get(Offer, event.originator_id))
            case Pledge.Event():
                yield from self._about_pledge(work, event, work.get(Pledge, event.originator_id))
            case Dispute.Event():
                yield from self._about_dispute(work, event, work.get(Dispute, event.originator_id))
            case PeerLink.Activated() | PeerLink.RevocationAcknowledged() | PeerLink.ErasureAcknowledged():
                yield from self._about_circle(work, event, work.get(PeerLink, event.originator_id))

    def names(self, circle: bytes, event: Event) -> tuple[bytes, ...]:
        """The statement ids under which this circle can hear of an event."""
        name = event_id(event)
        return self._ids.statement(circle, name), self._ids.statement(circle, name + TOTALS)

    def begun_anew(
        self, work: Work, circle: bytes, generation: int, before: tuple[int, int, bytes]
    ) -> Iterator[Outgoing]:
        """The first entries of a feed that takes the place of another, of which we know so many entries with this root:
        the terms, where it goes on from, and everything this circle is still to see."""
        links = [work.find(PeerLink, PeerLink.id_of(head.owner)) for head in work.feeds.heads(circle=circle)]
        link = next(link for link in links if link is not None and link.circle == circle.hex())
        assert link.terms is not None and link.our_signature is not None and link.their_signature is not None
        signatures = {self._gid: bytes.fromhex(link.our_signature), link.gid: bytes.fromhex(link.their_signature)}
        about = self._ids.subject(circle, link.id)
        opened = say.CircleOpened(bytes.fromhex(link.terms), tuple(sorted(signatures.items())))
        yield self._anew(circle, about, link, generation, opened)
        yield self._anew(circle, about, link, generation, say.FeedReset(*before))
        for name in work.subjects.in_circle(circle):
            thing = work.find(Need, name.aggregate_id) or work.find(Offer, name.aggregate_id)
            share = None if thing is None else thing.shares.get(circle.hex())
            if thing is None or share is None or not (share.live and thing.is_open):
                continue
            if self._name(work, circle, thing, thing.name_at(thing.version)) != name.subject_id:
                continue  # from before it was reopened
            shown = need_shared(thing) if isinstance(thing, Need) else offer_shared(thing)
            yield self._anew(circle, name.subject_id, thing, generation, shown)
            if isinstance(thing, Need) and (thing.received or thing.reserved):
                yield self._anew(circle, name.subject_id, thing, generation, need_updated(thing))

    def _anew(self, circle: bytes, subject: bytes, thing: Recorded, generation: int, statement: Statement) -> Outgoing:
        name = self._ids.statement(circle, f"{statement.TYPE} {generation} ".encode() + thing.id.bytes)
        return Outgoing(circle, subject, name, thing.modified_on, statement)

    def placed(self, work: Work, outgoing: Outgoing, index: int) -> None:
        """Remember where a view lies, so that taking the share back stops serving it."""
        if isinstance(outgoing.statement, say.NeedShared | say.OfferShared):
            work.positions.put(view_of(outgoing.subject), index)
        elif isinstance(outgoing.statement, say.PartsErased):
            generation = work.positions.get(generation_of(outgoing.circle))
            head = work.feeds.head(circle_origin(self._gid, outgoing.circle, generation))
            assert head is not None  # what is erased lies in it
            work.erasures.asked(head.feed, index, int(outgoing.at.timestamp()) // 3600)

    def _about_need(self, work: Work, event: Event, need: Need) -> Iterator[Outgoing]:
        for circle_hex, share in need.shares.items():
            circle = bytes.fromhex(circle_hex)
            subject = self._name(work, circle, need, need.name_at(event.originator_version))
            told = work.subjects.find(circle, subject) is not None
            of_now = need.is_of_now(event.originator_version)
            shown = of_now and share.live and need.is_open
            match event:
                case Need.Shared() if event.circle == circle_hex and shown:
                    if _may_hear(work, circle):
                        work.subjects.put(circle, subject, "need", need.id)
                        yield self._say(circle, subject, event, need_shared(need))
                case Need.UrgencyChanged() | Need.ExpiryExtended() if told and shown:
                    yield from self._restate(work, circle, subject, event, need)
                case Need.CoverageChanged() | Need.Amended() if told and shown:
                    yield self._say(circle, subject, event, need_updated(need))
                case Need.Unshared() if event.circle == circle_hex and told:
                    # SPEC §15.3a: its view is served no more.
                    revoked = self._say(circle, subject, event, say.NeedShareRevoked())
                    yield replace(revoked, withhold=work.positions.get(view_of(subject)))
                case Need.Erased():
                    yield from self._erasures(work, circle, event)
                case Need.Withdrawn() | Need.Closed() if told:
                    # One that was reopened before we came here was closed all the same, for those who knew of it then.
                    if share.live if of_now else circle_hex in need.circles_at_closing(event.originator_version):
                        reason = event.reason if isinstance(event, Need.Closed) else "withdrawn_by_person"
                        yield self._say(circle, subject, event, say.NeedClosed(reason))

    def _restate(self, work: Work, circle: bytes, subject: bytes, event: Event, need: Need) -> Iterator[Outgoing]:
        """The whole view again; the one before is served no more. Then the totals, which a view does not split."""
        before = work.positions.get(view_of(subject))
        yield replace(self._say(circle, subject, event, need_shared(need)), withhold=before)
        if need.received or need.reserved:
            totals = self._say(circle, subject, event, need_updated(need))
            yield replace(totals, statement_id=self._ids.statement(circle, event_id(event) + TOTALS))

    def _about_offer(self, work: Work, event: Event, offer: Offer) -> Iterator[Outgoing]:
        for circle_hex, share in offer.shares.items():
            circle = bytes.fromhex(circle_hex)
            subject = self._name(work, circle, offer, offer.name_at(event.originator_version))
            told = work.subjects.find(circle, subject) is not None
            of_now = offer.is_of_now(event.originator_version)
            shown = of_now and share.live and offer.is_open
            match event:
                case Offer.Shared() if event.circle == circle_hex and shown:
                    if _may_hear(work, circle):
                        work.subjects.put(circle, subject, "offer", offer.id)
                        yield self._say(circle, subject, event, offer_shared(offer))
                case Offer.ExpiryExtended() if told and shown:
                    before = work.positions.get(view_of(subject))
                    yield replace(self._say(circle, subject, event, offer_shared(offer)), withhold=before)
                case Offer.BookingChanged() if told and shown:
                    yield self._say(circle, subject, event, offer_updated(offer))
                case Offer.Unshared() if event.circle == circle_hex and told:
                    revoked = self._say(circle, subject, event, say.OfferShareRevoked())
                    yield replace(revoked, withhold=work.positions.get(view_of(subject)))
                case Offer.Erased():
                    yield from self._erasures(work, circle, event)
                case Offer.Withdrawn() | Offer.Closed() if told:
                    # One that was reopened before we came here was closed all the same, for those who knew of it then.
                    if share.live if of_now else circle_hex in offer.circles_at_closing(event.originator_version):
                        yield self._say(circle, subject, event, say.OfferClosed(_why_closed(event)))

    def _erasures(self, work: Work, circle: bytes, event: Event) -> Iterator[Outgoing]:
        """All that can be erased of what this circle was ever told because of one aggregate, by the name it knew."""
        head = work.feeds.head(circle_origin(self._gid, circle, work.positions.get(generation_of(circle))))
        if head is None:
            return
        names = (self._ids.statement(circle, event_id(each)) for each in stream_of(work, event))
        erasing = erasable(work, head, names)
        for number, (subject, parts) in enumerate(erasing):
            erased = self._say(circle, subject, event, say.PartsErased(head.generation, parts))
            name = self._ids.statement(circle, event_id(event) + b"erased" + number.to_bytes(4, "big"))
            yield replace(erased, statement_id=name, erase=parts)

    def _about_pledge(self, work: Work, event: Event, pledge: Pledge) -> Iterator[Outgoing]:
        if pledge.circle is None or isinstance(event, Pledge.ReceiptAsked):
            return
        circle = bytes.fromhex(pledge.circle)
        if pledge.role == GIVER:
            subject = self._name(work, circle, pledge, pledge.id)
            offer = self._offer_name(work, circle, pledge)
            work.subjects.put(circle, subject, "pledge", pledge.id)
            statement = _giver_says(event, pledge, offer)
        else:
            assert pledge.role == HOME
            (name,) = work.subjects.of(pledge.id)
            subject, statement = name.subject_id, _home_says(event)
        refs = (entry_ref(work, event.cause),) if event.cause else ()
        yield self._say(circle, subject, event, statement, refs)

    def _about_dispute(self, work: Work, event: Event, dispute: Dispute) -> Iterator[Outgoing]:
        if dispute.circle is None or not dispute.is_told:
            return
        circle = bytes.fromhex(dispute.circle)
        if dispute.ours == GIVER:
            subject = self._name(work, circle, work.get(Pledge, dispute.pledge_id), dispute.pledge_id)
        else:
            (name,) = work.subjects.of(dispute.pledge_id)
            subject = name.subject_id
        match event:
            case Dispute.Opened():
                yield self._say(circle, subject, event, say.DisputeOpened(event.number, event.about))
            case Dispute.Resolved():
                resolved = say.DisputeResolved(dispute.side, dispute.number, event.how)
                yield self._say(circle, subject, event, resolved)

    def _offer_name(self, work: Work, circle: bytes, pledge: Pledge) -> bytes | None:
        """The id by which the circle knows the offer that a pledge of ours comes from, or would know it."""
        if pledge.offer_id is None:
            return None
        offer = work.get(Offer, pledge.offer_id)
        return self._name(work, circle, offer, offer.name_at(offer.version))

    def _name(self, work: Work, circle: bytes, thing: Recorded, name: UUID) -> bytes:
        """The id by which this circle knows something of ours: made of `name`, but what came back after a restore keeps
        the one it had."""
        if thing.recovered and name == thing.id:
            for known in work.subjects.of(thing.id):
                if known.circle == circle:
                    return known.subject_id
        return self._ids.subject(circle, name)

    def _about_circle(self, work: Work, event: Event, link: PeerLink) -> Iterator[Outgoing]:
        match event:
            case PeerLink.Activated():
                circle = bytes.fromhex(event.circle)
                signatures = tuple((gid, bytes.fromhex(text)) for gid, text in sorted(event.signatures.items()))
                terms = bytes.fromhex(event.terms)
                for gid in Terms.decode(terms).parties:
                    # From now on its feed is expected, and who is in this circle can be read from its feeds.
                    if gid != self._gid:
                        theirs = circle_origin(gid, circle)
                        work.feeds.open_feed(theirs, origin_hash(theirs), gid, circle, 0, Frontier.empty().encode())
                opened = say.CircleOpened(terms, signatures)
                yield self._say(circle, self._ids.subject(circle, link.id), event, opened)
            case PeerLink.RevocationAcknowledged() if event.cause:
                circle, subject = bytes.fromhex(event.circle), bytes.fromhex(event.subject)
                refs = (entry_ref(work, event.cause),)
                yield self._say(circle, subject, event, say.ShareAcknowledged(), refs)
            case PeerLink.ErasureAcknowledged() if event.cause:
                circle, subject = bytes.fromhex(event.circle), bytes.fromhex(event.subject)
                refs = (entry_ref(work, event.cause),)
                yield self._say(circle, subject, event, say.ErasureAcknowledged(), refs)

    def _say(
        self, circle: bytes, subject: bytes, event: Event, statement: Statement, refs: tuple[Ref, ...] = ()
    ) -> Outgoing:
        name = self._ids.statement(circle, event_id(event))
        return Outgoing(circle, subject, name, event.timestamp, statement, refs)


def _giver_says(event: Event, pledge: Pledge, offer: bytes | None) -> Statement:
    match event:
        case Pledge.Offered():
            amount, window = amount_text(event.quantity), epoch_minutes(pledge.window)
            return say.PledgeOffered(pledge.need_id.bytes, offer, 1, amount, pledge.unit, pledge.how, *window)
        case Pledge.Revised():
            return say.PledgeRevised(event.revision, amount_text(event.quantity))
        case Pledge.Committed():
            return say.PledgeCommitted(event.acceptance, amount_text(event.quantity))
        case Pledge.Withdrawn():
            return say.PledgeWithdrawn(event.reason)
        case Pledge.HandedOver():
            return say.HandoverDeclared(event.number, amount_text(event.quantity), event.outcome)
        case Pledge.HandOverFailed():
            return say.HandoverFailed(event.number, event.reason)
        case Pledge.HandOverCorrected():
            return say.HandoverCorrected(event.number, amount_text(event.quantity))
    return _either_says(event)


def _home_says(event: Event) -> Statement:
    match event:
        case Pledge.Countered():
            return say.PledgeCountered(event.revision, amount_text(event.quantity))
        case Pledge.Declined():
            return say.PledgeDeclined(event.revision, event.reason)
        case Pledge.Accepted():
            return say.PledgeAccepted(event.acceptance, event.revision, amount_text(event.quantity))
        case Pledge.Released():
            return say.PledgeReleased(event.acceptance, event.reason)
        case Pledge.Received():
            return say.ReceiptConfirmed(event.number, amount_text(event.quantity), event.condition)
        case Pledge.HandOverMissed():
            return say.HandoverMissed(event.number, event.reason)
        case Pledge.ReceiptPresumed():
            return say.ReceiptPresumed(event.number, amount_text(event.quantity), event.corrections)
        case Pledge.ReceiptCorrected():
            return say.ReceiptCorrected(event.number, amount_text(event.quantity))
    return _either_says(event)


def _either_says(event: Event) -> Statement:
    match event:
        case Pledge.TimeProposed():
            window = Window(event.window_start, event.window_end)
            return say.HandoverProposed(event.revision, *epoch_minutes(window))
        case Pledge.DiscrepancyLeft():
            return say.DiscrepancyLeft(amount_text(event.handed), amount_text(event.received))
    raise TypeError(f"nobody says {type(event).__qualname__} about a pledge")


def _why_closed(event: Event) -> str:
    """For others, one that another takes the place of is withdrawn."""
    return event.reason if isinstance(event, Offer.Closed) and event.reason != "superseded" else "withdrawn"


def _may_hear(work: Work, circle: bytes) -> bool:
    """Whether this circle's agreement is in force here: only then is anything new shared with it."""
    links = [work.find(PeerLink, PeerLink.id_of(head.owner)) for head in work.feeds.heads(circle=circle)]
    return any(link is not None and link.is_active and link.circle == circle.hex() for link in links)


def view_of(subject: bytes) -> str:
    """The position that says which entry of our feed shows this subject's view."""
    return f"view:{subject.hex()}"
