"""Alice's group in trouble: every signature of hers over a feed is watched, through all her lives.

What happens to a home and its mark from outside: backups, snapshots, clones. Bob's group is her peer.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.domain.recovery import Recovery
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol.identity import circle_origin
from aidmesh_protocol.keys import SigningKey
from tests.support.federation import Group, Mesh
from tests.support.stories import (
    heard,
    made,
    pledge,
    post_need,
    said,
    share,
)


@dataclass
class Signatures:
    """Every root this group's publisher ever signed. `check` fails when two of them contradict each other."""

    roots: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def watch(self, group: Group) -> Group:
        publisher = group.federation.publisher
        publisher._key = Watched(publisher._key, self)  # type: ignore[assignment]
        return group

    def check(self) -> None:
        for (origin, size), roots in self.roots.items():
            assert len(roots) == 1, f"{origin} was signed with {len(roots)} roots at size {size}"

    @property
    def count(self) -> int:
        return len(self.roots)


class Watched:
    """A signing key that is written down whenever it signs."""

    def __init__(self, key: SigningKey, signatures: Signatures) -> None:
        self._key = key
        self._signatures = signatures
        self.verify_key = key.verify_key

    def sign(self, message: bytes) -> bytes:
        origin, size, root, *_ = message.decode().split("\n")
        self._signatures.roots.setdefault((origin, int(size)), set()).add(root)
        return self._key.sign(message)


@dataclass
class World:
    """Alice and bob, paired; one need of alice's is shared and bob's group has seen it."""

    mesh: Mesh
    signatures: Signatures
    bob: Group
    circle: bytes
    need: UUID
    subject: str

    @classmethod
    async def begin(cls, mesh: Mesh) -> World:
        signatures = Signatures()
        alice, bob = signatures.watch(await mesh.found("alice")), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need = await post_need(alice, 10)
        subject = await share(alice, need, circle)
        await mesh.settle()
        return cls(mesh, signatures, bob, circle, need, subject)

    @property
    def alice(self) -> Group:
        return self.mesh.groups["alice"]

    @property
    def origin(self) -> str:
        return circle_origin(self.alice.node.gid, self.circle)

    async def restart(self) -> Group:
        await self.mesh.stop("alice")
        return await self.start()

    async def start(self) -> Group:
        return self.signatures.watch(await self.mesh.start("alice"))

    def keep(self, what: str, name: str = "kept") -> None:
        """Copy a folder of alice's aside: `alice` (the home) or `alice-state` (the mark)."""
        shutil.copytree(self.mesh.folder / what, self.mesh.folder.parent / f"{self.mesh.folder.name}-{name}-{what}")

    def restore(self, what: str, name: str = "kept") -> None:
        shutil.rmtree(self.mesh.folder / what)
        shutil.copytree(self.mesh.folder.parent / f"{self.mesh.folder.name}-{name}-{what}", self.mesh.folder / what)

    async def share_more(self, item: str = "Lanterns") -> str:
        """Alice shares another need: something new to publish."""
        return await share(self.alice, await post_need(self.alice, 5, item), self.circle)

    async def pull(self, group: Group) -> None:
        """One side asks the other, once."""
        (link,) = group.federation.links.active()
        await group.federation.replication.pull(link, 0)

    def signed_size(self) -> int:
        def read(reading: Any) -> int:
            return int(reading.feeds.head(self.origin).signed_size)

        return self.alice.node.readers.run_now(read)

    def notes(self) -> dict[str, bytes]:
        """The checkpoint of alice's feed that each group has stored, by gid."""

        def read(reading: Any) -> bytes:
            return bytes(reading.feeds.head(self.origin).checkpoint)

        return {group.node.gid: group.node.readers.run_now(read) for group in (self.alice, self.bob)}

    def cut(self) -> None:
        self.mesh.network.cut = {self.bob.endpoint}

    def heal(self) -> None:
        self.mesh.network.cut = set()

    async def check_recovering(self, because: str) -> None:
        """Says so, signs nothing while nobody gives it back what it lacks; local work goes on and waits."""
        standing = self.alice.federation.standing()
        assert standing["standing"] == "recovering" and not standing["signing"]
        assert because in str(standing["standing_reason"]), standing["standing_reason"]
        self.cut()
        signed, told = self.signatures.count, len(said(self.bob, self.alice, self.circle))
        need = await post_need(self.alice, 3, "Ropes")
        await share(self.alice, need, self.circle)
        assert (await self.alice.see(needs_view.get, need.hex))["item"] == "Ropes", "local work goes on"
        await self.mesh.settle()
        assert self.signatures.count == signed, "nothing is signed"
        assert len(said(self.bob, self.alice, self.circle)) == told
        self.heal()
        await self.check_recovered(because)

    async def check_stays(self, because: str) -> None:
        """What was signed is held by nobody: it goes on signing nothing, however often it asks."""
        signed = self.signatures.count
        await self.share_more("Candles")
        await self.mesh.settle()
        standing = self.alice.federation.standing()
        assert standing["standing"] == "recovering" and because in str(standing["standing_reason"])
        assert self.signatures.count == signed, "nothing is signed"
        self.signatures.check()
        for group in (self.alice, self.bob):
            assert group.node.verify().ok

    async def check_recovered(self, because: str) -> None:
        """It found out why, got everything back, and goes on: what peers say is heard, and nothing contradicts."""
        offered = await pledge(self.bob, self.subject, 2)
        await self.mesh.settle()
        assert because in made(self.alice, Recovery.Began)[-1].reason
        standing = self.alice.federation.standing()
        assert standing["standing"] == "active", standing["standing_reason"]
        assert heard(self.bob, self.circle, offered) in {
            event.originator_id for event in made(self.alice, Pledge.Offered)
        }, "and what peers say is interpreted"
        self.signatures.check()
        for group in (self.alice, self.bob):
            report = group.node.verify()
            assert report.ok, report.first_problem


async def snapshot(world: World) -> None:
    """Copy alice's home and mark, with her node stopped, and start it again."""
    await world.mesh.stop("alice")
    world.keep("alice")
    world.keep("alice-state")
    await world.start()


async def roll_back(world: World) -> None:
    """Home and mark go back to the snapshot, as when a virtual machine is restored."""
    await world.mesh.stop("alice")
    world.restore("alice")
    world.restore("alice-state")
    await world.start()


def clone_of(folder: Path) -> None:
    """A copy of alice's home, with a copy of its mark in another place."""
    shutil.copytree(folder / "alice", folder / "clone")
    shutil.copytree(folder / "alice-state", folder / "clone-state")
    config = folder / "clone" / "config.toml"
    config.write_text(config.read_text().replace("alice-state", "clone-state"))
