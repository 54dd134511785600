"""Peers that fail are tried less and less; one that speaks to us is tried at once, unless it has refused us."""

from __future__ import annotations

from pathlib import Path

from aidmesh_node.federation.peer_client import PeerRefused, Unreachable
from tests.support.federation import Mesh


async def test_a_peer_that_was_away_is_tried_as_soon_as_it_speaks(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        replication = alice.federation.replication
        contact = replication.contact(bob.node.gid)
        replication._failed("bob", contact, Unreachable("bob does not answer"))

        (link,) = bob.federation.links.active()
        await bob.federation.replication.pull(link, 0)

        assert contact.woken.is_set()


async def test_two_nodes_that_refuse_each_other_do_not_wake_each_other(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        replication = alice.federation.replication
        contact = replication.contact(bob.node.gid)
        contact.woken.clear()
        replication._failed("bob", contact, PeerRefused("recovering", "this node was restored"))

        (link,) = bob.federation.links.active()
        await bob.federation.replication.pull(link, 0)

        assert not contact.woken.is_set()
        assert contact.backoff_seconds > 0
