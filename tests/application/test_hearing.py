"""What a peer may say about pledges: ids that name something of ours already are not its to use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import hearing, inbox
from aidmesh_node.domain.act import PEER, Act
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.statements import PledgeOffered
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    check_all_agree,
    heard,
    made,
    need_totals,
    pledge,
    post_need,
    share,
    subject_of,
)


async def hear_offer(group: Group, peer: Group, circle: bytes, subject: bytes, need_subject: str) -> None:
    """As the inbox does it when the peer's entry is interpreted."""
    offered = PledgeOffered(bytes.fromhex(need_subject), None, 1, "3", "item", "deliver", None, None)
    act = group.act()
    by = Act(act.id, act.at, None, PEER, cause=f"{'00' * 32}:0", heard=True)
    job: Any = lambda work: hearing.hear_offer(work, by, peer.node.gid, circle, subject, offered)  # noqa: E731
    await group.node.writer.run(job)


async def test_a_pledge_under_an_id_of_ours_is_illegal(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need, other = await post_need(alice, 10), await post_need(bob, 5)
        subject, theirs = await share(alice, need, circle), await share(bob, other, circle)
        await mesh.settle()
        ours = await pledge(alice, theirs, 2)
        await mesh.settle()
        for taken in (bytes.fromhex(subject), subject_of(alice, circle, ours)):
            with pytest.raises(Refused) as refused:
                await hear_offer(alice, bob, circle, taken, subject)
            assert refused.value.reason == "illegal", "so the inbox quarantines it, and goes on"
        assert len(made(alice, Pledge.Offered)) == 1
        await check_all_agree(mesh)


async def test_an_offer_heard_again_is_the_same_pledge(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need = await post_need(alice, 10)
        subject = await share(alice, need, circle)
        await mesh.settle()
        offered = await pledge(bob, subject, 3)
        await mesh.settle()
        position = alice.node.writer.position
        await hear_offer(alice, bob, circle, subject_of(bob, circle, offered), subject)
        assert alice.node.writer.position == position
        assert [event.originator_id for event in made(alice, Pledge.Offered)] == [heard(bob, circle, offered)]
        assert await need_totals(alice, need) == (0, 0, 10)
        await check_all_agree(mesh)


async def test_interpreting_again_changes_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        at = mesh.clock.now()
        (head,) = [h for h in await _heads(alice, bob.node.gid) if h.circle == circle]
        done = await alice.node.writer.run(lambda work: inbox.interpret(work, head.origin, at))
        assert done.value is False and head.folded == head.size, "all was interpreted: again changes nothing"
        await check_all_agree(mesh)


async def _heads(group: Group, owner: str) -> Any:
    return await group.node.readers.run(lambda reading: reading.feeds.heads(owner=owner))
