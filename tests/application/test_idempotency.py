"""The commit door: the same request twice acts once, whatever dies in between. Alice repeats herself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import needs
from aidmesh_node.application.commit import Once, Reply, commit
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.quantity import Quantity, parse_amount
from aidmesh_node.domain.refused import Refused
from tests.support.federation import Group, Mesh
from tests.support.stories import check_all_agree, made

ASKED = needs.PostNeed("bedding", Quantity(parse_amount("20"), "item"), item="Blankets", private={"name": "Ana"})
ONCE = Once("alice", "key-1", b"h" * 32)


async def post(group: Group, once: Once | None) -> Reply:
    """One attempt at posting: ids are drawn anew each time, as the rim does."""
    need_id, person, by = group.node.entropy.uuid(), group.node.entropy.uuid(), group.act()
    return await group.node.commit(lambda work: needs.post_need(work, by, need_id, person, ASKED), once)


async def test_a_repeated_request_gets_the_first_answer_and_changes_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        first = await post(alice, ONCE)
        assert not first.replayed
        position = alice.node.writer.position
        for _ in range(3):
            again = await post(alice, ONCE)
            assert again.replayed and again.body == first.body
        assert alice.node.writer.position == position
        assert [need.originator_id.hex for need in made(alice, Need.Posted)] == [first.body["id"]]
        await check_all_agree(mesh)


async def test_without_a_key_every_request_is_a_new_one(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        first, second = await post(alice, None), await post(alice, None)
        assert first.body["id"] != second.body["id"] and not second.replayed
        assert len(made(alice, Need.Posted)) == 2
        await check_all_agree(mesh)


async def test_a_key_belongs_to_one_request_and_one_person(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        first = await post(alice, ONCE)
        with pytest.raises(Refused) as refused:
            await post(alice, Once("alice", "key-1", b"other request"))
        assert refused.value.reason == "idempotency_key_reused" and refused.value.hint
        other = await post(alice, Once("ben", "key-1", b"h" * 32))
        assert not other.replayed and other.body["id"] != first.body["id"], "ben's keys are his own"
        assert (await post(alice, ONCE)).body == first.body, "the refusal has changed nothing"
        await check_all_agree(mesh)


async def test_a_refused_request_keeps_no_answer(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        by = alice.act("member")
        need = (await post(alice, None)).body["id"]

        def close(work: Any) -> dict[str, object]:
            return needs.close_need(work, by, made(alice, Need.Posted)[0].originator_id, "met")

        with pytest.raises(Refused) as refused:
            await alice.node.commit(close, ONCE)
        assert refused.value.reason == "not_allowed"
        by = alice.act("coordinator")
        done = await alice.node.commit(close, ONCE)
        assert (done.replayed, done.body["id"], done.body["state"]) == (False, need, "closed")
        await check_all_agree(mesh)


async def test_many_at_once_act_once(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        replies = await asyncio.gather(*(post(alice, ONCE) for _ in range(20)))
        assert sum(not reply.replayed for reply in replies) == 1
        assert len({str(reply.body) for reply in replies}) == 1
        assert len(made(alice, Need.Posted)) == 1
        await check_all_agree(mesh)


class Dies(Exception):
    """The process is gone at this very moment."""


class DyingWriter:
    """The real writer; the process dies before the job was durable, or after it and before anybody was told."""

    def __init__(self, writer: Any, after: bool) -> None:
        self._writer, self._after = writer, after

    async def run(self, job: Any) -> Any:
        if self._after:
            await self._writer.run(job)
            raise Dies

        def dies(work: Any) -> Any:
            job(work)
            raise Dies

        await self._writer.run(dies)


@pytest.mark.faults
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_in_between_is_repaired_by_asking_again(tmp_path: Path, after: bool) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        need_id, person, by = alice.node.entropy.uuid(), alice.node.entropy.uuid(), alice.act()
        dying: Any = DyingWriter(alice.node.writer, after)
        with pytest.raises(Dies):
            await commit(dying, lambda work: needs.post_need(work, by, need_id, person, ASKED), ONCE, 0)
        await mesh.stop("alice")
        alice = await mesh.start("alice")
        again = await post(alice, ONCE)
        assert again.replayed is after
        (posted,) = made(alice, Need.Posted)
        assert posted.originator_id.hex == again.body["id"]
        assert (posted.originator_id == need_id) is after, "what was durable is answered from the log"
        opened = alice.node.readers.run_now(lambda reading: reading.vault.open(posted.person, posted.originator_id))
        assert opened == {"name": "Ana"}, "and the private fields were kept with it"
        await check_all_agree(mesh)
