"""The publisher never contradicts what it has said, whatever happens to its home; and each of its rules is
needed.
"""

from __future__ import annotations

import pytest

from aidmesh_node.domain import own_feed
from tests.models.publisher_model import Bounds, Rules, Search, Violation


def test_a_plain_crash_never_contradicts_and_never_locks() -> None:
    search = Search(Bounds("none", peers=2))
    for world in search.run():
        if not world.nodes[0].running:
            world = search.started(world, 0)
            assert world.nodes[0].standing in (own_feed.NEW, own_feed.ACTIVE)
            for peer in range(len(world.peers)):
                world = search.shown(world, 0, peer)
            assert search.can_sign(world.nodes[0])
    assert len(search.states) > 4_000


@pytest.mark.parametrize(
    ("bounds", "states"),
    [
        (Bounds("backup"), 40_000),
        (Bounds("backup", events=2, misfortunes=2), 7_000),
        (Bounds("mark"), 30_000),
        (Bounds("snapshot"), 60_000),
        pytest.param(Bounds("snapshot", events=2, draws=3, peers=2), 25_000, marks=pytest.mark.soak),
        (Bounds("clone", events=2, draws=2), 40_000),
    ],
    ids=lambda value: f"{value.misfortune} {value.peers} peers" if isinstance(value, Bounds) else "",
)
def test_no_position_is_signed_with_two_roots(bounds: Bounds, states: int) -> None:
    """SPEC §16a."""
    search = Search(bounds)
    search.run()
    assert len(search.states) > states
    assert any(node.standing == own_feed.RECOVERING for world in search.states for node in world.nodes)
    assert any(len(rows) >= 2 for world in search.states for rows in world.served)


@pytest.mark.parametrize("bounds", [Bounds("backup", events=2), Bounds("snapshot", events=2, draws=3)], ids=str)
def test_a_node_leaves_recovering_whenever_its_peer_holds_all_it_has_signed(bounds: Bounds) -> None:
    search, left = Search(bounds), 0
    for world in search.run():
        node, peer = world.nodes[0], world.peers[0]
        # What was let be signed and never was is known, and held by nobody: an operator has to decide.
        visible = {*(world.served if bounds.misfortune == "snapshot" else world.signed), world.marks[0] or ()}
        if node.standing != own_feed.RECOVERING or any(peer.held[: len(rows)] != rows for rows in visible):
            continue
        for _ in range(STEPS_MAX):
            steps = dict(search._node_steps(world, 0, world.nodes[0]))
            back = next((steps[f"node 0 {how}"] for how in BACK if f"node 0 {how}" in steps), None)
            back = back or next((steps[how] for how in BACK if how in steps), None)
            if back is None or back.nodes[0].standing == own_feed.ACTIVE:
                break
            world = back
        assert back is not None and search.can_sign(back.nodes[0]), world
        left += 1
    assert left > 100


BACK = (
    "has everything back", "cuts what nobody can have seen", "gets entries back from peer 0", "is shown by peer 0",
)  # fmt: skip
STEPS_MAX = 8


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "bounds",
    [Bounds("backup", peers=2), Bounds("snapshot", peers=2), Bounds("clone", draws=3)],
    ids=lambda bounds: str(bounds),
)
def test_no_position_is_signed_with_two_roots_at_length(bounds: Bounds) -> None:
    assert len(Search(bounds).run()) > 250_000


def test_two_machines_with_a_mark_each_are_beyond_this_rule() -> None:
    """A whole machine cloned and both copies running: no rule inside one node can see that. It takes two
    copies that were both shown the same checkpoint; their first peer to see both holds the proof.
    """
    with pytest.raises(Violation, match="signed two roots") as found:
        Search(Bounds("machine_clone", events=2)).run()
    assert "the home is cloned" in found.value.trace
    assert {"node 0 is shown by peer 0", "node 1 is shown by peer 0"} <= set(found.value.trace)


def always_active(*_: object) -> str:
    return own_feed.ACTIVE


def always_fresh(*_: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("misfortune", "peers", "rules", "broken"),
    [
        ("backup", 1, Rules(stand=always_active), "signed two roots"),
        ("backup", 1, Rules(marks_first=False), "signed two roots"),
        ("backup", 1, Rules(may_sign=lambda _, fresh: fresh), "signed two roots"),
        ("snapshot", 1, Rules(is_fresh=always_fresh), "signed two roots"),
        ("snapshot", 1, Rules(hear=lambda *_: own_feed.FRESH), "signed two roots"),
        ("snapshot", 1, Rules(born_fresh=lambda _, signed: not signed), "signed two roots"),
        ("snapshot", 1, Rules(shows=lambda peer: peer.held), "signed two roots"),
        ("snapshot", 2, Rules(is_fresh=lambda shown, _: bool(shown)), "signed two roots"),
        ("clone", 1, Rules(swap_compares=False), "signed two roots"),
        ("none", 1, Rules(skips_published=False), "published an event twice"),
        ("backup", 1, Rules(has_all=lambda *_: True), "signed two roots"),
        ("snapshot", 2, Rules(is_confirmed=always_fresh), "signed two roots"),
    ],
    ids=[
        "the mark is not compared at the start",
        "signed before the mark is moved",
        "a recovering feed is signed",
        "nothing waits for a peer",
        "what a peer shows is not compared",
        "a feed without a signature counts as new",
        "a peer shows only what it has entries for",
        "one of two peers is enough",
        "the mark is swapped without comparing",
        "published statements are not skipped",
        "it goes on without all that was signed",
        "it goes on without its peers' word",
    ],
)
def test_each_rule_is_needed(misfortune: str, peers: int, rules: Rules, broken: str) -> None:
    """SPEC §16b."""
    with pytest.raises(Violation, match=broken):
        Search(Bounds(misfortune, events=2, peers=peers), rules).run()
