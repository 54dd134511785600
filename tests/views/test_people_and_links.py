"""Members and their tokens, links and circles, names, known items, and ids from a few characters."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from aidmesh_node.domain.group import Group
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views import circles, known_items, members, peers
from aidmesh_node.views.groups import own_group
from aidmesh_node.views.resolve import resolve
from aidmesh_protocol.statements import GroupDescribed, NeedShared, NeedView
from tests.views.house import ALICE, BOB, CIRCLE, MEMBER, NOON, OTHER_CIRCLE, OURS, PERSON, House

SECRET, TOKEN = sha256(b"secret").digest(), sha256(b"token").digest()


def invite(house: House, role: str = "coordinator", secret: bytes = SECRET) -> UUID:
    id, by = house.id(), house.act("operator")
    house.do(
        lambda work: work.commit(
            Member.invite(id, by, person=PERSON, role=role, secret_hash=secret.hex(), expires=NOON + timedelta(days=7))
        )
    )
    return id


def join(house: House, id: UUID, secret: bytes = SECRET, token: bytes = TOKEN) -> None:
    house.change(Member, id, lambda member: member.join(house.act(), secret_hash=secret.hex(), token_hash=token.hex()))


def test_a_token_belongs_to_who_joined_with_it(house: House) -> None:
    id = invite(house)
    assert house.ask(members.by_invitation_hash, SECRET) == id
    assert house.ask(members.by_token_hash, TOKEN) is None
    join(house, id)
    assert house.ask(members.by_token_hash, TOKEN) == (id, PERSON, "coordinator", False)
    assert house.ask(members.by_token_hash, SECRET) is None

    house.change(Member, id, lambda member: member.change_role(house.act("operator"), "member", operators=2))
    assert house.ask(members.by_token_hash, TOKEN) == (id, PERSON, "member", False)

    house.change(Member, id, lambda member: member.revoke(house.act("operator"), operators=2))
    assert house.ask(members.by_token_hash, TOKEN) == (id, PERSON, "member", True)


def test_members_in_the_order_of_invitation(house: House) -> None:
    first, second = invite(house, "operator"), invite(house, "member", sha256(b"other").digest())
    join(house, first)
    assert house.ask(members.list_all) == [
        {
            "id": first.hex,
            "role": "operator",
            "state": "joined",
            "expires": None,
            "invited_at": "2026-11-22T12:01:00Z",
            "joined_at": "2026-11-22T12:03:00Z",
            "version": 2,
        },
        {
            "id": second.hex,
            "role": "member",
            "state": "invited",
            "expires": "2026-11-29T12:00:00Z",
            "invited_at": "2026-11-22T12:02:00Z",
            "joined_at": None,
            "version": 1,
        },
    ]
    assert house.ask(members.get, second.hex) == house.ask(members.list_all)[1]
    assert house.ask(members.active_operators) == 1
    assert house.ask(members.persons) == {first.hex: PERSON.hex, second.hex: PERSON.hex}


def test_a_link_from_invitation_to_its_end(house: House) -> None:
    house.found()
    words = ["one", "two", "three", "four"]

    def meet(link: PeerLink) -> None:
        link.meet(
            house.act("operator"),
            name="Alice's group",
            endpoints=["http://a"],
            words=words,
            our_nonce="00",
            their_nonce="01",
            terms="02",
        )

    house.do(lambda work: work.commit(PeerLink.invite(house.act("operator"), gid=ALICE)))
    id = PeerLink.id_of(ALICE)
    assert [(link["state"], link["name"]) for link in house.ask(peers.list_all)] == [("invited", None)]

    house.change(PeerLink, id, meet)
    link = house.ask(peers.get, ALICE)
    assert link == {
        "gid": ALICE,
        "name": "Alice's group",
        "state": "pending",
        "words": words,
        "circle": None,
        "endpoints": ["http://a"],
        "confirmed": False,
        "reason": None,
        "version": 2,
    }
    house.change(PeerLink, id, lambda link: link.confirm(house.act("operator"), words=words, signature="03"))
    link = house.ask(peers.get, ALICE)
    assert link is not None and link["confirmed"]

    house.change(PeerLink, id, lambda link: link.sign(house.act(heard=True), signature="04"))
    house.change(PeerLink, id, lambda link: link.activate(house.act("operator"), circle=CIRCLE.hex(), our_gid=OURS))
    link = house.ask(peers.get, ALICE)
    assert link is not None
    assert (link["state"], link["circle"], link["words"]) == ("active", CIRCLE.hex(), None)
    assert house.ask(circles.list_all) == [
        {
            "id": CIRCLE.hex(),
            "peers": [{"gid": ALICE, "name": "Alice's group"}],
            "state": "active",
            "ours": {"origin": f"aidmesh/{OURS}/c/{CIRCLE.hex()}/0"},
            "theirs": [{"gid": ALICE, "origin": f"aidmesh/{ALICE}/c/{CIRCLE.hex()}/0"}],
        }
    ]

    def state() -> list[object]:
        return [house.ask(peers.list_all)[0]["state"], *(one["state"] for one in house.ask(circles.list_all))]

    house.change(PeerLink, id, lambda link: link.suspend(house.act("operator"), "agreement ended"))
    assert state() == ["suspended", "suspended"]
    assert house.ask(circles.list_all, "active") == []
    house.change(PeerLink, id, lambda link: link.resume(house.act("operator")))
    assert state() == ["active", "active"]
    house.change(PeerLink, id, lambda link: link.sever(house.act("operator"), "over"))
    assert state() == ["severed", "severed"]

    house.change(PeerLink, id, meet)
    assert state() == ["pending", "severed"]
    house.change(PeerLink, id, lambda link: link.confirm(house.act("operator"), words=words, signature="05"))
    house.change(PeerLink, id, lambda link: link.sign(house.act(heard=True), signature="06"))
    house.change(
        PeerLink, id, lambda link: link.activate(house.act("operator"), circle=OTHER_CIRCLE.hex(), our_gid=OURS)
    )
    house.change(PeerLink, id, lambda link: link.suspend(house.act("operator"), "agreement ended"))
    assert state() == ["suspended", "severed", "suspended"]


def test_a_peer_by_what_a_person_types(house: House) -> None:
    house.link(ALICE, "Alice's group")
    house.link(BOB, "Alice's other group", OTHER_CIRCLE)

    def found(text: str) -> list[str]:
        return [link["gid"] for link in house.ask(peers.find, text)]

    assert found("alice's group") == [ALICE]
    assert found("ALICE") == [ALICE, BOB]
    assert found(BOB) == [BOB]
    assert found("bbb") == [BOB]
    assert found("nobody") == found(" ") == []
    assert house.ask(circles.find, CIRCLE.hex()[:6]) == [CIRCLE.hex()]


def test_what_a_group_calls_itself_goes_first(house: House) -> None:
    house.found()
    house.link(ALICE, "Alice's group")
    house.feed(ALICE, None).say(bytes(16), GroupDescribed("Alice and friends", ("http://a",)))
    # Only the identity feed speaks for the group as a whole.
    house.feed(ALICE).say(bytes(16), GroupDescribed("Somebody else", ()))
    link = house.ask(peers.get, ALICE)
    assert link is not None and link["name"] == "Alice and friends"

    house.change(
        Group,
        Group.id_of(OURS),
        lambda group: group.describe(house.act("operator"), name="New", endpoints=[]),
    )
    assert house.ask(own_group) == (OURS, "New")


def test_an_item_is_known_once_somebody_responsible_used_it(house: House) -> None:
    def known(item: str) -> bool:
        return house.ask(known_items.is_known, item)

    assert known("  blanket ")
    assert not known("Rabbit hutch")
    house.need(item="Rabbit  hutch", by=house.act("member", MEMBER))
    assert not known("Rabbit hutch")
    house.need(item="Rabbit hutch")
    assert known("rabbit HUTCH")
    assert {"item": "Rabbit hutch", "category": "bedding"} in house.ask(known_items.list_all)
    house.offer(item="Goat shed")
    assert known("Goat shed")


def test_an_id_from_a_few_characters(house: House) -> None:
    need, offer = house.need(), house.offer()
    subject = need.bytes[:4] + bytes(12)
    view = NeedView("food", None, "low", None, None, None)
    house.feed(ALICE).say(subject, NeedShared("1", "kg", "1", view))
    both = house.ask(resolve, need.hex[:8].upper())
    assert sorted(both) == sorted([("need", need.hex, True), ("need", subject.hex(), False)])
    assert house.ask(resolve, str(need)) == [("need", need.hex, True)]
    assert house.ask(resolve, offer.hex[:6]) == [("offer", offer.hex, True)]
    assert house.ask(resolve, offer.hex[:6], "need") == []
    assert house.ask(resolve, offer.hex[:5]) == house.ask(resolve, "%_' OR 1") == []
