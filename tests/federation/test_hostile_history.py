"""A peer that takes back what it has signed: a smaller tree, with the same past or another (reliability.md E06)."""

from __future__ import annotations

from pathlib import Path

from aidmesh_protocol.bundle import CheckpointFrame
from tests.support.lies import items
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, Town, evidence, head, town


async def five_known(here: Town) -> RawPeer:
    x = await here.mallory()
    x.feed.append(*(x.need(f"Need {number}") for number in range(5)))
    await x.pulled_by(here.alice)
    return x


async def test_e06_a_smaller_tree_takes_nothing_away(tmp_path: Path) -> None:
    """An older checkpoint is what a slow relay has: no fault, and no reason to forget what came since."""
    async with town(tmp_path) as here:
        x = await five_known(here)
        before = await head(here.alice, x.feed.origin)
        for size in (0, 1, 4):
            pulled = await x.shows(here.alice, *x.feed.frames(0, size))
            assert (pulled.entries, pulled.refused) == (0, [])
        assert await head(here.alice, x.feed.origin) == before
        assert len(await items(here.alice)) == 5
        x.feed.append(x.need("Need 5"))
        assert (await x.pulled_by(here.alice)).entries == 1, "and the feed goes on"


async def test_e06_a_smaller_tree_with_another_past_is_a_fork(tmp_path: Path) -> None:
    """Begun anew under the same name, it contradicts what alice holds: kept, frozen, and said to people."""
    async with town(tmp_path) as here:
        x = await five_known(here)
        anew = RawFeed(x.feed.origin, x.key)
        anew.append(x.need("Begun anew"), x.need("And again"))
        pulled = await x.shows(here.alice, *anew.frames())
        assert [each.code for each in pulled.refused] == ["fork_detected"]
        held = await head(here.alice, x.feed.origin)
        assert held is not None and (held.size, held.frozen) == (5, "fork_detected")
        assert await items(here.alice) == {f"Need {number}" for number in range(5)}, "the old data is kept and readable"
        (kept,) = await evidence(here.alice, x.gid)
        assert set(kept.blobs) == {x.feed.note(), anew.note()}, "both notes: nobody but their signer can have made them"
        again = await x.shows(here.alice, CheckpointFrame(x.feed.note()))
        assert [each.code for each in again.refused] == ["fork_detected"]
        assert await here.good_news()
