"""MovedOn: a command was meant for another version of the thing than the one it found. Nothing was changed."""

from __future__ import annotations

from collections.abc import Collection

from aidmesh_node.domain.event import Recorded


class MovedOn(Exception):
    """``version`` is what the thing is at now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"it is at version {version}")
        self.version = version


def check_version(thing: Recorded | None, wanted: Collection[int] | None) -> None:
    """Inside the writer's transaction, so that of many commands for one version only the first is done.

    Raises MovedOn; a thing that is not there is left to the use case to miss."""
    if wanted is not None and thing is not None and thing.version not in wanted:
        raise MovedOn(thing.version)
