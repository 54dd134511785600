"""What changed, numbered: whoever comes back is told of all of it once, or told plainly that it cannot be said."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aidmesh_node.domain.need import Need
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.views import changes, needs
from aidmesh_node.views.board import board
from aidmesh_node.views.changes import KINDS, Change, Told, since
from aidmesh_protocol.entry import VIEW
from aidmesh_protocol.statements import GroupDescribed, NeedShared, NeedShareRevoked, NeedUpdated, NeedView
from tests.domain.test_topics import AGGREGATES
from tests.views.house import ALICE, BOB, CIRCLE, OTHER_CIRCLE, OURS, House

LIMIT = 7
"""Fewer than most stories have, so that they are read in pages."""
ALL = 1_000_000

RICE = NeedShared("100", "kg", "60", NeedView("food", "Rice", "high", None, None, "Dili"))
TENTS = NeedShared("3", "item", "3", NeedView("shelter", "Tent", "normal", None, None, None))
MORE = NeedUpdated("120", "20", "30")


def now(house: House) -> str:
    """The newest place, everything seen."""
    told: Told = house.ask(since, None, LIMIT)
    assert told.changes == [] and told.lost is None
    return told.end


def told_after(house: House, place: str) -> list[Change]:
    """Everything after a place, page by page."""
    house.views.catch_up()
    gathered: list[Change] = []
    while (page := house.views.read(since, place, LIMIT)).changes:
        assert page.lost is None and len(page.changes) <= LIMIT and page.end == page.changes[-1].place
        gathered += page.changes
        place = page.end
    assert page.lost is None and page.end == place
    return gathered


def brief(told: list[Change]) -> list[tuple[str, str | None, int | None, bool]]:
    return [(one.kind, one.id, one.version, one.ours) for one in told]


def test_every_event_of_ours_is_one_change_in_the_order_of_the_log(house: House) -> None:
    start = now(house)
    house.found()
    house.link(ALICE, "Alice's group")
    first, second = house.need(), house.need()
    house.change(Need, first, lambda need: need.close(house.act(), "met"))
    told = told_after(house, start)
    link = [("peer", ALICE, version, True) for version in (1, 2, 3, 4, 5)]
    assert brief(told) == [
        ("group", OURS, 1, True),
        *link,
        ("need", first.hex, 1, True),
        ("need", second.hex, 1, True),
        ("need", first.hex, 2, True),
        # Which circles are in force, once for all that was projected together.
        ("board", None, None, True),
    ]
    events = house.home.readers.run_now(lambda reading: reading.events.select(0, ALL))
    assert sorted({one.position for one in told}) == [position for position, _ in events]


def test_what_a_peer_shows_is_told_with_the_version_that_lists_show(house: House) -> None:
    house.link(ALICE, "Alice's group")
    feed, subject = house.feed(ALICE), b"s" * 16
    start = now(house)
    feed.say(subject, RICE)
    position = house.ask(board)["position"]
    assert told_after(house, start)[0][1:] == ("need", subject.hex(), False, 1, position)
    feed.say(subject, MORE)
    feed.say(subject, NeedShareRevoked())
    house.views.catch_up()
    told = told_after(house, start)
    # Said in one go: what came in between was never shown.
    assert brief(told) == [("need", subject.hex(), 1, False), ("need", subject.hex(), 3, False)]
    assert house.ask(board)["needs"] == []


def test_what_lists_do_not_show_is_not_told(house: House) -> None:
    house.link(ALICE, "Alice's group")
    start = now(house)
    house.feed(BOB, OTHER_CIRCLE).say(b"b" * 16, RICE)
    feed, subject = house.feed(ALICE), b"s" * 16
    sealed = feed.sealed(subject, RICE)
    index = feed.append([sealed], without=VIEW)
    assert told_after(house, start) == [], "a circle that is not in force, and a need not described yet"
    feed.deliver(index, VIEW, sealed)
    assert brief(told_after(house, start)) == [("need", subject.hex(), 1, False)]
    suspended = now(house)
    house.change(PeerLink, PeerLink.id_of(ALICE), lambda link: link.suspend(house.act("operator"), "quarrel"))
    feed.say(subject, MORE)
    told = told_after(house, suspended)
    assert [kind for kind, *_ in brief(told)] == ["peer", "board"]


def test_a_group_that_says_its_name_is_told_as_the_peer_it_is(house: House) -> None:
    house.link(ALICE, "Alice's group")
    start = now(house)
    house.feed(ALICE, None).say(b"i" * 16, GroupDescribed("Alice and friends", ()))
    house.feed(BOB, None).say(b"i" * 16, GroupDescribed("Nobody we are linked with", ()))
    assert brief(told_after(house, start)) == [("peer", ALICE, 5, False)]


def test_a_place_outlives_the_process(house: House) -> None:
    house.need()
    place = now(house)
    need = house.need()
    house.reopen()
    assert brief(told_after(house, place)) == [("need", need.hex, 1, True)]
    house.reopen()
    later = house.need()
    assert brief(told_after(house, place)) == [("need", need.hex, 1, True), ("need", later.hex, 1, True)]


def test_a_place_of_views_that_were_thrown_away_is_not_taken_for_one_of_these(house: House) -> None:
    house.link(ALICE, "Alice's group")
    house.views.catch_up()
    house.need()
    house.feed(ALICE).say(b"s" * 16, RICE)
    place = now(house)
    house.views.rebuild()
    lost: Told = house.views.read(since, place, LIMIT)
    assert (lost.lost, lost.changes) == ("other_history", [])
    assert house.views.read(since, lost.end, LIMIT).lost is None


def test_a_power_cut_that_takes_back_the_newest_of_the_views_skips_nothing(house: House) -> None:
    """Their file is not flushed with every commit: what was shown and told before the cut is projected again, perhaps
    in another order."""
    house.link(ALICE, "Alice's group")
    safe = now(house)
    house.reopen_views()
    shutil.copy(house.path / "views.db", house.path / "before")
    need = house.need()
    told_need = now(house)
    house.feed(ALICE).say(b"s" * 16, TENTS)
    told_both = now(house)
    house.views.close()
    for suffix in ("-wal", "-shm"):
        (house.path / f"views.db{suffix}").unlink(missing_ok=True)
    shutil.copy(house.path / "before", house.path / "views.db")
    house.views = house.open_views()
    again = told_after(house, safe)
    assert {one.id for one in again} == {need.hex, (b"s" * 16).hex()}
    for place in (told_need, told_both):
        after = house.views.read(since, place, LIMIT)
        known = {one.place for one in again}
        assert after.lost == "other_history" or place in known


def test_a_place_of_a_log_that_was_restored_is_found_out(tmp_path: Path) -> None:
    """As many changes of the same need, but others: versions and positions agree, what they say does not."""
    with house_in(tmp_path / "one", seed=1) as house:
        need = house.need()
        house.views.catch_up()
        house.close()
        shutil.copytree(tmp_path / "one", tmp_path / "backup")
    with house_in(tmp_path / "one", seed=2) as house:
        house.change(Need, need, lambda found: found.close(house.act(), "met"))
        place = now(house)
    with house_in(tmp_path / "backup", seed=3) as restored:
        restored.change(Need, need, lambda found: found.close(restored.act(), "met"))
        lost: Told = restored.ask(since, place, LIMIT)
        assert lost.lost == "other_history"
        assert (lost.end.split("-")[0], lost.position) == (place.split("-")[0], 2)


def test_what_is_too_old_is_said_to_be_and_the_rest_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHANGES_KEPT", 20)
    monkeypatch.setattr(changes, "TRIM_CHANGES", 5)
    places = []
    for _ in range(60):
        house.need()
        places.append(now(house))
    lost = [place for place in places if house.views.read(since, place, ALL).lost == "too_old"]
    assert lost == places[: len(lost)] and 60 - 20 - 5 <= len(lost) <= 60 - 20
    for behind, place in enumerate(reversed(places[len(lost) :])):
        assert len(house.views.read(since, place, ALL).changes) == behind


def test_every_aggregate_has_a_kind_that_one_may_ask_for() -> None:
    """What is new to the log is told of under its own name: add it to KINDS."""
    told = {aggregate.TOPIC.removesuffix("-link") for aggregate in AGGREGATES} - {
        "dispute"
    }  # as a change of its pledge
    assert told | {"board"} == set(KINDS)


NUMBERS = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("need")),
    st.tuples(st.just("close"), NUMBERS),
    st.tuples(st.just("say"), st.sampled_from((ALICE, BOB)), NUMBERS, st.sampled_from((RICE, TENTS, MORE))),
    st.tuples(st.just("late"), NUMBERS),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("catch up")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("rebuild")),
    st.tuples(st.just("come back"), NUMBERS),
)


@dataclass
class Page:
    """Somebody's page: what it last showed of each thing, kept up only by what it is told."""

    place: str
    shows: dict[tuple[str, bool], int] = field(default_factory=lambda: defaultdict(int))
    told: list[Change] = field(default_factory=list)
    resets: int = 0


class Story:
    """A house, and people who look away and come back at any moment."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.link(ALICE, "Alice's group")
        house.link(BOB, "Bob's group", OTHER_CIRCLE)
        self.needs: list[UUID] = []
        self.late: list[tuple[int, Any]] = []
        house.views.catch_up()
        self.pages = [self.load(Page("")) for _ in range(4)]

    def load(self, page: Page) -> Page:
        """Start to follow, then read the lists: what `ready` and `reset` ask for."""
        page.place = now(self.house)
        page.shows = dict(self.lists())
        page.told = []
        return page

    def lists(self) -> dict[tuple[str, bool], int]:
        shown = self.house.ask(needs.list_page, limit=500)["items"]
        return {(need["id"], need["ours"]): need["version"] for need in shown}

    def come_back(self, page: Page) -> None:
        first: Told = self.house.ask(since, page.place, LIMIT)
        if first.lost is not None:
            page.resets += 1
            self.load(page)
            return
        fresh = told_after(self.house, page.place)
        page.told += fresh
        page.place = fresh[-1].place if fresh else page.place
        for one in fresh:
            if one.kind == "need":
                assert one.id is not None and one.version is not None
                page.shows[one.id, one.ours] = one.version

    def step(self, kind: str, *values: Any) -> None:
        house = self.house
        steps: dict[str, Callable[..., object]] = {
            "need": lambda: self.needs.append(house.need()),
            "close": self.close,
            "say": lambda gid, number, said: self.feed(gid).say(subject(gid, number), said),
            "late": self.say_without_view,
            "deliver": self.deliver,
            "catch up": lambda: house.views.catch_up(),
            "restart": lambda: house.reopen(),
            "rebuild": lambda: house.views.rebuild(),
            "come back": lambda number: self.come_back(self.pages[number]),
        }
        steps[kind](*values)

    def close(self, number: int) -> None:
        if number < len(self.needs):
            self.house.change(Need, self.needs.pop(number), lambda need: need.close(self.house.act(), "met"))

    def say_without_view(self, number: int) -> None:
        feed = self.feed(ALICE)
        sealed = feed.sealed(subject(ALICE, number), RICE)
        self.late.append((feed.append([sealed], without=VIEW), sealed))

    def deliver(self) -> None:
        if self.late:
            index, sealed = self.late.pop(0)
            self.feed(ALICE).deliver(index, VIEW, sealed)

    def feed(self, gid: str) -> Any:
        return self.house.feed(gid, CIRCLE if gid == ALICE else OTHER_CIRCLE)


def subject(gid: str, number: int) -> bytes:
    return bytes([number, *gid.encode()[:15]])


def play(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, house_in(Path(folder)) as house:
        story = Story(house)
        for step in steps:
            story.step(*step)
        rebuilds = sum(step[0] == "rebuild" for step in steps)
        for page in story.pages:
            story.come_back(page)
            # What is hidden again until its description comes was told of too: asked for, it is not in the lists.
            shown = story.lists()
            assert {key: version for key, version in page.shows.items() if key in shown} == shown
            assert len({one.place for one in page.told}) == len(page.told), "nothing is told twice"
            own = [one.position for one in page.told if one.ours and one.kind == "need"]
            assert own == sorted(set(own)), "each event of ours once, in order"
            assert page.resets <= rebuilds, "only what was rebuilt is read anew"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=40))
def test_whoever_comes_back_whenever_shows_what_the_lists_show(steps: list[tuple[Any, ...]]) -> None:
    play(steps)


@pytest.mark.fuzz
@pytest.mark.timeout(900)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=150))
def test_in_long_stories_too(steps: list[tuple[Any, ...]]) -> None:
    play(steps)


@contextmanager
def house_in(folder: Path, seed: int = 1) -> Iterator[House]:
    folder.mkdir(exist_ok=True)
    house = House(folder, seed)
    try:
        yield house
    finally:
        house.close()
