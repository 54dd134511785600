"""One running node, as its rims see it: the parts they need, and `commit`, the one way anything becomes durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from aidmesh_node.application.clock_trust import ClockTrust
from aidmesh_node.application.commit import Job, Once, Reply, commit
from aidmesh_node.application.file_doors import FileDoors
from aidmesh_node.application.peer_doors import PeerDoors
from aidmesh_node.application.ports import Readers, Reading, Writer
from aidmesh_node.application.rehearsal import rehearse
from aidmesh_node.application.verification import Report
from aidmesh_node.clock import Clock
from aidmesh_node.config import Config
from aidmesh_node.entropy import Entropy
from aidmesh_node.views.views import Views


@dataclass(slots=True)
class Node:
    """Built at `main`, torn down there. `import_namespace` is secret: ids of imported people hang on it."""

    gid: str
    name: str
    config: Config
    config_origins: Mapping[str, str]
    clock: Clock
    entropy: Entropy
    writer: Writer
    readers: Readers[Reading]
    views: Views
    peers: PeerDoors
    files: FileDoors
    clock_trust: ClockTrust
    import_namespace: UUID
    verify: Callable[[], Report]
    broken: asyncio.Event
    """Set when storage failed: nothing more is acknowledged, and the process ends."""

    async def commit(self, job: Job, once: Once | None = None) -> Reply:
        """Run a use case durably. Raises what it raises, and Unavailable."""
        # Asked for first, so that both are handed to the writer together: one transaction, one fsync.
        self.peers.publish_along()
        lived = 0 if once is None else await self.clock_trust.lived()
        reply = await commit(self.writer, job, once, lived)
        if self.peers.recovering:
            reply.body["notice"] = (
                "Kept here, but this node was restored or copied: other groups do not hear of it yet."
            )
        return reply

    async def rehearse(self, job: Job, *, creates: bool = False) -> dict[str, object]:
        """Run a use case and keep nothing of it: see `rehearsal`. Raises as `commit`."""
        return await rehearse(self.writer, job, creates=creates)
