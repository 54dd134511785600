"""When which node is killed: drawn from the seed alone, before anything runs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

IMPORT, SHARE, OFFER, ACCEPT, COMMIT, HAND_OVER, RECEIVE, SYNC = PHASES = (
    "import", "share", "offer", "accept", "commit", "hand-over", "receive", "sync",
)  # fmt: skip

STEPS: Final = (IMPORT, SHARE, OFFER, ACCEPT, HAND_OVER, RECEIVE)
"""What people ask for, in the story's order. A node commits by itself while others accept, and syncs all the time."""

VERBS: Final = {
    "imports": IMPORT, "share": SHARE, "pledges": OFFER, "accept": ACCEPT, "hand-over": HAND_OVER, "receive": RECEIVE,
}  # fmt: skip
"""What people ask for, by the last word of the path they post to."""

SYNCING: Final = (SHARE, OFFER, ACCEPT, HAND_OVER)
"""Steps in which news passes between nodes, and after which there is more."""

MANY: Final = (SHARE, OFFER, ACCEPT, HAND_OVER)
"""Phases with so many occasions that some can be let go by, and after which there are more."""

KILLS_MIN: Final = len(PHASES)

SKIPS_MAX: Final = 2
"""Occasions a strike lets go by: few, so that all strikes come before the step's commands run out."""


@dataclass(slots=True)
class Strike:
    """One kill to come: inside which phase, whose node (`victim`, a group's number), after letting `skip` occasions go
    by, and at which share of the way through (0 to 1)."""

    phase: str
    victim: int
    skip: int
    moment: float


def asked_for(path: str) -> str | None:
    """The step whose command this is; None for what is not of the story, like how the groups met."""
    return VERBS.get(path.rpartition("/")[2])


def who(phase: str, groups: int) -> range:
    """The groups whose node does this; the last group is the one that gives."""
    if phase in (OFFER, COMMIT, HAND_OVER):
        return range(groups - 1, groups)
    return range(groups - 1) if phase in (ACCEPT, RECEIVE) else range(groups)


def schedule(kills: int, choice: random.Random, groups: int) -> dict[str, list[Strike]]:
    """`kills` strikes by step, at least one inside each phase. `kills` must not be less than KILLS_MIN."""
    phases = [*PHASES, *choice.choices(PHASES, k=kills - len(PHASES))]
    choice.shuffle(phases)
    planned: dict[str, list[Strike]] = {step: [] for step in STEPS}
    for phase in phases:
        step = {COMMIT: ACCEPT, SYNC: choice.choice(SYNCING)}.get(phase, phase)
        skip = choice.randint(0, SKIPS_MAX) if phase in MANY else 0
        planned[step].append(Strike(phase, choice.choice(who(phase, groups)), skip, choice.random()))
    return planned
