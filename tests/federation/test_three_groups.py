"""Three groups, two circles: what one circle hears the other does not, and two givers fill one need together."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import pledges
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol.bundle import CheckpointFrame, Sizes, Want
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.statements import NeedUpdated
from tests.support.asking import asks, pull
from tests.support.federation import Mesh
from tests.support.stories import (
    check_all_agree,
    crossed,
    heard,
    need_totals,
    offer_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    state,
    two_groups,
)


async def test_two_circles_know_the_same_need_by_different_ids(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        other = await mesh.pair(alice, eve)
        need = await post_need(alice, 20)
        subjects = {await share(alice, need, each) for each in (circle, other)}
        assert len(subjects) == 2
        await mesh.settle()
        for_bob, for_eve = said(bob, alice, circle), said(eve, alice, other)
        names = [{entry.statement_id for entry, _ in told} | {entry.subject_id for entry, _ in told}
                 for told in (for_bob, for_eve)]  # fmt: skip
        assert not names[0] & names[1]
        assert for_bob[1][1] == for_eve[1][1], "what they are told is the same"
        commitments = [{part.commitment for entry, _ in told for part in entry.parts} for told in (for_bob, for_eve)]
        assert not commitments[0] & commitments[1], "and salted, so that it cannot be compared"
        await check_all_agree(mesh)


async def test_a_third_group_sees_nothing_of_another_circle(tmp_path: Path) -> None:
    """SPEC §8.4b."""
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        eve = await mesh.found("eve")
        await mesh.pair(alice, eve)
        need = await post_need(alice, 20, "Wheelchair")
        subject = await share(alice, need, circle)
        await mesh.settle()
        await pledge(bob, subject, 5)
        await mesh.settle()
        secrets = [origin_hash(circle_origin(group.node.gid, circle)) for group in (alice, bob)]

        mesh.network.captured.clear()
        await pull(eve)
        sent = crossed(mesh)
        for hidden in (*secrets, circle, circle.hex().encode(), b"Wheelchair", bytes.fromhex(subject)):
            assert hidden not in sent
        assert bob.node.gid.encode() not in sent, "not even whom alice's group knows"

        # Even knowing the names, she gets nothing by asking for them.
        wanted = Want(
            parts=tuple((hashed, index, tag) for hashed in secrets for index in range(3) for tag in (FACTS, VIEW)),
            entries=tuple((hashed, index) for hashed in secrets for index in range(3)),
        )
        sizes = Sizes(tuple((hashed, 0, sha256(b"").digest()) for hashed in secrets))
        answer = await asks(eve, alice, wanted, sizes)
        assert not any(hidden in repr(frame).encode() for frame in answer for hidden in map(_as_repr, secrets))
        checkpoints = [frame.note for frame in answer if isinstance(frame, CheckpointFrame)]
        assert not any(circle.hex().encode() in note for note in checkpoints)
        heads = eve.node.readers.run_now(lambda reading: reading.feeds.heads())
        assert {head.owner for head in heads} == {eve.node.gid, alice.node.gid}
        assert not any(head.circle == circle for head in heads)
        await check_all_agree(mesh)


async def test_two_givers_fill_one_need_together(tmp_path: Path) -> None:
    """Partial cover by two groups at once: sums never pass the need, and saying too much is refused with a reason."""
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        eve = await mesh.found("eve")
        other = await mesh.pair(alice, eve)
        need = await post_need(alice, 10)
        for_bob, for_eve = await share(alice, need, circle), await share(alice, need, other)
        await mesh.settle()
        mesh.network.cut = {alice.endpoint}
        shelf, pantry = await post_offer(bob, 7), await post_offer(eve, 7)
        his, hers = await pledge(bob, for_bob, 6, shelf), await pledge(eve, for_eve, 7, pantry)
        mesh.network.cut = set()
        await mesh.settle()
        his_heard, hers_heard = heard(bob, circle, his), heard(eve, other, hers)

        await alice.do(pledges.accept_pledge, his_heard)
        with pytest.raises(Refused) as refused:
            await alice.do(pledges.accept_pledge, hers_heard, (await state(eve, hers)).offered)
        assert (refused.value.reason, refused.value.hint) == ("already_covered", "Accept at most 4 item.")
        assert "lacks 4 item, not 7" in refused.value.detail
        await alice.do(pledges.accept_pledge, hers_heard)
        await mesh.settle()
        assert await need_totals(alice, need) == (10, 0, 0)
        for group, subject in ((bob, for_bob), (eve, for_eve)):
            assert (await on_board(group))[subject]["open"] == "0", "both see that it is covered"
        assert (await offer_totals(bob, shelf), await offer_totals(eve, pantry)) == ((0, 6, 0), (0, 4, 0))

        await bob.do(pledges.hand_over, his)
        await eve.do(pledges.withdraw_pledge, hers)
        await mesh.settle()
        assert await need_totals(alice, need) == (6, 0, 4), "what one takes back is open again"
        second = await pledge(eve, for_eve, 4, pantry)
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(eve, other, second))
        await alice.do(pledges.receive_pledge, his_heard)
        await mesh.settle()
        await eve.do(pledges.hand_over, second)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(eve, other, second))
        await mesh.settle()
        seen: Any = await alice.see(needs_view.get, need.hex)
        assert (seen["received"], seen["open"], seen["fulfilment"]) == ("10", "0", "full")
        updates = [what for _, what in said(bob, alice, circle) if isinstance(what, NeedUpdated)]
        for update in updates:
            assert int(update.reserved) + int(update.received) <= 10
        await check_all_agree(mesh)


def _as_repr(value: bytes) -> bytes:
    return repr(value).encode()
