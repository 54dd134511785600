"""Mallory's group is a peer like any other, signs what it sends, and lies. Names are those of reliability.md, A."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.application.arrival import trusted, verify
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    PackageFrame,
    PartFrame,
    Want,
    decode_bundle,
)
from aidmesh_protocol.checkpoint import open_checkpoint
from aidmesh_protocol.entry import FACTS, VIEW, Ref
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.merkle import consistency_proof, subtree_reader
from aidmesh_protocol.origin import circle_origin
from tests.support.lies import (
    flips,
    items,
    offered,
    peak_bytes,
)
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import bundle, evidence, head, raw_frame, send, town
from tests.support.stories import (
    post_need,
    share,
)

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group of Ed25519."""


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
        parts = {tag: (x.feed.part(0, tag).part,) for tag in (FACTS, VIEW)}
        assert len(verify(held, feed, checkpoint, good, parts).package.entries) == 1
        refused = 0
        for flipped in flips(good.entries[0]):
            with pytest.raises(ProtocolError):
                verify(held, feed, checkpoint, replace(good, entries=(flipped,)), parts)
            refused += 1
        for flipped in flips(parts[FACTS][0]):
            with pytest.raises(ProtocolError):
                verify(held, feed, checkpoint, good, {FACTS: (flipped,)})
            refused += 1
        for flipped in flips(x.feed.note()):
            with pytest.raises(ProtocolError):
                open_checkpoint(flipped, x.feed.origin, x.key.verify_key)
            refused += 1
        assert refused == 8 * (len(good.entries[0]) + len(parts[FACTS][0]) + len(x.feed.note()))


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


async def test_a14_a15_signatures_have_one_form(tmp_path: Path) -> None:
    """S + L, S = 0, wrong lengths, all zeros: the same verdict everywhere, and no exception. SPEC §3.2a."""
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
