"""A group whose line breaks while it waits for news asks again, and again: it is on the line each time, never refused.

Found by `aidmesh demo --kills`: a node that was killed and started three times within seconds was told that it asks too
much, since the answers held for its dead connections still counted.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aidmesh_node.federation.links import HELD_ANSWERS_MAX
from aidmesh_protocol.bundle import Ask, Sizes
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash
from tests.support.raw_peer import RawPeer, Town, town

PATIENCE_SECONDS = 20
GIVE_UP_SECONDS = 10.0
"""Of the loop's own time, which here is not the nodes'."""


def ask_with_nothing_missing(here: Town, peer: RawPeer) -> asyncio.Task[list[bytes]]:
    """A question whose answer is held back: it claims to hold more than there is."""
    origins = (identity_origin(here.alice.node.gid), circle_origin(here.alice.node.gid, peer.circle))
    served = Sizes(tuple((origin_hash(origin), 99, bytes(32)) for origin in origins))

    async def answer() -> list[bytes]:
        request = peer.request(here.alice, [Ask(100_000, PATIENCE_SECONDS), served])
        return [piece async for piece in here.alice.federation.sync(request)]

    return asyncio.create_task(answer())


async def test_who_asks_again_takes_the_place_of_the_question_it_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(tmp_path) as here:
        bob, lines_lost = await here.mallory("bob"), 3
        # From here on nobody's patience ends by itself.
        monkeypatch.setattr(here.mesh.clock, "sleep", lambda _: asyncio.Event().wait())
        asked = {ask_with_nothing_missing(here, bob) for _ in range(HELD_ANSWERS_MAX + lines_lost)}
        answered: set[asyncio.Task[list[bytes]]] = set()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while len(answered) < lines_lost:
                done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                answered |= done

        assert all(task.result() for task in answered), "let go with an answer, not with a refusal"
        assert len(asked) == HELD_ANSWERS_MAX
        assert here.alice.federation.links.is_waiting(bob.gid)
        for task in asked:
            task.cancel()
        await asyncio.wait(asked)
        assert not here.alice.federation.links.is_waiting(bob.gid)
