"""Tens of thousands of spoiled answers, requests and pairing messages against the real intake and the real doors.

Nothing but refusals comes out; nothing that was not signed goes in; the node verifies afterwards, and goes on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.domain.refused import Refused
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import (
    Ask,
    CheckpointFrame,
    End,
    Frame,
    PartFrame,
    Sizes,
    Want,
    decode_bundle,
    encode_bundle,
    encode_frame,
)
from aidmesh_protocol.entry import FACTS
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.invitation import parse
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.words import commitment
from tests.support import poison
from tests.support.federation import Group
from tests.support.mutations import Mutator
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, Town, head, town
from tests.support.stories import post_need, share

ANSWERS = 8_000
REQUESTS = 10_000
PAIRINGS = 4_000
CHECKED_EVERY = 1_000


@pytest.mark.fuzz
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
async def test_spoiled_answers(seed: int, tmp_path: Path) -> None:
    await spoil_answers(tmp_path, seed, ANSWERS)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
async def test_spoiled_requests(tmp_path: Path) -> None:
    await spoil_requests(tmp_path, 3, REQUESTS)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
async def test_spoiled_pairing(tmp_path: Path) -> None:
    await spoil_pairing(tmp_path, 4, PAIRINGS)


async def test_a_few_of_each(tmp_path: Path) -> None:
    for folder in ("answers", "requests", "pairing"):
        (tmp_path / folder).mkdir()
    await spoil_answers(tmp_path / "answers", 5, 200)
    await spoil_requests(tmp_path / "requests", 6, 200)
    await spoil_pairing(tmp_path / "pairing", 7, 100)


async def spoil_answers(folder: Path, seed: int, count: int) -> None:
    mutator = Mutator(seed)
    async with town(folder) as here:
        x = await here.mallory()
        subject = bytes.fromhex(await share(here.alice, await post_need(here.alice, 9), x.circle))
        await here.alice.federation.publisher.publish()
        x.feed.append(x.need())
        bad = [sealed for _, sealed in (*poison.undecodable(x, subject), *poison.unknown(x))]
        refused = 0
        for number in range(count):
            held = await head(here.alice, x.feed.origin)
            start = held.size if held else 0
            if start >= x.feed.size - 1:
                x.feed.append(x.need(f"Need {number}"), bad[number % len(bad)], x.need())
            size = x.feed.size - mutator.coin()
            frames: list[Frame] = [x.ident(), *x.feed.frames(start, size), *late(x, start), End()]
            data = mutator.answer([encode_frame(frame) for frame in frames])
            try:
                pulled = await x.sends(here.alice, *mutator.pieces(data))
                refused += bool(pulled.refused)
            except ProtocolError:
                refused += 1
            if number % CHECKED_EVERY == CHECKED_EVERY - 1:
                await check(here, x)
        assert refused > count // 4, "most of what is spoiled is noticed; the rest did not matter"
        await check(here, x)
        assert (await x.pulled_by(here.alice)).refused == [], "after all that the truth is still welcome"
        assert len(await stored(here.alice, x)) == x.feed.size
        await check(here, x)


async def spoil_requests(folder: Path, seed: int, count: int) -> None:
    mutator = Mutator(seed)
    async with town(folder) as here:
        alice, x = here.alice, await here.mallory()
        for number in range(5):
            await share(alice, await post_need(alice, 1 + number), x.circle)
        await alice.federation.publisher.publish()
        ours = RawFeed(circle_origin(alice.node.gid, x.circle), x.key)
        held = await head(alice, ours.origin)
        assert held is not None and held.checkpoint is not None
        want = Want(tuple((ours.hash, index, FACTS) for index in range(4)), ((ours.hash, 1), (ours.hash, 2)))
        sizes = Sizes(((ours.hash, 2, bytes(32)), (x.feed.hash, 1, bytes(32))))
        good: list[Frame] = [Ask(100_000, 0), sizes, CheckpointFrame(held.checkpoint), want, End()]
        encoded = [encode_frame(frame) for frame in good]
        answered = 0
        for number in range(count):
            request = x.request(alice, mutator.answer(encoded))
            if number % 5 == 0:
                spoiled = [(name, mutator.spoiled(text.encode()).decode("latin-1")) for name, text in request.headers]
                request = replace(request, headers=tuple(spoiled))
            try:
                pieces = [piece async for piece in alice.federation.sync(request)]
            except ProtocolError:
                continue
            told = decode_bundle(b"".join(pieces), bytes_max=BUNDLE_BYTES_ONLINE_MAX)
            assert isinstance(told[-1], End)
            answered += 1
        assert answered > count // 50, "some were spoiled where it did not matter"
        assert alice.federation.standing()["standing"] == "active", "nothing but our signature moves us"
        assert await here.good_news()
        assert alice.node.verify().ok


async def spoil_pairing(folder: Path, seed: int, count: int) -> None:
    mutator = Mutator(seed)
    async with town(folder) as here:
        alice, x = here.alice, await here.mallory()
        links = len(alice.federation.links.all())
        for number in range(count):
            guest = RawPeer(here.mesh, f"guest-{number % 7}")
            secret, nonce = parse(str(alice.federation.invite(1)["invitation"])).secret, x.draw(32)
            whole = [encode_frame(guest.ident()), encode_frame(End())]
            bundle = mutator.answer(whole) if number % 2 else b"".join(encode_bundle([guest.ident()]))
            questions: list[messages.PairingMessage] = [
                messages.Hello(secret, bundle or b"x", commitment(nonce)),
                messages.Reveal(guest.gid, secret, x.draw(32)),
                messages.Sign(x.gid, x.draw(40), x.draw(64)),
            ]
            for question in questions[number % 3 :]:
                body = messages.encode(question)
                with suppress(ProtocolError, Refused):
                    await alice.federation.pair(body if number % 2 else mutator.spoiled(body))
            alice.federation.pairing._open.clear()
        assert len(alice.federation.links.all()) == links, "nobody came in who did not show its nonce"
        assert await here.good_news()
        assert alice.node.verify().ok


def late(x: RawPeer, start: int) -> list[PartFrame]:
    """Parts of an entry that is there already, and of one that may not be."""
    return [x.feed.part(index, tag) for index in {max(0, start - 1), start} for tag, _ in x.feed.sealed[index].parts]


async def stored(group: Group, x: RawPeer) -> list[bytes]:
    held = await head(group, x.feed.origin)
    if held is None:
        return []
    return (await group.node.writer.run(lambda work: work.feeds.entries(held.feed, 0, held.size))).value


async def check(here: Town, x: RawPeer) -> None:
    """What alice holds of x is what x signed, byte for byte; nothing is frozen, and all of it verifies."""
    entries = await stored(here.alice, x)
    assert entries == [each.entry for each in x.feed.sealed[: len(entries)]]
    held = await head(here.alice, x.feed.origin)
    if held is not None:
        parts = (await here.alice.node.writer.run(lambda work: work.feeds.parts(held.feed, 0, held.size))).value
        signed = [dict(each.parts) for each in x.feed.sealed]
        assert all(signed[index][tag] == part for index, tag, part in parts)
        assert held.frozen is None
        assert held.checkpoint in (None, x.feed.note(held.signed_size))
    assert here.alice.federation.standing()["standing"] == "active"
    report = here.alice.node.verify()
    assert report.ok, report.first_problem
