"""Answers that a node refuses, by the code of the refusal: what each holds is its name."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from aidmesh_node.application import space
from aidmesh_protocol import canonical, checkpoint
from aidmesh_protocol.bundle import (
    MAGIC,
    CheckpointFrame,
    Frame,
    Ident,
    PackageFrame,
    PartFrame,
    decode_bundle,
    encode_frame,
)
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.entry import Part
from aidmesh_protocol.identity import Inception, group_id, incept
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import PAIRING_BYTES_MAX
from aidmesh_protocol.origin import circle_origin, identity_origin
from tests.support.federation import Group
from tests.support.raw_feed import RawFeed
from tests.support.raw_group import HOUR
from tests.support.raw_peer import RawPeer, Town, bundle, head, raw_frame


@dataclass(frozen=True, slots=True)
class Shown:
    """What the hostile peer answers, and the bytes that must be kept of it, each as one blob."""

    pieces: Sequence[bytes]
    kept: Sequence[bytes] = ()
    frozen: bool = False


Provocation = Callable[[Town, RawPeer], Awaitable[Shown]]


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
    feed = RawFeed(circle_origin(x.gid, town.with_bob), x.key)
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


async def checkpoint_of_an_earlier_generation(town: Town, x: RawPeer) -> Shown:
    """The feed was begun anew twice; what went before, and never came, is not followed any more."""
    newest = RawFeed(circle_origin(x.gid, x.circle, 2), x.key)
    newest.append(x.need())
    await x.shows(town.alice, *newest.frames())
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


async def x_hears_ident(group: Group) -> list[Frame]:
    """The identity of a group as it gives it to anybody it pairs with."""
    return decode_bundle(await group.federation.pairing._ident(), bytes_max=PAIRING_BYTES_MAX)


async def more_than_its_share(town: Town, x: RawPeer) -> Shown:
    await shown_first(town, x)
    held = await head(town.alice, x.feed.origin)
    assert held is not None
    await town.alice.node.writer.run(lambda work: space.take(work, held.feed, space.FEED_BYTES_MAX))
    x.feed.append(x.need())
    frames = x.feed.frames(x.feed.size - 1)
    return Shown(bundle(*frames), [encode_frame(frames[0])])


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
    "stale_generation": [checkpoint_of_an_earlier_generation],
    "proof_invalid": [
        proof_of_another_tree,
        proof_where_none_belongs,
        part_of_another_entry,
        late_part_that_was_not_promised,
        identity_that_is_not_its_hash,
    ],
    "root_mismatch": [other_entries_than_signed, identity_with_another_name],
    "fork_detected": [two_roots_of_one_size, other_past_than_before, two_claims],
    "quota": [more_than_its_share],
    "upgrade_required": [entry_of_a_later_version, rotated_key],
}
