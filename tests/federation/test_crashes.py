"""A crash between any two steps of publishing, hearing or acting needs no repair and contradicts nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import inbox, needs, pledges
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.pledge import Pledge
from aidmesh_protocol.statements import NeedShared
from tests.support.federation import Mesh
from tests.support.misfortune import Signatures, World
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    on_board,
    pledge,
    post_need,
    said,
    share,
    state,
)


class Dies(Exception):
    """The process is gone at this very moment."""


class DyingMark:
    """The real mark; the process dies before or after it moves."""

    def __init__(self, mark: Any, after: bool) -> None:
        self._mark, self._after = mark, after

    def swap(self, *values: Any) -> None:
        if self._after:
            self._mark.swap(*values)
        raise Dies


class DyingWriter:
    """The real writer; the process dies before or after the job number `at` of one publication."""

    def __init__(self, writer: Any, at: int, after: bool) -> None:
        self._writer, self._left, self._after = writer, at, after

    async def run(self, job: Callable[[Any], Any], *after: Any) -> Any:
        self._left -= 1
        if self._left:
            return await self._writer.run(job, *after)
        if self._after:
            await self._writer.run(job)
        raise Dies


class DiesInterpreting:
    """The real writer; the process dies when what was stored is to be interpreted."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    async def run(self, job: Any) -> Any:
        if getattr(job, "func", None) is inbox.interpret:
            raise Dies
        return await self._writer.run(job)

    async def run_both(self, first: Any, second: Any) -> Any:
        return await self.run(first), await self.run(second)


@dataclass(slots=True)
class Held:
    """Looks at something while a question is at the peer."""

    look: Callable[[], bool]
    seen: list[bool] = field(default_factory=list)

    def repeats_request(self) -> bool:
        self.seen.append(self.look())
        return False

    def disturb(self, line: tuple[str, str], pieces: list[bytes]) -> list[bytes]:
        return pieces


DEATHS: dict[str, Callable[[Any], None]] = {
    "before the rows": lambda publisher: _dying_writer(publisher, 1, after=False),
    "after the rows": lambda publisher: _dying_writer(publisher, 1, after=True),
    "before the mark": lambda publisher: _dying_mark(publisher, after=False),
    "after the mark": lambda publisher: _dying_mark(publisher, after=True),
    "after the signature": lambda publisher: _dying_writer(publisher, 2, after=False),
    "after the checkpoint was stored": lambda publisher: _dying_writer(publisher, 2, after=True),
}


@pytest.mark.faults
@pytest.mark.parametrize("death", DEATHS)
async def test_a_crash_between_two_steps_of_publishing_needs_nothing(tmp_path: Path, death: str) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        subject = await world.share_more()
        DEATHS[death](world.alice.federation.publisher)
        with pytest.raises(Dies):
            await world.alice.federation.publisher.publish()
        await world.restart()
        later = await world.share_more("Ropes")
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active", "a plain crash never locks a node"
        assert {subject, later} <= set(await on_board(world.bob))
        told = said(world.bob, world.alice, world.circle)
        assert len({entry.statement_id for entry, _ in told}) == len(told), "nothing is published twice"
        assert sum(isinstance(what, NeedShared) for _, what in told) == 3
        world.signatures.check()
        await check_all_agree(mesh)


@pytest.mark.faults
async def test_what_a_peer_was_served_before_it_was_stored_is_signed_again_with_the_same_bytes(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        subject = await world.share_more()
        DEATHS["after the signature"](world.alice.federation.publisher)
        with pytest.raises(Dies):
            await world.alice.federation.publisher.publish()
        await world.pull(world.bob)
        assert subject in await on_board(world.bob), "served before it was stored"
        notes = world.notes()
        assert notes[world.bob.node.gid] != notes[world.alice.node.gid], "not stored at home yet"
        await world.restart()
        await mesh.settle()
        assert world.alice.federation.standing()["standing"] == "active"
        assert set(world.notes().values()) == {notes[world.bob.node.gid]}, "the same bytes again"
        later = await world.share_more("Ropes")
        await mesh.settle()
        assert {subject, later} <= set(await on_board(world.bob))
        world.signatures.check()
        await check_all_agree(mesh)


@pytest.mark.faults
@pytest.mark.parametrize("death", DEATHS)
async def test_a_crash_at_the_first_words_to_a_new_circle_needs_nothing(tmp_path: Path, death: str) -> None:
    async with Mesh(tmp_path) as mesh:
        signatures = Signatures()
        alice, bob = signatures.watch(await mesh.found("alice")), await mesh.found("bob")
        met = await bob.federation.accept(bob.act("operator"), str(alice.federation.invite(None)["invitation"]))
        words: Any = met["words"]
        await bob.federation.confirm(bob.act("operator"), alice.node.gid, words)
        DEATHS[death](alice.federation.publisher)
        with pytest.raises(Dies):
            await alice.federation.confirm(alice.act("operator"), bob.node.gid, words)
        await mesh.stop("alice")
        alice = signatures.watch(await mesh.start("alice"))
        # What the running node does every two seconds while a pairing is unfinished.
        await bob.federation.pairing.exchange_signatures(alice.node.gid)
        await mesh.settle()
        (link,) = bob.federation.links.active()
        assert link.circle is not None
        subject = await share(alice, await post_need(alice, 10), link.circle)
        await mesh.settle()
        assert subject in await on_board(bob)
        signatures.check()
        await check_all_agree(mesh)


async def test_entries_stored_before_a_crash_are_interpreted_after_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)
        offered = await pledge(world.bob, world.subject, 4)
        await world.bob.federation.publisher.publish()
        replication = world.alice.federation.replication
        replication._writer = DiesInterpreting(replication._writer)  # type: ignore[assignment]
        with pytest.raises(Dies):
            await world.pull(world.alice)
        assert said(world.alice, world.bob, world.circle)[-1][0].type == "pledge.offered", "stored"
        assert not made(world.alice, Pledge.Offered), "not interpreted"
        await world.restart()
        mesh.network.faults = held = Held(lambda: bool(made(world.alice, Pledge.Offered)))
        await world.pull(world.alice)
        assert held.seen == [True], "before bob's node is asked, which may hold the question for long"
        mesh.network.faults = None
        offer = heard(world.bob, world.circle, offered)
        assert (await state(world.alice, offer)).phase == "offered"
        await world.alice.do(pledges.accept_pledge, offer)
        await mesh.settle()
        assert await need_totals(world.alice, world.need) == (4, 0, 6)
        await check_all_agree(mesh)


async def test_a_crash_in_the_middle_of_a_command_leaves_nothing_of_it(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        world = await World.begin(mesh)

        def dies_late(work: Any) -> dict[str, object]:
            needs.unshare_need(work, by, world.need, world.circle)
            raise Dies

        by = world.alice.act()
        with pytest.raises(Dies):
            await world.alice.node.commit(dies_late)
        await world.restart()
        await mesh.settle()
        assert not made(world.alice, Need.Unshared)
        assert world.subject in await on_board(world.bob)
        await check_all_agree(mesh)


def _dying_mark(publisher: Any, *, after: bool) -> None:
    publisher._mover.mark = DyingMark(publisher._mover.mark, after)


def _dying_writer(publisher: Any, at: int, *, after: bool) -> None:
    publisher._writer = DyingWriter(publisher._writer, at, after)
