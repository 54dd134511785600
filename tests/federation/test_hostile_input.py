"""Mallory's group is a peer like any other, signs what it sends, and lies. Names are those of reliability.md, A."""

from __future__ import annotations

import resource
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.application.arrival import trusted, verify
from aidmesh_node.application.subject_ids import heard_pledge_id
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.pledge_fold import REVISIONS_MAX
from aidmesh_node.federation.intake import FAULTS_MAX, IDLE_FRAMES_MAX, PARTS_BYTES_MAX
from aidmesh_node.storage.evidence import KEPT_MAX
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views import shared_needs
from aidmesh_protocol import statements as said
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    More,
    PackageFrame,
    PartFrame,
    Sizes,
    Want,
    decode_bundle,
    encode_frame,
)
from aidmesh_protocol.checkpoint import open_checkpoint
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Ref, SealedEntry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.limits import FEED_ENTRIES_MAX, MINUTE_MAX, PART_CONTENT_BYTES_MAX
from aidmesh_protocol.merkle import consistency_proof, subtree_reader
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.statements import NeedShared, NeedUpdated, NeedView
from tests.support import poison
from tests.support.federation import Group
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, bundle, evidence, head, raw_frame, send, town
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

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group of Ed25519."""

MEMORY_BYTES_MAX = 128 * 1024 * 1024


async def test_a01_only_the_key_that_signed_is_the_author(tmp_path: Path) -> None:
    """Mallory writes in alice's name, in bob's, and shows alice's feed with entries of its own."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        need = await post_need(here.alice, 5)
        await share(here.alice, need, x.circle)
        await here.alice.federation.publisher.publish()
        origin = circle_origin(here.alice.node.gid, x.circle)
        before = await head(here.alice, origin)
        for owner in (here.alice.node.gid, here.bob.node.gid):
            forged = RawFeed(circle_origin(owner, x.circle), x.key)
            forged.append(*(x.need("Forged") for _ in range(9)))
            pulled = await x.shows(here.alice, *forged.frames())
            assert [each.code for each in pulled.refused][:1] == ["unknown_feed"]
        assert await head(here.alice, origin) == before
        assert here.alice.federation.standing()["standing"] == "active", "an unsigned claim never moves us"
        assert "Forged" not in await items(here.alice)
        assert await here.good_news()


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


async def test_a03_no_flipped_bit_is_accepted(tmp_path: Path) -> None:
    """Every bit of an entry, its part and its checkpoint."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need())
        await x.shows(here.alice, CheckpointFrame(x.feed.note(0)))
        held = await head(here.alice, x.feed.origin)
        assert held is not None
        feed, good = trusted(held, x.key.verify_key), x.feed.package(0)
        checkpoint = open_checkpoint(x.feed.note(), x.feed.origin, x.key.verify_key)
        parts = [x.feed.part(0, FACTS), x.feed.part(0, VIEW)]
        assert len(verify(held, feed, checkpoint, good, parts).entries) == 1
        refused = 0
        for flipped in flips(good.entries[0]):
            with pytest.raises(ProtocolError):
                verify(held, feed, checkpoint, replace(good, entries=(flipped,)), parts)
            refused += 1
        for flipped in flips(parts[0].part):
            with pytest.raises(ProtocolError):
                verify(held, feed, checkpoint, good, [replace(parts[0], part=flipped)])
            refused += 1
        for flipped in flips(x.feed.note()):
            with pytest.raises(ProtocolError):
                open_checkpoint(flipped, x.feed.origin, x.key.verify_key)
            refused += 1
        assert refused == 8 * (len(good.entries[0]) + len(parts[0].part) + len(x.feed.note()))


async def test_a04_there_is_one_encoding(tmp_path: Path) -> None:
    """The owner itself signs entries that say the same in other bytes: none becomes an entry."""
    async with town(tmp_path) as here:
        entry = (await here.mallory()).need().entry
        assert entry[:2] == b"\x99\x01"
        others = {
            "wide-integer": b"\x99\xcc\x01" + entry[2:],
            "wide-array": b"\xdc\x00\x09" + entry[1:],
            "wide-bytes": entry.replace(b"\xc4\x10", b"\xc5\x00\x10", 1),
            "text-for-bytes": entry.replace(b"\xc4\x10", b"\xd9\x10", 1),
            "trailing-byte": entry + b"\xc0",
            "twice": entry + entry,
            "a-map": b"\x81\x01\x02",
            "negative-zero": entry[:-1] + b"\xcb\x80" + bytes(7),
        }
        for name, other in others.items():
            x = await here.mallory(name)
            x.feed.append(x.need(), other)
            pulled = await x.pulled_by(here.alice)
            assert [each.code for each in pulled.refused] == ["malformed"], name
            held = await head(here.alice, x.feed.origin)
            assert held is not None and held.size == 0, name


async def test_a05_to_a08_poison_between_good_entries(tmp_path: Path) -> None:
    """a18 and a21 too: whatever mallory signs, everything after it still counts, and nothing of it happens."""
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
    """One feed a poison: the evidence names that entry and nothing else."""
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


async def test_a08_a_claimed_length_costs_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        before = peak_bytes()
        for claim in (b"\xdd", b"\xdf", b"\xc6", b"\xdb", b"\xc9"):
            payload = b"\x92\x03" + claim + b"\xff\xff\xff\xff" + bytes(10)
            with pytest.raises(ProtocolError) as caught:
                await x.sends(here.alice, *bundle(raw_frame(payload)))
            assert caught.value.code == "malformed"
            with pytest.raises(ProtocolError):
                await send(here.alice, x.request(here.alice, b"".join(bundle(raw_frame(payload)))))
        assert peak_bytes() - before < 5 * 1024 * 1024
        assert await here.good_news()


async def test_a12_what_is_true_in_one_feed_is_nothing_in_another(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("For alice"))
        with_alice = x.feed
        await x.pair_with(here.bob)
        assert x.feed.origin != with_alice.origin
        told = await x.shows(here.bob, *with_alice.frames())
        assert [each.code for each in told.refused] == ["unknown_feed"], "another circle's feed"

        x.feed.append(*with_alice.sealed)
        moved = PackageFrame(replace(x.feed.package(0), origin_hash=with_alice.hash))
        told = await x.shows(here.bob, CheckpointFrame(x.feed.note()), moved)
        assert [each.code for each in told.refused] == ["unknown_feed"], "a package under another feed's name"

        facts = dict(with_alice.sealed[0].parts)[FACTS]
        told = await x.shows(here.bob, *x.feed.frames(), PartFrame(x.feed.hash, 0, VIEW, facts))
        assert [each.code for each in told.refused] == ["proof_invalid"], "facts shown as a view"
        assert await items(here.bob) == set()


async def test_a13_a_captured_request_counts_once(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice)
        await send(here.alice, captured)
        await refused(here.alice, captured, "bad_signature")
        await refused(here.bob, captured, "bad_signature")
        for other in (
            replace(captured, body=captured.body + b"\0"),
            replace(captured, path="/aidmesh/1/wake"),
            replace(captured, path="/aidmesh/1/Sync"),
            replace(captured, query="again"),
            replace(captured, method="GET"),
            replace(captured, method="PUT"),
        ):
            await refused(here.alice, other, "bad_signature")
        clock.time += timedelta(seconds=601)
        clock._ticks += 601
        await refused(here.alice, captured, "clock_skew")


async def test_a13_a_request_from_the_future_is_not_accepted_again_when_its_nonce_is_forgotten(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice, created=int(clock.now().timestamp()) + 300)
        await send(here.alice, captured)
        clock.time += timedelta(seconds=600.9)
        clock._ticks += 600.9
        await refused(here.alice, captured, "clock_skew")
        await send(here.alice, x.request(here.alice))


async def test_a13_a_clock_set_back_lets_nothing_in_again(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice)
        await send(here.alice, captured)
        clock._ticks += 1200
        clock.time += timedelta(seconds=1200)
        await send(here.alice, x.request(here.alice))
        clock.time -= timedelta(seconds=1200)
        await refused(here.alice, captured, "clock_skew")


async def test_a13_after_a_restart_what_was_captured_before_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        captured = x.request(here.alice)
        await send(here.alice, captured)
        await here.mesh.stop("alice")
        alice = await here.mesh.start("alice")
        await refused(alice, captured, "clock_skew")


async def test_a14_a15_signatures_have_one_form(tmp_path: Path) -> None:
    """S + L, S = 0, wrong lengths, all zeros: the same verdict everywhere, and no exception."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        message = b"the same for all"
        good = x.key.sign(message)
        x.key.verify_key.verify(good, message)
        higher = good[:32] + (int.from_bytes(good[32:], "little") + L).to_bytes(32, "little")
        for bad in (higher, good[:32] + bytes(32), bytes(64), b"", good[:63], good + b"\0", b"\xff" * 64):
            with pytest.raises(ProtocolError) as caught:
                x.key.verify_key.verify(bad, message)
            assert caught.value.code == "bad_signature"
        for key in (bytes(32), b"", bytes(31), bytes(33), b"\xff" * 32, bytes([1]) + bytes(31)):
            with pytest.raises(ProtocolError) as caught:
                VerifyKey.admit(key)
            assert caught.value.code == "unknown_key"


async def test_a16_refs_to_nowhere_fetch_nothing(tmp_path: Path) -> None:
    """To itself, to another feed, to the future: refs are followed by nobody, and never asked for."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        need = bytes.fromhex(await share(here.alice, await post_need(here.alice, 9), x.circle))
        await here.alice.federation.publisher.publish()
        for origin, index in ((bytes(32), 0), (x.feed.hash, 0), (x.feed.hash, 2**52)):
            x.say(offered(need, "1"), refs=[Ref(origin, index, bytes(32))] * 8)
        pulled = await x.pulled_by(here.alice)
        assert pulled.refused == [] and await evidence(here.alice, x.gid) == []
        await x.pulled_by(here.alice)
        asked = decode_bundle(x.asked[-1].body, bytes_max=1 << 20)
        assert not any(isinstance(frame, Want) for frame in asked)


async def test_a17_overlaps_are_skipped_and_gaps_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.need(f"Need {number}") for number in range(300)))
        await x.shows(here.alice, *x.feed.frames(0, 10))
        overlapping = x.feed.frames(0, 300)
        pulled = await x.shows(here.alice, *overlapping)
        assert (pulled.entries, pulled.refused) == (290, [])
        again = await x.shows(here.alice, *overlapping)
        assert (again.entries, again.refused) == (0, []), "the same again changes nothing"
        backwards = PackageFrame(x.feed.package(0, 256, 300))
        pulled = await x.shows(here.alice, CheckpointFrame(x.feed.note()), backwards, *[backwards] * 5)
        assert (pulled.entries, pulled.refused) == (0, [])
        x.feed.append(x.need(), x.need())
        pulled = await x.shows(here.alice, CheckpointFrame(x.feed.note()), PackageFrame(x.feed.package(301)))
        assert [each.code for each in pulled.refused] == ["size_conflict"]
        assert len(await items(here.alice)) == 300


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


async def test_a26_proofs_of_other_trees(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.need() for _ in range(600)))
        good = x.feed.package(0)
        reader = subtree_reader(lambda a, b: x.feed.leaves[a:b], lambda level, index: None)
        wrong = {
            "of another size": tuple(consistency_proof(256, 599, reader)),
            "of another start": tuple(consistency_proof(255, 600, reader)),
            "none": (),
            "twice the first": (good.proof[0], *good.proof),
            "the last left out": good.proof[:-1],
            "one more": (*good.proof, bytes(32)),
            "backwards": good.proof[::-1],
            "a leaf as a node": (x.feed.leaves[0], *good.proof[1:]),
            "64 of them": (bytes(32),) * 64,
        }
        for name, proof in wrong.items():
            pulled = await x.shows(here.alice, CheckpointFrame(x.feed.note()), PackageFrame(replace(good, proof=proof)))
            assert [each.code for each in pulled.refused] == ["proof_invalid"], name
        # An entry that is an inner node of the tree: leaves and nodes are hashed differently.
        inner = x.feed.leaves[0] + x.feed.leaves[1]
        swapped = replace(good, entries=(inner, *good.entries[2:]), proof=good.proof)
        pulled = await x.shows(here.alice, CheckpointFrame(x.feed.note()), PackageFrame(swapped))
        assert pulled.refused and pulled.entries == 0
        assert await items(here.alice) == set()
        assert (await x.pulled_by(here.alice)).entries == 600


async def test_parts_withheld_hold_back_their_meaning_and_nothing_else(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        x.feed.append(*(x.need(f"Need {number}") for number in range(10)))
        hidden = [(4, FACTS), (7, FACTS), (8, VIEW)]
        pulled = await x.shows(alice, *x.feed.frames(without=hidden))
        assert (pulled.entries, pulled.refused) == (10, [])
        assert await items(alice) == {f"Need {number}" for number in range(4)}, "order is kept"
        assert await here.good_news()
        await x.shows(alice)
        (want,) = [each for each in decode_bundle(x.asked[-1].body, bytes_max=1 << 20) if isinstance(each, Want)]
        assert set(want.parts) == {(x.feed.hash, 4, FACTS), (x.feed.hash, 7, FACTS)}
        await x.shows(alice, x.feed.part(7))
        assert len(await items(alice)) == 4 + 1, "bob's too"
        await x.shows(alice, x.feed.part(4))
        shown = await items(alice)
        assert "Need 9" in shown and "Need 8" not in shown
        await x.shows(alice, x.feed.part(8, VIEW))
        assert {f"Need {number}" for number in range(10)} <= await items(alice)
        assert await evidence(alice, x.gid) == []
        assert alice.node.verify().ok


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


async def test_one_part_twice_in_one_answer(tmp_path: Path) -> None:
    """The same again is nothing; two parts for one commitment is a lie."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"))
        part = x.feed.part(0)
        pulled = await x.shows(here.alice, *x.feed.frames(), part, part, x.feed.part(0, VIEW))
        assert (pulled.entries, pulled.refused) == (1, [])
        assert await items(here.alice) == {"Tents"}
        x.feed.append(x.need("Lies"))
        frames = [*x.feed.frames(1), replace(x.feed.part(1), part=part.part)]
        assert [each.code for each in (await x.shows(here.alice, *frames)).refused] == ["proof_invalid"]


async def test_identity_with_one_part_twice_and_an_identity_that_forks(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        whole = x.ident()
        assert (await x.shows(here.alice, replace(whole, parts=(*whole.parts, whole.parts[1])))).refused == []
        forked = RawFeed(x.identity.origin, x.key, list(x.identity.sealed[:1]), list(x.identity.leaves[:1]))
        forked.append(x.seal(said.GroupDescribed("Red Cross", ("http://evil.test",)), subject=bytes(16)))
        parts = tuple((index, tag, part) for index, each in enumerate(forked.sealed) for tag, part in each.parts)
        fork = replace(whole, checkpoint=forked.note(), entries=tuple(e.entry for e in forked.sealed), parts=parts)
        assert [each.code for each in (await x.shows(here.alice, fork)).refused] == ["fork_detected"]
        x.identity.append(x.seal(said.GroupDescribed("Mallory again", (x.endpoint,)), subject=bytes(16)))
        assert [each.code for each in (await x.shows(here.alice, x.ident())).refused] == ["fork_detected"], "frozen"
        assert here.alice.node.verify().ok
        assert await here.good_news()


async def test_sizes_that_nobody_has(tmp_path: Path) -> None:
    """As answer and as question: acknowledged is at most what we served, and unknown feeds are not remembered."""
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        ours = circle_origin(alice.node.gid, x.circle)
        huge = [(RawFeed(ours, x.key).hash, FEED_ENTRIES_MAX, bytes(32))]
        noise = [(x.draw(32), FEED_ENTRIES_MAX, x.draw(32)) for _ in range(1000)]
        for _ in range(5):
            await x.asks(alice, Sizes((*huge, *noise)))
        held = await head(alice, ours)
        assert held is not None
        assert alice.federation.health(x.gid)["acknowledged"] == held.signed_size
        assert len(alice.federation.links._acknowledged) <= 4, "alice and bob share two feeds, so do alice and mallory"
        assert (await x.shows(alice, Sizes((*huge, *noise)))).refused == []
        assert alice.federation.standing()["standing"] == "active"
        x.feed.append(x.need())
        pulled = await x.shows(alice, CheckpointFrame(x.feed.note(FEED_ENTRIES_MAX, root=bytes(range(32)))))
        assert pulled.refused == []
        pulled = await x.pulled_by(alice)
        assert (pulled.entries, pulled.refused) == (1, []), "a claim does not keep true entries from coming"
        assert alice.node.verify().ok


async def test_a_peer_gets_nothing_that_is_not_served_to_it(tmp_path: Path) -> None:
    """It wants parts and entries of the circle with bob, of entries that are not signed, and everything twice."""
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        with_bob = RawFeed(circle_origin(alice.node.gid, alice.federation.links.all()[0].circle or b""), x.key)
        with_x = RawFeed(circle_origin(alice.node.gid, x.circle), x.key)
        await share(alice, await post_need(alice, 5), x.circle)
        await alice.federation.publisher.publish()
        await share(alice, await post_need(alice, 6, "Secret"), x.circle)
        await alice.node.writer.run(alice.federation.publisher._append)
        held = await head(alice, with_x.origin)
        assert held is not None and held.size == held.signed_size + 1, "one entry is not signed yet"
        sizes = Sizes(((with_x.hash, held.signed_size, bytes(32)),))
        for feed in (with_bob, with_x):
            start = 0 if feed is with_bob else held.signed_size
            parts = tuple((feed.hash, index, tag) for index in range(start, start + 50) for tag in (FACTS, VIEW))
            entries = tuple((feed.hash, index) for index in range(start, start + 50))
            got = await x.asks(alice, sizes, Want(parts, entries))
            assert {type(each).__name__ for each in got} <= {"Head", "Sizes", "CheckpointFrame", "Ident", "End"}
        got = await x.asks(alice, sizes, Want(((with_x.hash, 0, FACTS),) * 500, ((with_x.hash, 0),) * 500))
        assert [type(each).__name__ for each in got].count("PartFrame") == 1, "each thing once"
        assert [type(each).__name__ for each in got].count("Inclusion") == 1


async def test_too_many_faults_in_one_answer_end_it(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        wrong = []
        for _ in range(100):
            feed = RawFeed(circle_origin(x.gid, x.draw(32)), x.key)
            feed.append(x.need())
            wrong += feed.frames()[:1]
        x.feed.append(x.need("Late"))
        with pytest.raises(ProtocolError) as caught:
            await x.shows(here.alice, *wrong, *x.feed.frames())
        assert caught.value.code == "unknown_feed"
        assert await count(here.alice, x) == FAULTS_MAX
        assert await items(here.alice) == set()


async def test_an_answer_that_goes_on_without_telling_anything_is_given_up(tmp_path: Path) -> None:
    """Whole frames, none of them wrong, none of them new."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"))
        await x.pulled_by(here.alice)
        origin = circle_origin(here.alice.node.gid, x.circle)
        ours = await head(here.alice, origin)
        assert ours is not None and ours.checkpoint is not None
        for idle in (More(1), Sizes(()), x.ident(), CheckpointFrame(ours.checkpoint), Want()):
            with pytest.raises(ProtocolError) as caught:
                await x.shows(here.alice, *[idle] * (IDLE_FRAMES_MAX + FAULTS_MAX + 2))
            assert caught.value.code == "malformed", idle
        pulled = await x.shows(here.alice, *[x.feed.part(0)] * 1000)
        assert ([each.code for each in pulled.refused], pulled.entries) == (["malformed"], 0), (
            "passed over from then on"
        )
        assert await here.good_news()


async def test_j04_what_anybody_may_send_costs_little(tmp_path: Path) -> None:
    """Half a megabyte of the most laborious bytes, before anybody has proved who they are, and of a peer's."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        row = b"\xdc\x03\xe8" + b"\x90" * 1000
        table = b"\xdc\x02\x58" + row * 600
        sizes = encode_frame(Sizes(((bytes(32), 1, bytes(32)),) * 1024))
        for start in (b"\x92\x01", b"\x94\x01\x02\x03", b"\xdc\x03\xc6", b"\x96" + b"\x01" * 6):
            body = start + table
            begun = time.process_time()
            with pytest.raises(ProtocolError):
                await here.alice.federation.pair(body)
            assert time.process_time() - begun < 0.05
        for frames in ([sizes] * 500, [raw_frame(b"\x92\x7f" + table[:60_000])] * 17):
            request = x.request(here.alice, b"".join(bundle(*frames)))
            begun = time.process_time()
            with suppress(ProtocolError):
                await send(here.alice, request)
            assert time.process_time() - begun < 0.05


async def test_parts_of_any_size_are_kept_without_being_held(tmp_path: Path) -> None:
    """256 entries with the largest text there is: 15 MB of parts, of which at most 1 MiB is collected."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.raw_entry("essay.written", b"x" * (PART_CONTENT_BYTES_MAX - 3)) for _ in range(128)))
        assert 128 * PART_CONTENT_BYTES_MAX > 7 * PARTS_BYTES_MAX
        pulled = await x.pulled_by(here.alice)
        assert pulled.refused == []
        held = await head(here.alice, x.feed.origin)
        assert held is not None and held.folded == 128, "all parts are there"
        assert here.alice.node.verify().ok


async def test_a_flood_of_10_000_entries_is_taken_in_bounded_memory(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        tokens = [x.need(f"Flood {number}") for number in range(200)]
        for number in range(10_000):
            sealed = tokens[number % 200]
            entry = replace(Entry.decode(sealed.entry), statement_id=x.draw(16), subject_id=x.draw(16))
            x.feed.append(SealedEntry(entry.encode(), sealed.parts))
        x.answers = bundle(*x.feed.frames())
        before = peak_bytes()
        pulled = await x.pulled_by(here.alice)
        assert (pulled.entries, pulled.refused) == (10_000, [])
        assert peak_bytes() - before < MEMORY_BYTES_MAX
        assert await here.good_news()


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


# What the stories above are made of.


def offered(need: bytes, quantity: str) -> said.PledgeOffered:
    return said.PledgeOffered(need, None, 1, quantity, "item", "deliver", None, None)


def flips(data: bytes) -> list[bytes]:
    """The bytes with one bit changed, for every bit."""
    found = []
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found.append(bytes(changed))
    return found


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def subject_in(x: RawPeer, index: int) -> bytes:
    return Entry.decode(x.feed.sealed[index].entry).subject_id


async def heard_from(group: Group, subject: bytes) -> UUID:
    """The id by which this group knows a pledge that a peer offered under `subject`."""
    found = made(group, Pledge.Offered)
    for each in found:
        if each.circle and heard_pledge_id(bytes.fromhex(each.circle), subject) == each.originator_id:
            return UUID(str(each.originator_id))
    raise AssertionError("nobody heard of this pledge")


async def needs_of(group: Group) -> list[dict[str, Any]]:
    """All needs of other groups as the members see them, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page: Any = await group.see(needs_view.list_page, ours=False, limit=500, cursor=cursor)
        found += page["items"]
        if (cursor := page["cursor"]) is None:
            return found


async def items(group: Group) -> set[str]:
    """Items of the open needs of other groups, as the members see them."""
    return {each["item"] for each in await needs_of(group) if each["state"] == "open"}


async def stored(group: Group, x: RawPeer) -> list[bytes]:
    held = await head(group, x.feed.origin)
    assert held is not None
    return (await group.node.writer.run(lambda work: work.feeds.entries(held.feed, 0, held.size))).value


async def count(group: Group, x: RawPeer) -> int:
    """How many faults of x were counted, kept or not."""
    codes = {row.code for row in await evidence(group, x.gid)}
    counted = await group.node.writer.run(lambda work: [work.evidence.count(x.gid, code) for code in codes])
    return sum(counted.value)


async def refused(group: Group, request: Any, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        await send(group, request)
    assert caught.value.code == code
