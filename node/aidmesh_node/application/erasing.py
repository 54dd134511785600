"""Use cases on erasing: what was shared of a need or an offer, and what is kept of a person. Told openly: what other
groups have is deleted by them, not by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aidmesh_node.application.ports import FeedHead, Work
from aidmesh_node.application.ports_beside import Asked
from aidmesh_node.application.rights import require, require_own
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.member import REVOKED, Member
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.statements import PartsErased, read

SHOWN_MAX = 500
"""Erasures shown at once, each of which costs the writer some 0.1 ms: years of a group's work."""

Thing = type[Need] | type[Offer]

ELSEWHERE = (
    "The groups it was shared with are asked to erase it too, and each confirms it. That is a promise, which nobody "
    "can check from here: what somebody wrote down, printed, or keeps in a backup or a file may still be there."
)
NOWHERE_ELSE = "It was shared with nobody. What your own people wrote down or printed is still there."
PERSON = (
    "Backups of this node made before still hold the name, but no key that opens it: replace the backup of the keys."
)


def erase(
    work: Work, by: Act, kind: Thing, id: UUID, forget: bool = False, same_person: Sequence[tuple[Thing, UUID]] = ()
) -> dict[str, object]:
    """Erase what was shared of one thing, everywhere. `forget`: and whom it is for, and all that is `same_person`'s."""
    thing = work.get(kind, id)
    require_own(by, thing, "erase this")
    if not (forget and thing.erased):
        thing.erase(by)
    work.commit(thing)
    work.erasures.words(id)
    circles = set(thing.shares)
    if forget:
        require(by, "coordinator", "have somebody forgotten")
        for other_kind, other_id in same_person:
            other = work.get(other_kind, other_id)
            if other.person == thing.person and not other.erased:
                other.erase(by)
                work.commit(other)
                work.erasures.words(other_id)
                circles |= set(other.shares)
        if thing.person is not None:
            work.vault.erase(thing.person)
    told = " ".join([ELSEWHERE if circles else NOWHERE_ELSE, *([PERSON] if forget else [])])
    return {
        "id": id.hex, "version": thing.version, "state": thing.state, "erased": True, "forgotten": forget,
        "circles": sorted(circles), "elsewhere": told,
    }  # fmt: skip


def forget_member(work: Work, by: Act, member_id: UUID) -> dict[str, object]:
    """Forget name and contact of somebody whose way in was taken back. What they did stays, without them."""
    require(by, "coordinator", "have somebody forgotten")
    member = work.get(Member, member_id)
    if member.state != REVOKED:
        raise Refused(
            "still_a_member", "This member can still come in.", "Take their way in back first: member revoke."
        )
    if member.person is not None:
        work.vault.erase(member.person)
    return {
        "id": member.id.hex,
        "version": member.version,
        "state": member.state,
        "forgotten": True,
        "elsewhere": PERSON,
    }


def asked_of_others(work: Work, gid: str) -> list[dict[str, object]]:
    """The last erasures we asked others for, newest first (SPEC §5.6f): {kind, id, circle, at, groups: [{peer, had_it,
    confirmed}]}; hours since 1970. `had_it`: when parts of it first went to that group, None if never from here.
    """
    heads = {head.feed: head for head in work.feeds.heads()}
    return [_asked(work, gid, heads[asked.feed], asked) for asked in work.erasures.asked_last(SHOWN_MAX)]


def _asked(work: Work, gid: str, head: FeedHead, asked: Asked) -> dict[str, object]:
    data, _, parts = work.feeds.held(head.feed, asked.entry, asked.entry + 1)[0]
    entry = Entry.decode(data)
    statement = read(entry, parts)
    assert isinstance(statement, PartsErased) and head.circle is not None  # we wrote it
    about = work.subjects.find(head.circle, entry.subject_id)
    had: dict[str, int] = {}
    for index, _tag in statement.parts:
        for disclosed in work.disclosures.of(head.feed, index):
            had[disclosed.peer] = min(disclosed.hour, had.get(disclosed.peer, disclosed.hour))
    others = {other.owner for other in work.feeds.heads(circle=head.circle)} - {gid} | had.keys()
    return {
        "kind": about.kind if about else None,
        "id": about.aggregate_id.hex if about else None,
        "circle": head.circle.hex(),
        "at": asked.hour,
        "groups": [
            {"peer": peer, "had_it": had.get(peer), "confirmed": asked.receipts.get(peer)} for peer in sorted(others)
        ],
    }
