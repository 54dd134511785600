"""Files that are split, cut, read in any order, more than once, and beside the network end in the same state."""

from __future__ import annotations

import random
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import needs, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import Reading, Work
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.emergency import EmergencyAdvice
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.bundle import More, PackageFrame
from aidmesh_protocol.identity import circle_origin
from aidmesh_protocol.merkle import Frontier
from tests.support.carrying import frames_in, inspect, pack, read
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    CONSENT,
    check_all_agree,
    heard,
    on_board,
    pledge,
    post_need,
    share,
    two_groups,
)

SMALL_FILE_BYTES = 60_000
"""One package of everyday needs, and not two."""


async def share_many(group: Group, circle: bytes, count: int, urgency: str = "normal") -> list[UUID]:
    """So many needs posted and shared in one transaction, and published."""
    ids = group.node.entropy.uuids(2 * count)

    def job(work: Work, by: Act) -> dict[str, object]:
        for need_id, person in zip(ids[::2], ids[1::2], strict=True):
            asked = PostNeed(
                "bedding", Quantity(Decimal(2), "item"), item="Blankets", area="North", urgency=urgency,
                advice=EmergencyAdvice(),
            )  # fmt: skip
            needs.post_need(work, by, need_id, person, asked)
            needs.share_need(work, by, need_id, circle, CONSENT)
        return {}

    await group.do(job)
    await group.federation.publisher.publish()
    return ids[::2]


async def read_if_any(group: Group, file: bytes) -> dict[str, Any] | None:
    """Read a file that may have been cut; None when so near its beginning that there is nothing in it."""
    try:
        return await read(group, file)
    except Refused as refused:
        if refused.reason != "no_bundle":
            raise
        return None


def held(group: Group, owner: Group, circle: bytes) -> tuple[int, bytes, list[object]]:
    """What a group holds of another's feed, to the letter, and how far it has been interpreted."""

    def look(reading: Reading) -> tuple[int, bytes, list[object]]:
        head = reading.feeds.head(circle_origin(owner.node.gid, circle))
        assert head is not None
        entries = reading.feeds.entries(head.feed, 0, head.size)
        parts = reading.feeds.parts(head.feed, 0, head.size)
        assert group is owner or head.folded == head.size, "all that is held is interpreted"
        return head.size, Frontier.decode(head.frontier).root(), [*entries, *parts]

    return group.node.readers.run_now(look)


async def test_files_of_a_budget_each_can_be_read_by_itself(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 700)
        files = await pack(alice, circle, bytes_max=SMALL_FILE_BYTES)
        assert len(files) == 3 and all(len(file) <= SMALL_FILE_BYTES for file in files)
        frames = [frame for file in files for frame in frames_in(bob, file)]
        starts = [frame.package.start for frame in frames if isinstance(frame, PackageFrame)]
        assert starts == [0, 256, 512]
        left = [frame.entries for frame in frames if isinstance(frame, More)]
        assert left == [445, 189], "each says how much follows in others"
        for file in files:
            told = await read(bob, file)
            assert (told["whole"], told["kept"], told["refused"]) == (True, False, [])
        assert held(bob, alice, circle) == held(alice, alice, circle)
        mesh.network.cut = set()
        await check_all_agree(mesh)


async def test_a_file_that_comes_too_early_waits_and_is_read_by_itself(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 700)
        first, second, third = await pack(alice, circle, bytes_max=SMALL_FILE_BYTES)
        for number, early in enumerate((third, second), 1):
            told = await read(bob, early)
            assert (told["new"], told["kept"], told["waiting"], told["refused"]) == (0, True, number, [])
        # What waits survives a restart, sealed as it came.
        await mesh.stop("bob")
        bob = await mesh.start("bob")
        kept = list((bob.home / "files").iterdir())
        assert sorted(path.read_bytes() for path in kept) == sorted((second, third))
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)
        told = await read(bob, first)
        assert (told["new"], told["waiting"]) == (700, 0)
        assert held(bob, alice, circle) == held(alice, alice, circle)
        assert list((bob.home / "files").iterdir()) == []


async def test_what_waits_is_read_when_the_network_brings_what_it_follows(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 300)
        since = await alice.node.files.sizes(circle)
        await share_many(alice, circle, 10)
        (late,) = await pack(alice, circle, since)
        assert (await read(bob, late))["kept"] is True
        mesh.network.cut = set()
        await mesh.settle()
        assert await bob.federation.bundles.read_kept() == 0, "it came online; the file has nothing more to bring"
        assert list((bob.home / "files").iterdir()) == []
        assert held(bob, alice, circle) == held(alice, alice, circle)


async def test_a_file_cut_anywhere_keeps_whole_packages(tmp_path: Path) -> None:
    """SPEC §8.5a."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 2_000)
        (file,) = await pack(alice, circle)
        size, seen = 0, set[int]()
        chance = random.Random(4)
        for cut in sorted(chance.sample(range(5_000, len(file)), 12)):
            told = await read_if_any(bob, file[:cut])
            if told is None:
                assert cut < 70_000, "before the first chunk was complete"
                continue
            assert (told["whole"], told["again"], told["refused"]) == (False, False, [])
            assert "interrupted" in told["trouble"]
            now = held(bob, alice, circle)[0]
            assert size <= now and now in (1, *range(256, 2_000, 256)), "whole packages only"
            size, seen = now, seen | {now}
        assert len(seen) > 3
        assert (await read(bob, file))["whole"] is True
        assert held(bob, alice, circle) == held(alice, alice, circle)


async def test_damage_in_the_middle_costs_what_follows_and_accuses_nobody(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 2_000)
        (file,) = await pack(alice, circle)
        at = len(file) // 2
        told = await read(bob, file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :])
        assert told["whole"] is False and 0 < told["new"] < 2_000
        (again,) = await pack(alice, circle, await bob.node.files.sizes(circle))
        assert len(again) < len(file)
        await read(bob, again)
        assert held(bob, alice, circle) == held(alice, alice, circle)
        mesh.network.cut = set()
        await check_all_agree(mesh)


async def test_critical_needs_that_are_open_come_before_the_rest(tmp_path: Path) -> None:
    """Two feeds could go into the file; here one, whose last emergency lies in its second package of four."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        early = await share_many(alice, circle, 300, "emergency")
        await share_many(alice, circle, 600)
        late = await share_many(alice, circle, 1, "emergency")
        await alice.do(needs.close_need, late[0], "met")
        await alice.federation.publisher.publish()
        stock = alice.federation.bundles._packer._shelf
        (mine,), _ = await stock.stock(circle, None, by_need=True)
        assert mine.critical == 1 + 300, "the one that is closed is not waited for"
        for need in early:
            await alice.do(needs.unshare_need, need, circle)
        await alice.federation.publisher.publish()
        (mine,), _ = await stock.stock(circle, None, by_need=True)
        assert mine.critical == 0
        assert bob.node.gid


async def test_a_budget_that_holds_nothing_is_refused_with_one_that_does(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 300)
        with pytest.raises(Refused) as refused:
            await pack(alice, circle, bytes_max=10_000)
        assert refused.value.reason == "file_too_small"
        enough = int(refused.value.hint.split()[3])
        files = await pack(alice, circle, bytes_max=enough)
        for file in files:
            await read(bob, file)
        assert held(bob, alice, circle) == held(alice, alice, circle)
        assert list((alice.home / "files").glob("*.kept")) == []


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_any_repetition_any_mixture_with_the_network(tmp_path: Path, seed: int) -> None:
    """Both sides speak and write files as they go on; sticks arrive in any order, twice, cut, or after the network."""
    chance = random.Random(seed)
    async with Mesh(tmp_path, seed) as mesh:
        alice, bob, circle = await two_groups(mesh)
        groups = {"alice": alice, "bob": bob}
        sticks: list[tuple[str, bytes]] = []
        known: list[str] = []
        for _ in range(12):
            mesh.network.cut = {alice.endpoint} if chance.random() < 0.8 else set()
            name, other = chance.sample(["alice", "bob"], 2)
            writer, reader = groups[name], groups[other]
            match chance.choice(["many", "need", "pledge", "accept", "online", "restart"]):
                case "many":
                    await share_many(writer, circle, chance.choice([5, 300]), chance.choice(["normal", "emergency"]))
                case "need":
                    await share(writer, await post_need(writer, 9), circle)
                case "pledge":
                    theirs = [need for need in (await on_board(writer)).values() if not need["ours"]]
                    if theirs:
                        known.append(name + heard(writer, circle, await pledge(writer, theirs[0]["id"], 1)).hex)
                case "accept":
                    for promise in [each for each in known if each.startswith(other)]:
                        known.remove(promise)
                        # Not heard of yet, or nothing left: then they do not accept.
                        with suppress(NotFound, Refused):
                            await writer.do(pledges.accept_pledge, UUID(promise.removeprefix(other)))
                case "online":
                    mesh.network.cut = set()
                    await mesh.round()
                case "restart":
                    await mesh.stop(name)
                    groups[name] = await mesh.start(name)
                    mesh.network.cut = set()
                    await mesh.settle()
            writer, reader = groups[name], groups[other]
            await writer.federation.publisher.publish()
            since = await reader.node.files.sizes(circle) if chance.random() < 0.5 else None
            with suppress(Refused):  # they hold everything
                written = await pack(writer, circle, since, chance.choice([None, SMALL_FILE_BYTES]))
                sticks += [(other, file) for file in written]
            for to, file in chance.choices(sticks, k=2) if sticks else ():
                told = await read_if_any(groups[to], file[: chance.choice([len(file), chance.randrange(len(file))])])
                assert told is None or told["refused"] == []
        # The network stays away: sticks alone bring all that was ever packed.
        mesh.network.cut = {alice.endpoint}
        for name, group in groups.items():
            await group.federation.publisher.publish()
            other = "bob" if name == "alice" else "alice"
            sticks += [(other, file) for file in await pack(group, circle, bytes_max=SMALL_FILE_BYTES)]
        chance.shuffle(sticks)
        for to, file in sticks:
            assert (await read(groups[to], file))["refused"] == []
        alice, bob = groups["alice"], groups["bob"]
        by_stick = [held(alice, bob, circle)[0], held(bob, alice, circle)[0]]
        mesh.network.cut = set()
        await check_all_agree(mesh)
        assert held(bob, alice, circle) == held(alice, alice, circle)
        assert held(alice, bob, circle) == held(bob, bob, circle)
        # What a node said by itself on reading the last sticks is the only thing that was in none.
        online = [held(alice, bob, circle)[0], held(bob, alice, circle)[0]]
        assert all(0 <= whole - size <= 8 for size, whole in zip(by_stick, online, strict=True))


async def test_a_whole_file_says_how_much_of_it_is_new(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {alice.endpoint}
        await share_many(alice, circle, 700)
        first, second, _ = await pack(alice, circle, bytes_max=SMALL_FILE_BYTES)
        assert (await inspect(bob, first))["new"] == 255
        await read(bob, first)
        assert ((await inspect(bob, first))["new"], (await inspect(bob, second))["new"]) == (0, 256)
