"""What people in a story do, in one line each, and what must hold whenever a story ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.application.pledges import OfferPledge, SharedNeed
from aidmesh_node.application.subject_ids import SubjectIds, heard_pledge_id
from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import GIVER, Pledge
from aidmesh_node.domain.pledge_fold import PledgeState
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_node.views import shared_needs
from aidmesh_node.views.board import board
from aidmesh_protocol.bundle import MAGIC, End, FrameReader
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.identity import circle_origin
from aidmesh_protocol.statements import read
from tests.support.federation import Group, Mesh

CONSENT = Consent("by_phone", "v1", "en")
EVENTS_MAX = 100_000


async def two_groups(mesh: Mesh) -> tuple[Group, Group, bytes]:
    """Alice's and bob's, connected; the id of the circle between them."""
    alice, bob = await mesh.found("alice"), await mesh.found("bob")
    return alice, bob, await mesh.pair(alice, bob)


async def post_need(group: Group, amount: int, item: str = "Blankets", **private: str) -> UUID:
    """Somebody asks for so many of something; `private` goes to the vault."""
    need_id = group.node.entropy.uuid()
    asked = PostNeed("bedding", Quantity(Decimal(amount), "item"), item=item, area="North", private=private)
    await group.do(needs.post_need, need_id, group.node.entropy.uuid(), asked)
    return need_id


async def share(group: Group, need_id: UUID, circle: bytes) -> str:
    """A coordinator shares it with the person's consent. Returns the id the circle will know it by."""
    await group.do(needs.share_need, need_id, circle, CONSENT)
    return subject_of(group, circle, need_id).hex()


async def a_shared_need(mesh: Mesh) -> tuple[Group, Group, bytes, UUID, str]:
    """Alice's and bob's group, their circle, and a need of alice's for 20 that bob's group knows: its id, and its name
    in the circle."""
    alice, bob, circle = await two_groups(mesh)
    need = await post_need(alice, 20)
    subject = await share(alice, need, circle)
    await mesh.settle()
    return alice, bob, circle, need, subject


async def post_offer(group: Group, amount: int, item: str = "Blankets") -> UUID:
    """Somebody can give so many."""
    offer_id = group.node.entropy.uuid()
    stock = PostOffer("bedding", Quantity(Decimal(amount), "item"), "item", item=item)
    await group.do(offers.post_offer, offer_id, group.node.entropy.uuid(), stock)
    return offer_id


async def pledge(group: Group, subject: str, amount: int, offer: UUID | None = None) -> UUID:
    """Promise so many towards a need that a peer shows."""
    pledge_id = group.node.entropy.uuid()
    await group.do(pledges.offer_pledge, pledge_id, OfferPledge(await shown(group, subject), Decimal(amount), offer))
    return pledge_id


async def shown(group: Group, subject: str) -> SharedNeed:
    """A peer's need as this group's board knows it."""
    seen: Any = await group.see(shared_needs.standing, subject)
    entry = seen["shared"]
    name = f"{entry['origin_hash']}:{entry['index']}"
    return SharedNeed(UUID(subject), seen["circle"], seen["owner"], seen["unit"], name)


async def on_board(group: Group) -> dict[str, dict[str, Any]]:
    """Open needs by id as the members of this group see them."""
    seen: Any = await group.see(board)
    return {need["id"]: need for need in seen["needs"]}


def subject_of(group: Group, circle: bytes, aggregate: UUID) -> bytes:
    """The id by which a circle knows something of this group."""
    return SubjectIds(load_keys(Home(group.home).keys).subject).subject(circle, aggregate)


def heard(giver: Group, circle: bytes, pledge_id: UUID) -> UUID:
    """The id by which the need's home knows a giver's pledge."""
    return heard_pledge_id(circle, subject_of(giver, circle, pledge_id))


async def state(group: Group, pledge_id: UUID) -> PledgeState:
    """A pledge as this node folds it now."""
    return (await group.node.writer.run(lambda work: work.get(Pledge, pledge_id).state)).value


async def need_totals(group: Group, need_id: UUID) -> tuple[int, int, int]:
    """(reserved, received, acceptable) of one of our needs."""

    def read(work: Any) -> tuple[int, int, int]:
        need = work.get(Need, need_id)
        return int(need.reserved), int(need.received), int(need.acceptable)

    return (await group.node.writer.run(read)).value


async def offer_totals(group: Group, offer_id: UUID) -> tuple[int, int, int]:
    """(held, committed, drawn) of one of our offers."""

    def read(work: Any) -> tuple[int, int, int]:
        offer = work.get(Offer, offer_id)
        return int(offer.held), int(offer.committed), int(offer.drawn)

    return (await group.node.writer.run(read)).value


def made(group: Group, kind: type[Any]) -> list[Any]:
    """All events of one class in this node's log, in order."""
    events = group.node.readers.run_now(lambda reading: reading.events.select(0, EVENTS_MAX))
    return [event for _, event in events if isinstance(event, kind)]


def crossed(mesh: Mesh) -> bytes:
    """Everything that crossed the network so far: as sent, and as its frames read once they are unpacked."""
    raw = mesh.network.captured
    unpacked: list[bytes] = []
    reader: FrameReader | None = None
    for piece in raw:
        reader = FrameReader() if piece.startswith(MAGIC) else reader
        for frame in reader.feed(piece) if reader else ():
            unpacked += _flat(frame)
            reader = None if isinstance(frame, End) else reader
    return b"\n".join([*raw, *unpacked])


def _flat(value: object) -> Iterator[bytes]:
    if is_dataclass(value):
        value = tuple(getattr(value, each.name) for each in fields(value))
    if isinstance(value, tuple | list):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, bytes):
        yield value
    else:
        yield str(value).encode()


def said(reader: Group, owner: Group, circle: bytes) -> list[tuple[Entry, object]]:
    """What `reader` holds of what `owner` said to a circle, in order: entries and what they say."""

    def read_all(reading: Any) -> list[tuple[Entry, object]]:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        if head is None:
            return []
        parts: dict[int, dict[str, bytes]] = {}
        for index, tag in reading.feeds.part_names(head.feed, 0, head.size):
            parts.setdefault(index, {})[tag] = reading.feeds.part(head.feed, index, tag)
        entries = map(Entry.decode, reading.feeds.entries(head.feed, 0, head.size))
        return [(entry, read(entry, parts.get(index, {}))) for index, entry in enumerate(entries)]

    return reader.node.readers.run_now(read_all)


async def check_all_agree(mesh: Mesh) -> None:
    """The end of every story: all heard all, totals are the sums of their pledges, and every node verifies."""
    await mesh.settle()
    by_gid = {group.node.gid: group for group in mesh.groups.values()}
    for group in mesh.groups.values():
        for offered in made(group, Pledge.Offered):
            if offered.side == GIVER and offered.peer in by_gid:
                theirs = heard(group, bytes.fromhex(offered.circle), offered.originator_id)
                ours = await state(group, offered.originator_id)
                assert ours == await state(by_gid[offered.peer], theirs), "both sides agree on the pledge"
        await _check_sums(group)
        await _check_nobody_is_accused(group)
        report = group.node.verify()
        assert report.ok, f"{group.node.name}: {report.first_problem}"


async def _check_nobody_is_accused(group: Group) -> None:
    """Whatever crossed, whatever the network did: no group of the story said what an honest one could not."""
    kept = (await group.node.writer.run(lambda work: work.evidence.kept())).value
    assert not [row for row in kept if row.feed is not None], "nothing of an honest peer's feed is refused"


async def _check_sums(group: Group) -> None:
    def check(work: Any) -> None:
        held = [work.get(Pledge, offered.originator_id) for offered in made(group, Pledge.Offered)]
        for posted in made(group, Need.Posted):
            need = work.get(Need, posted.originator_id)
            mine = [each.state.coverage for each in held if each.role != GIVER and each.need_id == need.id]
            assert need.reserved == sum(coverage.reserved for coverage in mine)
            assert need.received == sum(coverage.received for coverage in mine)
            surplus = max(Decimal(0), need.received - need.quantity)
            assert need.reserved + need.received <= need.quantity + surplus
        for posted in made(group, Offer.Posted):
            offer = work.get(Offer, posted.originator_id)
            taken = [each.state.booking for each in held if each.offer_id == offer.id]
            assert offer.held == sum(booking.held for booking in taken)
            assert offer.committed == sum(booking.committed for booking in taken)
            assert offer.drawn == sum(booking.drawn for booking in taken)
            assert offer.quantity is None or offer.held + offer.committed + offer.drawn <= offer.quantity

    await group.node.writer.run(check)
