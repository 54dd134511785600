"""What mallory's group signs about others' needs, pledges and names. Names are those of reliability.md, A."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from aidmesh_node.application import pledges
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.pledge_fold import REVISIONS_MAX
from aidmesh_node.storage.evidence import KEPT_MAX
from aidmesh_node.views import shared_needs
from aidmesh_protocol import statements as said
from aidmesh_protocol.bundle import (
    CheckpointFrame,
)
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.limits import MINUTE_MAX
from aidmesh_protocol.statements import NeedShared, NeedUpdated, NeedView
from tests.support import poison
from tests.support.lies import (
    count,
    heard_from,
    items,
    needs_of,
    offered,
    stored,
    subject_in,
)
from tests.support.raw_peer import evidence, head, town
from tests.support.stories import (
    made,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    share,
    state,
    subject_of,
)


async def test_a02_a_member_cannot_be_spoken_for(tmp_path: Path) -> None:
    """Statements name no author: whose feed it is decides, so what mallory's feed shows is mallory's."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        need = await post_need(here.bob, 5, "Stoves")
        subject = bytes.fromhex(await share(here.bob, need, here.bob.circle))
        await here.mesh.settle()
        view = NeedView("shelter", "Ransom", "normal", None, None, None)
        x.say(NeedShared("7", "item", "7", view), subject=subject)
        x.say(said.NeedClosed("met"), subject=subject)
        await x.pulled_by(here.alice)
        shown = await items(here.alice)
        assert "Stoves" in shown, "bob's need is as open as before, under bob's name"
        bobs = [each for each in await needs_of(here.alice) if each["group"] == here.bob.node.gid]
        assert [(each["item"], each["state"], each["quantity"]) for each in bobs] == [("Stoves", "open", "5")]


async def test_a05_to_a08_poison_between_good_entries(tmp_path: Path) -> None:
    """a18 and a21 too: whatever mallory signs, everything after it still counts, and nothing of it happens.

    SPEC §5.5b.
    """
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        need_id = await post_need(alice, 20)
        subject = bytes.fromhex(await share(alice, need_id, x.circle))
        x.feed.append(x.need("First"))
        ours = x.draw(16)
        x.say(offered(subject, "5"), subject=ours, refs=[x.feed.ref(0)])
        await here.mesh.round()
        await x.pulled_by(alice)
        offer_id = await post_offer(alice, 9)
        theirs_id = await pledge(alice, subject_in(x, 0).hex(), 4, offer_id)
        await here.mesh.round()
        theirs = subject_of(alice, x.circle, theirs_id)
        heard_id = await heard_from(alice, ours)
        before = (await state(alice, heard_id), await state(alice, theirs_id), await offer_totals(alice, offer_id))
        bad = [*poison.undecodable(x, subject), *poison.illegal(x, subject, ours, theirs)]
        assert len(bad) > 80
        fresh = await count(alice, x)
        for number, (_, sealed) in enumerate(bad):
            x.feed.append(sealed, x.need(f"Good {number}"))
        pulled = await x.pulled_by(alice)
        assert (pulled.refused, pulled.entries) == ([], 2 * len(bad)), "the feed itself is in order"

        assert await count(alice, x) - fresh == len(bad), "each is counted as evidence"
        kept = await evidence(alice, x.gid)
        assert len(kept) <= KEPT_MAX, "and nobody can fill the disk with it"
        first = [each.entry for _, each in bad[: len(kept)]]
        assert [each.blobs for each in kept[: len(first)]] == [(entry,) for entry in first]
        shown = await items(alice)
        assert {f"Good {number}" for number in range(len(bad))} <= shown, "all that came between and after"
        assert not shown & {"Tents", ""}
        ransom = [each["group"] for each in await needs_of(alice) if each["item"] == "Ransom"]
        assert ransom == [x.gid], "whatever id it chooses, what mallory shows is mallory's"
        after = (await state(alice, heard_id), await state(alice, theirs_id), await offer_totals(alice, offer_id))
        assert after == before
        assert await need_totals(alice, need_id) == (0, 0, 20)
        mine = (await on_board(alice))[need_id.hex]
        assert (mine["state"], mine["open"], mine["item"]) == ("open", "20", "Blankets")
        assert len(await stored(alice, x)) == x.feed.size, "what means nothing is still kept in the feed, verbatim"
        assert alice.node.verify().ok
        assert await here.good_news()


async def test_each_poison_is_refused_for_its_own_sake(tmp_path: Path) -> None:
    """One feed a poison: the evidence names that entry and nothing else. SPEC §5.5c, §15.2a."""
    async with town(tmp_path) as here:
        alice = here.alice
        need_id = await post_need(alice, 20)
        for number in range(0, 1000, 9):
            x = await here.mallory(f"p{number}")
            subject = bytes.fromhex(await share(alice, need_id, x.circle))
            await alice.federation.publisher.publish()
            x.feed.append(x.need())
            all_of_them = list(poison.undecodable(x, subject))
            if number >= len(all_of_them):
                break
            name, sealed = all_of_them[number]
            x.feed.append(sealed)
            await x.pulled_by(alice)
            (row,) = await evidence(alice, x.gid)
            assert row.blobs == (sealed.entry,) and "entry 1" in row.detail, name


async def test_a18_one_poison_entry_between_two_times_500(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.need(f"Before {number}") for number in range(500)))
        x.feed.append(x.raw_entry("pledge.offered", b"\xc1", refs=[x.feed.ref(0)]))
        x.feed.append(*(x.need(f"After {number}") for number in range(500)))
        pulled = await x.pulled_by(here.alice)
        assert (pulled.entries, pulled.refused) == (1001, [])
        assert len(await items(here.alice)) == 1000
        assert [row.code for row in await evidence(here.alice, x.gid)] == ["malformed"]
        assert here.alice.node.verify().ok


async def test_a19_what_a_later_version_says_is_kept_and_hidden(tmp_path: Path) -> None:
    """SPEC §5.1b, §5.5a."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        unknown = [sealed for _, sealed in poison.unknown(x)]
        x.feed.append(*unknown, x.need("Known"))
        pulled = await x.pulled_by(here.alice)
        assert (pulled.entries, pulled.refused) == (len(unknown) + 1, [])
        assert await stored(here.alice, x) == [each.entry for each in x.feed.sealed], "byte for byte"
        assert await items(here.alice) == {"Known"}
        assert await evidence(here.alice, x.gid) == [], "and it is no fault"
        held = await head(here.alice, x.feed.origin)
        assert held is not None and held.folded == held.size
        names = {tag for each in unknown for tag, _ in each.parts}
        assert names == {FACTS, VIEW}
        assert here.alice.node.verify().ok


async def test_a20_ids_cannot_be_squatted(tmp_path: Path) -> None:
    """Mallory pledges under the id of bob's pledge and shows needs under ids of others: two names, two things."""
    async with town(tmp_path) as here:
        alice, bob, x = here.alice, here.bob, await here.mallory()
        need_id = await post_need(alice, 20)
        with_bob, with_x = bob.circle, x.circle
        shown_to_bob = await share(alice, need_id, with_bob)
        shown_to_x = bytes.fromhex(await share(alice, need_id, with_x))
        await here.mesh.settle()
        bobs_id = await pledge(bob, shown_to_bob, 6)
        stolen = subject_of(bob, with_bob, bobs_id)
        x.feed.append(x.need())
        x.say(offered(shown_to_x, "7"), subject=stolen, refs=[x.feed.ref(0)])
        x.say(said.PledgeWithdrawn("none"), subject=stolen)
        await x.pulled_by(alice)
        await here.mesh.settle()
        heard = made(alice, Pledge.Offered)
        assert sorted((each.peer == bob.node.gid, int(each.quantity)) for each in heard) == [(False, 7), (True, 6)]
        bobs = next(each.originator_id for each in heard if each.peer == bob.node.gid)
        assert not (await state(alice, bobs)).giver.withdrawn
        await alice.do(pledges.accept_pledge, bobs)
        await here.mesh.settle()
        assert (await state(bob, bobs_id)).phase == "committed"
        # A pledge of bob's towards a need that mallory knows only from the other circle: nothing.
        x.say(offered(bytes.fromhex(shown_to_bob), "7"), refs=[x.feed.ref(0)])
        await x.pulled_by(alice)
        assert "never shared" in (await evidence(alice, x.gid))[-1].detail


async def test_a21_a_giver_cannot_count_for_the_home(tmp_path: Path) -> None:
    """Mallory pledges, commits to more, hands over absurd amounts, 64 times: the need lacks what it lacked."""
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        need_id = await post_need(alice, 20)
        need = bytes.fromhex(await share(alice, need_id, x.circle))
        await alice.federation.publisher.publish()
        mine = x.draw(16)
        x.feed.append(x.need())
        ref = [x.feed.ref(0)]
        last = MINUTE_MAX
        x.say(said.PledgeOffered(need, None, 1, "1000000000", "item", "remote", last, last), subject=mine, refs=ref)
        await x.pulled_by(alice)
        heard_id = await heard_from(alice, mine)
        await alice.do(pledges.accept_pledge, heard_id, Decimal(8))
        x.say(said.PledgeCommitted(1, "9"), subject=mine, refs=ref)
        x.say(said.PledgeCommitted(2, "8"), subject=mine, refs=ref)
        x.say(said.PledgeCommitted(1, "8"), subject=mine, refs=ref)
        x.say(said.PledgeCommitted(1, "3"), subject=mine, refs=ref)
        for number in range(1, 41):
            x.say(said.HandoverDeclared(number, "1000000000", "handed"), subject=mine)
        await x.pulled_by(alice)
        told = await state(alice, heard_id)
        assert (int(told.committed), int(told.received), told.phase) == (8, 0, "handed_over")
        assert await need_totals(alice, need_id) == (8, 0, 12), "only what arrives is received"
        told_of = [row.detail for row in await evidence(alice, x.gid)]
        assert len(told_of) == 2 and "made 9 firm where we had accepted 8" in told_of[0]
        await alice.federation.publisher.publish()
        assert alice.node.verify().ok


async def test_a21_after_64_revisions_it_is_enough(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        need = bytes.fromhex(await share(alice, await post_need(alice, 20), x.circle))
        await alice.federation.publisher.publish()
        mine = x.draw(16)
        x.feed.append(x.need())
        x.say(offered(need, "1"), subject=mine, refs=[x.feed.ref(0)])
        for revision in range(2, REVISIONS_MAX + 10):
            x.say(said.PledgeRevised(revision, str(revision)), subject=mine)
        await x.pulled_by(alice)
        assert (await state(alice, await heard_from(alice, mine))).giver.revision == REVISIONS_MAX
        assert await count(alice, x) == 9


async def test_a22_what_was_refused_once_is_refused_again_by_every_way(tmp_path: Path) -> None:
    """As a package, as a late part, alone, and after the feed has grown: one verdict each, and nothing stored."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Good"), b"\xc0")
        for _ in range(3):
            pulled = await x.pulled_by(here.alice)
            assert [each.code for each in pulled.refused] == ["malformed"]
        x.feed.append(x.need("Later"))
        assert [each.code for each in (await x.pulled_by(here.alice)).refused] == ["malformed"]
        assert await items(here.alice) == set(), "a feed with an entry that is none does not go on"

        y = await here.mallory("oscar")
        y.feed.append(y.need("Tents"))
        other = replace(y.feed.part(0), part=dict(y.need().parts)[FACTS])
        frames = y.feed.frames(without=[(0, FACTS)])
        assert [each.code for each in (await y.shows(here.alice, *frames, other)).refused] == ["proof_invalid"]
        await y.shows(here.alice, *frames)
        for _ in range(3):
            assert [each.code for each in (await y.shows(here.alice, other)).refused] == ["proof_invalid"]
        assert await items(here.alice) == set()
        await y.shows(here.alice, y.feed.part(0))
        assert await items(here.alice) == {"Tents"}, "and the right one is as welcome as ever"


async def test_contradictions_are_shown_as_said_and_break_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        view = NeedView("shelter", "Tents", "normal", 0, MINUTE_MAX, None)
        need = x.draw(16)
        x.say(NeedShared("5", "item", "1000000000", view), subject=need)
        x.say(NeedUpdated("1", "1000000000", "1000000000"), subject=need)
        x.say(NeedUpdated("0", "0", "0"), subject=need)
        x.say(said.NeedShareRevoked(), subject=need)
        x.say(NeedUpdated("7", "0", "0"), subject=need)
        x.say(NeedShared("6", "kg", "6", view), subject=need)
        x.say(said.NeedClosed("met"), subject=need)
        x.say(NeedShared("9", "item", "9", view), subject=need)
        x.feed.append(x.need("Last"))
        assert (await x.pulled_by(here.alice)).refused == []
        assert await items(here.alice) == {"Last"}
        seen: Any = await here.alice.see(shared_needs.get, need.hex())
        assert (seen["state"], seen["quantity"]) == ("closed", "6"), "the last word is the last"


async def test_a_node_that_was_lied_to_starts_again_as_if_nothing_had_happened(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"), x.raw_entry("pledge.offered", b"\xc1"))
        await x.pulled_by(here.alice)
        await x.shows(here.alice, CheckpointFrame(x.feed.note(root=bytes(range(32)))))
        await here.mesh.stop("alice")
        alice = await here.mesh.start("alice")
        assert await items(alice) == {"Tents"}
        await here.mesh.settle()
        assert await here.good_news(alice)
        assert alice.node.verify().ok
        held = await head(alice, x.feed.origin)
        assert held is not None and held.frozen == "fork_detected"
