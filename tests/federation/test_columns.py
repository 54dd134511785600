"""Parts that travel in columns, and packages stored while the next is verified: the same truth, and no lie more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from aidmesh_node.application.ports import Work
from aidmesh_node.federation.columns import columns_of
from aidmesh_protocol.bundle import (
    Ask,
    CheckpointFrame,
    ColumnFrame,
    Frame,
    PackageFrame,
    PartFrame,
    Reads,
    decode_bundle,
)
from aidmesh_protocol.entry import FACTS, TEXT, VIEW
from aidmesh_protocol.limits import COLUMN_BYTES_MAX, PART_BYTES_MAX
from aidmesh_protocol.origin import circle_origin
from tests.support.lies import count, items
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, bundle, head, send, town
from tests.support.stories import post_need, share


def in_columns(feed: RawFeed, start: int = 0, *, without: Iterable[tuple[int, str]] = ()) -> list[Frame]:
    """What `RawFeed.frames` gives, with the parts of each package in columns."""
    frames: list[Frame] = []
    columns: dict[str, list[bytes | None]] = {}
    first, size = 0, 0
    for frame in [*feed.frames(start, without=without), None]:
        if isinstance(frame, PartFrame):
            columns.setdefault(frame.tag, [None] * size)[frame.index - first] = frame.part
            continue
        frames += columns_of(feed.hash, first, columns)
        columns = {}
        if isinstance(frame, PackageFrame):
            first, size = frame.package.start, len(frame.package.entries)
        if frame is not None:
            frames.append(frame)
    return frames


class Line:
    """A client that gets these pieces, whoever it asks; something happens once the second has been taken in."""

    def __init__(self, pieces: list[bytes], happens: Callable[[], Awaitable[object]]) -> None:
        self._pieces = pieces
        self._happens = happens

    @asynccontextmanager
    async def stream(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, wait_seconds: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._told()

    async def post(self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> bytes:
        return b""

    async def _told(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self._pieces):
            if number == 2:
                await self._happens()
            yield piece


def _freeze(feed: int, work: Work) -> None:
    work.feeds.freeze(feed, "fork_detected")


def grown(x: RawPeer, needs: int) -> RawPeer:
    x.feed.append(*(x.need(f"Need {number}") for number in range(needs)))
    return x


async def test_alice_takes_in_800_needs_in_columns(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = grown(await here.mallory(), 800)
        pulled = await x.shows(here.alice, *in_columns(x.feed))
        assert (pulled.entries, pulled.refused) == (800, [])
        assert await items(here.alice) == {f"Need {number}" for number in range(800)}
        assert here.alice.node.verify().ok
        again = await x.shows(here.alice, *in_columns(x.feed))
        assert (again.entries, again.refused) == (0, [])


async def test_columns_go_only_to_who_reads_them(tmp_path: Path) -> None:
    """An older node would skip what it does not know, and never see what is needed. SPEC §8.4c."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        for amount in (1, 2, 3):
            await share(here.alice, await post_need(here.alice, amount), x.circle)
        await here.alice.federation.publisher.publish()
        old = await send(here.alice, x.request(here.alice, [Ask(1 << 20, 0)]))
        new = await send(here.alice, x.request(here.alice, [Ask(1 << 20, 0), Reads((99, ColumnFrame.KIND))]))
        other = await send(here.alice, x.request(here.alice, [Ask(1 << 20, 0), Reads((99,))]))
        hashed = RawFeed(circle_origin(here.alice.node.gid, x.circle), x.key).hash
        one_by_one = {(f.tag, f.index, f.part) for f in old if isinstance(f, PartFrame)}
        assert not [frame for frame in [*old, *other] if isinstance(frame, ColumnFrame)]
        columns = [frame for frame in new if isinstance(frame, ColumnFrame)]
        assert not [frame for frame in new if isinstance(frame, PartFrame)]
        assert {frame.origin_hash for frame in columns} == {hashed}
        told = {(f.tag, i, part) for f in columns for i, part in enumerate(f.parts, f.start) if part is not None}
        assert told == one_by_one and len(told) > 6
        await x.pulled_by(here.alice)
        (reads,) = [f for f in decode_bundle(x.asked[-1].body, bytes_max=1 << 20) if isinstance(f, Reads)]
        assert ColumnFrame.KIND in reads.kinds


async def test_gaps_late_columns_and_columns_that_reach_too_far(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = grown(await here.mallory(), 300)
        hidden = [(4, FACTS), (299, VIEW)]
        pulled = await x.shows(here.alice, *in_columns(x.feed, without=hidden))
        assert (pulled.entries, pulled.refused) == (300, [])
        assert await items(here.alice) == {f"Need {number}" for number in range(4)}, "order is kept"
        late = ColumnFrame(x.feed.hash, FACTS, 3, (None, x.feed.part(4).part, x.feed.part(5).part))
        pulled = await x.shows(here.alice, late, ColumnFrame(x.feed.hash, VIEW, 299, (x.feed.part(299, VIEW).part,)))
        assert (pulled.entries, pulled.refused) == (2, []), "what is here already is nothing new"
        assert await items(here.alice) == {f"Need {number}" for number in range(300)}
        grown(x, 10)
        frames = in_columns(x.feed, 300)
        far = ColumnFrame(x.feed.hash, FACTS, 300, (x.feed.part(300).part, *[None] * 20, x.feed.part(300).part))
        pulled = await x.shows(here.alice, *frames, far)
        assert [each.code for each in pulled.refused] == ["unknown_feed"], "a part of an entry that is not here"
        held = await head(here.alice, x.feed.origin)
        assert held is not None and held.size == 310, "and what was true is stored"


async def test_a_lie_in_a_column_ends_its_feed_and_what_came_before_it_stays(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = grown(await here.mallory(), 600)
        frames = in_columns(x.feed)
        place = next(i for i, f in enumerate(frames) if isinstance(f, ColumnFrame) and f.start == 256)
        column = frames[place]
        assert isinstance(column, ColumnFrame)
        swapped = ColumnFrame(column.origin_hash, column.tag, 256, (*column.parts[1::-1], *column.parts[2:]))
        pulled = await x.shows(here.alice, *frames[:place], swapped, *frames[place + 1 :])
        assert (pulled.entries, [each.code for each in pulled.refused]) == (256, ["proof_invalid"])
        assert await count(here.alice, x) == 1
        assert await items(here.alice) == {f"Need {number}" for number in range(256)}
        twice = [*frames[: place + 1], swapped]
        pulled = await x.shows(here.alice, *twice)
        assert [each.code for each in pulled.refused] == ["proof_invalid"], "two parts for one commitment"
        assert (await x.shows(here.alice, *in_columns(x.feed, 256))).entries == 344
        assert here.alice.node.verify().ok
        assert await here.good_news()


async def test_a_feed_frozen_while_its_packages_are_on_their_way(tmp_path: Path) -> None:
    """What is verified already is not stored any more, nobody is accused, and the claim is kept."""
    async with town(tmp_path) as here:
        x = grown(await here.mallory(), 600)
        await x.shows(here.alice, CheckpointFrame(x.feed.note(0)))
        held = await head(here.alice, x.feed.origin)
        assert held is not None

        replication, freeze = here.alice.federation.replication, partial(_freeze, held.feed)
        replication._client = Line(bundle(*in_columns(x.feed)), lambda: here.alice.node.writer.run(freeze))
        pulled = await x.pulled_by(here.alice)
        assert (pulled.entries, pulled.refused) == (0, [])
        after = await head(here.alice, x.feed.origin)
        assert after is not None and (after.size, after.claimed_size) == (0, 600)


def test_columns_have_a_bound_and_hold_all() -> None:
    places = (0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 255)
    column = [bytes(PART_BYTES_MAX) if place in places else None for place in range(256)]
    gaps = [None, *column[:9], *[None] * 246]
    frames = list(columns_of(bytes(32), 512, {FACTS: column, VIEW: gaps, TEXT: [None] * 256}))
    assert len(frames) > 3, "one frame has not room for all"
    assert all(frame.parts[0] and frame.parts[-1] for frame in frames), "gaps only between parts"
    assert all(sum(len(part) for part in frame.parts if part) <= COLUMN_BYTES_MAX for frame in frames)
    told = {(i, f.tag, part) for f in frames for i, part in enumerate(f.parts, f.start) if part is not None}
    held = ((tag, i, part) for tag, parts in ((FACTS, column), (VIEW, gaps)) for i, part in enumerate(parts, 512))
    assert told == {(i, tag, part) for tag, i, part in held if part is not None}
    assert list(columns_of(bytes(32), 0, {})) == []
