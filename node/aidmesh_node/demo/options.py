"""What a caller of the demo says, and what it is told. Light: the command line imports it for its help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

STEP_SECONDS_MAX = 60.0
"""No step waits longer for another node: a demo that hangs says nothing, one that fails names what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How the demo runs.

    `exit`: stop the nodes and remove their folder at the end; else they run until Ctrl-C, and the folder stays.
    `seed`: decides every choice the demo leaves open; None: a new one, told in the report. `data`: the folder with
    the files; None: the folder AIDMESH_SHARED or ../shared, else the files that the project ships. `folder`: where
    the nodes' temporary folder is made. `kills`: how many times a node is killed in the middle of something, at least
    once inside each phase of the story; 0: one node is cut off once.
    """

    exit: bool = False
    kills: int = 0
    seed: int | None = None
    data: Path | None = None
    folder: Path | None = None
    step_seconds_max: float = STEP_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """What happens, while it happens.

    "step": a new step begins, `text` says which. "progress": `done` of `total` of the thing `text`. "note": a
    sentence. "table": the run is over and `report` is what `DemoResult.report` will be. "done": the last sentence;
    without `exit` the nodes are running now.
    """

    kind: Literal["step", "progress", "note", "table", "done"]
    text: str
    done: int = 0
    total: int = 0
    report: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class DemoResult:
    """`ok`: every step happened, every node's `verify` passed and all nodes agree. `report`: one JSON object."""

    ok: bool
    report: dict[str, object]


Tell = Callable[[DemoEvent], None]
