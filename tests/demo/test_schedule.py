"""Which node is killed when: the seed alone decides, and no phase is left out."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.demo.schedule import KILLS_MIN, PHASES, STEPS, Strike, asked_for, schedule, who

GROUPS = 3


def planned(kills: int, seed: int) -> dict[str, list[Strike]]:
    return schedule(kills, random.Random(seed), GROUPS)


@given(st.integers(KILLS_MIN, 200), st.integers(0, 2**31))
def test_every_kill_has_a_phase_and_every_phase_a_kill(kills: int, seed: int) -> None:
    strikes = [strike for step in STEPS for strike in planned(kills, seed)[step]]
    assert len(strikes) == kills
    assert Counter(strike.phase for strike in strikes).keys() == set(PHASES)
    assert all(strike.victim in who(strike.phase, GROUPS) and 0 <= strike.moment < 1 for strike in strikes)


def test_the_same_seed_plans_the_same_and_another_something_else() -> None:
    assert planned(50, 1) == planned(50, 1)
    assert planned(50, 1) != planned(50, 2)


def test_each_node_is_killed_in_what_it_does() -> None:
    assert list(who("offer", GROUPS)) == list(who("commit", GROUPS)) == list(who("hand-over", GROUPS)) == [2]
    assert list(who("accept", GROUPS)) == list(who("receive", GROUPS)) == [0, 1]
    assert list(who("sync", GROUPS)) == list(who("import", GROUPS)) == [0, 1, 2]


def test_what_is_asked_for_is_known_by_its_path() -> None:
    assert asked_for("/api/v1/pledges") == "offer"
    assert asked_for("/api/v1/pledges/12ab/hand-over") == "hand-over"
    assert asked_for("/api/v1/peers/invitations") is None
