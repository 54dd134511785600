"""Too much, too little or the same again: parts withheld, floods, answers without an end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.application import space
from aidmesh_node.federation.intake import FAULTS_MAX, IDLE_FRAMES_MAX, PARTS_BYTES_MAX
from aidmesh_protocol import statements as said
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    More,
    PackageFrame,
    PartFrame,
    Sizes,
    Want,
    decode_bundle,
)
from aidmesh_protocol.entry import FACTS, VIEW, Entry, SealedEntry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PACKAGE_ENTRIES_MAX, PART_CONTENT_BYTES_MAX
from aidmesh_protocol.origin import circle_origin
from tests.support.lies import (
    count,
    items,
    peak_bytes,
)
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import bundle, evidence, head, town

MEMORY_BYTES_MAX = 128 * 1024 * 1024


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


async def test_parts_beyond_what_is_collected_of_a_wrong_package_are_no_faults_of_their_own(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.raw_entry("essay.written", b"x" * (PART_CONTENT_BYTES_MAX - 3)) for _ in range(128)))
        frames = x.feed.frames()
        first = next(frame for frame in frames if isinstance(frame, PartFrame))
        wrong = [replace(frame, part=frame.part[:-1] + b"\x01") if frame is first else frame for frame in frames]
        pulled = await x.shows(here.alice, *wrong)
        assert (pulled.entries, [each.code for each in pulled.refused]) == (0, ["proof_invalid"])


async def test_a_flood_of_10_000_entries_is_taken_in_bounded_memory(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        tokens = [x.need(f"Flood {number}") for number in range(200)]
        for number in range(10_000):
            sealed = tokens[number % 200]
            entry = Entry.decode(sealed.entry)._replace(statement_id=x.draw(16), subject_id=x.draw(16))
            x.feed.append(SealedEntry(entry.encode(), sealed.parts))
        x.answers = bundle(*x.feed.frames())
        before = peak_bytes()
        pulled = await x.pulled_by(here.alice)
        assert (pulled.entries, pulled.refused) == (10_000, [])
        assert peak_bytes() - before < MEMORY_BYTES_MAX
        assert await here.good_news()


@pytest.mark.parametrize("wrong_in", [0, 1])
async def test_what_follows_a_large_package_that_is_wrong_is_not_stored_though_it_was_being_read(
    tmp_path: Path, wrong_in: int
) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(*(x.need(f"Need {number}") for number in range(2 * PACKAGE_ENTRIES_MAX + 50)))
        frames, at = x.feed.frames(), wrong_in * PACKAGE_ENTRIES_MAX + 5
        wrong = [
            replace(frame, part=frame.part[:-1] + b"\x01")
            if isinstance(frame, PartFrame) and (frame.index, frame.tag) == (at, FACTS)
            else frame
            for frame in frames
        ]
        pulled = await x.shows(here.alice, *wrong)
        stored = wrong_in * PACKAGE_ENTRIES_MAX
        assert (pulled.entries, [each.code for each in pulled.refused]) == (stored, ["proof_invalid"])
        assert len(await items(here.alice)) == stored
        pulled = await x.shows(here.alice, *frames)
        assert (pulled.entries, pulled.refused) == (x.feed.size - stored, [])
        assert len(await items(here.alice)) == x.feed.size
        assert await here.good_news()


async def test_b16_a_feed_gets_its_share_of_the_disk_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid entries, valid parts, and no end of them: what is stored stays, everybody else goes on."""
    monkeypatch.setattr(space, "FEED_BYTES_MAX", 300_000)
    async with town(tmp_path) as here:
        x = await here.mallory()
        refusals: list[str] = []
        answers, held = 0, await head(here.alice, x.feed.origin)
        while "quota" not in refusals:
            x.feed.append(*(x.need(f"Need {x.feed.size + number}") for number in range(200)))
            answers += 1
            refusals += [each.code for each in (await x.pulled_by(here.alice)).refused]
            before, held = held.size if held else 0, await head(here.alice, x.feed.origin)
            assert held is not None and held.size in (before, before + 200)
        assert refusals == ["quota"] and answers < 12
        assert held is not None
        feed, size = held.feed, held.size
        rows = (await here.alice.node.writer.run(lambda work: work.feeds.parts(feed, 0, size))).value
        taken = sum(len(each.entry) for each in x.feed.sealed[:size]) + sum(len(row.part) for row in rows)
        assert 300_000 < taken + space.ENTRY_EXTRA_BYTES * size < 300_000 + 200_000

        late = [x.feed.part(0), x.feed.part(size)]
        for part in late:
            assert (await x.shows(here.alice, part)).refused, "nor part by part"
        assert len(await items(here.alice)) == size, "what came before is shown"
        y = await here.mallory("oscar")
        y.feed.append(y.need("Tents"))
        assert (await y.pulled_by(here.alice)).entries == 1
        assert await here.good_news()
        assert here.alice.node.verify().ok
