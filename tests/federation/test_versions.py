"""Programs of different versions: what one does not understand it keeps, passes on and hides, and reads once it can."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from aidmesh_node.application import passed_over, pledges
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.window import Window
from aidmesh_protocol import statements as said
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Ref
from aidmesh_protocol.merkle import leaf_hash
from aidmesh_protocol.statements import EVERYTHING, STATEMENTS, Statement, Vocabulary
from tests.federation.test_concurrent_cases import busy_story
from tests.support.federation import Group, Mesh
from tests.support.lies import heard_from, items
from tests.support.lines import check_all_hold_the_same, held
from tests.support.old_peer import OldPeer
from tests.support.raw_peer import evidence, head, town
from tests.support.stories import (
    a_shared_need,
    check_all_agree,
    heard,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    share,
    state,
    two_groups,
)


def without(*unknown: type[Statement]) -> Vocabulary:
    """What a version read that did not know these yet."""
    return Vocabulary(kind for kind in STATEMENTS if kind not in unknown)


async def update(mesh: Mesh, name: str, vocabulary: Vocabulary = EVERYTHING) -> Group:
    """Stop the node, put another version of the program in its place, start it."""
    await mesh.stop(name)
    mesh.vocabularies[name] = vocabulary
    group = await mesh.start(name)
    await mesh.settle()
    return group


async def accused(group: Group) -> list[str]:
    return [row.detail for row in (await group.node.writer.run(lambda work: work.evidence.kept())).value]


async def test_a19_what_was_not_understood_appears_after_an_upgrade(tmp_path: Path) -> None:
    """Bob's node is from a time when nobody could share needs; back and forth, nothing is lost on the way."""
    async with Mesh(tmp_path) as mesh:
        older = without(said.NeedShared, said.NeedUpdated, said.NeedClosed)
        mesh.vocabularies["bob"] = older
        alice, bob, circle = await two_groups(mesh)
        need = await post_need(alice, 20, "Tents")
        await share(alice, need, circle)
        await mesh.settle()

        check_all_hold_the_same([(alice, bob, circle)])
        assert len(held(bob, alice, circle)) > 2, "stored, to the byte, with its parts"
        assert await on_board(bob) == {} and await accused(bob) == []
        assert bob.node.verify().ok

        for _ in range(2):
            bob = await update(mesh, "bob")
            assert [shown["item"] for shown in (await on_board(bob)).values()] == ["Tents"]
            bob = await update(mesh, "bob", older)
            assert await on_board(bob) == {}
        bob = await update(mesh, "bob")
        (subject,) = await on_board(bob)
        offered = await pledge(bob, subject, 5)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, offered))
        await mesh.settle()
        assert await need_totals(alice, need) == (5, 0, 15)
        await check_all_agree(mesh)


async def test_a_pledge_that_the_home_could_not_read_is_heard_after_an_upgrade(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        mesh.vocabularies["alice"] = without(said.PledgeOffered, said.PledgeWithdrawn)
        alice, bob, circle, need, subject = await a_shared_need(mesh)
        stock = await post_offer(bob, 30)
        kept, withdrawn = await pledge(bob, subject, 6, stock), await pledge(bob, subject, 4, stock)
        await bob.do(pledges.withdraw_pledge, withdrawn)
        await mesh.settle()
        assert await accused(alice) == [] and await need_totals(alice, need) == (0, 0, 20)

        alice = await update(mesh, "alice")
        assert (await state(alice, heard(bob, circle, withdrawn))).phase == "withdrawn", "and in their order"
        await alice.do(pledges.accept_pledge, heard(bob, circle, kept))
        await mesh.settle()
        assert await need_totals(alice, need) == (6, 0, 14)
        assert await offer_totals(bob, stock) == (0, 6, 0)
        await check_all_agree(mesh)


async def test_what_seemed_impossible_for_want_of_what_was_not_understood_is_judged_anew(tmp_path: Path) -> None:
    """The giver revises, which the home cannot read, and names a time for that revision, which it can."""
    async with Mesh(tmp_path) as mesh:
        mesh.vocabularies["alice"] = without(said.PledgeRevised)
        alice, bob, circle, _, subject = await a_shared_need(mesh)
        mine = await pledge(bob, subject, 6)
        await mesh.settle()
        later = Window(mesh.clock.now(), None)
        await bob.do(pledges.revise_pledge, mine, Decimal(9), later)
        await mesh.settle()
        assert (await state(alice, heard(bob, circle, mine))).giver.revision == 1
        (complaint,) = await accused(alice)
        assert "revision 2" in complaint

        alice = await update(mesh, "alice")
        theirs = await state(alice, heard(bob, circle, mine))
        assert theirs == await state(bob, mine) and theirs.giver.revision == 2
        assert len(await accused(alice)) == 1, "and nobody is accused a second time"


async def test_reading_everything_again_changes_nothing(tmp_path: Path) -> None:
    """The busiest story there is, and every feed interpreted once more from its first entry."""

    async def again(mesh: Mesh) -> None:
        for group in mesh.groups.values():
            before = group.node.writer.position

            def go_back(work: Work, own: str = group.node.gid) -> int:
                others = [each for each in work.feeds.heads() if each.owner != own and each.circle is not None]
                for each in others:
                    work.feeds.read_again(each.feed, 0)
                return len(others)

            assert (await group.node.writer.run(go_back)).value == 1
            for link in group.federation.links.active():
                sender = group.federation.links.sender(link.gid)
                await group.federation.replication.interpret(sender)
            feeds = group.node.readers.run_now(lambda reading: reading.feeds.heads())
            assert all(each.folded == each.size for each in feeds if each.circle and each.owner != group.node.gid)
            assert group.node.writer.position == before, "nothing was recorded that had not been"
            assert await accused(group) == []

    story = tmp_path / "story"
    story.mkdir()
    await busy_story(story, None, then=again)


async def test_a_later_schema_is_passed_over_and_remembered_once(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Before"), x.raw_entry("need.shared", ["5", "item", "5", "more"], [], schema=2))
        x.feed.append(x.need("Between"), x.raw_entry("need.shared", ["7", "item", "7", "more"], [], schema=2))
        await x.pulled_by(here.alice)
        assert await items(here.alice) == {"Before", "Between"} and await evidence(here.alice, x.gid) == []

        def upgraded(work: Work, vocabulary: Vocabulary) -> tuple[int, int | None]:
            feeds = passed_over.read_again(work, vocabulary)
            now = work.feeds.head(x.feed.origin)
            return feeds, now.folded if now else None

        run = here.alice.node.writer.run
        assert (await run(lambda work: upgraded(work, EVERYTHING))).value == (0, 4), "this version is no wiser"
        assert (await run(lambda work: upgraded(work, Later()))).value == (1, 1), "where the first of them lies"
        assert (await run(lambda work: upgraded(work, Later()))).value == (0, 1), "and only once"


class Later(Vocabulary):
    """A version that reads the second schema of everything."""

    __slots__ = ()

    def __init__(self, statements: Iterable[type[Statement]] = STATEMENTS) -> None:
        super().__init__(statements)

    @property
    def schemas(self) -> dict[str, int]:
        return dict.fromkeys(super().schemas, 2)


async def test_a_peer_one_version_back_does_all_of_the_main_job(tmp_path: Path) -> None:
    """It knows neither COLUMN nor READS: it gets every part one by one, and nothing that it would have to skip."""
    async with town(tmp_path) as here:
        alice = here.alice
        old = OldPeer(here.mesh, "oldtown")
        await old.pair_with(alice)
        need = await post_need(alice, 20, "Tents")
        subject = bytes.fromhex(await share(alice, need, old.circle))
        await alice.federation.publisher.publish()
        await old.pulls(alice)
        (tents,) = [each for each in said_to(old) if isinstance(each, said.NeedShared)]
        assert tents.view is not None and tents.view.item == "Tents" and tents.open == "20"

        mine, feed = old.draw(16), alice_feed(old)
        offered = said.PledgeOffered(subject, None, 1, "5", "item", "deliver", None, None)
        old.say(offered, subject=mine, refs=[ref(old, 1)])
        await old.pulled_by(alice)
        known = await heard_from(alice, mine)
        await alice.do(pledges.accept_pledge, known)
        await alice.federation.publisher.publish()
        await old.pulls(alice)
        assert said.PledgeAccepted(1, 1, "5") in said_to(old)
        accepted = len(old.held[feed].entries) - 1
        old.say(said.PledgeCommitted(1, "5"), subject=mine, refs=[ref(old, accepted)])
        old.say(said.HandoverDeclared(1, "5", "handed"), subject=mine)
        await old.pulled_by(alice)
        await alice.do(pledges.receive_pledge, known)
        await alice.federation.publisher.publish()
        await old.pulls(alice)
        assert said.ReceiptConfirmed(1, "5", "good") in said_to(old)
        assert await need_totals(alice, need) == (0, 5, 15)
        assert old.skipped == [] and await evidence(alice, old.gid) == []
        whole = await head(alice, old.feed.origin)
        assert whole is not None and whole.folded == whole.size == old.feed.size


def alice_feed(old: OldPeer) -> bytes:
    """The only circle feed that the old peer holds of another."""
    (feed,) = old.held
    return feed


def ref(old: OldPeer, index: int) -> Ref:
    feed = alice_feed(old)
    return Ref(feed, index, leaf_hash(old.held[feed].entries[index]))


def said_to(old: OldPeer) -> list[object]:
    """What the old peer understands of what it holds: every part it needs is there."""
    understood: list[object] = []
    for held_feed in old.held.values():
        for index, data in enumerate(held_feed.entries):
            parts = {tag: held_feed.parts[index, tag] for tag in (FACTS, VIEW) if (index, tag) in held_feed.parts}
            understood.append(EVERYTHING.read(Entry.decode(data), parts))
    assert not [each for each in understood if isinstance(each, said.Incomplete)]
    return understood


async def test_upgrade_required_says_so_to_the_people_who_can_do_something(tmp_path: Path) -> None:
    """An entry of another version than ours: whoever looks at the peer reads what to do."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"), b"\x99\x02" + x.need().entry[2:])
        link = here.alice.federation.links.get(x.gid)
        assert link is not None
        await x.pulled_by(here.alice)
        pulled = await x.pulled_by(here.alice)
        assert [each.code for each in pulled.refused] == ["upgrade_required"]
        replication = here.alice.federation.replication
        replication._succeeded(link.name, replication.contact(x.gid), pulled)
        trouble = str(here.alice.federation.health(x.gid)["trouble"])
        assert "newer aidmesh" in trouble and "update" in trouble
        assert await here.good_news()
