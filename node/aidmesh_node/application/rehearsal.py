"""A dry run: a job does all it would do, inside the writer's transaction, and then none of it is kept.

It passes the same rights and guards as the real thing, because it is the real thing without its last step. It keeps
no answer for repetitions, and nothing of it is ever on disk, in the log or at another group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from aidmesh_node.application.ports import Work, Writer

PAGE_EVENTS: Final = 1_000
MADE_UP: Final = frozenset({"id", "invitation", "token"})
"""What is drawn anew for something that is made: those of a rehearsal lead nowhere, so nobody is shown them."""


class _Rehearsed(Exception):
    """How a rehearsed job ends: as every job that raises it is undone, and this carries out what it would tell."""

    def __init__(self, body: dict[str, object]) -> None:
        super().__init__("a rehearsal ends here")
        self.body = body


async def rehearse(
    writer: Writer, job: Callable[[Work], Mapping[str, object] | None], *, creates: bool = False
) -> dict[str, object]:
    """What `job` would answer, with `would_record` ({topic of an event: how many}) and the log's position as it is.

    `creates`: its id and secrets are new ones, and left out. Raises what the job raises."""

    def act(work: Work) -> None:
        before = work.position
        body = dict(job(work) or {})
        kept = {name: value for name, value in body.items() if not (creates and name in MADE_UP)}
        raise _Rehearsed({**kept, "dry_run": True, "would_record": _recorded(work, before), "position": before})

    try:
        await writer.run(act)
    except _Rehearsed as ended:
        return ended.body
    raise AssertionError("a rehearsal never ends well")


def _recorded(work: Work, position: int) -> dict[str, int]:
    """How many events of each topic the log holds after `position`."""
    found: Counter[str] = Counter()
    while page := work.events_after(position, PAGE_EVENTS):
        found.update(str(getattr(type(event), "TOPIC", type(event).__qualname__)) for _, event in page)
        position = page[-1][0]
    return dict(sorted(found.items()))
