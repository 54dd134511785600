"""When our own feed may be signed: every row of the table that decides it."""

from __future__ import annotations

import pytest

from aidmesh_node.domain import own_feed
from aidmesh_node.domain.own_feed import ACTIVE, FRESH, NEW, RECOVERING, Mark

ROOTS = {0: b"empty", 1: b"one", 2: b"two", 3: b"three"}


@pytest.mark.parametrize(
    ("mark", "ever_signed", "has_mark", "expected", "says"),
    [
        (None, False, True, NEW, ""),
        (None, True, True, RECOVERING, "does not know this feed"),
        (None, False, False, RECOVERING, "mark is missing"),
        (None, True, False, RECOVERING, "mark is missing"),
        (Mark(3, b"three", 0), True, True, ACTIVE, ""),
        (Mark(2, b"two", 0), True, True, ACTIVE, ""),
        (Mark(2, b"two", 0), False, True, ACTIVE, ""),
        (Mark(4, b"four", 0), True, True, RECOVERING, "has 3 entries, 4 were signed"),
        (Mark(2, b"other", 0), True, True, RECOVERING, "first 2 entries are not those"),
        (Mark(3, b"three", 1), True, True, RECOVERING, "generation 1"),
    ],
)
def test_where_a_feed_stands_at_the_start(
    mark: Mark | None, ever_signed: bool, has_mark: bool, expected: str, says: str
) -> None:
    standing, reason = own_feed.standing(
        mark, rows_size=3, root_at=ROOTS.get, generation=0, ever_signed=ever_signed, has_mark=has_mark
    )
    assert standing == expected
    assert says in reason
    assert bool(reason) == (standing == RECOVERING)


@pytest.mark.parametrize(
    ("size", "root", "expected", "says"),
    [
        (0, b"", FRESH, ""),
        (2, b"two", FRESH, ""),
        (3, b"three", FRESH, ""),
        (3, b"other", RECOVERING, "other entries"),
        (1, b"other", RECOVERING, "other entries"),
        (4, b"four", RECOVERING, "4 entries, this home has 3"),
    ],
)
def test_what_a_peer_shows(size: int, root: bytes, expected: str, says: str) -> None:
    verdict, reason = own_feed.hear_checkpoint(rows_size=3, root_at=ROOTS.get, shown_size=size, shown_root=root)
    assert verdict == expected
    assert says in reason


@pytest.mark.parametrize(
    ("standing", "fresh", "allowed"),
    [(NEW, True, True), (ACTIVE, True, True), (RECOVERING, True, False), (NEW, False, False), (ACTIVE, False, False)],
)
def test_only_a_feed_in_order_and_heard_of_is_signed(standing: str, fresh: bool, allowed: bool) -> None:
    assert own_feed.may_sign(standing, fresh) is allowed


def test_everybody_who_may_have_seen_the_feed_must_have_shown_it() -> None:
    assert own_feed.is_fresh({"bob"}, {"bob"})
    assert own_feed.is_fresh({"bob", "carol"}, {"bob"})
    assert not own_feed.is_fresh({"bob"}, {"bob", "carol"})
    assert not own_feed.is_fresh(set(), {"bob"})
    assert own_feed.is_fresh(set(), set())


def test_only_what_did_not_exist_at_the_start_is_fresh_by_itself() -> None:
    assert own_feed.fresh_at_start(known_at_start=False)
    assert not own_feed.fresh_at_start(known_at_start=True)


def test_only_what_cannot_have_been_signed_makes_room() -> None:
    assert own_feed.unseen_from(signed_size=3, mark=None) == 3
    assert own_feed.unseen_from(signed_size=3, mark=own_feed.Mark(5, b"", 0)) == 5


def test_a_feed_is_whole_when_it_holds_what_the_mark_and_others_know() -> None:
    roots = {1: b"one", 2: b"two"}
    mark = own_feed.Mark(2, b"two", 0)
    assert own_feed.has_all(root_at=roots.get, mark=mark, shown=[(1, b"one")])
    assert not own_feed.has_all(root_at=roots.get, mark=mark, shown=[(3, b"three")])
    assert not own_feed.has_all(root_at=roots.get, mark=own_feed.Mark(2, b"other", 0), shown=[])


def test_more_than_half_of_a_circle_confirms() -> None:
    assert own_feed.is_confirmed({1, 2}, {1, 2, 3}) and not own_feed.is_confirmed({1}, {1, 2})
    assert not own_feed.is_confirmed({7, 8}, {1}), "strangers do not count"
    assert own_feed.is_confirmed(set(), set()), "a feed for nobody needs nobody's word"


def test_two_copies_that_begin_anew_do_not_begin_the_same_feed() -> None:
    first = own_feed.next_generation(known=0, seconds=1_795_000_000)
    assert own_feed.next_generation(known=0, seconds=1_795_000_001) > first
    assert own_feed.next_generation(known=first, seconds=0) == first + 1, "a clock of 1970 goes on from what is known"
    assert own_feed.next_generation(known=0, seconds=2**40) == own_feed.GENERATION_MAX
