"""One group of the demo: its node, its operator's view of it, and what it brings along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aidmesh_node.demo.client import NodeClient
from aidmesh_node.demo.input import GroupInput
from aidmesh_node.demo.nodes import DemoNode
from aidmesh_node.demo.options import DemoEvent, Tell


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import recorded, and by how many days it moved the dates."""

    files: tuple[str, ...]
    needs: int
    offers: int
    shifted_days: int

    def counted(self) -> str:
        """In words: "5 needs"."""
        counts = ((self.needs, "need"), (self.offers, "offer"))
        return " and ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts if count) or "nothing"


@dataclass(slots=True)
class Group:
    """`needs`: ids of what it imported and asks for. `gid` is known once its node answers."""

    node: DemoNode
    client: NodeClient = field(repr=False)
    brings: GroupInput = field(repr=False)
    gid: str = ""
    needs: list[str] = field(default_factory=list)
    imported: list[Imported] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.brings.name

    async def own(self, path: str) -> list[dict[str, Any]]:
        """The group's own needs or offers."""
        return await self.client.items(path, ours="true")


@dataclass(slots=True)
class Teller:
    """Says what happens, and remembers the step for when something goes wrong."""

    tell: Tell
    now: str = ""

    def step(self, text: str) -> None:
        """A new step begins."""
        self.now = text
        self.tell(DemoEvent("step", text))

    def note(self, text: str) -> None:
        """A sentence."""
        self.tell(DemoEvent("note", text))

    def counter(self, text: str, total: int) -> Callable[[int], None]:
        """A progress of `total`; call what is returned with how many are done. Says each number once."""
        last = -1

        def done(count: int) -> None:
            nonlocal last
            if count != last:
                last = count
                self.tell(DemoEvent("progress", text, count, total))

        done(0)
        return done
