"""One table: every refusal of the protocol that this version can produce, how it is provoked, and what comes of it.

For every row: the code, its HTTP status and problem document where somebody is answered, the offending bytes kept where
a peer's data was at fault (nothing where only a request was refused), and that the next good entry of another, honest
group becomes visible all the same.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.federation.links import HELD_ANSWERS_MAX
from aidmesh_node.federation.peer_rates import REQUESTS_BURST
from aidmesh_node.federation.request_auth import ISSUED_PREFIX
from aidmesh_node.federation.serve import ANSWERS_MAX
from aidmesh_node.home import Home
from aidmesh_node.http.app import build_app
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol import canonical, checkpoint, paths
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    CheckpointFrame,
    End,
    Frame,
    Ident,
    PackageFrame,
    PartFrame,
    Sizes,
    decode_bundle,
    encode_bundle,
    encode_frame,
)
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.entry import Part
from aidmesh_protocol.errors import STATUS, ProtocolError
from aidmesh_protocol.identity import Inception, group_id, incept
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, SYNC_BODY_BYTES_MAX, SYNC_CHECKPOINTS_MAX
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash
from aidmesh_protocol.words import commitment
from tests.support.federation import Group
from tests.support.raw_feed import RawFeed
from tests.support.raw_group import HOUR
from tests.support.raw_peer import RawPeer, Town, bundle, evidence, head, raw_frame, send, town
from tests.support.stories import on_board

NOT_PRODUCED = {
    "part_erased": "erasing parts is another issue; a part that is withheld is simply not in the answer",
    "quota": "shares of space are another issue; evidence, nonces and rates are bounded one by one",
}

Question = PeerRequest | bytes
"""A request to /sync or /wake, or a body for /pair."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the hostile peer answers, and the bytes that must be kept of it, each as one blob."""

    pieces: Sequence[bytes]
    kept: Sequence[bytes] = ()
    frozen: bool = False


Provocation = Callable[[Town, RawPeer], Awaitable[Shown]]
Provoking = Callable[[Town, RawPeer], Awaitable[Question]]


# Answerer: a hostile request is refused; nothing is kept, since it proves nothing to anybody.


async def body_is_no_bundle(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, b"GET / HTTP/1.1\r\n")


async def body_without_end(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, MAGIC)


async def two_sizes_at_once(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, [Sizes(()), Sizes(())])


async def entries_as_a_question(town: Town, x: RawPeer) -> Question:
    x.feed.append(x.need())
    return x.request(town.alice, x.feed.frames())


async def too_many_checkpoints(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, [CheckpointFrame(x.feed.note(0))] * (SYNC_CHECKPOINTS_MAX + 1))


async def lists_in_lists(town: Town, x: RawPeer) -> Question:
    return b"\x94\x01" + b"\xdc\x03\xe8" + b"\x90" * 1000 + b"\xc0\xc0"


async def pairing_noise(town: Town, x: RawPeer) -> Question:
    return b"\x93\x01\x02\x03"


async def pairing_answer_as_question(town: Town, x: RawPeer) -> Question:
    return messages.encode(messages.RevealAnswer(x.draw(32)))


async def body_over_its_bound(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, bytes(SYNC_BODY_BYTES_MAX + 1))


async def frame_that_claims_4_gib(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, MAGIC + raw_frame(b"\x92\x03", length=2**32 - 1))


async def pairing_over_its_bound(town: Town, x: RawPeer) -> Question:
    return bytes(PAIRING_BYTES_MAX + 1)


async def clock_far_behind(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=int(town.mesh.clock.now().timestamp()) - 301)


async def clock_far_ahead(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=int(town.mesh.clock.now().timestamp()) + 302)


async def nonce_of_its_own_making(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=0, nonce=f"{ISSUED_PREFIX}99999999~aaaaaaaaaaaa~{'A' * 24}")


async def not_signed(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice), headers=())


async def signed_by_another_key(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, key=x.witness)


async def signed_for_another_body(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice), body=b"".join(bundle(x.identity.frames()[0])))


async def signed_for_another_group(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, destination=town.bob.node.gid)


async def signed_for_wake(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice, path=paths.WAKE), path=paths.SYNC)


async def said_twice(town: Town, x: RawPeer) -> Question:
    request = x.request(town.alice)
    await send(town.alice, request)
    return request


async def stranger(town: Town, x: RawPeer) -> Question:
    return RawPeer(town.mesh, f"{x.name}-unknown").request(town.alice)


async def words_not_compared_yet(town: Town, x: RawPeer) -> Question:
    eve = RawPeer(town.mesh, f"{x.name}-pending")
    await eve.meet(town.alice)
    return eve.request(town.alice)


async def invented_invitation(town: Town, x: RawPeer) -> Question:
    ident = b"".join(encode_bundle([x.ident()]))
    return messages.encode(messages.Hello(x.draw(16), ident, commitment(x.draw(32))))


async def link_paused(town: Town, x: RawPeer) -> Question:
    await change_link(town, x, lambda link: link.suspend(town.alice.act("operator"), "we need to talk"))
    return x.request(town.alice)


async def link_ended(town: Town, x: RawPeer) -> Question:
    await change_link(town, x, lambda link: link.sever(town.alice.act("operator"), "enough"))
    return x.request(town.alice)


async def wake_after_the_end(town: Town, x: RawPeer) -> Question:
    await link_ended(town, x)
    return x.request(town.alice, b"", path=paths.WAKE)


async def haste(town: Town, x: RawPeer) -> Question:
    """More requests than its bucket holds, while no time passes."""
    town.mesh.clock.tick_seconds = 0.0  # type: ignore[attr-defined]
    for _ in range(int(REQUESTS_BURST)):
        town.alice.federation.wake(x.request(town.alice, b"", path=paths.WAKE))
    return x.request(town.alice)


async def third_question_on_the_line(town: Town, x: RawPeer) -> Question:
    """Two answers are held back for it already."""
    for _ in range(HELD_ANSWERS_MAX):
        town.kept.append(held := town.alice.federation.links.holding(x.gid))
        held.__enter__()
    served = Sizes(tuple((hashed, 99, bytes(32)) for hashed in feeds_of_alice(town, x)))
    return x.request(town.alice, [Ask(1000, 20), served])


async def answers_it_does_not_read(town: Town, x: RawPeer) -> Question:
    for _ in range(ANSWERS_MAX):
        answer = town.alice.federation.sync(x.request(town.alice))
        town.kept.append(answer)
        await anext(answer)
    return x.request(town.alice)


async def haste_in_pairing(town: Town, x: RawPeer) -> Question:
    town.mesh.clock.tick_seconds = 0.0  # type: ignore[attr-defined]
    for _ in range(int(REQUESTS_BURST)):
        with pytest.raises(ProtocolError):
            await town.alice.federation.pair(b"x")
    return b"x"


async def recovering(town: Town, x: RawPeer) -> Question:
    """Carol's node meets its own signature on more entries than it has: it was restored."""
    carol = town.mesh.groups.get("carol")
    if carol is not None:
        return await again_with_carol(x, carol)
    carol = await town.mesh.found("carol")
    await town.mesh.pair(carol, town.bob)
    await x.pair_with(carol)
    origin = circle_origin(carol.node.gid, x.circle)
    beyond = checkpoint.sign(Checkpoint(origin, 99, bytes(range(32))), load_keys(Home(carol.home).keys).signing)
    with pytest.raises(ProtocolError):
        await x.asks(carol, CheckpointFrame(beyond.note))
    return x.request(carol)


async def again_with_carol(x: RawPeer, carol: Group) -> Question:
    await x.pair_with(carol)
    return x.request(carol)


# Requester: a hostile answer is refused; the bytes that show it are kept.


async def noise(town: Town, x: RawPeer) -> Shown:
    data = x.draw(9000)
    return Shown([data], [data[:4096]])


async def answer_without_end(town: Town, x: RawPeer) -> Shown:
    return Shown([MAGIC], [MAGIC])


async def not_canonical(town: Town, x: RawPeer) -> Shown:
    frame = raw_frame(b"\x91\xcc\x0d")  # END as two bytes where one does
    return Shown([MAGIC, frame], [frame])


async def signed_entry_that_is_none(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need(), b"\xc0", x.need())
    return of_feed(x)


async def package_that_ends_anywhere(town: Town, x: RawPeer) -> Shown:
    x.feed.append(*(x.need() for _ in range(3)))
    return of_package(x, PackageFrame(x.feed.package(0, 2, 3)))


async def checkpoint_of_other_form(town: Town, x: RawPeer) -> Shown:
    note = x.feed.note(0).replace(b"\n0\n", b"\n00\n")
    return of_frame(CheckpointFrame(note))


async def frame_over_its_bound(town: Town, x: RawPeer) -> Shown:
    frame = raw_frame(b"\x92\x03", length=2**32 - 1)
    return Shown([MAGIC, frame], [frame])


async def bomb(town: Town, x: RawPeer) -> Shown:
    packed = zlib.compress(b"\x92\x03" + bytes(64 * 1024 * 1024), 9)
    frame = raw_frame(packed, flags=1)
    return Shown([MAGIC + frame], [(MAGIC + frame)[:4096]])


async def checkpoint_by_another_key(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need())
    return of_frame(CheckpointFrame(x.feed.note(key=x.witness)))


async def checkpoint_in_bobs_name(town: Town, x: RawPeer) -> Shown:
    """The feed is bob's, the signature mallory's: whose word it is decides the key, never the sender."""
    origin = circle_origin(x.gid, x.circle)
    note = checkpoint.sign(Checkpoint(origin, 1, bytes(32)), SigningKey.from_seed(bytes(32))).note
    return of_frame(CheckpointFrame(note))


async def identity_with_a_weak_key(town: Town, x: RawPeer) -> Shown:
    weak = bytes([1]) + bytes(31)  # the identity point: one signature fits every message
    entry = incept(Inception(weak, x.witness.verify_key.raw, x.draw(32), x.draw(32)), x.draw(16), HOUR)
    feed = RawFeed(identity_origin(group_id(entry.entry)), x.key)
    feed.append(entry)
    return of_frame(Ident(feed.note(), 0, (entry.entry,), (), ((0, "facts", entry.parts[0][1]),)))


async def feed_of_bob(town: Town, x: RawPeer) -> Shown:
    feed = RawFeed(circle_origin(town.bob.node.gid, x.circle), x.key)
    feed.append(x.need())
    return of_frame(CheckpointFrame(feed.note()))


async def feed_of_another_circle(town: Town, x: RawPeer) -> Shown:
    feed = RawFeed(circle_origin(x.gid, town.alice.federation.links.all()[0].circle or b""), x.key)
    feed.append(x.need())
    assert feed.origin != x.feed.origin
    return of_frame(CheckpointFrame(feed.note()))


async def entries_without_checkpoint(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need())
    return of_frame(PackageFrame(x.feed.package(0)))


async def part_of_nothing(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need())
    return of_frame(x.feed.part(0))


async def identity_of_bob(town: Town, x: RawPeer) -> Shown:
    (bob,) = [each for each in await x_hears_ident(town.bob) if isinstance(each, Ident)]
    return of_frame(bob)


async def gap(town: Town, x: RawPeer) -> Shown:
    x.feed.append(*(x.need() for _ in range(3)))
    return of_package(x, PackageFrame(x.feed.package(1)))


async def beyond_the_checkpoint(town: Town, x: RawPeer) -> Shown:
    x.feed.append(*(x.need() for _ in range(3)))
    package, note = PackageFrame(x.feed.package(0)), x.feed.note(2)
    return Shown(bundle(CheckpointFrame(note), package), [note, encode_frame(package)])


async def identity_in_pieces(town: Town, x: RawPeer) -> Shown:
    whole = x.ident()
    return of_frame(replace(whole, entries=whole.entries[:1], parts=whole.parts[:1]))


async def checkpoint_of_another_generation(town: Town, x: RawPeer) -> Shown:
    feed = RawFeed(circle_origin(x.gid, x.circle, 1), x.key)
    feed.append(x.need())
    return Shown(bundle(*feed.frames()), [encode_frame(CheckpointFrame(feed.note()))])


async def proof_of_another_tree(town: Town, x: RawPeer) -> Shown:
    x.feed.append(*(x.need() for _ in range(300)))
    good = x.feed.package(0)
    forged = PackageFrame(replace(good, proof=(good.proof[0], bytes(32), *good.proof[2:])))
    return of_package(x, forged)


async def proof_where_none_belongs(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need())
    return of_package(x, PackageFrame(replace(x.feed.package(0), proof=(bytes(32),))))


async def part_of_another_entry(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need(), x.need())
    wrong = replace(x.feed.part(0), index=1)
    note, package = x.feed.note(), PackageFrame(x.feed.package(0))
    return Shown(bundle(CheckpointFrame(note), package, wrong), [note, encode_frame(package), encode_frame(wrong)])


async def late_part_that_was_not_promised(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need())
    await x.shows(town.alice, *x.feed.frames(without=[(0, "facts")]))
    other = PartFrame(x.feed.hash, 0, "facts", Part("facts", x.draw(16), canonical.encode(["9", "item", "9"])).encode())
    return of_frame(other)


async def identity_that_is_not_its_hash(town: Town, x: RawPeer) -> Shown:
    """Mallory's feed under bob's name."""
    feed = RawFeed(identity_origin(town.bob.node.gid), x.key, x.identity.sealed, x.identity.leaves)
    return of_frame(replace(x.ident(), checkpoint=feed.note()))


async def other_entries_than_signed(town: Town, x: RawPeer) -> Shown:
    x.feed.append(x.need(), x.need())
    good = x.feed.package(0)
    return of_package(x, PackageFrame(replace(good, entries=(good.entries[0], x.need().entry))))


async def identity_with_another_name(town: Town, x: RawPeer) -> Shown:
    whole, eve = x.ident(), RawPeer(town.mesh, "eve")
    forged = replace(
        whole,
        entries=(whole.entries[0], eve.identity.sealed[1].entry),
        parts=(whole.parts[0], (1, "facts", eve.identity.sealed[1].parts[0][1])),
    )
    return of_frame(forged)


async def two_roots_of_one_size(town: Town, x: RawPeer) -> Shown:
    first, second = await shown_first(town, x), x.feed.note(root=bytes(range(32)))
    return Shown(bundle(CheckpointFrame(second)), [first, second], frozen=True)


async def other_past_than_before(town: Town, x: RawPeer) -> Shown:
    """A checkpoint over fewer entries, and other ones."""
    first, second = await shown_first(town, x), x.feed.note(2, root=bytes(range(32)))
    return Shown(bundle(CheckpointFrame(second)), [first, second], frozen=True)


async def two_claims(town: Town, x: RawPeer) -> Shown:
    """Neither with its entries: what was signed counts, not what has arrived."""
    first, second = (x.feed.note(9, root=bytes([each]) * 32) for each in (1, 2))
    await x.shows(town.alice, CheckpointFrame(first))
    return Shown(bundle(CheckpointFrame(second)), [first, second], frozen=True)


async def entry_of_a_later_version(town: Town, x: RawPeer) -> Shown:
    x.feed.append(canonical.encode([2, "need.shared", 1]))
    return of_feed(x)


async def rotated_key(town: Town, x: RawPeer) -> Shown:
    later = RawFeed(identity_origin(x.gid, 1), x.key, x.identity.sealed, x.identity.leaves)
    return of_frame(replace(x.ident(), checkpoint=later.note()))


ANSWERED: dict[str, list[Provoking]] = {
    "malformed": [
        body_is_no_bundle,
        body_without_end,
        two_sizes_at_once,
        entries_as_a_question,
        pairing_noise,
        lists_in_lists,
        pairing_answer_as_question,
    ],
    "too_large": [body_over_its_bound, frame_that_claims_4_gib, too_many_checkpoints, pairing_over_its_bound],
    "clock_skew": [clock_far_behind, clock_far_ahead, nonce_of_its_own_making],
    "bad_signature": [
        not_signed,
        signed_by_another_key,
        signed_for_another_body,
        signed_for_another_group,
        signed_for_wake,
        said_twice,
    ],
    "unknown_key": [stranger],
    "not_member": [words_not_compared_yet, invented_invitation],
    "suspended": [link_paused],
    "severed": [link_ended, wake_after_the_end],
    "rate": [haste, third_question_on_the_line, answers_it_does_not_read, haste_in_pairing],
    "recovering": [recovering],
}

ASKED: dict[str, list[Provocation]] = {
    "malformed": [
        noise,
        answer_without_end,
        not_canonical,
        signed_entry_that_is_none,
        package_that_ends_anywhere,
        checkpoint_of_other_form,
    ],
    "too_large": [frame_over_its_bound, bomb],
    "bad_signature": [checkpoint_by_another_key, checkpoint_in_bobs_name],
    "unknown_key": [identity_with_a_weak_key],
    "unknown_feed": [
        feed_of_bob,
        feed_of_another_circle,
        entries_without_checkpoint,
        part_of_nothing,
        identity_of_bob,
    ],
    "size_conflict": [gap, beyond_the_checkpoint, identity_in_pieces],
    "stale_generation": [checkpoint_of_another_generation],
    "proof_invalid": [
        proof_of_another_tree,
        proof_where_none_belongs,
        part_of_another_entry,
        late_part_that_was_not_promised,
        identity_that_is_not_its_hash,
    ],
    "root_mismatch": [other_entries_than_signed, identity_with_another_name],
    "fork_detected": [two_roots_of_one_size, other_past_than_before, two_claims],
    "upgrade_required": [entry_of_a_later_version, rotated_key],
}


def test_the_table_knows_every_code() -> None:
    assert ANSWERED.keys() | ASKED.keys() | NOT_PRODUCED.keys() == STATUS.keys()
    assert not NOT_PRODUCED.keys() & (ANSWERED.keys() | ASKED.keys())


async def test_every_refusal_as_the_one_who_is_asked(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for code, provocations in ANSWERED.items():
            for provoke in provocations:
                row = f"{code}: {provoke.__name__}"
                name = provoke.__name__.replace("_", "-")
                x, y = await here.mallory(f"{name}-said"), await here.mallory(f"{name}-sent")
                question = await provoke(here, x)
                assert await refusal(victim(here, provoke), question) == code, row
                here.mesh.clock.tick_seconds = 0.1  # type: ignore[attr-defined]
                question = await provoke(here, y)
                async with rim(victim(here, provoke)) as client:
                    status, problem = await over_http(client, question)
                here.mesh.clock.tick_seconds = 0.1  # type: ignore[attr-defined]
                assert (status, problem["code"], problem["status"]) == (STATUS[code], code, STATUS[code]), row
                assert problem["detail"], row
                assert ("nonce" in problem and "server_time" in problem) is (code == "clock_skew"), row
                for each in (x, y):
                    assert await evidence(victim(here, provoke), each.gid) == [], f"{row}: proves nothing to anybody"
                assert await here.good_news(victim(here, provoke)), row
                assert victim(here, provoke).node.verify().ok, row


def victim(town: Town, provoke: Provoking) -> Group:
    return town.mesh.groups["carol"] if provoke is recovering else town.alice


async def test_every_refusal_as_the_one_who_asks(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for code, provocations in ASKED.items():
            for provoke in provocations:
                x = await here.mallory(provoke.__name__.replace("_", "-"))
                shown, row = await provoke(here, x), f"{code}: {provoke.__name__}"
                before = (await head(here.alice, x.feed.origin), len(await evidence(here.alice, x.gid)))
                assert await verdicts(here, x, shown.pieces) == [code], row
                kept = (await evidence(here.alice, x.gid))[before[1] :]
                assert [each.code for each in kept] == [code], row
                assert kept[0].detail and tuple(shown.kept) == kept[0].blobs[: len(shown.kept)], row
                after = await head(here.alice, x.feed.origin)
                # Of what was refused nothing is kept in the feed; a forked one stands still for good.
                assert (after.size if after else 0) == (before[0].size if before[0] else 0), row
                assert (after.frozen if after else None) == ("fork_detected" if shown.frozen else None), row
                assert await here.good_news(), row
                assert here.alice.node.verify().ok, row
                assert STATUS[code] >= 400


async def test_a_forked_feed_stays_readable_and_frozen_and_says_so(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        first = await shown_first(here, x)
        assert len(await boards(here.alice, x)) == 3
        second = x.feed.note(root=bytes(range(32)))
        await x.shows(here.alice, CheckpointFrame(second))

        x.feed.append(x.need("Stoves"))
        told = await x.shows(here.alice, *x.feed.frames(3))
        assert [each.code for each in told.refused] == ["fork_detected"], "it stays frozen, whatever comes"
        assert len(await boards(here.alice, x)) == 3, "what was there is still readable"
        (kept, *_) = await evidence(here.alice, x.gid)
        assert kept.blobs == (first, second)
        async with rim(here.alice) as client:
            token = Home(here.alice.home).token.read_text().strip()
            async with client.get(f"/api/v1/peers/{x.gid}", headers={"Authorization": f"Bearer {token}"}) as answer:
                peer = await answer.json()
        assert (peer["frozen"], peer["held"]["size"]) == ("fork_detected", 3)


async def test_a_nonce_of_ours_lets_a_dead_clock_in_once(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        try:
            await send(here.alice, x.request(here.alice, created=0))
        except ProtocolError as error:
            nonce = str(getattr(error, "nonce", ""))
        again = x.request(here.alice, created=0, nonce=nonce)
        assert isinstance((await send(here.alice, again))[-1], End)
        assert await refusal(here.alice, again) == "bad_signature"
        y = await here.mallory("oscar")
        assert await refusal(here.alice, y.request(here.alice, created=0, nonce=nonce)) == "clock_skew"


async def test_faults_of_one_feed_leave_the_other_feeds_of_the_same_answer_alone(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"))
        bobs = RawFeed(circle_origin(here.bob.node.gid, x.circle), x.key)
        bobs.append(x.need())
        later = RawFeed(circle_origin(x.gid, x.circle, 7), x.key)
        later.append(x.need())
        pulled = await x.shows(here.alice, *bobs.frames(), *later.frames(), *x.feed.frames())
        assert [each.code for each in pulled.refused] == ["unknown_feed", "stale_generation"]
        assert len(await boards(here.alice, x)) == 1


# What the rows above are made of.


def of_frame(frame: Frame) -> Shown:
    return Shown(bundle(frame), [encode_frame(frame)])


def of_feed(x: RawPeer) -> Shown:
    return Shown(bundle(*x.feed.frames()), [x.feed.note(), encode_frame(PackageFrame(x.feed.package(0)))])


def of_package(x: RawPeer, package: PackageFrame) -> Shown:
    return Shown(bundle(CheckpointFrame(x.feed.note()), package), [x.feed.note(), encode_frame(package)])


async def shown_first(town: Town, x: RawPeer) -> bytes:
    """Three good needs that alice holds; the note that signs them."""
    x.feed.append(*(x.need() for _ in range(3)))
    pulled = await x.pulled_by(town.alice)
    assert (pulled.entries, pulled.refused) == (3, [])
    return x.feed.note()


def feeds_of_alice(town: Town, x: RawPeer) -> list[bytes]:
    """What alice serves to x."""
    gid = town.alice.node.gid
    return [origin_hash(identity_origin(gid)), origin_hash(circle_origin(gid, x.circle))]


async def x_hears_ident(group: Group) -> list[Frame]:
    """The identity of a group as it gives it to anybody it pairs with."""
    return decode_bundle(await group.federation.pairing._ident(), bytes_max=PAIRING_BYTES_MAX)


async def verdicts(town: Town, x: RawPeer, pieces: Sequence[bytes]) -> list[str]:
    """The codes alice's node found in an answer of x."""
    try:
        return [each.code for each in (await x.sends(town.alice, *pieces)).refused]
    except ProtocolError as error:
        return [error.code]


async def change_link(town: Town, x: RawPeer, change: Callable[[PeerLink], None]) -> None:
    def job(work: Work) -> None:
        link = work.get(PeerLink, PeerLink.id_of(x.gid))
        change(link)
        work.commit(link)

    await town.alice.node.writer.run(job)
    await town.alice.federation.links.refresh()


async def refusal(group: Group, question: Question) -> str:
    try:
        if isinstance(question, bytes):
            await group.federation.pair(question)
        elif question.path == paths.WAKE:
            group.federation.wake(question)
        else:
            await send(group, question)
    except ProtocolError as error:
        return error.code
    return "answered"


@asynccontextmanager
async def rim(group: Group) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The group's HTTP on a port of this machine."""
    async with TestClient(TestServer(build_app(group.node))) as client:
        yield client


async def over_http(
    client: TestClient[web.Request, web.Application], question: Question
) -> tuple[int, dict[str, object]]:
    """Status and problem document for the same question."""
    path, headers, body = (
        (paths.PAIR, {}, question)
        if isinstance(question, bytes)
        else (question.path, dict(question.headers), question.body)
    )
    async with client.post(path, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.content_type == "application/problem+json", await answer.text()
        return answer.status, json.loads(await answer.text())


async def boards(group: Group, x: RawPeer) -> list[str]:
    """The items of x on the group's board."""
    return [need["item"] for need in (await on_board(group)).values() if need["group"] == x.gid]
